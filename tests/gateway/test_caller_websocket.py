"""WebSockets of callers who send too much, too slowly, or do not read."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from azure_responses.gateway.asgi_reply import WEBSOCKET, Receive, Scope, Send
from azure_responses.gateway.caller_connection import CallerConnection
from azure_responses.gateway.caller_websocket import CallerWebSocket
from azure_responses.gateway.connection_limits import ConnectionLimits
from tests.gateway.gateways import run_server

_HANDSHAKE = (
    b"GET /socket?a=1 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
)


class _Echo:
    """An application that says what it got; it accepts a path that begins with /socket.

    Attributes:
        messages: of ASGI, as they came.
        scopes: of the connections.
        held: bytes that the connections say they hold.
        room: of which there may be so many.
    """

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.scopes: list[Scope] = []
        self.held = 0
        self.room = 10**9
        self.is_slow = False
        self.floods = False
        self.fails = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            head = {"type": "http.response.start", "status": 200, "headers": []}
            await send({**head, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        self.scopes.append(scope)
        assert (await receive())["type"] == "websocket.connect"
        if self.fails == "before":
            raise ValueError("before")
        if not scope["path"].startswith("/socket"):
            await self._refuse(send)
            return
        scope[WEBSOCKET].hold = self._hold
        if self.is_slow:
            await asyncio.sleep(0.3)
        known = "known" if "known" in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": known})
        if self.fails == "after":
            raise ValueError("after")
        with suppress(OSError):
            await self._answer(receive, send)

    async def _answer(self, receive: Receive, send: Send) -> None:
        while self.floods:
            await send({"type": "websocket.send", "text": "x" * 50_000})
        while True:
            message = await receive()
            self.messages.append(message)
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") == "close":
                await send({"type": "websocket.close", "code": 4000, "reason": "as asked"})
            else:
                text = message.get("text") or f"{len(message['bytes'])} bytes"
                await send({"type": "websocket.send", "text": text})

    async def _refuse(self, send: Send) -> None:
        body = b'{"no":1}'
        headers = [(b"content-type", b"application/json")]
        start = {"type": "websocket.http.response.start", "status": 401, "headers": headers}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": body})

    def _hold(self, size: int) -> bool:
        if self.held + size > self.room:
            return False
        self.held += size
        return True


@contextmanager
def _serve(app: _Echo, limits: ConnectionLimits | None = None, **options: Any) -> Iterator[str]:
    limits = limits or ConnectionLimits()
    config = uvicorn.Config(
        app,
        http=partial(CallerConnection, limits=limits),  # type: ignore[arg-type]
        ws=CallerWebSocket,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="error",
        timeout_graceful_shutdown=2,
        **options,
    )
    with run_server(uvicorn.Server(config)) as port:
        yield f"ws://127.0.0.1:{port}"


@pytest.fixture
def app() -> _Echo:
    return _Echo()


def _dial(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def _frame(data: bytes, opcode: int = 1, *, is_last: bool = True) -> bytes:
    """A frame of a client, masked with zeros."""
    first = bytes([opcode | 0x80 * is_last])
    if len(data) < 126:
        return first + bytes([0x80 | len(data)]) + b"\0\0\0\0" + data
    return first + b"\xff" + struct.pack("!Q", len(data)) + b"\0\0\0\0" + data


def _read_until(connection: socket.socket, end: bytes) -> bytes:
    got = b""
    while end not in got:
        piece = connection.recv(65536)
        if not piece:
            break
        got += piece
    return got


def _eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _close_code(connection: ClientConnection) -> int | None:
    try:
        while True:
            connection.recv(timeout=10)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


def test_messages_pass_in_both_directions(app: _Echo) -> None:
    with _serve(app) as url, connect(f"{url}/socket%20a?b=c", subprotocols=["known"]) as socket_:  # type: ignore[list-item]
        assert socket_.subprotocol == "known"
        socket_.send("Hällo")
        assert socket_.recv(timeout=10) == "Hällo"
        socket_.send([f"{number}" for number in range(5)])
        assert socket_.recv(timeout=10) == "01234"
        socket_.send(b"\x00\xff")
        assert socket_.recv(timeout=10) == "2 bytes"
        socket_.send("close")
        assert _close_code(socket_) == 4000
    scope = app.scopes[0]
    assert (scope["path"], scope["raw_path"]) == ("/socket a", b"/socket%20a")
    assert (scope["query_string"], scope["subprotocols"]) == (b"b=c", ["known"])
    assert scope["scheme"] == "ws"


def test_a_refusal_is_a_status_with_a_body(app: _Echo) -> None:
    with _serve(app) as url, pytest.raises(InvalidStatus) as caught:
        connect(f"{url}/other")
    response = caught.value.response
    assert (response.status_code, response.headers["content-type"]) == (401, "application/json")
    assert response.body is not None
    assert json.loads(response.body) == {"no": 1}


def test_an_invalid_handshake_is_refused(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE.replace(b"sec-websocket-key", b"x") + b"\r\n")
        assert _read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert app.scopes == []


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_upgrade_to_something_else_is_an_ordinary_request(app: _Echo, method: str) -> None:
    asked = _HANDSHAKE if method == "POST" else _HANDSHAKE.replace(b": websocket", b": h2c")
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(asked.replace(b"GET", method.encode(), 1) + b"\r\n")
        assert _read_until(connection, b"ok").startswith(b"HTTP/1.1 200 ")


def test_long_and_many_headers_reach_the_application(app: _Echo) -> None:
    more = b"".join(b"x-%d: y\r\n" % number for number in range(150)) + b"z: " + b"v" * 20_000
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + more + b"\r\n\r\n")
        assert _read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert len(app.scopes[0]["headers"]) > 150


@pytest.mark.parametrize("is_slow", [True, False])
@pytest.mark.parametrize("padding", [0, 3000])
def test_frames_that_come_with_the_handshake_are_read_once_it_is_accepted(
    app: _Echo, is_slow: bool, padding: int
) -> None:
    app.is_slow = is_slow
    head = _HANDSHAKE + b"expect: 100-continue\r\nx: " + b"y" * padding + b"\r\n\r\n"
    frames = b"".join(_frame(b"early %d" % number) for number in range(500))
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(head + frames[:6001])
        time.sleep(0.05)
        connection.sendall(frames[6001:])
        assert _read_until(connection, b"early 499").count(b"early") == 500


def test_a_handshake_may_follow_a_request_on_the_same_connection(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" + _HANDSHAKE + b"\r\n")
        assert b" 101 " in _read_until(connection, b" 101 ")
        connection.sendall(_frame(b"hello"))
        assert b"hello" in _read_until(connection, b"hello")


def test_a_message_over_the_limit_is_refused_by_its_code(app: _Echo) -> None:
    with _serve(app, ws_max_size=1000) as url, connect(f"{url}/socket") as socket_:
        with suppress(ConnectionClosed):
            socket_.send("x" * 20_000_000)
        assert _close_code(socket_) == 1009
    assert [message.get("code") for message in app.messages] == [1009]


def test_text_that_is_not_utf_8_is_refused_by_its_code(
    app: _Echo, caplog: pytest.LogCaptureFixture
) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + b"\r\n" + _frame(b"\xff"))
        assert struct.pack("!H", 1007) in _read_until(connection, struct.pack("!H", 1007))
    assert caplog.records == []


def test_bytes_that_are_not_a_frame_are_refused_by_their_code(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + b"\r\n" + b"\x0f" * 1000)
        assert struct.pack("!H", 1002) in _read_until(connection, struct.pack("!H", 1002))


def test_a_message_in_very_many_fragments_is_refused(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + b"\r\n" + _frame(b"", is_last=False))
        connection.sendall(_frame(b"", 0, is_last=False) * 12_000)
        assert struct.pack("!H", 1008) in _read_until(connection, struct.pack("!H", 1008))


def test_what_has_come_of_a_long_message_is_counted_until_it_is_whole(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + b"\r\n")
        _read_until(connection, b"\r\n\r\n")
        frame = _frame(b"x" * 200_000)
        connection.sendall(frame[:150_000])
        _eventually(lambda: app.held == 150_000)
        connection.sendall(frame[150_000:])
        _eventually(lambda: app.held == 0)
        app.room = 100_000
        connection.sendall(frame[:150_000])
        code = struct.pack("!H", 1013)
        assert code in _read_until(connection, code)
        assert app.held == 0


def test_pings_are_not_counted_as_parts_of_a_message(app: _Echo) -> None:
    with _serve(app) as url, _dial(url) as connection:
        app.room = 0
        connection.sendall(_HANDSHAKE + b"\r\n")
        for _ in range(20):
            connection.sendall(_frame(b"p" * 125, 9) * 500)
        connection.sendall(_frame(b"still here"))
        assert b"still here" in _read_until(connection, b"still here")


def test_a_caller_who_leaves_in_the_middle_of_a_message_holds_nothing(app: _Echo) -> None:
    with _serve(app) as url:
        with _dial(url) as connection:
            connection.sendall(_HANDSHAKE + b"\r\n")
            _read_until(connection, b"\r\n\r\n")
            connection.sendall(_frame(b"x" * 200_000)[:150_000])
            _eventually(lambda: app.held == 150_000)
        _eventually(lambda: app.held == 0)
        _eventually(lambda: bool(app.messages))


def test_a_caller_who_does_not_read_is_disconnected(
    app: _Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallerWebSocket, "read_seconds", 0.3)
    app.floods = True
    with _serve(app) as url, _dial(url) as connection:
        connection.sendall(_HANDSHAKE + b"\r\n")
        _read_until(connection, b"\r\n\r\n")
        time.sleep(1.0)
        with suppress(ConnectionError):
            while connection.recv(1_000_000):
                pass


def test_pings_of_a_caller_who_does_not_read_pile_up_nowhere(
    app: _Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    monkeypatch.setattr(CallerWebSocket, "read_seconds", 1.0)
    received = CallerWebSocket.data_received

    def watch(self: CallerWebSocket, data: bytes) -> None:
        received(self, data)
        sizes.append(self._reading.unread)

    monkeypatch.setattr(CallerWebSocket, "data_received", watch)
    with _serve(app) as url, _dial(url) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(_HANDSHAKE + b"\r\n")
        deadline = time.monotonic() + 2
        with suppress(OSError):
            while time.monotonic() < deadline:
                connection.sendall(_frame(b"p" * 125, 9) * 1000)
    assert sizes
    # The answers to what is read at once, on top of what makes the server wait.
    assert max(sizes) < 500_000


def test_a_ping_without_an_answer_ends_the_connection(app: _Echo) -> None:
    with (
        _serve(app, ws_ping_interval=0.05, ws_ping_timeout=0.2) as url,
        _dial(url) as connection,
    ):
        connection.sendall(_HANDSHAKE + b"\r\n")
        code = struct.pack("!H", 1011)
        assert code in _read_until(connection, code)
        _eventually(lambda: bool(app.messages))


def test_a_websocket_is_not_ended_for_other_connections_and_is_counted(app: _Echo) -> None:
    with _serve(app, ConnectionLimits(2)) as url, ExitStack() as stack:
        sockets = [stack.enter_context(connect(f"{url}/socket")) for _ in range(2)]
        with _dial(url) as third:
            assert _read_until(third, b"}").startswith(b"HTTP/1.1 503 ")
        sockets[0].close()

        def finds_room() -> bool:
            with _dial(url) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                return b" 200 " in _read_until(connection, b"k")

        _eventually(finds_room)
        sockets[1].send("still here")
        assert sockets[1].recv(timeout=10) == "still here"


def test_who_disconnects_is_noticed_and_forgotten(app: _Echo) -> None:
    with _serve(app) as url:
        before = threading.active_count()
        for _ in range(20):
            with connect(f"{url}/socket") as socket_:
                socket_.send("a")
                assert socket_.recv(timeout=10) == "a"
        left = [one for one in app.messages if one["type"] == "websocket.disconnect"]
        _eventually(lambda: threading.active_count() <= before)
        assert len(left) >= 19


def test_an_application_that_fails_leaves_no_caller_without_an_answer(
    app: _Echo, caplog: pytest.LogCaptureFixture
) -> None:
    with _serve(app) as url:
        app.fails = "before"
        with pytest.raises(InvalidStatus) as caught:
            connect(f"{url}/socket")
        assert caught.value.response.status_code == 500
        app.fails = "after"
        with connect(f"{url}/socket") as socket_:
            assert _close_code(socket_) == 1011
    assert [record.getMessage() for record in caplog.records] == [
        "A WebSocket connection ended"
    ] * 2


def test_a_server_that_ends_says_so_to_its_callers(app: _Echo) -> None:
    with ExitStack() as stack:
        with _serve(app) as url:
            socket_ = stack.enter_context(connect(f"{url}/socket"))
            socket_.send("a")
            assert socket_.recv(timeout=10) == "a"
        assert _close_code(socket_) == 1012
