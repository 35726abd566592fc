"""Waits, by polling, until an object of the service has ended."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure_responses._async.concurrency import sleep
from azure_responses.call_options import CallOptions, limit_poll
from azure_responses.protocol.polling import Poll, Pollable
from azure_responses.transport import Timeout

__all__ = ["wait_for_end"]

P = TypeVar("P", bound=Pollable)


async def wait_for_end(
    retrieve: Callable[[CallOptions], Awaitable[P]],
    poll: Poll,
    timeout: Timeout,
    on_progress: Callable[[P], object] | None = None,
) -> P:
    """Wait until an object of the service has ended, and return it.

    Args:
        retrieve: asks for it once.
        poll: how often, and how long.
        timeout: of one call; it is shorter where less time is left.
        on_progress: called with what each poll found, the last one included.

    Raises:
        APITimeoutError: the time is up.
    """
    while True:
        found = await retrieve(limit_poll(timeout, poll.patience(time.monotonic())))
        if on_progress is not None:
            on_progress(found)
        delay = poll.delay(found, time.monotonic())
        if delay is None:
            return found
        await sleep(delay)
