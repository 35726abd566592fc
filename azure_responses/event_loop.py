"""The event loop that is running: asyncio's or trio's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["end_unawaited", "forget_closed_loops", "running_loop"]


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
