"""The shutdown of a process: no new calls, and time for those in progress."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from azure_responses.errors import InternalServerError
from azure_responses.gateway.asgi_reply import ErrorResponse, error_response

__all__ = ["GracefulShutdown"]

_PAUSE = 0.02
_LAST_SECONDS = 1.0


class GracefulShutdown:
    """The calls of one process, and whether it still takes any; used from one event loop.

    Attributes:
        is_draining: no new calls are taken.
        is_cut: the time for those under way is over; they end with an error that says so.
        tasks: the calls under way; each adds its task, and discards it when it has ended.
        connections: what to call so that an open WebSocket ends after its calls; each adds its
            function, and discards it when it has ended.
    """

    def __init__(self) -> None:
        self.is_draining = False
        self.is_cut = False
        self.tasks: set[asyncio.Task[None]] = set()
        self.connections: set[Callable[[], None]] = set()

    @property
    def refusal(self) -> ErrorResponse:
        """The 503 for a new call, after which load balancers and SDKs try elsewhere."""
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
        """The error that ends a stream which is cut."""
        return InternalServerError(
            "The gateway is shutting down.",
            status_code=503,
            code="shutting_down",
            type="server_error",
        )

    def begin(self) -> None:
        """Take no more calls."""
        self.is_draining = True

    async def wait(self, timeout: float) -> None:
        """Return when the last call has ended; after `timeout` seconds cut those that are left."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout
        for end in list(self.connections):
            end()
        while self.tasks or self.connections:
            if clock() >= deadline:
                self._cut()
                await self._wait_for_last_events()
                return
            # Polled, since a process shuts down once: an event would cost each call a little.
            await asyncio.sleep(min(_PAUSE, max(0.0, deadline - clock())))

    async def _wait_for_last_events(self) -> None:
        """Give callers time for the events that tell them why their streams end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                while self.tasks or self.connections:
                    await asyncio.sleep(_PAUSE)

    def _cut(self) -> None:
        self.is_cut = True
        for task in self.tasks:
            task.cancel()
