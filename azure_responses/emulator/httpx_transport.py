"""The emulator in process, as an httpx transport for both kinds of client."""

import math
import time
from collections.abc import AsyncIterator, Iterable, Iterator

import anyio
import anyio.lowlevel
import httpx

from azure_responses.emulator.http_messages import (
    HOST_PREFIX,
    BodyReader,
    EmbeddedAnswerer,
    Pause,
    PlannedReply,
    ReceivedRequest,
    ReplyStep,
)

__all__ = ["EmulatorTransport"]

# What httpx raises over a real socket for each kind of break, with the same texts.
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


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests from an emulator; waits and failures behave as on a socket."""

    def __init__(self, emulator: EmbeddedAnswerer) -> None:
        self._emulator = emulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; raises the exception of httpx that a broken connection would."""
        # A real transport, too, sends the body before it reads.
        received = _head(request)
        body = BodyReader(received.headers)
        assert isinstance(request.stream, httpx.SyncByteStream)
        for piece in request.stream:
            body.write(piece)
        reply = self._emulator.handle(body.finish(received))
        for seconds in self._play(_before_headers(reply), request):
            _sleep(seconds)
        return self._respond(reply, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """`handle_request`, awaiting, for httpx.AsyncClient."""
        received = _head(request)
        body = BodyReader(received.headers)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            body.write(piece)
        # What was sent may be cancelled here, as it could be while it travels.
        await anyio.lowlevel.checkpoint()
        reply = self._emulator.handle(body.finish(received))
        for seconds in self._play(_before_headers(reply), request):
            await _async_sleep(seconds)
        return self._respond(reply, request)

    def websocket_url(self, url: str) -> str:
        """Where a WebSocket to this `wss://` address of the emulator really goes.

        The answer is an address on the loopback, of a server that is started on first use and
        ended by `Emulator.close`. Needs the `cli` extra (uvicorn and websockets).
        """
        parts = httpx.URL(url)
        base = self._emulator.websocket_server().url.replace("http", "ws", 1)
        return f"{base}{HOST_PREFIX}{parts.host}{parts.raw_path.decode('ascii')}"

    def _respond(self, reply: PlannedReply, request: httpx.Request) -> httpx.Response:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers]
        stream: httpx.ByteStream | _Body = httpx.ByteStream(reply.content)
        if reply.steps is None:
            headers.append((b"content-length", b"%d" % len(reply.content)))
        else:
            if not any(name == b"content-length" for name, _ in headers):
                headers.append((b"transfer-encoding", b"chunked"))
            stream = _Body(reply.steps, self._play(reply.steps, request))
        return httpx.Response(reply.status, headers=headers, stream=stream)

    def _play(self, steps: Iterable[ReplyStep], request: httpx.Request) -> Iterator[bytes | float]:
        """What to hand out, and seconds to sleep in between.

        Raises what httpx raises where the connection breaks or the read timeout runs out, which
        counts the silence since the last bytes.
        """
        clock, silence = self._emulator.clock, 0.0
        limit: float | None = request.extensions.get("timeout", {}).get("read")
        for step in steps:
            if isinstance(step, bytes):
                silence = 0.0
                yield step
            elif isinstance(step, Pause):
                if limit is not None and silence + step.seconds > limit:
                    yield clock.wait(limit - silence)
                    raise _error("stall", request)
                silence += step.seconds
                yield clock.wait(step.seconds)
            else:
                if step.kind == "stall":
                    yield clock.wait(min(step.seconds, math.inf if limit is None else limit))
                raise _error(step.kind, request)


def _head(request: httpx.Request) -> ReceivedRequest:
    target = request.url.raw_path.decode("ascii")
    path, _, query = target.partition("?")
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in request.headers.raw
    }
    return ReceivedRequest(request.method, request.url.host, path, query, headers, b"")


def _before_headers(reply: PlannedReply) -> list[ReplyStep]:
    if reply.broken is not None:
        return [reply.broken]
    return [Pause(reply.delay)] if reply.delay else []


def _error(kind: str, request: httpx.Request) -> httpx.TransportError:
    error, message = _BROKEN[kind]
    return error(message, request=request)


def _sleep(action: bytes | float) -> None:
    if not isinstance(action, bytes) and action > 0:
        time.sleep(action)


async def _async_sleep(action: bytes | float) -> None:
    if isinstance(action, bytes):
        # Also between bytes the event loop gets its turn, as it would while they travel.
        await anyio.lowlevel.checkpoint()
    else:
        await anyio.sleep(action)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A reply's steps, walked as the caller reads."""

    def __init__(self, steps: Iterator[ReplyStep], actions: Iterator[bytes | float]) -> None:
        self._steps = steps
        self._actions = actions

    def __iter__(self) -> Iterator[bytes]:
        for action in self._actions:
            _sleep(action)
            if isinstance(action, bytes):
                yield action

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for action in self._actions:
            await _async_sleep(action)
            if isinstance(action, bytes):
                yield action

    def close(self) -> None:
        # A stream that is left early must learn of it: what was not read whole is not stored.
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()

    async def aclose(self) -> None:
        self.close()
