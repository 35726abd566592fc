"""The emulator in process, as an httpx transport for both kinds of client."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import NoReturn

import anyio
import anyio.lowlevel
import httpx

from azure_responses.emulator.http_messages import (
    Answerer,
    Break,
    Pause,
    PlannedReply,
    ReceivedRequest,
    ReplyStep,
)
from azure_responses.emulator.timing import Clock

__all__ = ["EmulatorTransport"]

_BROKEN: dict[str, tuple[type[httpx.TransportError], str]] = {
    "refused": (httpx.ConnectError, "[Errno 111] Connection refused"),
    "unresolved": (httpx.ConnectError, "[Errno -2] Name or service not known"),
    "reset": (httpx.ReadError, "[Errno 104] Connection reset by peer"),
    "disconnected": (
        httpx.RemoteProtocolError,
        "Server disconnected without sending a response.",
    ),
    "headers": (httpx.RemoteProtocolError, "peer closed connection in the middle of the headers"),
    "incomplete": (
        httpx.RemoteProtocolError,
        "peer closed connection without sending complete message body (incomplete chunked read)",
    ),
    "stall": (httpx.ReadTimeout, "The read operation timed out"),
}


def _fail(kind: str, request: httpx.Request) -> NoReturn:
    error, message = _BROKEN[kind]
    raise error(message, request=request)


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests from an emulator; waits and failures behave as on a socket."""

    def __init__(self, emulator: Answerer) -> None:
        self._emulator = emulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; raises the exception of httpx that a broken connection would."""
        request.read()
        reply = self._emulator.handle(_received(request))
        wait = _ReadTimeout(request, self._emulator.clock)
        if reply.broken is not None:
            _sleep(wait.before(reply.broken))
            _fail(reply.broken.kind, request)
        if reply.delay:
            _pause(wait, reply.delay, request)
        return _response(reply, request, wait)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """`handle_request`, awaiting, for httpx.AsyncClient."""
        await request.aread()
        # What was sent may be cancelled here, as it could be while it travels.
        await anyio.lowlevel.checkpoint()
        reply = self._emulator.handle(_received(request))
        wait = _ReadTimeout(request, self._emulator.clock)
        if reply.broken is not None:
            await anyio.sleep(wait.before(reply.broken))
            _fail(reply.broken.kind, request)
        if reply.delay:
            await _pause_async(wait, reply.delay, request)
        return _response(reply, request, wait)


def _received(request: httpx.Request) -> ReceivedRequest:
    target = request.url.raw_path.decode("ascii")
    path, _, query = target.partition("?")
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in request.headers.raw
    }
    return ReceivedRequest(request.method, request.url.host, path, query, headers, request.content)


def _response(reply: PlannedReply, request: httpx.Request, wait: "_ReadTimeout") -> httpx.Response:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers]
    if reply.steps is None:
        headers.append((b"content-length", b"%d" % len(reply.content)))
        return httpx.Response(reply.status, headers=headers, stream=httpx.ByteStream(reply.content))
    headers.append((b"transfer-encoding", b"chunked"))
    return httpx.Response(reply.status, headers=headers, stream=_Body(reply.steps, request, wait))


class _ReadTimeout:
    """How long one request's waits really last, given its read timeout and the clock."""

    def __init__(self, request: httpx.Request, clock: Clock) -> None:
        self._limit: float | None = request.extensions.get("timeout", {}).get("read")
        self._clock = clock
        self._silent = 0.0

    def end_silence(self) -> None:
        """Something was sent: the read timeout starts anew."""
        self._silent = 0.0

    def before(self, broken: Break) -> float:
        """Seconds to sleep before a connection fails that way."""
        if broken.kind != "stall":
            return 0.0
        seconds = broken.seconds if self._limit is None else min(broken.seconds, self._limit)
        return self._clock.wait(seconds)

    def of(self, seconds: float) -> tuple[float, bool]:
        """Seconds to sleep, and whether the caller's patience ends first."""
        if self._limit is not None and self._silent + seconds > self._limit:
            return self._clock.wait(self._limit - self._silent), True
        self._silent += seconds
        return self._clock.wait(seconds), False


def _sleep(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def _pause(wait: _ReadTimeout, seconds: float, request: httpx.Request) -> None:
    sleeps, runs_out = wait.of(seconds)
    _sleep(sleeps)
    if runs_out:
        raise httpx.ReadTimeout("The read operation timed out", request=request)


async def _pause_async(wait: _ReadTimeout, seconds: float, request: httpx.Request) -> None:
    sleeps, runs_out = wait.of(seconds)
    await anyio.sleep(sleeps)
    if runs_out:
        raise httpx.ReadTimeout("The read operation timed out", request=request)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A reply's steps, walked as the caller reads."""

    def __init__(
        self, steps: Iterator[ReplyStep], request: httpx.Request, wait: _ReadTimeout
    ) -> None:
        self._steps = steps
        self._request = request
        self._wait = wait

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                self._wait.end_silence()
                yield step
            elif isinstance(step, Pause):
                _pause(self._wait, step.seconds, self._request)
            else:
                _sleep(self._wait.before(step))
                _fail(step.kind, self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                self._wait.end_silence()
                await anyio.lowlevel.checkpoint()
                yield step
            elif isinstance(step, Pause):
                await _pause_async(self._wait, step.seconds, self._request)
            else:
                await anyio.sleep(self._wait.before(step))
                _fail(step.kind, self._request)

    def close(self) -> None:
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()

    async def aclose(self) -> None:
        self.close()
