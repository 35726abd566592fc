"""Who computes for which body, and that they do not all compute at once."""

import asyncio
import threading
import time

from azure_responses.event_loop import COMPUTER, compute
from azure_responses.gateway.body_reader import WorkerThreads


def test_small_bodies_are_worked_on_in_place() -> None:
    pools = WorkerThreads()
    assert pools.choose(10, 10_000) is None
    usual, heavy = pools.choose(5000, 10_000), pools.choose(50_000, 10_000)
    assert usual is pools.choose(10, 10_000_000)
    assert None is not usual is not heavy is not None


def test_bodies_of_very_many_values_wait_for_one_another_alone() -> None:
    pools = WorkerThreads()
    running: list[int] = []
    most = 0

    def work() -> int:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        time.sleep(0.02)
        running.pop()
        return threading.get_ident()

    async def run() -> None:
        heavy, usual = pools.choose(50_000, 0), pools.choose(5000, 0)
        assert heavy is not None
        assert usual is not None
        idents = await asyncio.gather(*(heavy(work) for _ in range(5)))
        assert threading.get_ident() not in idents
        assert most == 1
        blocked = asyncio.ensure_future(heavy(lambda: time.sleep(0.5)))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await usual(lambda: None)
        assert time.monotonic() - began < 0.4
        await blocked

    asyncio.run(run())


def test_what_is_computed_goes_where_the_call_says() -> None:
    async def run() -> None:
        assert await compute(threading.get_ident) == threading.get_ident()
        COMPUTER.set(WorkerThreads().choose(50_000, 0))
        assert await compute(threading.get_ident) != threading.get_ident()
        assert await compute(dict, [("a", 1)], b=2) == {"a": 1, "b": 2}

    asyncio.run(run())
