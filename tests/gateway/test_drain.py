"""Draining: what is under way ends by itself, or is cut when its time is over."""

import asyncio

from azure_responses.gateway.drain import Drain


def test_nothing_under_way_is_nothing_to_wait_for() -> None:
    drain = Drain()
    before = drain.is_draining
    drain.begin()
    assert (before, drain.is_draining) == (False, True)
    asyncio.run(drain.wait(0.0))
    assert drain.refusal.status == 503
    assert drain.refusal.headers["retry-after"] == "1"
    assert drain.error.code == "shutting_down"


def test_calls_under_way_are_waited_for_or_cut() -> None:
    async def run(seconds: float) -> tuple[bool, bool]:
        drain = Drain()

        async def call() -> None:
            task = asyncio.current_task()
            assert task is not None
            drain.enter(task)
            try:
                await asyncio.sleep(seconds)
            finally:
                drain.leave(task)

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        assert drain.count == 1
        await drain.wait(0.3)
        await asyncio.gather(task, return_exceptions=True)
        assert drain.count == 0
        return task.cancelled(), drain.is_cut

    assert asyncio.run(run(0.02)) == (False, False)
    assert asyncio.run(run(30.0)) == (True, True)
