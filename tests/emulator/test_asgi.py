"""The ASGI application, driven without a server."""

import time
from typing import Any

import anyio
import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Fault, Latency
from tests.emulator.callers import BEGIN, V1, create, open_client

BODY = b'{"model":"gpt-4.1","input":"Say hello","stream":true}'


class Caller:
    """One request from the other side of ASGI; leaves after `patience` messages, if given."""

    def __init__(self, emulator: Emulator, patience: int | None = None, **scope: Any) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": V1,
            "raw_path": V1.encode(),
            "query_string": b"",
            "headers": [
                (b"host", b"emulator.openai.azure.com"),
                (b"api-key", emulator.api_key.encode()),
            ],
            **scope,
        }
        self.incoming: list[dict[str, Any]] = [{"type": "http.request", "body": BODY}]
        self.sent: list[dict[str, Any]] = []
        self._app = emulator.asgi
        self._patience = patience
        self._left = anyio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.incoming:
            return self.incoming.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if len(self.sent) == self._patience:
            self._left.set()
            await anyio.sleep(0)

    async def run(self) -> None:
        with anyio.fail_after(5):
            await self._app(self.scope, self.receive, self.send)


def run(caller: Caller, backend: str = "asyncio") -> bytes:
    anyio.run(caller.run, backend=backend)
    return b"".join(message.get("body", b"") for message in caller.sent)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_is_sent_event_by_event(backend: str) -> None:
    caller = Caller(Emulator(clock=Clock(BEGIN)))
    body = run(caller, backend)
    with open_client(Emulator(clock=Clock(BEGIN))) as client:
        assert body == create(client, stream=True).content
    start, *pieces = caller.sent
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert len(pieces) == body.count(b"\n\n") + 1
    assert [piece["more_body"] for piece in pieces[-2:]] == [True, False]


def test_a_whole_reply_has_its_length() -> None:
    caller = Caller(Emulator(clock=Clock(BEGIN), latency=Latency(first_token=9)))
    caller.incoming = [
        {"type": "http.request", "body": b'{"model":"gpt-4.1",', "more_body": True},
        {"type": "http.request", "body": b'"input":"x"}', "more_body": False},
    ]
    body = run(caller)
    headers = dict(caller.sent[0]["headers"])
    assert int(headers[b"content-length"]) == len(body)
    assert len(caller.sent) == 2


def test_a_stream_waits_between_its_events() -> None:
    emulator = Emulator(clock=Clock(BEGIN), latency=Latency(first_token=9))
    run(Caller(emulator))
    assert emulator.clock.now() == BEGIN + 9


def test_the_httpx_asgi_transport_reaches_it_too() -> None:
    emulator = Emulator()

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(emulator.asgi), base_url="http://testserver"
        ) as client:
            return await client.get("/openai/v1/models", headers={"api-key": emulator.api_key})

    assert anyio.run(ask).status_code == 200


def test_a_caller_who_leaves_early_is_noticed_and_nothing_is_stored() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("stall", after_events=2))
    caller = Caller(emulator, patience=3)
    run(caller)
    response_id = caller.sent[1]["body"].split(b'"id":"')[1].split(b'"')[0].decode()
    emulator.faults.clear()
    with open_client(emulator) as client:
        assert client.get(f"{V1}/{response_id}").status_code == 404


def test_a_caller_who_leaves_while_sending_gets_nothing() -> None:
    emulator = Emulator()
    caller = Caller(emulator)
    caller.incoming = [{"type": "http.disconnect"}]
    assert run(caller) == b""
    assert len(emulator.requests) == 0


def test_a_server_without_a_transport_is_told_by_an_exception() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("reset-before-headers"))
    with pytest.raises(Exception, match="reset"):
        run(Caller(emulator))


def test_a_stall_ends_after_its_seconds_of_real_time_whatever_the_clock() -> None:
    emulator = Emulator(clock=Clock(BEGIN))
    emulator.faults.add(Fault("stall-before-headers", seconds=0.05))
    begin = time.monotonic()
    with pytest.raises(Exception, match="stall"):
        run(Caller(emulator))
    assert time.monotonic() - begin >= 0.05
    assert emulator.clock.now() == BEGIN


def test_head_requests_have_no_body() -> None:
    caller = Caller(Emulator(), method="HEAD")
    assert run(caller) == b""
    assert caller.sent[0]["status"] == 404


def test_lifespan_is_acknowledged() -> None:
    caller = Caller(Emulator(), type="lifespan")
    caller.incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    run(caller)
    assert [message["type"] for message in caller.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_websocket_that_is_refused_is_closed_where_the_server_can_send_no_status() -> None:
    caller = Caller(Emulator(), type="websocket")
    caller.incoming = [{"type": "websocket.connect"}]
    run(caller)
    assert caller.sent == [{"type": "websocket.close", "code": 1000}]


def test_a_websocket_without_a_key_is_refused_with_the_status_of_http() -> None:
    caller = Caller(Emulator(), type="websocket", extensions={"websocket.http.response": {}})
    caller.incoming = [{"type": "websocket.connect"}]
    run(caller)
    assert caller.sent[0]["status"] == 401
    assert caller.sent[1]["type"] == "websocket.http.response.body"


@pytest.mark.parametrize(
    ("host", "expected"),
    [(b"b.localhost:80", "b.localhost"), (b"[::1]:80", "[::1]"), (b"x.test", "x.test")],
)
def test_the_host_header_loses_its_port(host: bytes, expected: str) -> None:
    emulator = Emulator()
    run(Caller(emulator, headers=[(b"host", host)]))
    assert emulator.requests[0].host == expected


def test_a_missing_raw_path_is_made_up_for() -> None:
    emulator = Emulator()
    run(Caller(emulator, raw_path=None, headers=[]))
    assert (emulator.requests[0].path, emulator.requests[0].host) == (V1, "localhost")


class _Line:
    """A server's transport whose other end has gone: its socket takes no more options."""

    def __init__(self, is_closing: bool) -> None:
        self.aborted = 0
        self._is_closing = is_closing

    def is_closing(self) -> bool:
        return self._is_closing

    def get_extra_info(self, name: str) -> "_Line":
        return self

    def setsockopt(self, *option: object) -> None:
        if self._is_closing:
            raise ValueError("negative file descriptor")

    def abort(self) -> None:
        self.aborted += 1


class _Cycle:
    """What a server's `send` belongs to."""

    def __init__(self, line: _Line) -> None:
        self.transport = line

    async def send(self, message: Any) -> None:
        pass


@pytest.mark.parametrize("has_gone", [True, False])
def test_a_stalled_connection_is_reset_unless_the_caller_has_gone(has_gone: bool) -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("stall-before-headers", seconds=0.01))
    caller, line = Caller(emulator), _Line(has_gone)
    caller.incoming += [{"type": "http.disconnect"}] * 2
    caller.send = _Cycle(line).send  # type: ignore[method-assign]
    run(caller)
    assert line.aborted == (0 if has_gone else 1)
