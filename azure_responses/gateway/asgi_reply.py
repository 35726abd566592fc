"""Whole replies to an ASGI server.

An `ErrorResponse` says why a call is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from pydantic_core import to_json

from azure_responses.openai_server.error_body import anthropic_error

__all__ = [
    "DISCONNECT",
    "Disconnect",
    "ErrorResponse",
    "EventStream",
    "Header",
    "REPLY_BEGUN",
    "Receive",
    "Scope",
    "Send",
    "TURN",
    "WEBSOCKET",
    "error_headers",
    "error_response",
    "limit_error",
    "send_error",
    "send_reply",
]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """A refusal in OpenAI's shape.

    Attributes:
        status: of HTTP.
        body: `{"error": {"message", "type", "param", "code"}}`.
        headers: to send with it, names in lower case.
        retry_after: seconds after which the call may succeed, or None.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None

    @property
    def code(self) -> str:
        """The error's code, such as "invalid_api_key"."""
        code: str = self.body["error"]["code"]
        return code


def error_response(
    status: int,
    message: str,
    *,
    code: str,
    type: str = "invalid_request_error",
    param: str | None = None,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> ErrorResponse:
    """Put a refusal together; `retry_after` also goes into the headers SDKs read."""
    error = {"message": message, "type": type, "param": param, "code": code}
    return ErrorResponse(
        status, {"error": error}, {**_hints(retry_after), **(headers or {})}, retry_after
    )


def limit_error(kind: str, limits: str, wait: float) -> ErrorResponse:
    """The 429 of a key's limits a minute: `kind` is "requests" or "tokens", `limits` in words."""
    return error_response(
        429,
        f"This API key may use {limits} per minute. Try again in {wait:.1f} s.",
        type=kind,
        code="rate_limit_exceeded",
        retry_after=wait,
    )


def _hints(seconds: float | None) -> dict[str, str]:
    if seconds is None:
        return {}
    # Whole seconds are rounded up: a caller who comes back early is refused again.
    whole = max(1, ceil(seconds))
    return {"retry-after": str(whole), "retry-after-ms": str(max(1, ceil(seconds * 1000)))}


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


async def send_reply(send: Send, status: int, headers: Sequence[Header], body: bytes) -> None:
    """Send a reply whose headers are complete."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_error(
    send: Send, error: ErrorResponse, call_id: str, *, to_anthropic: bool = False
) -> None:
    """Send a refusal; `to_anthropic` in the shape that callers of Messages read."""
    status, fields = error.status, error.body
    if to_anthropic:
        status, fields = anthropic_error(status, fields["error"], call_id)
    body = to_json(fields)
    await send_reply(send, status, error_headers(error, call_id, len(body)), body)


def error_headers(error: ErrorResponse, call_id: str, length: int) -> list[Header]:
    """The headers of a refusal."""
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % length),
        (b"x-request-id", call_id.encode()),
        (b"x-litellm-call-id", call_id.encode()),
        *((name.encode(), value.encode("latin-1")) for name, value in error.headers.items()),
    ]


REPLY_BEGUN = "azure_responses.reply_has_begun"
"""In the scope of a request: its reply has begun."""

DISCONNECT = "azure_responses.disconnect"
"""In the scope of a request: the `Disconnect` of its connection, where the server tells of it."""

TURN = "azure_responses.turn"
"""In the scope of a request that came over a WebSocket: its turn."""

WEBSOCKET = "azure_responses.websocket"
"""In the scope of a WebSocket: the `CallerWebSocket` that carries it, where the server is ours."""


class Disconnect:
    """Whether the caller of one connection has disconnected.

    In ASGI a caller's end is a message of `receive`, so each call would need a task that waits
    for it. Our own server calls this instead.
    """

    __slots__ = ("_has_happened", "_watchers")

    def __init__(self) -> None:
        self._has_happened = False
        self._watchers: set[Callable[[], None]] = set()

    @property
    def is_watched(self) -> bool:
        """True while a call of this connection is in progress."""
        return bool(self._watchers)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` when the caller disconnects; at once if that has happened."""
        if self._has_happened:
            watcher()
        else:
            self._watchers.add(watcher)

    def forget(self, watcher: Callable[[], None]) -> None:
        """Do not call it any more."""
        self._watchers.discard(watcher)

    def happen(self) -> None:
        """The caller has disconnected."""
        self._has_happened = True
        # A watcher may call `forget`, which would change the set in the middle of the loop.
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            watcher()


_PING = b": ping\n\n"


class EventStream:
    """One stream to one caller.

    A timer watches it instead of a timeout around every piece, which would cost more than the
    piece. It sends a comment when nothing was sent for `keepalive` seconds, and ends the stream of
    a caller who has not read for `patience` seconds: what waits for them is bounded by the
    server's buffer, since Azure is read no faster than they read.

    Args:
        send: of the ASGI server.
        headers: sent when the stream begins, unless `begin` is given others.
        keepalive: seconds; 0 sends no comments.
        patience: seconds.
        stop: ends the call.
    """

    def __init__(
        self,
        send: Send,
        headers: Sequence[Header],
        *,
        keepalive: float,
        patience: float,
        stop: Callable[[], Any],
    ) -> None:
        self.has_begun = False
        self._send = send
        self._headers = headers
        self._keepalive = keepalive
        self._patience = patience
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._is_sending = False
        self._ping: asyncio.Task[None] | None = None
        self._interval = min(keepalive, patience) if keepalive else patience
        self._timer = self._loop.call_later(self._interval, self._look)

    async def begin(self, headers: Sequence[Header] | None = None) -> None:
        """Send the head, unless a keepalive comment was sent before, which needs a head too."""
        if self.has_begun:
            return
        self.has_begun = True
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": list(headers if headers is not None else self._headers),
            }
        )

    async def write(self, piece: bytes) -> None:
        """Send whole events; returns when there is room for more."""
        self._is_sending = True
        self._last = self._loop.time()
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._is_sending = False

    async def end(self) -> None:
        """Send the end."""
        await self.close()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def close(self) -> None:
        """Send nothing more."""
        self._timer.cancel()
        if self._ping is not None:
            # A comment in the middle of being sent must not be followed by the end in its middle.
            await asyncio.wait({self._ping}, timeout=self._patience)
            self._ping.cancel()

    def _look(self) -> None:
        silence = self._loop.time() - self._last
        if self._is_sending and silence >= self._patience:
            self._stop()
            return
        # A little early: timers of the loop may fire before the clock has quite moved that far.
        if self._keepalive and not self._is_sending and silence >= self._keepalive * 0.99:
            self._last = self._loop.time()
            self._ping = self._loop.create_task(self._send_ping())
            silence = 0.0
        due = self._interval - silence
        self._timer = self._loop.call_later(due if due > 0 else self._interval, self._look)

    async def _send_ping(self) -> None:
        self._is_sending = True
        await self.begin()
        # Pieces are whole events, so a comment between two of them is one between two events.
        await self._send({"type": "http.response.body", "body": _PING, "more_body": True})
        self._is_sending = False
