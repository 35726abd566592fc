"""A stream ends with its terminal event, whatever the server does with the connection."""

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import openai
import pytest
import trio

from azure_responses import (
    AsyncAzureResponses,
    AzureResponses,
    Router,
    acompletion,
    aresponses,
    completion,
    responses,
)
from azure_responses.cli import main
from azure_responses.openai_transport import async_transport, transport
from tests.clients.socket_server import SocketServer, event, streaming_head
from tests.gateway.gateways import KEY, serve

# The server goes on for longer than this, and no read timeout is as short.
_BOUND = 9.0
_SECONDS = 16.0
_CALLS = 3

_ITEM: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
_PART = {"type": "output_text", "text": "once", "annotations": []}
_RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "output": [], "model": "gpt"}
_DONE = {**_RESPONSE, "status": "completed", "output": [{**_ITEM, "content": [_PART]}]}
_TEXT = {"item_id": "m", "output_index": 0, "content_index": 0, "logprobs": [], "delta": "once"}


def _event(kind: str, number: int, **fields: Any) -> bytes:
    return event(kind, json.dumps({"type": kind, "sequence_number": number, **fields}))


_BEGINNING = (
    _event("response.created", 0, response={**_RESPONSE, "status": "in_progress"})
    + _event("response.output_item.added", 1, output_index=0, item={**_ITEM, "content": []})
    + _event("response.output_text.delta", 2, **_TEXT)
)
_FAILED = {**_RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "Alas."}}
_INCOMPLETE = {
    **_DONE,
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
}
_ENDS: dict[str, bytes] = {
    "completed": _event("response.completed", 3, response=_DONE),
    "incomplete": _event("response.incomplete", 3, response=_INCOMPLETE),
    "cancelled": _event("response.cancelled", 3, response={**_DONE, "status": "cancelled"}),
    "failed": _event("response.failed", 3, response=_FAILED),
    "failed without a reason": _event("response.failed", 3, response={**_FAILED, "error": None}),
    "error": _event("error", 3, code="server_error", message="Alas."),
    "[DONE] alone": b"e\r\ndata: [DONE]\n\n\r\n",
}


def _be_silent(connection: socket.socket) -> None:
    connection.settimeout(_SECONDS)
    if connection.recv(1):
        raise ConnectionError


def _comment(connection: socket.socket) -> None:
    for _ in range(int(_SECONDS * 50)):
        connection.sendall(b"e\r\n: keep-alive\n\n\r\n")
        time.sleep(0.02)


def _go_on(connection: socket.socket) -> None:
    for number in range(int(_SECONDS * 50)):
        connection.sendall(_event("response.output_text.delta", 4 + number, **_TEXT))
        time.sleep(0.02)


def _begin_the_end(connection: socket.socket) -> None:
    """Half of the bytes that would end the body."""
    connection.sendall(b"0\r\n")
    _be_silent(connection)


_AFTERWARDS: dict[str, Callable[[socket.socket], None]] = {
    "silence": _be_silent,
    "comments": _comment,
    "more events": _go_on,
    "half an end": _begin_the_end,
}


def _join(chunks: bytes) -> bytes:
    """The same events in one chunk; what is no event follows it."""
    events = re.findall(rb"[0-9a-f]+\r\n((?:event|data): .*?\n\n)\r\n", chunks, re.DOTALL)
    body = b"".join(events)
    rest = chunks.rpartition(b"\n\n\r\n")[2]
    return b"%x\r\n%b\r\n%b" % (len(body), body, rest)


class _Script:
    """Sends a stream, and then does something else than ending it."""

    def __init__(self) -> None:
        self.end = _ENDS["completed"]
        self.afterwards: Callable[[socket.socket], None] = _be_silent
        self.is_one_chunk = False

    def answer(self, connection: socket.socket) -> None:
        body = _BEGINNING + self.end
        connection.sendall(streaming_head() + (_join(body) if self.is_one_chunk else body))
        self.afterwards(connection)
        raise ConnectionError


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[SocketServer, _Script]]:
    script = _Script()
    with SocketServer(script.answer) as server:
        yield server, script


@pytest.fixture
def url(running: tuple[SocketServer, _Script], monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a server that keeps silent after `response.completed`."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    running[1].end, running[1].afterwards = _ENDS["completed"], _be_silent
    running[1].is_one_chunk = False
    return running[0].url


_NATIVE: dict[str, Any] = {"model": "gpt", "input": "x", "stream": True}
_CHAT: dict[str, Any] = {
    "model": "gpt",
    "messages": [{"role": "user", "content": "x"}],
    "stream": True,
}
_ROUTED: dict[str, Any] = {"num_retries": 0, "cooldown_time": 0, "affinity_secret": "s" * 32}


def _rows(url: str) -> list[dict[str, Any]]:
    parameters = {"model": "azure/gpt", "api_base": url, "api_key": "k"}
    return [{"model_name": "gpt", "litellm_params": parameters}]


def _client(url: str, **options: Any) -> AzureResponses:
    return AzureResponses(url, api_key="k", max_retries=0, **options)


def _with_client(use: Callable[[Any], Any]) -> Callable[[str], Any]:
    def run(url: str) -> Any:
        with _client(url) as client:
            return use(client)

    return run


def _with_own(use: Callable[[Any], Any]) -> Callable[[str], Any]:
    def run(url: str) -> Any:
        with httpx.Client() as http_client, _client(url, http_client=http_client) as client:
            return use(client)

    return run


def _with_router(use: Callable[[Any], Any]) -> Callable[[str], Any]:
    def run(url: str) -> Any:
        with Router(_rows(url), **_ROUTED) as router:
            return use(router)

    return run


def _leave_block(client: Any) -> Any:
    with client.responses.stream(model="gpt", input="x") as stream:
        return [event.type for event in stream]


def _openai(router: Router) -> Any:
    http_client: Any = httpx.Client(transport=transport(router))
    with openai.OpenAI(api_key="x", base_url="http://x/v1", http_client=http_client) as client:
        chunks = client.chat.completions.create(**_CHAT)
        return [*client.responses.create(**_NATIVE)], [*chunks]


def _ask(url: str) -> Any:
    assert main(["ask", "x", "--endpoint", url, "--model", "gpt"]) == 0


def _call_functions(url: str) -> Any:
    given: dict[str, Any] = {"api_base": url, "api_key": "k"}
    return list(responses(**_NATIVE, **given)), list(completion(**_CHAT, **given))


_SYNC: dict[str, Callable[[str], Any]] = {
    "loop": _with_client(lambda client: list(client.responses.create(**_NATIVE))),
    "loop, own http_client": _with_own(lambda client: list(client.responses.create(**_NATIVE))),
    "text_deltas": _with_client(
        lambda client: list(client.responses.create(**_NATIVE).text_deltas())
    ),
    "get_final_response": _with_client(
        lambda client: client.responses.create(**_NATIVE).get_final_response()
    ),
    "retrieve": _with_client(lambda client: list(client.responses.retrieve("resp_1", stream=True))),
    "block": _with_client(_leave_block),
    "chunks": _with_client(lambda client: list(client.chat.completions.create(**_CHAT))),
    "completion": _with_client(
        lambda client: client.chat.completions.create(**_CHAT).get_final_completion()
    ),
    "functions": _call_functions,
    "router": _with_router(lambda router: list(router.responses(**_NATIVE))),
    "router chunks": _with_router(lambda router: list(router.completion(**_CHAT))),
    "router final": _with_router(lambda r: r.responses(**_NATIVE).get_final_response()),
    "openai package": _with_router(_openai),
    "command line": _ask,
}


async def _collect(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


async def _async_loop(url: str) -> None:
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        await _collect(await client.responses.create(**_NATIVE))
        stream = await client.responses.create(**_NATIVE)
        assert await _collect(stream.text_deltas()) == ["once"]
        async with client.responses.stream(model="gpt", input="x") as block:
            await _collect(block)
        stream = await client.responses.create(**_NATIVE)
        assert (await stream.get_final_response()).output_text == "once"


async def _async_others(url: str) -> None:
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        await _collect(await client.responses.retrieve("resp_1", stream=True))
        await _collect(await client.chat.completions.create(**_CHAT))
        chunks = await client.chat.completions.create(**_CHAT)
        await chunks.get_final_completion()


async def _async_own(url: str) -> None:
    async with (
        httpx.AsyncClient() as http_client,
        AsyncAzureResponses(url, api_key="k", max_retries=0, http_client=http_client) as client,
    ):
        await _collect(await client.responses.create(**_NATIVE))


async def _async_functions(url: str) -> None:
    given: dict[str, Any] = {"api_base": url, "api_key": "k"}
    await _collect(await aresponses(**_NATIVE, **given))
    await _collect(await acompletion(**_CHAT, **given))


async def _async_router(url: str) -> None:
    async with Router(_rows(url), **_ROUTED) as router:
        answer: Any = await router.aresponses(**_NATIVE)
        await _collect(answer)
        answer = await router.acompletion(**_CHAT)
        await _collect(answer)


async def _async_openai(url: str) -> None:
    async with Router(_rows(url), **_ROUTED) as router:
        http_client: Any = httpx.AsyncClient(transport=async_transport(router))
        async with openai.AsyncOpenAI(
            api_key="x", base_url="http://x/v1", http_client=http_client
        ) as client:
            await _collect(await client.responses.create(**_NATIVE))
            await _collect(await client.chat.completions.create(**_CHAT))


_ASYNC = {
    "loop": _async_loop,
    "others": _async_others,
    "own http_client": _async_own,
    "functions": _async_functions,
    "router": _async_router,
    "openai package": _async_openai,
}
_RUN: dict[str, Callable[[str], Any]] = {
    **{f"sync {name}": use for name, use in _SYNC.items()},
    **{
        f"asyncio {name}": lambda url, use=use: asyncio.run(use(url))  # type: ignore[misc]
        for name, use in _ASYNC.items()
    },
    **{
        f"trio {name}": lambda url, use=use: trio.run(use, url)  # type: ignore[misc]
        for name, use in _ASYNC.items()
        # asyncio's own package.
        if name != "openai package"
    },
}

_trio = pytest.mark.filterwarnings(
    # Trio reports httpx's own generators, which are not finished when a stream is cut.
    "ignore:Async generator.*httpx:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@_trio
@pytest.mark.parametrize("way", _RUN)
def test_nothing_is_waited_for_after_the_terminal_event(url: str, way: str) -> None:
    began = time.monotonic()
    _RUN[way](url)
    # Of an open connection only the bytes that end the body are waited for, for a moment.
    assert time.monotonic() - began < _BOUND


_KINDS = [("completed", afterwards) for afterwards in _AFTERWARDS] + [
    (end, "silence") for end in _ENDS if end != "completed"
]
_KINDS.append(("failed without a reason", "comments"))


@_trio
@pytest.mark.parametrize(("end", "afterwards"), _KINDS)
@pytest.mark.parametrize(
    "way", ["sync loop", "sync loop, own http_client", "sync router", "asyncio loop", "trio loop"]
)
def test_every_terminal_event_ends_a_stream_whatever_follows(
    running: tuple[SocketServer, _Script], way: str, end: str, afterwards: str
) -> None:
    server, script = running
    script.end, script.afterwards = _ENDS[end], _AFTERWARDS[afterwards]
    for script.is_one_chunk in (False, True):
        began = time.monotonic()
        with suppress(Exception):
            _RUN[way](server.url)
        assert time.monotonic() - began < _BOUND


_MORE = _event("response.output_text.delta", 4, **{**_TEXT, "delta": "more"})


async def _async_events(url: str) -> list[Any]:
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        return await _collect(await client.responses.create(**_NATIVE))


_EVENTS: dict[str, Callable[[str], Any]] = {
    "sync": _SYNC["loop"],
    "sync, own http_client": _SYNC["loop, own http_client"],
    "sync router": _SYNC["router"],
    "asyncio": lambda url: asyncio.run(_async_events(url)),
    "trio": lambda url: trio.run(_async_events, url),
}


@pytest.mark.parametrize("attached", [_MORE, b"QQQQ\r\nbad\r\n"], ids=["an event", "a bad chunk"])
@pytest.mark.parametrize("way", _EVENTS)
def test_what_comes_together_with_the_terminal_event_changes_nothing(
    running: tuple[SocketServer, _Script], url: str, way: str, attached: bytes
) -> None:
    running[1].end += attached
    for running[1].is_one_chunk in (False, True):
        kinds = [event.type for event in _EVENTS[way](url)]
        assert kinds[-1] == "response.completed"
        assert kinds.count("response.output_text.delta") == 1


@pytest.mark.parametrize("attached", [_MORE, b"QQQQ\r\nbad\r\n"], ids=["an event", "a bad chunk"])
def test_a_gateway_sends_nothing_that_comes_together_with_the_terminal_event(
    running: tuple[SocketServer, _Script], url: str, gateway: str, attached: bytes
) -> None:
    running[1].end += attached
    headers = {"authorization": f"Bearer {KEY}"}
    for running[1].is_one_chunk in (False, True):
        for path, body in (("/v1/responses", _NATIVE), ("/v1/chat/completions", _CHAT)):
            text = httpx.post(gateway + path, json=body, headers=headers, timeout=20).text
            assert "once" in text
            assert "more" not in text
            assert '"error":{' not in text


@pytest.mark.parametrize(("end", "afterwards"), _KINDS)
def test_a_gateway_ends_its_callers_stream_at_the_terminal_event(
    running: tuple[SocketServer, _Script], gateway: str, end: str, afterwards: str
) -> None:
    _, script = running
    script.end, script.afterwards = _ENDS[end], _AFTERWARDS[afterwards]
    script.is_one_chunk = False
    headers = {"authorization": f"Bearer {KEY}"}
    for path, body in (("/v1/responses", _NATIVE), ("/v1/chat/completions", _CHAT)):
        began = time.monotonic()
        text = httpx.post(gateway + path, json=body, headers=headers, timeout=20).text
        assert time.monotonic() - began < _BOUND
        assert "once" in text
        assert (body is _NATIVE) == ("[DONE]" not in text)


@pytest.fixture(scope="module")
def gateway(running: tuple[SocketServer, _Script]) -> Iterator[str]:
    config = {
        "model_list": _rows(running[0].url),
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32},
        "router_settings": {"num_retries": 0, "cooldown_time": 0},
    }
    with serve(config) as found:
        yield found.url


def _end_at_once(connection: socket.socket) -> None:
    connection.sendall(streaming_head() + _BEGINNING + _ENDS["completed"] + b"0\r\n\r\n")


def _end_in_pieces(connection: socket.socket) -> None:
    for piece in (_BEGINNING, _ENDS["completed"], b"0\r\n", b"\r\n"):
        time.sleep(0.005)
        connection.sendall(streaming_head() + piece if piece is _BEGINNING else piece)


@pytest.mark.parametrize("end", [_end_at_once, _end_in_pieces])
@pytest.mark.parametrize("way", ["sync", "own", "router", "asyncio", "asyncio own", "trio"])
def test_a_connection_whose_stream_ended_in_order_is_used_again(
    end: Callable[[socket.socket], None], way: str
) -> None:
    def loop(client: Any) -> None:
        for _ in range(_CALLS):
            list(client.responses.create(**_NATIVE))

    def route(router: Any) -> None:
        for _ in range(_CALLS):
            list(router.responses(**_NATIVE))

    async def call(url: str, **options: Any) -> None:
        async with AsyncAzureResponses(url, api_key="k", **options) as client:
            for _ in range(_CALLS):
                await _collect(await client.responses.create(**_NATIVE))

    async def call_own(url: str) -> None:
        async with httpx.AsyncClient() as http_client:
            await call(url, http_client=http_client)

    ways: dict[str, Callable[[str], Any]] = {
        "sync": _with_client(loop),
        "own": _with_own(loop),
        "router": _with_router(route),
        "asyncio": lambda url: asyncio.run(call(url)),
        "asyncio own": lambda url: asyncio.run(call_own(url)),
        "trio": lambda url: trio.run(call, url),
    }
    with SocketServer(end) as server:
        ways[way](server.url)
        assert len(server.requests) == _CALLS
        assert server.opened == 1
