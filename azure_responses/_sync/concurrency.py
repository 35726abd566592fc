"""What a sync shell waits with.

scripts/unasync translates everything else; this module is written by hand on both sides.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

__all__ = ["compute", "fail_after", "run_in_thread", "shield", "sleep"]

T = TypeVar("T")

_NOTHING = nullcontext()


def sleep(seconds: float) -> None:
    """Block this thread."""
    time.sleep(seconds)


def compute(function: Callable[..., T], /, *arguments: Any, **more: Any) -> T:
    """The result of `function`; other threads run meanwhile."""
    return function(*arguments, **more)


def run_in_thread(function: Callable[[], T]) -> T:
    """The result of a function that blocks, in this thread."""
    return function()


def fail_after(seconds: float) -> AbstractContextManager[None]:
    """Nothing: the connections of the sync shell obey the limit at each read."""
    return _NOTHING


def shield() -> AbstractContextManager[None]:
    """Nothing: a thread cannot be cancelled."""
    return _NOTHING
