"""The event loop that is running: asyncio's or trio's."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import anyio

__all__ = ["end_unawaited", "fail_after", "forget_closed_loops", "running_loop"]


def running_loop() -> Any:
    """What tells this event loop from every other: asyncio's loop, or the token of a trio run.

    Weak references to either are possible, so that what belongs to a loop can go with it.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        # Imported only here: most programs never see trio.
        import trio

        return trio.lowlevel.current_trio_token()


def fail_after(seconds: float) -> AbstractAsyncContextManager[Any]:
    """Raises TimeoutError from the block of `async with` after so many seconds.

    Under asyncio a quarter of what anyio's costs, which a call every millisecond notices.
    """
    if isinstance(running_loop(), asyncio.AbstractEventLoop):
        return asyncio.timeout(None if seconds == math.inf else seconds)
    return _FailAfter(seconds)


class _FailAfter:
    def __init__(self, seconds: float) -> None:
        self._scope = anyio.fail_after(seconds)

    async def __aenter__(self) -> None:
        self._scope.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._scope.__exit__(kind, error, traceback)


def forget_closed_loops(kept: WeakKeyDictionary[Any, Any]) -> None:
    """Let go of what is kept for loops that are closed.

    It mostly knows its loop, which would otherwise never be collected.
    """
    # A copy, made at once: other threads may add their loops meanwhile.
    for reference in kept.keyrefs():
        loop = reference()
        if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_closed():
            kept.pop(loop, None)


def end_unawaited(generator: AsyncGenerator[None, None]) -> None:
    """End a generator that awaits nothing more, in a forked process, which has not its loop.

    Collected without having ended, it would wake the loop of the parent process.
    """
    with suppress(Exception):
        generator.aclose().send(None)
