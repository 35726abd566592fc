"""How many calls run at once, how many wait, and for how long."""

import asyncio
from collections import deque

from azure_responses.gateway.asgi_reply import ErrorResponse, error_response

__all__ = ["ConcurrencyLimit"]


class ConcurrencyLimit:
    """The places of one process; used from one event loop.

    Args:
        most: calls in progress at once.
        queue: further calls that wait for a place, first come first served.
        patience: seconds a call waits.

    Attributes:
        in_progress: how many there are now.
        most: how many there may be.
    """

    def __init__(self, most: int, queue: int, patience: float) -> None:
        self.in_progress = 0
        self.most = most
        self._queue_length = queue
        self._patience = patience
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return len(self._queue)

    @property
    def refusal(self) -> ErrorResponse | None:
        """The 503 for a full queue; None while a call can have a place or wait for one."""
        if self.in_progress < self.most or len(self._queue) < self._queue_length:
            return None
        return _saturated("The gateway is at its limit and so is its queue.")

    def enter(self) -> bool:
        """Take a place if one is free and no call waits."""
        if self.in_progress < self.most and not self._queue:
            self.in_progress += 1
            return True
        return False

    async def wait(self) -> ErrorResponse | None:
        """Wait for a place, after `enter` returned False; a 503 if none becomes free in time."""
        refusal = self.refusal
        if refusal is not None:
            return refusal
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout(self._patience):
                await place
        except TimeoutError:
            self._give_up(place)
            return _saturated("The gateway is at its limit; no place became free in time.")
        except BaseException:
            self._give_up(place)
            raise
        return None

    def leave(self) -> None:
        """Free a place, for the call that has waited longest."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.in_progress -= 1

    def _give_up(self, place: "asyncio.Future[None]") -> None:
        if place.done() and not place.cancelled():
            # `leave` gave it the place just when it stopped waiting: pass the place on.
            self.leave()
        elif place in self._queue:
            self._queue.remove(place)


def _saturated(message: str) -> ErrorResponse:
    return error_response(
        503, message, code="gateway_saturated", type="server_error", retry_after=1.0
    )
