"""The event loop that is running: asyncio's or trio's."""

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

import anyio

__all__ = [
    "COMPUTER",
    "compute",
    "end_unawaited",
    "fail_after",
    "forget_closed_loops",
    "put_off",
    "run_in_thread",
    "running_loop",
    "start_task",
    "start_thread",
]


T = TypeVar("T")


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


def put_off(timeout: Any, seconds: float) -> None:
    """Let what `fail_after` gave end in so many seconds; nothing when its block has ended."""
    with suppress(RuntimeError):
        timeout.reschedule(None if seconds == math.inf else anyio.current_time() + seconds)


class _FailAfter:
    def __init__(self, seconds: float) -> None:
        self._scope = anyio.fail_after(seconds)

    async def __aenter__(self) -> Self:
        self._entered = self._scope.__enter__()
        return self

    def reschedule(self, when: float | None) -> None:
        """As of asyncio's timeout."""
        self._entered.deadline = math.inf if when is None else when

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._scope.__exit__(kind, error, traceback)


def forget_closed_loops(kept: WeakKeyDictionary[Any, Any]) -> None:
    """Forget what is kept for loops that are closed.

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


def start_task(function: Callable[[], Coroutine[Any, Any, None]]) -> object:
    """Run a coroutine beside its caller until its event loop ends; keep the result meanwhile.

    It may raise nothing but cancellation, which would end a trio program.
    """
    loop = running_loop()
    if isinstance(loop, asyncio.AbstractEventLoop):
        return loop.create_task(function())
    import trio

    return trio.lowlevel.spawn_system_task(function, context=copy_context())


def start_thread(function: Callable[[], object]) -> None:
    """Run a function in a thread that does not keep the program from ending."""
    thread = threading.Thread(target=copy_context().run, args=(function,), daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # The interpreter is ending, or the system has no thread left.
        function()


async def run_in_thread(function: Callable[[], T]) -> T:
    """The result of a function that blocks.

    Unlike a worker thread of anyio's, one that never returns keeps neither its caller from being
    cancelled nor the program from ending.
    """
    loop, done = running_loop(), anyio.Event()
    outcome: list[Any] = [None, None]

    def run() -> None:
        try:
            outcome[0] = function()
        except BaseException as error:
            outcome[1] = error
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            _call_in(loop, done.set)

    start_thread(run)
    await done.wait()
    if outcome[1] is not None:
        raise outcome[1]
    result: T = outcome[0]
    return result


def _call_in(loop: Any, function: Callable[[], object]) -> None:
    if isinstance(loop, asyncio.AbstractEventLoop):
        loop.call_soon_threadsafe(function)
    else:
        loop.run_sync_soon(function)


COMPUTER: ContextVar[Callable[[Callable[[], Any]], Awaitable[Any]] | None] = ContextVar(
    "azure_responses.computer", default=None
)
"""Runs what takes long to compute, away from the event loop; None computes it where it is."""


async def compute(function: Callable[..., T], /, *arguments: Any, **more: Any) -> T:
    """The result of `function`, of which others need not wait where `COMPUTER` is set."""
    computer = COMPUTER.get()
    if computer is None:
        return function(*arguments, **more)
    result: T = await computer(lambda: function(*arguments, **more))
    return result
