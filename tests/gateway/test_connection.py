"""Connections of callers who send no request, or one that does not end."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import uvicorn

from azure_responses.gateway.connection import Connection
from azure_responses.gateway.replies import Receive, Scope, Send
from tests.gateway.gateways import KEY, Running, config_of, run_server, serve

_LONG = 30_000_000
_GET = f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(Connection, "head_seconds", 0.3)
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
@pytest.mark.parametrize(("pause", "is_whole"), [(0.1, True), (3.0, False)])
def test_a_slow_reader_gets_it_all_and_one_who_does_not_read_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, head: bytes, pause: float, is_whole: bool
) -> None:
    monkeypatch.setattr(Connection, "read_seconds", 1.0)
    server = uvicorn.Server(
        uvicorn.Config(_answer_at_length, http=Connection, lifespan="off", log_config=None)
    )
    with run_server(server) as port, socket.create_connection(("127.0.0.1", port), 10) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n")
        time.sleep(pause)
        size = _read_slowly(caller)
    assert (size > _LONG) == is_whole


def _read_slowly(caller: socket.socket) -> int:
    size = 0
    with suppress(ConnectionResetError):
        while size < _LONG:
            time.sleep(0.005)
            piece = caller.recv(100_000)
            if not piece:
                break
            size += len(piece)
    return size
