"""A caller who waits for the end of a response is answered when it has ended, and not before."""

import asyncio
import time
from pathlib import Path

import pytest

from azure_responses.emulator import Latency
from azure_responses.gateway.response_waiters import ResponseWaiters, wait_asked_for
from tests.gateway.test_background_prices import (
    ALICE,
    CREATE,
    HELLO,
    NEVER,
    gateway,
    open_names,
    until,
)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=30", 30.0),
        ("respond-async, WAIT=7", 7.0),
        ('wait="5"; a=b', 5.0),
        ("wait=99999999999999", 600.0),
        ("wait=-1", 0.0),
        ("wait=soon", 0.0),
        ("wait", 0.0),
        ("return=minimal", 0.0),
        ("", 0.0),
    ],
)
def test_the_preference_is_read_as_its_rfc_says(header: str, seconds: float) -> None:
    assert wait_asked_for({"prefer": header}) == seconds
    assert wait_asked_for({}) == 0.0


def test_all_who_wait_are_woken_and_nothing_is_left() -> None:
    async def main() -> None:
        waiters = ResponseWaiters()
        waiting = [asyncio.create_task(waiters.wait("a", 5.0)) for _ in range(3)]
        other = asyncio.create_task(waiters.wait("b", 0.05))
        await asyncio.sleep(0)
        waiters.wake("a")
        waiters.wake("unknown")
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert await other is False
        assert not waiters._events
        assert not waiters._waiting

    asyncio.run(main())


def test_a_caller_who_prefers_to_wait_gets_the_finished_response(tmp_path: Path) -> None:
    with gateway(tmp_path, Latency(first_token=1.5)) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        began = time.monotonic()
        found = client.get(f"{CREATE}/{made['id']}", headers={"prefer": "wait=20"}).json()
        assert found["status"] == "completed"
        assert 1.0 < time.monotonic() - began < 10
        until(lambda: not open_names(tmp_path))
        # One that has ended is answered at once.
        began = time.monotonic()
        client.get(f"{CREATE}/{made['id']}", headers={"prefer": "wait=20"})
        assert time.monotonic() - began < 2


def test_a_wait_ends_with_the_time_that_was_asked_for(tmp_path: Path) -> None:
    with gateway(tmp_path, NEVER) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        began = time.monotonic()
        found = client.get(f"{CREATE}/{made['id']}", headers={"prefer": "wait=2"}).json()
        assert found["status"] in ("queued", "in_progress")
        assert 1.9 < time.monotonic() - began < 4
