"""Threads for what takes long to compute, so that no caller's large body holds up the others."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["SHORT", "Lanes"]

SHORT = 4096
"""Bytes of a body that holds too few values to be worth the counting."""

_FEW_VALUES = 2000
_LONG = 512 * 1024
_MANY_VALUES = 20_000
# Threads share one interpreter: with more of them the event loop would wait longer for its turn.
_AT_ONCE = 2

Computer = Callable[[Callable[[], Any]], Awaitable[Any]]


class Lanes:
    """Where bodies are worked on, by what they hold; used from one event loop."""

    def __init__(self) -> None:
        self._usual = _Lane(_AT_ONCE)
        self._heavy = _Lane(1)

    def choose(self, values: int, size: int) -> Computer | None:
        """Who computes for a body of so many values and bytes; None does it in place.

        Bodies of very many values wait for one another; other callers do not wait for them.
        """
        if values > _MANY_VALUES:
            return self._heavy
        return self._usual if values > _FEW_VALUES or size > _LONG else None


class _Lane:
    """A few threads at a time."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def __call__(self, function: Callable[[], Any]) -> Any:
        async with self._places:
            return await asyncio.to_thread(function)
