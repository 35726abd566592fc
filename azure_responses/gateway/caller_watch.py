"""Ends a call whose caller has left before the end of the reply."""

import asyncio
from typing import Any

from azure_responses.gateway.asgi_reply import DISCONNECT, Disconnect, Receive, Scope

__all__ = ["CallerWatch"]


class CallerWatch:
    """Watches for the caller's leaving; made in the task of the request, which it cancels.

    Attributes:
        task: of the request.
        has_left: the caller has left, and the task was cancelled.
        is_over: leaving does not stop the call: its reply ends, or it goes on by itself.
    """

    def __init__(self, scope: Scope) -> None:
        self.task = asyncio.current_task()
        self.has_left = False
        self.is_over = False
        # A server other than our own has none; then a task waits for its message.
        self._disconnect: Disconnect | None = scope.get(DISCONNECT)
        self._waiting: asyncio.Task[Any] | None = None

    def begin(self, receive: Receive | None) -> None:
        """Have the call stopped when its caller leaves.

        Args:
            receive: of the server; None while the body is still read from it.
        """
        if self._disconnect is not None:
            self._disconnect.watch(self._note_leaving)
        elif receive is not None:
            self._waiting = asyncio.ensure_future(receive())
            self._waiting.add_done_callback(self._note_message)

    def end(self) -> None:
        """The request is over."""
        self.is_over = True
        if self._disconnect is not None:
            self._disconnect.forget(self._note_leaving)
        if self._waiting is not None:
            self._waiting.cancel()

    def stop(self) -> None:
        """Stop the call, whose caller has left."""
        self.has_left = True
        assert self.task is not None
        self.task.cancel()

    def _note_message(self, waiting: "asyncio.Task[Any]") -> None:
        if not waiting.cancelled():
            self._note_leaving()

    def _note_leaving(self) -> None:
        if not self.is_over:
            self.stop()
