"""A caller's connection once it is a WebSocket, with limits for what is sent and not read."""

import asyncio
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from azure_responses.gateway.asgi_reply import Disconnect, Scope
from azure_responses.gateway.call_log import LOGGER
from azure_responses.gateway.connection_limits import ConnectionLimits
from azure_responses.gateway.reading_watch import ReadingWatch
from azure_responses.gateway.websocket_handshake import bare_head, websocket_scope

__all__ = ["CallerWebSocket", "Hold"]

# Each fragment of a message takes a hundred bytes, however few it brings.
_MOST_FRAGMENTS = 10_000
# Frames that are sent one after the other go out together, up to this size.
_MOST_UNWRITTEN = 32 * 1024
# Shorter messages are not counted while they come: websocket_connections of them are little.
_LITTLE = 64 * 1024
# A caller who does not answer that a connection closes.
_CLOSE_SECONDS = 10.0

Hold = Callable[[int], bool]
"""Counts so many bytes more (or, negative, fewer) of a caller's messages; False has no room."""


class CallerWebSocket(asyncio.Protocol):
    """The frames of one caller, read and written by `websockets`, as messages of ASGI.

    It stands in place of uvicorn's own, which drops what comes with the head, answers no request
    with a long header, keeps whatever a caller does not read, and changes with each version.

    1. Nothing is read before the application has accepted the connection: a caller without a key
       has no frames. One message is read at a time.
    2. A message has at most 10,000 fragments. What has come of a long one is counted by `hold`.
    3. A caller who reads too little in `read_seconds` is disconnected, also while the connection
       closes. Pings of a caller who does not read have no answer, which would be kept for them.
    4. After a message that is refused the rest of it is dropped for `linger_seconds`: a connection
       that is closed with unread bytes is reset, and the caller would not see the code.

    Attributes:
        hold: set by the application when it knows the caller.
    """

    read_seconds = 60.0
    linger_seconds = 3.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        limits: ConnectionLimits,
        disconnect: Disconnect,
    ) -> None:
        self.hold: Hold | None = None
        self._config = config
        self._state = server_state
        self._limits = limits
        self._disconnect = disconnect
        self._loop = asyncio.get_running_loop()
        self._frames = ServerProtocol(max_size=config.ws_max_size)
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._handshake: Response | None = None
        # Of a refusal, which is sent when its body has ended.
        self._refusal: tuple[int, Headers, bytes] | None = None
        self._is_accepted = self._has_ended = self._has_failed = self._is_lost = False
        self._ahead = b""
        self._is_paused = True
        self._writable = asyncio.Event()
        self._writable.set()
        self._parts: list[bytes] = []
        self._is_text = False
        self._size = self._held = 0
        self._unwritten = 0
        self._reading: ReadingWatch
        self._flushes_soon = False
        self._ping: bytes | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def take_over(self, transport: asyncio.Transport, scope: Scope, ahead: bytes) -> None:
        """Answer a handshake.

        Args:
            transport: its reading is paused.
            scope: of the request, as the HTTP server has read it.
            ahead: what came after the head.
        """
        self._transport, self._ahead = transport, ahead
        self._reading = ReadingWatch(transport, self.read_seconds)
        self._limits.enter(self)
        # Connections that wait for a request end for others; this one has a place of its own kind,
        # which the application counts.
        self._limits.work(self)
        self._state.connections.add(cast(Any, self))
        # With the headers it needs alone: it would leave one with a long header unanswered.
        self._frames.receive_data(bare_head(scope))
        (request,) = self._frames.events_received()
        self._handshake = self._frames.accept(cast(Request, request))
        if self._handshake.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._is_accepted = self._has_ended = True
            self._frames.send_response(self._handshake)
            self._flush()
            self._close()
            return
        self._messages.put_nowait({"type": "websocket.connect"})
        task = self._loop.create_task(self._run(websocket_scope(scope, self)))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    async def _run(self, scope: Scope) -> None:
        try:
            await self._config.loaded_app(scope, self._receive, self._send)
        except Exception:
            LOGGER.exception("A WebSocket connection ended")
        if not self._is_accepted and not self._has_ended:
            self._refusal = HTTPStatus.INTERNAL_SERVER_ERROR, Headers(), b""
            self._refuse({})
        elif not self._has_ended:
            self._end(CloseCode.INTERNAL_ERROR, "")
        elif "close" not in self._timers:
            self._close()

    async def _receive(self) -> dict[str, Any]:
        message = await self._messages.get()
        self._read_on()
        return message

    async def _send(self, message: Any) -> None:
        """Send a message of ASGI; waits while much is unread, and raises OSError at the end."""
        await self._writable.wait()
        if self._is_lost:
            raise ConnectionResetError("The caller has left.")
        kind = message["type"]
        if kind == "websocket.send":
            if self._has_ended or self._frames.state is not State.OPEN:
                raise ConnectionResetError("The connection is closing.")
            content = message["text"].encode()
            self._frames.send_text(content)
            self._flush_soon(len(content))
        elif kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close" and self._is_accepted:
            self._end(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason", ""))
        else:
            self._refuse(message)

    def _accept(self, message: Any) -> None:
        assert self._handshake is not None
        for name, value in message.get("headers", ()):
            self._handshake.headers[name.decode("latin-1")] = value.decode("latin-1")
        if message.get("subprotocol"):
            self._handshake.headers["Sec-WebSocket-Protocol"] = message["subprotocol"]
        self._frames.send_response(self._handshake)
        self._is_accepted = True
        self._flush()
        self._schedule_ping()
        ahead, self._ahead = self._ahead, b""
        if ahead:
            self.data_received(ahead)
        self._read_on()

    def _refuse(self, message: Any) -> None:
        """Answer the handshake with a status: the messages of ASGI's `websocket.http.response`."""
        if message.get("type") == "websocket.http.response.start":
            pairs = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
            self._refusal = message["status"], Headers(pairs), b""
            return
        status, headers, body = self._refusal or (HTTPStatus.FORBIDDEN, Headers(), b"")
        body += message.get("body", b"")
        self._refusal = status, headers, body
        if not message.get("more_body", False):
            self._has_ended = True
            headers["Connection"] = "close"
            if "content-length" not in headers:
                headers["Content-Length"] = str(len(body))
            reason = HTTPStatus(status).phrase
            self._frames.send_response(Response(status, reason, headers, body))
            self._flush()
            self._close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of frames, or of what is dropped."""
        if not self._is_accepted:
            self._ahead += data
            return
        if self._has_failed:
            return
        if self._flushes_soon:
            # What is dropped for a caller who does not read are answers to pings alone.
            self._flush()
        self._size += len(data)
        self._frames.receive_data(data)
        for event in self._frames.events_received():
            self._take_frame(cast(Frame, event))
        if self._has_failed or not self._has_room():
            return
        if self._frames.parser_exc is not None:
            self._note_fault()
        elif self._writable.is_set():
            self._flush()
        else:
            # Answers to pings of a caller who does not read.
            self._frames.data_to_send()

    def _has_room(self) -> bool:
        """Count what has come of a message; closes the connection where that is too much."""
        if self.hold is not None and self._size > _LITTLE:
            if not self.hold(self._size - self._held):
                self._fail(CloseCode.TRY_AGAIN_LATER, "too much is being sent")
                return False
            self._held = self._size
        return True

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            # Nothing is kept of it, or of its six bytes of head.
            self._size = max(0, self._size - len(frame.data) - 6)
        if frame.opcode is Opcode.CLOSE:
            self._note_close()
        elif frame.opcode is Opcode.PONG:
            self._note_pong(bytes(frame.data))
        elif frame.opcode is not Opcode.PING:
            self._take_part(frame)

    def _take_part(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if len(self._parts) > _MOST_FRAGMENTS:
            self._fail(CloseCode.POLICY_VIOLATION, "too many fragments")
        elif frame.fin and not self._has_ended:
            self._take_message()

    def _take_message(self) -> None:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._release()
        content: dict[str, Any] = {"bytes": data}
        if self._is_text:
            try:
                content = {"text": data.decode()}
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "")
                return
        self._messages.put_nowait({"type": "websocket.receive", **content})
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _note_close(self) -> None:
        """The caller closes the connection, or has seen that it is closed."""
        close = self._frames.close_rcvd
        if not self._has_ended and close is not None:
            self._put_end(close.code, close.reason)
        self._flush()
        self._close()

    def _note_fault(self) -> None:
        """What came is not a valid frame, or is too large; `websockets` has chosen the code."""
        close = self._frames.close_sent
        if not self._has_ended and close is not None:
            self._put_end(close.code, close.reason)
        self._linger()

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._frames.fail(code, reason)
        self._put_end(code, reason)
        self._linger()

    def _end(self, code: int, reason: str) -> None:
        """The application closes the connection."""
        if self._has_ended:
            return
        self._frames.send_close(code, reason)
        self._put_end(code, reason)
        self._flush()
        self._read_on()
        self._start("close", _CLOSE_SECONDS, self._close)

    def _put_end(self, code: int, reason: str) -> None:
        self._has_ended = True
        self._release()
        self._stop("ping")
        self._messages.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _linger(self) -> None:
        """Drop what still comes for a moment."""
        self._has_failed = True
        self._release()
        self._flush()
        self._read_on(always=True)
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._start("close", self.linger_seconds, self._close)

    def _read_on(self, *, always: bool = False) -> None:
        is_wanted = self._is_accepted and (always or self._messages.empty())
        if is_wanted and self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    def _release(self) -> None:
        """Nothing is kept of a message any more."""
        if self._held and self.hold is not None:
            self.hold(-self._held)
        self._held = self._size = 0
        self._parts = []

    def _flush_soon(self, size: int) -> None:
        """Write what is sent in one turn of the event loop at once, unless it becomes long."""
        self._unwritten += size
        if self._unwritten > _MOST_UNWRITTEN:
            self._flush()
        elif not self._flushes_soon:
            self._flushes_soon = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushes_soon, self._unwritten = False, 0
        data = b"".join(self._frames.data_to_send())
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        self._transport.close()
        if not self._is_lost:
            self._reading.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._limits.leave(self)
        self._state.connections.discard(cast(Any, self))
        for timer in self._timers.values():
            timer.cancel()
        self._reading.stop()
        self._is_lost = True
        if not self._has_ended:
            self._put_end(CloseCode.ABNORMAL_CLOSURE, "")
        # asyncio resumes no transport that is lost.
        self._writable.set()
        self._disconnect.happen()

    def evict(self) -> None:
        """End it at once, whatever was not read or written."""
        self._transport.abort()

    def shutdown(self) -> None:
        """The server ends, after the application has had its time."""
        if self._is_accepted:
            self._end(CloseCode.SERVICE_RESTART, "")
        self._close()

    def pause_writing(self) -> None:
        """More was written than the caller has read."""
        self._writable.clear()
        self._reading.begin()

    def resume_writing(self) -> None:
        """The caller has read nearly all of it."""
        self._writable.set()
        self._reading.note_reading()

    def _schedule_ping(self) -> None:
        if self._config.ws_ping_interval and not self._has_ended:
            self._start("ping", self._config.ws_ping_interval, self._send_ping)

    def _send_ping(self) -> None:
        self._ping = os.urandom(4)
        self._frames.send_ping(self._ping)
        self._flush()
        if self._config.ws_ping_timeout is not None:
            self._start("ping", self._config.ws_ping_timeout, self._note_silence)

    def _note_pong(self, data: bytes) -> None:
        if self._ping is not None and data == self._ping:
            self._ping = None
            self._schedule_ping()

    def _note_silence(self) -> None:
        """A ping has had no answer: the caller is gone, or reads nothing."""
        self._frames.fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._put_end(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._flush()
        self._close()

    def _start(self, name: str, seconds: float, do: Callable[[], None]) -> None:
        self._stop(name)

        def run() -> None:
            del self._timers[name]
            do()

        self._timers[name] = self._loop.call_later(seconds, run)

    def _stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
