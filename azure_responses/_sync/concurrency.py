"""What a sync shell waits with.

scripts/unasync translates everything else; this module is written by hand on both sides.
"""

import operator
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from inspect import iscoroutine
from threading import Event, Lock, Semaphore, get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import start_thread
from azure_responses.timeouts import TimeLimit

__all__ = [
    "AWAITS",
    "CancelScope",
    "Event",
    "blocking_thread",
    "compute",
    "fail_after",
    "fail_without_progress",
    "gather",
    "grace",
    "map_concurrently",
    "resolve",
    "run_in_thread",
    "running_loop",
    "shield",
    "sleep",
    "start_task",
    "wait_for",
]

T = TypeVar("T")
R = TypeVar("R")

AWAITS = False
"""Functions of the caller's may not be async."""

_NOTHING = nullcontext()

if TYPE_CHECKING:

    def compute(function: Callable[..., T], /, *arguments: Any, **more: Any) -> T:
        """The result of a function; other threads run meanwhile."""

else:
    # A function of C: each call of a client goes through here.
    compute = operator.call

fail_after = nullcontext
"""Nothing: the connections of the sync shell obey the limit at each read."""


def sleep(seconds: float) -> None:
    """Block this thread."""
    time.sleep(seconds)


def run_in_thread(function: Callable[[], T]) -> T:
    """The result of a function that blocks, in this thread."""
    return function()


def fail_without_progress(limit: TimeLimit) -> AbstractContextManager[Callable[[bool], None]]:
    """A function that lets the time of the limit begin anew, for the connections to obey."""
    return nullcontext(lambda _is_paused: limit.restart())


def blocking_thread() -> int | None:
    """The thread that a wait would block."""
    return get_ident()


def shield() -> AbstractContextManager[None]:
    """Nothing: a thread cannot be cancelled."""
    return _NOTHING


def grace(seconds: float) -> AbstractContextManager[None]:
    """Nothing: a thread cannot be cancelled."""
    return _NOTHING


class CancelScope(nullcontext[None]):
    """Nothing: a thread cannot be cancelled."""

    def cancel(self) -> None:
        """What runs goes on."""


def running_loop() -> Any:
    """The same for every thread: they share what the async shell keeps for each event loop."""
    return CancelScope


def start_task(function: Callable[[], None]) -> object:
    """Run a function in a thread beside its caller."""
    start_thread(function)
    return None


def gather(function: Callable[[T], R], values: Iterable[T], most: int = 8) -> list[R]:
    """The results of a function for each value, in order, one after the other."""
    return [function(value) for value in values]


def wait_for(event: Event, seconds: float | None) -> bool:
    """True when the event was set within so many seconds; None sets no limit."""
    return event.wait(seconds)


def map_concurrently(function: Callable[[T], R], values: Iterable[T], limit: int) -> list[R]:
    """The results in the order of the values, of which so many are in work at the same time.

    The next value is taken when there is room for it. After the first failure no other is taken;
    when those in work have ended it is raised.
    """
    work = _SharedWork(function, values)
    started = 0
    try:
        while started < limit and (first := work.take()) is not None:
            start_thread(partial(work.do, first))
            started += 1
        for _ in range(started):
            work.ended.acquire()
    except BaseException as error:
        # Ctrl-C, or values that cannot be read: no other begins.
        work.failures.append(error)
        raise
    if work.failures:
        raise work.failures[0]
    return [work.found[number] for number in sorted(work.found)]


class _SharedWork(Generic[T, R]):
    """What the threads of one `map_concurrently` share."""

    def __init__(self, function: Callable[[T], R], values: Iterable[T]) -> None:
        self._function = function
        self._numbered = enumerate(values)
        self._lock = Lock()
        self.found: dict[int, R] = {}
        self.failures: list[BaseException] = []
        self.ended = Semaphore(0)

    def take(self) -> tuple[int, T] | None:
        """The next value and its number; None after the last, and after a failure."""
        with self._lock:
            return None if self.failures else next(self._numbered, None)

    def do(self, taken: tuple[int, T] | None) -> None:
        """Work until there is nothing left."""
        try:
            while taken is not None:
                self.found[taken[0]] = self._function(taken[1])
                taken = self.take()
        except BaseException as error:
            self.failures.append(error)
        self.ended.release()


def resolve(value: Any) -> Any:
    """What a function of the caller's returned.

    Raises:
        ConfigurationError: the function is async.
    """
    if iscoroutine(value):
        value.close()
        raise ConfigurationError(
            "An async function was given to a client that does not await.",
            hint="Use AsyncAzureResponses, or a function that is not async.",
        )
    return value
