"""The end of a process: no new calls, and time for those that are under way."""

import asyncio

from azure_responses.errors import InternalServerError
from azure_responses.gateway.error_response import ErrorResponse, error_response

__all__ = ["GracefulShutdown"]


class GracefulShutdown:
    """The calls of one process, and whether it still takes any; used from one event loop.

    Attributes:
        is_draining: no new calls are taken.
        is_cut: the time for those under way is over; they end with an error that says so.
    """

    def __init__(self) -> None:
        self.is_draining = False
        self.is_cut = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()

    @property
    def refusal(self) -> ErrorResponse:
        """What a new call is told; a load balancer or an SDK tries again elsewhere."""
        return error_response(
            503,
            "The gateway is shutting down.",
            code="shutting_down",
            type="server_error",
            retry_after=1.0,
            headers={"connection": "close"},
        )

    @property
    def error(self) -> InternalServerError:
        """What the caller of a stream that is cut is told."""
        return InternalServerError(
            "The gateway is shutting down.",
            status_code=503,
            code="shutting_down",
            type="server_error",
        )

    @property
    def count(self) -> int:
        """Calls under way."""
        return len(self._tasks)

    def enter(self, task: "asyncio.Task[None]") -> None:
        """A call has begun in this task."""
        self._tasks.add(task)

    def leave(self, task: "asyncio.Task[None]") -> None:
        """It has ended."""
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()

    def begin(self) -> None:
        """Take no more calls."""
        self.is_draining = True

    async def wait(self, timeout: float) -> None:
        """Return when the last call has ended; after `timeout` seconds cut those that are left."""
        deadline = asyncio.get_running_loop().time() + timeout
        while self._tasks:
            self._idle.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._idle.wait()
            except TimeoutError:
                self._cut()
                await asyncio.wait(set(self._tasks), timeout=1.0)
                return

    def _cut(self) -> None:
        self.is_cut = True
        for task in self._tasks:
            task.cancel()
