"""What an async shell waits with.

scripts/unasync translates everything else; this module is written by hand on both sides.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from inspect import isawaitable
from typing import Any, TypeVar

import anyio
from anyio import CancelScope, Event

from azure_responses import event_loop
from azure_responses.event_loop import (
    compute,
    run_in_thread,
    running_loop,
    start_task,
)
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

AWAITS = True
"""Functions of the caller's may be async."""


async def sleep(seconds: float) -> None:
    """Wait while other tasks run."""
    await anyio.sleep(seconds)


def fail_after(limit: TimeLimit) -> AbstractAsyncContextManager[Any]:
    """Raises TimeoutError from the block of `async with` when the limit is over."""
    return event_loop.fail_after(limit.left())


@asynccontextmanager
async def fail_without_progress(limit: TimeLimit) -> AsyncIterator[Callable[[bool], None]]:
    """`fail_after`; its block gets a function that starts the time limit again.

    Called with True, it lets no time pass until it is called again.
    """
    async with fail_after(limit) as timeout:

        def note_progress(is_paused: bool) -> None:
            limit.restart()
            event_loop.put_off(timeout, math.inf if is_paused else limit.left())

        yield note_progress


def blocking_thread() -> int | None:
    """The thread that a wait would block: none, because other tasks run meanwhile."""
    return None


def shield() -> AbstractContextManager[object]:
    """Inside, what is awaited finishes although the task is cancelled.

    Under a cancelled scope every await is cancelled again.
    """
    return anyio.CancelScope(shield=True)


def grace(seconds: float) -> AbstractContextManager[object]:
    """Inside, what is awaited has so many seconds to finish although the task is cancelled."""
    return anyio.move_on_after(seconds, shield=True)


async def gather(
    function: Callable[[T], Awaitable[R]], values: Iterable[T], most: int = 8
) -> list[R]:
    """The results of a function for each value, in order; up to `most` are under way at once.

    Raises what the first value that failed raised, once none is under way any more.
    """
    given = list(values)
    results: dict[int, R] = {}
    errors: dict[int, Exception] = {}
    limiter = anyio.CapacityLimiter(most)

    async def call(index: int) -> None:
        async with limiter:
            try:
                results[index] = await function(given[index])
            except Exception as error:
                errors[index] = error

    async with anyio.create_task_group() as group:
        for index in range(len(given)):
            group.start_soon(call, index)
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(len(given))]


async def wait_for(event: Event, seconds: float | None) -> bool:
    """True when the event was set within so many seconds; None sets no limit."""
    with anyio.move_on_after(seconds):
        await event.wait()
    return event.is_set()


async def map_concurrently(
    function: Callable[[T], Awaitable[R]], values: Iterable[T], limit: int
) -> list[R]:
    """The results in the order of the values; that many values are processed at the same time.

    The next value is taken when there is room for it. After the first failure the others are
    cancelled, and it is raised.
    """
    numbered, found, failures = enumerate(values), dict[int, R](), list[Exception]()

    async def work() -> None:
        try:
            for number, value in numbered:
                found[number] = await function(value)
        except Exception as error:
            failures.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(limit):
            group.start_soon(work)
    if failures:
        raise failures[0]
    return [found[number] for number in sorted(found)]


async def resolve(value: Any) -> Any:
    """What a function of the caller's returned, awaited if it is async."""
    return await value if isawaitable(value) else value
