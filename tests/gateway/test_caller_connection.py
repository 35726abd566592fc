"""Connections of callers who send no request, or one that does not end."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from azure_responses.gateway.asgi_reply import Receive, Scope, Send
from azure_responses.gateway.caller_connection import CallerConnection
from azure_responses.gateway.connection_limits import ConnectionLimits
from tests.gateway.gateways import KEY, Running, config_of, run_server, serve

_LONG = 30_000_000
_POST = f"POST /v1/responses HTTP/1.1\r\nhost: x\r\napi-key: {KEY}\r\n".encode()
_GET = f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(CallerConnection, "head_seconds", 0.3)
    with serve(config_of("http://127.0.0.1:9", "east")) as running:
        yield running


def _connect(gateway: Running) -> socket.socket:
    parts = urlsplit(gateway.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def _read_reply(connection: socket.socket) -> bytes:
    reply = b""
    while b"}" not in reply:
        piece = connection.recv(65536)
        if not piece:
            break
        reply += piece
    return reply


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET /v1/mod", _GET])
def test_a_request_that_does_not_come_is_not_waited_for(gateway: Running, sent: bytes) -> None:
    with _connect(gateway) as connection:
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_a_connection_that_was_used_is_not_waited_for_either(gateway: Running) -> None:
    with _connect(gateway) as connection:
        connection.sendall(_GET + b"\r\n")
        assert b"200 OK" in _read_reply(connection)
        time.sleep(0.5)
        # Between requests it may rest for longer: the time of a head begins with its first byte.
        connection.sendall(_GET + b"\r\n")
        assert b"200 OK" in _read_reply(connection)
        connection.sendall(b"\r\n")
        assert connection.recv(100) == b""


def test_a_head_without_end_is_refused(gateway: Running) -> None:
    with _connect(gateway) as connection:
        connection.sendall(_GET)
        for _ in range(5):
            connection.sendall(b"x-more: " + b"m" * 30_000 + b"\r\n")
        reply = _read_reply(connection)
    assert reply.startswith(b"HTTP/1.1 431 ")
    assert b"headers_too_large" in reply


def test_more_headers_than_any_caller_needs_are_refused(gateway: Running) -> None:
    with _connect(gateway) as connection:
        connection.sendall(_GET + b"x: y\r\n" * 500 + b"\r\n")
        reply = _read_reply(connection)
    assert reply.startswith(b"HTTP/1.1 431 ")
    assert b"more than 200" in reply


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"1\r\nx\r\n" * 60_000, id="a byte in each chunk"),
        pytest.param(b"1;" + b"e" * 300_000, id="an endless chunk extension"),
        pytest.param(b"1\r\nx\r\n0\r\nt: " + b"v" * 300_000, id="an endless trailer"),
        pytest.param(b"1\r\nx\r\n0\r\n" + b"t: v\r\n" * 60_000, id="trailers without end"),
    ],
)
def test_a_body_that_is_nearly_all_framing_is_refused(gateway: Running, body: bytes) -> None:
    head = _POST + b"transfer-encoding: chunked\r\n\r\n"
    with _connect(gateway) as connection:
        with suppress(ConnectionError):
            connection.sendall(head + body)
        with suppress(ConnectionError):
            assert _read_reply(connection).startswith(b"HTTP/1.1 400 ")
    with gateway.client() as client:
        assert client.get("/v1/models").status_code == 200


def test_small_chunks_and_trailers_are_no_fault(gateway: Running) -> None:
    chunks = b"".join(b"4\r\n%b\r\n" % piece for piece in [b'{"a"', b":1} "] * 2000)
    body = b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\nt: v\r\n\r\n"
    with _connect(gateway) as connection:
        connection.sendall(_POST + body)
        assert b"invalid_json" in _read_reply(connection)


def _requests() -> tuple[bytes, list[bytes]]:
    """Requests of all kinds one behind the other, and what their replies hold."""
    kinds = [
        (_GET + b"\r\n", b'"id":"chat"'),
        (_POST + b"content-length: 3\r\n\r\n[1]", b"JSON array"),
        (_POST + b"content-length: 100002\r\n\r\n[" + b" " * 100_000 + b"]", b"JSON array"),
        (_POST + b"transfer-encoding: chunked\r\n\r\n2\r\n42\r\n0\r\n\r\n", b"JSON number"),
        (
            _POST.replace(KEY.encode(), b"no-key") + b"content-length: 5000\r\n\r\n" + b"x" * 5000,
            b"invalid_api_key",
        ),
    ]
    return b"".join(request for request, _ in kinds), [reply for _, reply in kinds]


def _read_replies(connection: socket.socket, count: int) -> list[bytes]:
    replies: list[bytes] = []
    unread = b""
    while len(replies) < count:
        head, found, rest = unread.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1]) if found else 0  # type: ignore[index]
        if found and len(rest) >= length:
            replies.append(rest[:length])
            unread = rest[length:]
            continue
        piece = connection.recv(65536)
        assert piece, unread
        unread += piece
    return replies


@pytest.mark.parametrize("size", [997, 10**9])
def test_requests_sent_ahead_are_all_answered_in_order(gateway: Running, size: int) -> None:
    sent, expected = _requests()
    sent, expected = sent * 20, expected * 20
    with _connect(gateway) as connection:

        def send() -> None:
            for place in range(0, len(sent), size):
                connection.sendall(sent[place : place + size])

        sender = threading.Thread(target=send)
        sender.start()
        replies = _read_replies(connection, len(expected))
        sender.join()
    assert [one in reply for one, reply in zip(expected, replies, strict=True)] == [True] * 100


def test_a_refused_caller_who_waits_to_be_asked_for_the_body_is_not_read_on(
    gateway: Running,
) -> None:
    head = _POST.replace(KEY.encode(), b"no-key")
    with _connect(gateway) as connection:
        # Whether the body follows all the same is open: a request behind it might be a part of it.
        connection.sendall(head + b"expect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    assert reply.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in reply


def test_a_full_gateway_closes_the_connection_that_has_waited_longest() -> None:
    general = {"max_connections": 3}
    with serve(config_of("http://127.0.0.1:9", "east", **general)) as gateway, ExitStack() as stack:
        silent = [stack.enter_context(_connect(gateway)) for _ in range(3)]
        busy = stack.enter_context(_connect(gateway))
        busy.sendall(_GET + b"\r\n")
        assert b"200 OK" in _read_reply(busy)
        assert silent[0].recv(100) == b""
        silent[2].sendall(_GET + b"\r\n")
        assert b"200 OK" in _read_reply(silent[2])


def test_where_all_connections_are_at_work_a_new_one_is_told_so() -> None:
    async def answer_never(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    limits = ConnectionLimits(most=1)
    protocol: Any = partial(CallerConnection, limits=limits)
    server = uvicorn.Server(
        uvicorn.Config(answer_never, http=protocol, lifespan="off", log_config=None)
    )
    with run_server(server) as port, socket.create_connection(("127.0.0.1", port), 10) as working:
        working.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port), 10) as refused:
            reply = _read_reply(refused)
    assert reply.startswith(b"HTTP/1.1 503 ")
    assert b"general_settings.max_connections" in reply


def test_a_long_body_is_no_long_head(gateway: Running) -> None:
    with gateway.client("not-a-key") as client:
        for _ in range(2):
            # Answered before it is read, on a connection that goes on.
            assert client.post("/v1/responses", content=b"x" * 1_000_000).status_code == 401


async def _answer_at_length(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"%d" % _LONG)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * _LONG})


@pytest.mark.parametrize("head", [b"", b"connection: close\r\n"])
@pytest.mark.parametrize(
    ("pause", "piece", "is_whole"), [(0.1, 100_000, True), (3.0, 100_000, False), (0.1, 20, False)]
)
def test_a_slow_reader_gets_it_all_and_one_who_hardly_reads_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, head: bytes, pause: float, piece: int, is_whole: bool
) -> None:
    monkeypatch.setattr(CallerConnection, "read_seconds", 1.0)
    server = uvicorn.Server(
        uvicorn.Config(_answer_at_length, http=CallerConnection, lifespan="off", log_config=None)
    )
    with run_server(server) as port, socket.create_connection(("127.0.0.1", port), 10) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n")
        time.sleep(pause)
        size = _read_slowly(caller, piece)
    assert (size > _LONG) == is_whole


def _read_slowly(caller: socket.socket, most: int) -> int:
    """Bytes that are read until the end, or in three seconds of hardly reading."""
    size = 0
    ends = time.monotonic() + (3.0 if most < 1000 else 60.0)
    with suppress(ConnectionResetError):
        while size < _LONG and time.monotonic() < ends:
            time.sleep(0.005)
            piece = caller.recv(most)
            if not piece:
                break
            size += len(piece)
        while piece := caller.recv(100_000):
            size += len(piece)
    return size
