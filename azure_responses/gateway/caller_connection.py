"""A caller's connection, with limits of time and size for its head and its reading."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote

import httptools
from pydantic_core import to_json
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from azure_responses.gateway.asgi_reply import DISCONNECT, Disconnect, ErrorResponse, error_response
from azure_responses.gateway.caller_websocket import CallerWebSocket
from azure_responses.gateway.connection_limits import ConnectionLimits
from azure_responses.gateway.reading_watch import ReadingWatch

__all__ = ["CallerConnection"]

# What common load balancers let through is far less.
_LONGEST_HEAD = 64 * 1024
_MOST_HEADERS = 200
# As nginx waits for the same.
_HEAD_SECONDS = 60.0
_READ_SECONDS = 60.0
# Heads are read in small pieces: a request in one takes a hundred times the memory of its bytes.
_PIECE = 1024
# In larger ones where a head is long: the parser copies what it has of a header for each piece.
_LARGE_PIECE = 8 * 1024
# After so many pieces other connections get their turn.
_MOST_PIECES = 64
# What may come before the reply to the request before it; then the reading stops.
_MOST_AHEAD = 64 * 1024
# What is kept of a whole answer is counted up to here: its length is not the caller's to choose.
_MOST_UNREAD = 256 * 1024

_REASONS = {
    400: b"Bad Request",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


_NOTHING = memoryview(b"")


class _Flow(FlowControl):
    """Lets a connection read on when all that it has read already is used.

    Args:
        use: has it used; False where there is nothing.
    """

    def __init__(self, transport: asyncio.Transport, use: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._use = use

    def resume_reading(self) -> None:
        """More is asked for."""
        # Bytes may be kept although the reading goes on: they came while a body was still full.
        if not self._use() and self.read_paused:
            super().resume_reading()


class CallerConnection(HttpToolsProtocol):
    """uvicorn's connection, with limits for clients that have not shown a key yet.

    uvicorn alone waits for the head of a request without a limit of time or length. It keeps what
    was written for a client that does not read, and its descriptor, since a connection is closed
    only when its buffer is empty. It starts every pipelined request at once, however many there
    are. Here:

    1. A head has `head_seconds` and at most 64 KiB; a slower one ends the connection (slowloris).
    2. A client that reads too little in `read_seconds` is disconnected.
    3. The next request is read when the one before it has been answered.
    4. `ConnectionLimits` bounds what all connections hold together.
    5. A request for a WebSocket is handed over to `CallerWebSocket`, with the bytes after it.
    """

    head_seconds = _HEAD_SECONDS
    read_seconds = _READ_SECONDS

    def __init__(
        self, *arguments: Any, limits: ConnectionLimits | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits or ConnectionLimits()
        self._disconnect = Disconnect()
        self._is_in_head = False
        self._is_in_body = False
        self._head_size = 0
        # Of a body: bytes of content, and those that only say how it is cut.
        self._length = 0
        self._content = 0
        self._framing = 0
        self._ahead = _NOTHING
        self._going_on: asyncio.Handle | None = None
        self._is_counted = False
        self._patience: asyncio.TimerHandle | None = None
        self._reading: ReadingWatch
        self._piece: bytes | memoryview = b""
        self._asks_for_websocket = False
        # Who reads and writes in place of this object, once there is one.
        self._websocket: CallerWebSocket | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has connected."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self._go_on_soon)
        self._reading = ReadingWatch(transport, self.read_seconds)
        if self._limits.enter(self):
            self._wait()
        else:
            self._refuse(_crowded())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._stop()
        super().connection_lost(exc)
        self._disconnect.happen()

    def _stop(self) -> None:
        """Count nothing and wait for nothing any more."""
        self._limits.leave(self)
        self._stop_waiting()
        self._reading.stop()
        if self._going_on is not None:
            self._going_on.cancel()
            self._going_on = None
        self._ahead = _NOTHING

    def evict(self) -> None:
        """End it at once, whatever was not read or written."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of a head, of a body, or of something that is not HTTP."""
        if self._ahead:
            self._keep(memoryview(bytes(self._ahead) + data))
        elif len(data) <= _PIECE and not self._is_busy:
            self._feed(data)
        else:
            self._feed_pieces(memoryview(data))
        if self._websocket is None:
            self._finish_reading(len(data))

    def _feed_pieces(self, view: memoryview) -> None:
        """Read up to the end of a request, and keep what follows."""
        for _ in range(_MOST_PIECES):
            if not view or self._is_busy or self._is_full:
                break
            piece = view[: self._next_size()]
            self._feed(piece)
            if self.transport.is_closing():
                return
            view = view[len(piece) :]
            if self._websocket is not None:
                self._websocket.data_received(bytes(view))
                return
        self._keep(view)
        if not (self._is_busy or self._is_full or self._is_discarding):
            self._go_on_soon()

    def _feed(self, data: bytes | memoryview) -> None:
        self._piece = data
        super().data_received(data)  # type: ignore[arg-type]
        # It would keep all that arrived with it in memory.
        self._piece = b""
        if self._websocket is not None:
            return
        if self._is_in_head:
            self._head_size += len(data)
        else:
            self._framing += len(data)
        if not self.transport.is_closing():
            self._check_size()
        # uvicorn's own timer for idle connections ends with any byte, be it of no request.
        if self.cycle is None or self._is_in_head or self.cycle.response_complete:
            self._wait()

    def _check_size(self) -> None:
        if self._is_in_head:
            if self._head_size > _LONGEST_HEAD:
                self._refuse(_too_large(f"longer than {_LONGEST_HEAD:,} bytes"))
            elif len(self.headers) > _MOST_HEADERS:
                self._refuse(_too_large(f"more than {_MOST_HEADERS}"))
        elif self._framing > _LONGEST_HEAD + self._content // 4:
            self._refuse(_small_chunks())

    def _keep(self, data: memoryview) -> None:
        if len(data) > _MOST_AHEAD:
            self._ahead = data
            self.flow.pause_reading()
        else:
            # A view keeps all of what it shows a part of.
            self._ahead = memoryview(bytes(data)) if data else _NOTHING

    def _go_on_soon(self) -> bool:
        """Read what came before its turn, if there is any."""
        if not self._ahead:
            return False
        if self._going_on is None:
            self._going_on = self.loop.call_soon(self._go_on)
        return True

    def _go_on(self) -> None:
        self._going_on = None
        if self._is_busy or self.transport.is_closing():
            return
        ahead, self._ahead = self._ahead, _NOTHING
        self._feed_pieces(ahead)
        if self._websocket is not None:
            return
        if not (self._ahead or self._is_full or self.transport.is_closing()):
            self.flow.resume_reading()
        self._finish_reading(len(ahead) - len(self._ahead))

    def _finish_reading(self, size: int) -> None:
        """Pause after bytes that are only discarded, so that other connections get their turn."""
        self._count()
        if self._is_discarding and size and not self.transport.is_closing():
            self.flow.pause_reading()
            pause = self._limits.pause(size, self.loop.time())
            if self._going_on is None:
                self._going_on = self.loop.call_later(pause, self._go_on)

    @property
    def _is_busy(self) -> bool:
        """True from the end of a request to the end of its reply."""
        cycle = self.cycle
        return cycle is not None and not (cycle.more_body or cycle.response_complete)

    @property
    def _is_discarding(self) -> bool:
        """True while a body comes of a request that was answered without it."""
        return self._is_in_body and self.cycle.response_complete

    @property
    def _is_full(self) -> bool:
        """True while more of a body is there than was asked for."""
        return self.cycle is not None and len(self.cycle.body) > HIGH_WATER_LIMIT

    def _next_size(self) -> int:
        """Bytes to read at once: all of a body with a content-length, little of anything else."""
        if self._is_in_head:
            return min(max(_PIECE, self._head_size), _LARGE_PIECE)
        return max(_PIECE, self._length - self._content)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head = True
        self._head_size = self._framing = self._content = self._length = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._is_in_head, self._is_in_body = False, True
        self._stop_waiting()
        self._follow_target()
        scope: Any = self.scope
        scope[DISCONNECT] = self._disconnect
        for name, value in self.headers:
            if name == b"content-length":
                self._length = int(value)
                break
        self._asks_for_websocket = self.parser.should_upgrade() and self._is_handshake()
        # What follows a body in the shape of headers is not kept with those of the request.
        self.headers = []
        super().on_headers_complete()
        if self.expect_100_continue and not self._asks_for_websocket:
            # Answered without its body: whether that still comes only the caller knows.
            self.cycle.keep_alive = False

    def _is_handshake(self) -> bool:
        """True of a GET for a WebSocket; of another request its header Upgrade has no effect."""
        is_get = self.parser.get_method() == b"GET"
        if not (is_get and self._get_upgrade() == b"websocket" and self._should_upgrade_to_ws()):
            return False
        url, scope = httptools.parse_url(self.url), cast(Any, self.scope)
        scope["raw_path"], scope["query_string"] = url.path, url.query or b""
        scope["path"] = unquote(url.path.decode("ascii"))
        return True

    def _should_upgrade(self) -> bool:
        return self._asks_for_websocket

    def handle_websocket_upgrade(self) -> None:
        """The head of a request for a WebSocket has ended."""
        upgrade = sys.exception()
        assert isinstance(upgrade, httptools.HttpParserUpgrade)
        self.connections.discard(self)
        self._stop()
        self.flow.pause_reading()
        self._websocket = CallerWebSocket(
            self.config, self.server_state, self._limits, self._disconnect
        )
        self.transport.set_protocol(self._websocket)
        ahead = bytes(self._piece[upgrade.args[0] :])
        self._websocket.take_over(self.transport, dict(self.scope), ahead)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or what follows a body in the shape of one."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._content += len(body)
        self._framing -= len(body)
        super().on_body(body)

    def _follow_target(self) -> None:
        """A host in the request's own line counts before the header: RFC 9112, 3.2.2."""
        if self.url[:1] in (b"/", b"*"):
            return
        with suppress(httptools.HttpParserInvalidURLError):
            host = httptools.parse_url(self.url).host or b""
            self.headers[:] = [pair for pair in self.headers if pair[0] != b"host"]
            self.headers.append((b"host", b"[%b]" % host if b":" in host else host))

    def on_message_complete(self) -> None:
        """The body has ended as well."""
        self._is_in_body = False
        self._stop_waiting()
        super().on_message_complete()
        if self._is_busy:
            self._limits.work(self)
        # A long body pauses the reading until more of it is asked for. There is no more of it, and
        # only a connection that is read notices that the caller disconnects.
        self.flow.resume_reading()

    def pause_writing(self) -> None:
        """More was written than the caller has read."""
        super().pause_writing()
        self._reading.begin()
        self._count()

    def resume_writing(self) -> None:
        """The caller has read nearly all of it."""
        super().resume_writing()
        self._reading.note_reading()
        self._count()

    def on_response_complete(self) -> None:
        """The reply is written, which does not mean that the caller has read it."""
        super().on_response_complete()
        self._reading.begin()
        if self.cycle.response_complete:
            self._limits.wait(self)
            self._forget_request()
        self._go_on_soon()
        self._count()

    def _forget_request(self) -> None:
        """Drop what was kept of the request: the connection may be idle for long."""
        self.cycle.body = bytearray()
        self.cycle.scope = {}  # type: ignore[typeddict-item]
        if not self._is_in_head:
            self.headers = []
            self._head_size = 0

    def _count(self) -> None:
        """Count the bytes kept of a connection without a call, and those read before their turn."""
        size = memoryview(self._ahead.obj).nbytes
        if not self._disconnect.is_watched:
            size += self._head_size + min(self._reading.unread, _MOST_UNREAD)
        if size or self._is_counted:
            self._limits.hold(self, size)
            self._is_counted = size > 0

    def _wait(self) -> None:
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        self.transport.close()

    def _refuse(self, error: ErrorResponse) -> None:
        body = to_json(error.body)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b"
            % (error.status, _REASONS[error.status], len(body), body)
        )
        self.transport.close()


def _too_large(fault: str) -> ErrorResponse:
    return error_response(431, f"The headers are {fault}.", code="headers_too_large")


def _small_chunks() -> ErrorResponse:
    return error_response(
        400,
        "The body comes in too many chunks of a few bytes. Send it with a content-length.",
        code="invalid_body",
    )


def _crowded() -> ErrorResponse:
    return error_response(
        503,
        "Too many connections, and each has a call in progress (general_settings.max_connections).",
        code="gateway_saturated",
        type="server_error",
        retry_after=1.0,
    )
