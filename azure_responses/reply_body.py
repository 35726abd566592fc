"""The body of a reply, read within limits of time and size: as events arrive, or as a whole.

From one event to the next a stream may take what the call's timeout says. Comments and pieces of
an event are no events: a server that sends only those is as late as one that is silent.

An error's body may break off, or never end: its status is known, so that what can be read of it in
a moment has to do.
"""

import socket
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext, suppress
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

import anyio
import httpx

from azure_responses.connection_errors import async_mapped_errors, mapped_errors
from azure_responses.errors import APIConnectionError, APITimeoutError
from azure_responses.event_loop import fail_after
from azure_responses.httpx_connections import TimedStream
from azure_responses.protocol.http_message import LARGEST_REPLY, Reply
from azure_responses.timeouts import TimeLimit
from azure_responses.transport import AsyncIncomingReply

if TYPE_CHECKING:
    from azure_responses.aiohttp_connections import Alarm

__all__ = [
    "AsyncStreamedReply",
    "DRAIN_SECONDS",
    "EventTimer",
    "ReadState",
    "StreamedReply",
    "async_read_reply",
    "read_reply",
]

# How long to wait after the last event for the few bytes that end a body. With them the connection
# can be used again; a server that holds it open is not waited for (codex#43140).
DRAIN_SECONDS = 0.1
# How long to wait for the `error` that explains a `response.failed` without a reason.
_REASON_SECONDS = 1.0


class ReadState(Protocol):
    """What takes the bytes of a stream."""

    events_seen: int

    @property
    def expects_reason(self) -> bool:
        """A failure has been reported, and its reason may follow."""


class EventTimer:
    """Keeps the time of a streamed reply, from one event to the next.

    Args:
        limit: the time from one event to the next.
        is_opening: the limit is that of the first output, which more than one event may precede.
    """

    def __init__(self, limit: TimeLimit, *, is_opening: bool) -> None:
        self._limit = limit
        self._is_opening = is_opening
        # True while the next read goes on with the time of the last one.
        self._is_waiting = is_opening
        # True when little is left to come; then no event gives more time.
        self._is_hurried = False
        self._events_seen = 0

    def note(self, state: ReadState) -> None:
        """What was read is with `state`: after an event the time begins anew."""
        # The number of events decides, not the bytes: comments and half events give no more time.
        if state.events_seen != self._events_seen:
            self._events_seen = state.events_seen
            self._is_waiting = self._is_opening or self._is_hurried
        if state.expects_reason:
            self._hurry(_REASON_SECONDS)

    def end_opening(self) -> None:
        """Output has begun: from now on the limit is from one event to the next."""
        self._is_opening = False
        self._is_waiting = self._is_hurried

    def _hurry(self, seconds: float) -> None:
        self._limit.hurry(seconds)
        self._is_waiting = self._is_hurried = True


class StreamedReply(EventTimer):
    """A streamed reply whose head has come.

    Args:
        response: its body is still to be read.
        limit, is_opening: the time it may take, as for the timer.
    """

    def __init__(
        self, response: httpx.Response, limit: TimeLimit, *, is_opening: bool = False
    ) -> None:
        super().__init__(limit, is_opening=is_opening)
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._is_closed = False
        self._extensions = response.extensions
        self._chunks: Iterator[bytes] = iter(_chunks_of(response))

    def read(self) -> bytes | None:
        """The next bytes; None at the end.

        Raises:
            APIConnectionError: the body broke off; an APITimeoutError: the next event is late.
        """
        if self._is_closed:
            return None
        if self._is_waiting:
            return self._read_late()
        self._is_waiting = True
        self._limit.restart()
        try:
            return next(self._chunks, None)
        except Exception:
            # Entered only now: most reads bring something, and this costs as much as one of them.
            with mapped_errors():
                raise

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        # Noted first: a read after this must not touch a connection that another call may have.
        self._is_closed = True
        self._response.close()

    def drain(self) -> None:
        """Read what little is left, so that the connection can be used again."""
        if _is_shared_or_none(self._extensions):
            return
        self._hurry(DRAIN_SECONDS)
        with suppress(APIConnectionError):
            while self.read() is not None:
                pass

    def _read_late(self) -> bytes | None:
        left = self._limit.left()
        try:
            if left > 0:
                with mapped_errors(), self._interrupted_after(left):
                    return next(self._chunks, None)
        except APIConnectionError as error:
            if self._limit.left() > 0:
                raise
            raise _late() from error
        raise _late()

    def _interrupted_after(self, seconds: float) -> AbstractContextManager[None]:
        stream = self._extensions.get("network_stream")
        if isinstance(stream, TimedStream) or _is_shared_or_none(self._extensions):
            return nullcontext()
        return _shut_after(stream.get_extra_info("socket"), seconds)  # type: ignore[union-attr]


class AsyncStreamedReply(EventTimer):
    """`StreamedReply`, awaited."""

    def __init__(
        self, reply: AsyncIncomingReply, limit: TimeLimit, *, is_opening: bool = False
    ) -> None:
        super().__init__(limit, is_opening=is_opening)
        self.headers = reply.headers
        self._reply = reply
        self._chunks: AsyncIterator[bytes] = reply.aiter_bytes()
        self._alarm = _alarm_of(reply, limit)
        self._is_closed = False

    async def read(self) -> bytes | None:
        """The next bytes; None at the end.

        Raises:
            APIConnectionError: the body broke off; an APITimeoutError: the next event is late.
        """
        if self._is_closed:
            return None
        if not self._is_waiting:
            self._is_waiting = True
            self._limit.restart()
        elif self._limit.left() <= 0:
            # Between two reads no alarm rings.
            raise _late()
        alarm = self._alarm
        try:
            if alarm is None:
                async with fail_after(self._limit.left()):
                    return await anext(self._chunks, None)
            alarm.is_on = True
            return await anext(self._chunks, None)
        except Exception:
            # Entered only now: most reads bring something, and this costs as much as one of them.
            with async_mapped_errors():
                raise
        finally:
            if alarm is not None:
                alarm.is_on = False

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._is_closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        await self._reply.aclose()

    async def drain(self) -> None:
        """Read what little is left, so that the connection can be used again.

        Trio, moreover, warns of every generator that is dropped before its end.
        """
        self._hurry(DRAIN_SECONDS)
        with suppress(APIConnectionError):
            while await self.read() is not None:
                pass

    def _hurry(self, seconds: float) -> None:
        super()._hurry(seconds)
        if self._alarm is not None:
            # Not later each time: comments may follow one another for ever.
            self._alarm.set(max(0.0, self._limit.left()))


def _alarm_of(reply: AsyncIncomingReply, limit: TimeLimit) -> "Alarm | None":
    alarm = getattr(reply, "alarm", None)
    return None if alarm is None else alarm(limit)


def _late() -> APITimeoutError:
    return APITimeoutError("The service did not answer in time.")


def _is_shared_or_none(extensions: Mapping[str, object]) -> bool:
    """True where a reply has no connection of its own: in process, or over HTTP/2."""
    return "network_stream" not in extensions or extensions.get("http_version") == b"HTTP/2"


@contextmanager
def _shut_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Ends a read of a caller's own client, which cannot be given another time meanwhile."""
    lock = threading.Lock()
    is_over = False

    def shut() -> None:
        with lock, suppress(OSError):
            if not is_over:
                # Not the method of a TLS socket, which would also forget its encryption.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            is_over = True
        timer.cancel()


_LARGEST_ERROR = 1024 * 1024
_ERROR_SECONDS = 5.0


class _Pieces:
    """What has arrived of a body."""

    def __init__(self, *, is_success: bool) -> None:
        self._pieces: list[bytes] = []
        self._room = LARGEST_REPLY if is_success else _LARGEST_ERROR

    def add(self, piece: bytes) -> None:
        """Raises APIConnectionError when it becomes too much."""
        self._pieces.append(piece)
        self._room -= len(piece)
        if self._room < 0:
            raise APIConnectionError(
                f"The reply is larger than {LARGEST_REPLY // 2**20} MiB, and was given up."
            )

    def join(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


def _chunks_of(response: httpx.Response) -> Iterable[bytes]:
    """The body as it arrives, decompressed.

    `iter_bytes` sends each piece through four generators, even where nothing is compressed.
    """
    if "content-encoding" in response.headers or response.is_stream_consumed:
        return response.iter_bytes()
    return cast(httpx.SyncByteStream, response.stream)


def read_reply(response: httpx.Response, limit: TimeLimit) -> Reply:
    """The whole reply; of an error at least the status.

    Raises:
        APIConnectionError: a body that is too large; an APITimeoutError: one that takes too long.
        httpx.HTTPError: it broke off.
    """
    is_success = response.is_success
    pieces = _Pieces(is_success=is_success)
    if not is_success:
        limit.hurry(_ERROR_SECONDS)
    try:
        for piece in _chunks_of(response):
            pieces.add(piece)
            # The caller's own client, too, may be kept waiting by a byte now and then.
            if monotonic() >= limit.until:
                raise APITimeoutError("The service did not answer in time.")
    except (httpx.HTTPError, APIConnectionError):
        if is_success:
            raise
    return Reply(response.status_code, response.headers, pieces.join())


async def async_read_reply(reply: AsyncIncomingReply, limit: TimeLimit) -> Reply:
    """`read_reply`, awaited; the time of a success is kept by the caller."""
    pieces = _Pieces(is_success=reply.is_success)
    if reply.is_success:
        await _collect(reply, pieces)
    else:
        # Before the caller's time is over, which would hide the status.
        seconds = min(_ERROR_SECONDS, limit.left() / 2)
        with anyio.move_on_after(seconds), suppress(Exception):
            await _collect(reply, pieces)
    return Reply(reply.status_code, reply.headers, pieces.join())


async def _collect(reply: AsyncIncomingReply, pieces: _Pieces) -> None:
    async with aclosing(reply.aiter_bytes()) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            pieces.add(chunk)
