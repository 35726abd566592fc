"""Draining: what is under way ends by itself, or is cut when its time is over."""

import asyncio

from azure_responses.gateway.graceful_shutdown import GracefulShutdown


def test_nothing_under_way_is_nothing_to_wait_for() -> None:
    shutdown = GracefulShutdown()
    before = shutdown.is_draining
    shutdown.begin()
    assert (before, shutdown.is_draining) == (False, True)
    asyncio.run(shutdown.wait(0.0))
    assert shutdown.refusal.status == 503
    assert shutdown.refusal.headers["retry-after"] == "1"
    assert shutdown.error.code == "shutting_down"


def test_calls_under_way_are_waited_for_or_cut() -> None:
    async def run(seconds: float) -> tuple[bool, bool]:
        shutdown = GracefulShutdown()

        async def call() -> None:
            task = asyncio.current_task()
            assert task is not None
            shutdown.tasks.add(task)
            try:
                await asyncio.sleep(seconds)
            finally:
                shutdown.tasks.discard(task)

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        assert len(shutdown.tasks) == 1
        await shutdown.wait(0.3)
        await asyncio.gather(task, return_exceptions=True)
        assert shutdown.tasks == set()
        return task.cancelled(), shutdown.is_cut

    assert asyncio.run(run(0.02)) == (False, False)
    assert asyncio.run(run(30.0)) == (True, True)
