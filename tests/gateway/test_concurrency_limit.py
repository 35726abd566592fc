"""ConcurrencyLimit: so many at once, so many that wait, first come first served."""

import asyncio

from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.concurrency_limit import ConcurrencyLimit


def test_places_are_taken_and_given_back() -> None:
    limit = ConcurrencyLimit(1, 1, 1.0)
    assert limit.enter()
    assert not limit.enter()
    limit.leave()
    assert limit.in_progress == 0
    assert limit.enter()


def test_who_waits_longest_is_next() -> None:
    async def run() -> list[int]:
        limit, order = ConcurrencyLimit(1, 5, 5.0), []
        limit.enter()

        async def wait(number: int) -> None:
            assert await limit.wait() is None
            order.append(number)
            limit.leave()

        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert limit.waiting == 3
        assert not limit.enter()
        limit.leave()
        await asyncio.gather(*tasks)
        assert limit.in_progress == 0
        return order

    assert asyncio.run(run()) == [0, 1, 2]


def test_a_full_queue_and_a_long_wait_are_refused() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(1, 1, 0.01)
        limit.enter()
        waiting = asyncio.create_task(limit.wait())
        await asyncio.sleep(0)
        full = await limit.wait()
        late = await waiting
        assert isinstance(full, ErrorResponse)
        assert isinstance(late, ErrorResponse)
        assert (full.status, late.status) == (503, 503)
        assert limit.waiting == 0
        limit.leave()
        assert limit.in_progress == 0

    asyncio.run(run())


def test_a_caller_that_stops_waiting_keeps_no_other_out() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(1, 5, 5.0)
        limit.enter()
        first = asyncio.create_task(limit.wait())
        second = asyncio.create_task(limit.wait())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        limit.leave()
        assert await second is None
        # Handed over in the very moment of giving up: the place goes on to the next, or back.
        third = asyncio.create_task(limit.wait())
        await asyncio.sleep(0)
        limit.leave()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
        assert limit.in_progress == 0

    asyncio.run(run())
