"""Uploads and downloads whose connection breaks, is slow, or is refused half-way."""

import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from azure_responses import (
    APIConnectionError,
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    BadRequestError,
    InternalServerError,
)
from azure_responses.types import FileObject
from tests.clients.socket_server import SocketServer

_SIDES = ["sync", "own client", "asyncio", "trio"]
_BODY = b'{"id":"f1","bytes":1,"created_at":1,"filename":"a","purpose":"batch","status":"x"}'
_LARGE = 8_000_000


def _reply(status: int, body: bytes, *more: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-type: application/json", *more]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body])


class _Server(SocketServer):
    """Answers each connection with a function of the connection and its number."""

    def __init__(self, act: Callable[[socket.socket, int], None]) -> None:
        super().__init__(lambda connection: None)
        self._act = act

    def __enter__(self) -> "_Server":
        super().__enter__()
        return self

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            self._act(connection, self.opened)


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.lower(), rest


def _read_body(connection: socket.socket, pace: float = 0.0) -> None:
    head, body = _read_head(connection)
    length = re.search(rb"content-length: (\d+)", head)
    count = len(body)
    while (count < int(length[1])) if length else not body.endswith(b"0\r\n\r\n"):
        piece = connection.recv(2**18)
        if not piece:
            raise OSError("the client left")
        count += len(piece)
        body = body[-10:] + piece
        time.sleep(pace)


def _upload(side: str, url: str, file: Callable[[], Any], timeout: float = 5.0) -> FileObject:
    """The file that the client of a side creates; `file` gives what it sends."""
    arguments: dict[str, Any] = {"purpose": "batch"}
    settings: dict[str, Any] = {"api_key": "k" * 32, "timeout": timeout}
    if side == "sync":
        with AzureResponses(url, **settings) as client:
            return client.files.create(file=file(), **arguments)
    if side == "own client":
        with httpx.Client() as own, AzureResponses(url, http_client=own, **settings) as client:
            return client.files.create(file=file(), **arguments)

    async def create() -> FileObject:
        async with AsyncAzureResponses(url, **settings) as client:
            return await client.files.create(file=file(), **arguments)

    return anyio.run(create, backend=side)


def _download(side: str, url: str, timeout: float = 5.0) -> bytes:
    settings: dict[str, Any] = {"api_key": "k" * 32, "timeout": timeout, "max_retries": 0}
    if side in ("sync", "own client"):
        with AzureResponses(url, **settings) as client:
            return client.files.content("f1").read()

    async def read() -> bytes:
        async with AsyncAzureResponses(url, **settings) as client:
            return (await client.files.content("f1")).read()

    return anyio.run(read, backend=side)


def _pieces(count: int = 80, error: Exception | None = None) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 100_000
    if error is not None:
        raise error


async def _async_pieces() -> AsyncIterator[bytes]:
    for piece in _pieces():
        yield piece


def _large() -> bytes:
    return b"x" * _LARGE


@pytest.mark.parametrize("side", _SIDES)
def test_a_server_that_closes_within_the_body_is_named_with_how_far_it_came(side: str) -> None:
    def cut(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        connection.recv(100_000)

    with _Server(cut) as server:
        with pytest.raises(APIConnectionError, match=r"after \d+ of \d+ bytes") as caught:
            _upload(side, server.url, _large)
        # A body that can be read again is sent as often as any.
        assert server.opened == 3
    assert "refuses its size" in (caught.value.hint or "")
    assert server.url not in str(caught.value)


@pytest.mark.parametrize("side", _SIDES)
def test_what_can_be_read_once_is_sent_once(side: str) -> None:
    def cut(connection: socket.socket, number: int) -> None:
        # Until some of the file has come: before that it can still be sent anew.
        count = len(_read_head(connection)[1])
        while count < 100_000:
            count += len(connection.recv(2**16))

    with _Server(cut) as server:
        with pytest.raises(APIConnectionError):
            _upload(side, server.url, _async_pieces if side in ("asyncio", "trio") else _pieces)
        assert server.opened == 1


@pytest.mark.parametrize("side", _SIDES)
def test_a_failed_upload_is_sent_again_from_the_beginning(side: str, tmp_path: Path) -> None:
    def fail_once(connection: socket.socket, number: int) -> None:
        _read_body(connection)
        connection.sendall(_reply(200, _BODY) if number > 1 else _reply(500, b""))
        connection.recv(1)

    path = tmp_path / "a.jsonl"
    path.write_bytes(_large())
    with _Server(fail_once) as server:
        assert _upload(side, server.url, lambda: path).id == "f1"
    with _Server(fail_once) as server:
        with pytest.raises(InternalServerError):
            _upload(side, server.url, _pieces)
        assert server.opened == 1


@pytest.mark.parametrize("side", _SIDES)
def test_a_refusal_before_the_end_of_the_body_is_what_the_caller_sees(side: str) -> None:
    def refuse(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        body = b'{"error":{"code":"413","message":"Too large."}}'
        connection.sendall(_reply(413, body, b"connection: close"))
        # As nginx does: it reads on for a moment, so that the answer is not lost.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**18):
            pass

    with _Server(refuse) as server:
        started = time.monotonic()
        with pytest.raises(BadRequestError, match="Too large") as caught:
            _upload(side, server.url, _large)
        assert time.monotonic() - started < 4
        assert server.opened == 1
    assert "no body of this size" in (caught.value.hint or "")


@pytest.mark.parametrize("side", _SIDES)
def test_the_timeout_is_one_for_each_piece_and_not_for_the_whole(side: str) -> None:
    def slow(connection: socket.socket, number: int) -> None:
        _read_body(connection, pace=0.08)
        connection.sendall(_reply(200, _BODY))
        connection.recv(1)

    with _Server(slow) as server:
        started = time.monotonic()
        assert _upload(side, server.url, lambda: b"x" * 2 * _LARGE, timeout=3.5).id == "f1"
        assert time.monotonic() - started > 3.6
        assert server.opened == 1


@pytest.mark.parametrize("side", _SIDES)
def test_what_is_slow_to_read_takes_no_time_of_the_service(side: str) -> None:
    def slow_pieces() -> Iterator[bytes]:
        for _ in range(3):
            time.sleep(0.6)
            yield b"x" * 10

    def answer(connection: socket.socket, number: int) -> None:
        _read_body(connection)
        connection.sendall(_reply(200, _BODY))
        connection.recv(1)

    with _Server(answer) as server:
        assert _upload(side, server.url, slow_pieces, timeout=0.5).id == "f1"


@pytest.mark.parametrize("side", _SIDES)
def test_a_server_that_reads_no_further_is_left_in_time(side: str) -> None:
    left = threading.Event()

    def stop(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        left.wait(20)

    with _Server(stop) as server:
        started = time.monotonic()
        # The pieces can be read only once, so there is one attempt.
        with pytest.raises(APITimeoutError, match="after"):
            _upload(side, server.url, _pieces, timeout=0.5)
        assert time.monotonic() - started < 3
        left.set()


@pytest.mark.parametrize("side", _SIDES)
@pytest.mark.parametrize(
    "error", [ValueError("mine"), OSError("mine"), httpx.ReadError("mine"), TimeoutError("mine")]
)
def test_an_error_of_what_is_sent_is_raised_as_it_is(side: str, error: Exception) -> None:
    with _Server(lambda connection, number: _read_body(connection)) as server:
        with pytest.raises(type(error), match="mine"):
            _upload(side, server.url, lambda: _pieces(5, error))
        assert server.opened <= 1


@pytest.mark.parametrize("side", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_download_that_is_cut_never_looks_complete(side: str, is_chunked: bool) -> None:
    def cut(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        if is_chunked:
            head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n186a0\r\n"
        else:
            head = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n"
        connection.sendall(head + b"x" * 100_000)

    with (
        _Server(cut) as server,
        pytest.raises(APIConnectionError, match="100000 bytes of the download had arrived"),
    ):
        _download(side, server.url)


@pytest.mark.parametrize("side", ["sync", "asyncio", "trio"])
def test_a_download_that_falls_silent_is_left_in_time_but_a_slow_one_is_not(side: str) -> None:
    def drip(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")
        for _ in range(6):
            time.sleep(0.25)
            connection.sendall(b"x")

    def fall_silent(connection: socket.socket, number: int) -> None:
        _read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nxxx")
        connection.recv(1)

    with _Server(drip) as server:
        assert _download(side, server.url, timeout=1.0) == b"xxxxxx"
    with _Server(fall_silent) as server, pytest.raises(APITimeoutError):
        _download(side, server.url, timeout=0.5)


def test_a_short_download_of_a_transport_that_does_not_count_is_an_error(tmp_path: Path) -> None:
    class Short(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"abc"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": "5"}, stream=Short())

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as own,
        AzureResponses("https://r.openai.azure.com", api_key="k" * 32, http_client=own) as client,
    ):
        with pytest.raises(APIConnectionError, match="before all 5 bytes"):
            client.files.content("f1")
        with (
            client.files.with_streaming_response.content("f1") as content,
            pytest.raises(APIConnectionError),
        ):
            content.stream_to_file(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
