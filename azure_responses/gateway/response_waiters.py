"""Callers who wait for the end of a background response, and what wakes them."""

import asyncio
from collections.abc import Mapping

__all__ = ["ResponseWaiters", "wait_asked_for"]

# Longer than proxies usually leave a request without an answer.
_LONGEST = 600.0


class ResponseWaiters:
    """The waiting callers of one process, by the name of their response; for one event loop."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._waiting: dict[str, int] = {}

    async def wait(self, name: str, seconds: float) -> bool:
        """Wait up to that many seconds; True if the response has ended."""
        event = self._events.setdefault(name, asyncio.Event())
        self._waiting[name] = self._waiting.get(name, 0) + 1
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name], self._events[name]
        return True

    def wake(self, name: str) -> None:
        """Wake the callers: the response has ended."""
        event = self._events.get(name)
        if event is not None:
            event.set()


def wait_asked_for(headers: Mapping[str, str]) -> float:
    """The seconds of `Prefer: wait=N` (RFC 7240), at most ten minutes; 0 without it.

    An invalid preference is ignored, as the RFC says.
    """
    for preference in headers.get("prefer", "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if name.strip().lower() == "wait" and seconds.isascii() and seconds.isdecimal():
            return min(float(seconds[:9]), _LONGEST)
    return 0.0
