"""A server whose replies break in every way that HTTP allows, and some that it does not.

A request says in its `model` what happens to it: `status.place.fault`.
"""

import gzip
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.clients.socket_server import SocketServer

__all__ = ["BODY_FAULTS", "HEAD_FAULTS", "BrokenServer", "Case", "Fault", "cases"]

_RESPONSE = '{"id":"resp_1","object":"response","status":"in_progress","output":[]}'
_CREATED = (
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,'
    f'"response":{_RESPONSE}}}\n\n'
).encode()
_DELTA = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    b'"sequence_number":1,"item_id":"m","output_index":0,"content_index":0,"delta":"once",'
    b'"logprobs":[]}\n\n'
)
_WHOLE = b'{"id":"resp_1","object":"response","status":"completed","output":[],"x":"' + b"y" * 500
_ERROR = b'{"error":{"code":"too_bad","message":"Everything is bad, for once.","x":"' + b"y" * 500
# Far longer than any call of the tests may take.
_SECONDS = 20.0
_PACE = 0.1


@dataclass(frozen=True)
class Fault:
    """One way to break.

    Attributes:
        act: sends it.
        is_late: it ends by the caller's time alone; None where a library may see it sooner.
        encoding: of the body.
        length: the Content-Length, instead of chunks.
        may_pass: HTTP is satisfied: only what the body says is wrong.
    """

    act: Callable[["_Body"], None]
    is_late: bool | None = False
    encoding: str | None = None
    length: int | None = None
    may_pass: bool = False


class _Body:
    """The rest of a reply."""

    def __init__(self, connection: socket.socket, *, is_stream: bool, left: threading.Event):
        self.connection = connection
        self.is_stream = is_stream
        self.left = left

    def raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def chunk(self, data: bytes) -> None:
        self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def every_moment(self, send: Callable[[], None], pace: float = _PACE) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and not self.left.wait(pace):
            send()

    def wait(self) -> None:
        """Until the client goes."""
        self.connection.settimeout(_SECONDS)
        self.connection.recv(1)


def _raw(data: bytes, then: Callable[[_Body], None] | None = None) -> Callable[[_Body], None]:
    def act(body: _Body) -> None:
        body.raw(data)
        if then is not None:
            then(body)

    return act


def _reset(body: _Body) -> None:
    body.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _half_close(body: _Body) -> None:
    body.connection.shutdown(socket.SHUT_WR)
    body.wait()


def _finish(body: _Body, data: bytes) -> None:
    body.chunk(data)
    body.raw(b"0\r\n\r\n")
    body.wait()


def _bad_event(body: _Body, data: bytes) -> None:
    _finish(body, b"data: " + data + b"\n\n" if body.is_stream else data)


def _comments(body: _Body) -> None:
    body.every_moment(lambda: body.chunk(b": keep-alive\n\n" if body.is_stream else b"   "))


def _dribble(body: _Body, data: bytes) -> None:
    pieces = iter(data)
    body.every_moment(lambda: body.chunk(bytes([next(pieces, 120)])))


_GZIP = gzip.compress(b"data: x\n" * 500)
_DEFLATE = zlib.compress(b"data: x\n" * 500)

BODY_FAULTS: dict[str, Fault] = {
    "bad chunk size": Fault(_raw(b"QQQQ\r\nnot a chunk\r\n")),
    "bad chunk size, open": Fault(_raw(b"QQQQ\r\nnot\r\n", then=_Body.wait)),
    "huge chunk size": Fault(_raw(b"F" * 30 + b"\r\nabc")),
    "endless chunk size": Fault(
        lambda body: body.every_moment(lambda: body.raw(b"0")), is_late=None
    ),
    "negative chunk size": Fault(_raw(b"-5\r\nabcde\r\n")),
    "truncated chunk": Fault(_raw(b"ff\r\nabc")),
    "chunk without its end": Fault(_raw(b"3\r\nabcZZ3\r\nabc\r\n0\r\n\r\n")),
    "no last chunk": Fault(_raw(b"")),
    "bad trailer": Fault(_raw(b"0\r\n\0\1\2 bad")),
    "reset": Fault(_reset),
    "half closed": Fault(_half_close),
    "silence": Fault(_Body.wait, is_late=True),
    "comments": Fault(_comments, is_late=True),
    "dribbled event": Fault(lambda body: _dribble(body, b'data: {"type":"'), is_late=True),
    "dribbled frame": Fault(
        _raw(b"fff\r\n", then=lambda body: body.every_moment(lambda: body.raw(b" "))),
        is_late=True,
    ),
    "NUL bytes": Fault(lambda body: _bad_event(body, b"\0" * 100), may_pass=True),
    "bad UTF-8": Fault(lambda body: _bad_event(body, b'{"type":"\xff\xfe"}'), may_pass=True),
    "bad gzip": Fault(lambda body: _finish(body, b"no gzip at all" * 9), encoding="gzip"),
    "truncated gzip": Fault(
        lambda body: _finish(body, _GZIP[:-20]), encoding="gzip", may_pass=True
    ),
    "broken off gzip": Fault(lambda body: body.chunk(_GZIP[:-20]), encoding="gzip"),
    "silent gzip": Fault(
        _raw(b"%x\r\n%b\r\n" % (len(_GZIP) - 20, _GZIP[:-20]), then=_Body.wait),
        encoding="gzip",
        is_late=True,
    ),
    "bad deflate": Fault(lambda body: _finish(body, b"\xff" * 99), encoding="deflate"),
    "truncated deflate": Fault(
        lambda body: _finish(body, _DEFLATE[:-9]), encoding="deflate", may_pass=True
    ),
    "bad brotli": Fault(lambda body: _finish(body, b"\xff" * 99), encoding="br", may_pass=True),
    "bad zstd": Fault(lambda body: _finish(body, b"\xff" * 99), encoding="zstd", may_pass=True),
    "length too long": Fault(_raw(b""), length=99_999),
    "length too long, silent": Fault(_Body.wait, length=99_999, is_late=True),
    "length too short": Fault(_raw(b"y" * 50, then=_Body.wait), length=20, may_pass=True),
}


def _endless_head(body: _Body) -> None:
    body.raw(b"HTTP/1.1 200 OK\r\nx-a: ")
    body.every_moment(lambda: body.raw(b"a"))


def _many_informational(body: _Body) -> None:
    body.every_moment(lambda: body.raw(b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 50), 0.001)


HEAD_FAULTS: dict[str, Fault] = {
    "garbage status line": Fault(_raw(b"\x16\x03\x01 what is this?\r\n\r\n")),
    "no HTTP version": Fault(_raw(b"HTTP/9.9 abc\r\n\r\n")),
    "closed at once": Fault(_raw(b"")),
    "reset at once": Fault(_reset),
    "silent at once": Fault(_Body.wait, is_late=True),
    "half a head": Fault(_raw(b"HTTP/1.1 200 OK\r\nx-a: b\r\n")),
    "endless head": Fault(_endless_head, is_late=True),
    "huge header": Fault(_raw(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 2**20)),
    "many headers": Fault(_raw(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 200_000)),
    "flood of 1xx": Fault(_many_informational, is_late=True),
}


@dataclass(frozen=True)
class Case:
    """One request and what happens to it."""

    name: str
    fault: Fault
    status: int
    has_begun: bool
    is_in_head: bool


def cases() -> list[Case]:
    """Every fault, in every place."""
    found = [
        Case(f"200.head.{name}", fault, 200, has_begun=False, is_in_head=True)
        for name, fault in HEAD_FAULTS.items()
    ]
    for status, place in ((200, "before"), (200, "after"), (429, "after"), (500, "after")):
        found += [
            Case(f"{status}.{place}.{name}", fault, status, place == "after", is_in_head=False)
            for name, fault in BODY_FAULTS.items()
            # aiohttp refuses the head itself where it cannot decode what was not asked for.
            if status == 200 or fault.encoding not in ("br", "zstd")
            if status != 500 or not fault.is_late
        ]
    return found


_CASES = {case.name: case for case in cases()}


class BrokenServer(SocketServer):
    """Answers each request as its model says."""

    def __init__(self) -> None:
        super().__init__(lambda connection: None)

    def __enter__(self) -> "BrokenServer":
        super().__enter__()
        return self

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            request = json.loads(self._read(connection).partition(b"\r\n\r\n")[2])
            left = threading.Event()
            case = _CASES[request["model"]]
            body = _Body(connection, is_stream=request.get("stream", False), left=left)
            if not case.is_in_head:
                connection.sendall(_head(case, is_stream=body.is_stream))
                if case.has_begun and case.fault.encoding is None:
                    _begin(body, case)
            case.fault.act(body)

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while not data.endswith(b"}"):
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError
            data += piece
        return data


def _head(case: Case, *, is_stream: bool) -> bytes:
    kind = b"text/event-stream" if is_stream and case.status == 200 else b"application/json"
    lines = [b"HTTP/1.1 %d Whatever" % case.status, b"content-type: " + kind, b"connection: close"]
    if case.fault.encoding is not None:
        lines.append(b"content-encoding: " + case.fault.encoding.encode())
    if case.fault.length is None:
        lines.append(b"transfer-encoding: chunked")
    else:
        lines.append(b"content-length: %d" % case.fault.length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _begin(body: _Body, case: Case) -> None:
    start = _ERROR if case.status != 200 else _CREATED + _DELTA if body.is_stream else _WHOLE
    if case.fault.length is None:
        body.chunk(start)
    else:
        body.raw(start)
