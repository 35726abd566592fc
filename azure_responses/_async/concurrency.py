"""What an async shell waits with.

scripts/unasync translates everything else; this module is written by hand on both sides.
"""

from contextlib import AbstractContextManager

import anyio

from azure_responses.event_loop import compute, fail_after, run_in_thread

__all__ = ["compute", "fail_after", "run_in_thread", "shield", "sleep"]


async def sleep(seconds: float) -> None:
    """Wait while other tasks run."""
    await anyio.sleep(seconds)


def shield() -> AbstractContextManager[object]:
    """Inside, what is awaited finishes although the task is cancelled.

    Under a cancelled scope every await is cancelled again.
    """
    return anyio.CancelScope(shield=True)
