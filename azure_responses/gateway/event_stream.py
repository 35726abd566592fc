"""Sends a stream of server-sent events: without buffering, with comments while nothing comes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from azure_responses.gateway.replies import Header, Send

__all__ = ["EventStream"]

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
        """Send the head, unless a comment had to be sent before and brought it along."""
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
            await asyncio.wait({self._ping}, timeout=self._patience)
            self._ping.cancel()

    def _look(self) -> None:
        silence = self._loop.time() - self._last
        if self._is_sending and silence >= self._patience:
            self._stop()
            return
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
