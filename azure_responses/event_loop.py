"""The event loop that is running: asyncio's or trio's."""

import asyncio
from typing import Any

__all__ = ["running_loop"]


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
