"""Places: so many at once, so many that wait, first come first served."""

import asyncio

from azure_responses.gateway.error_response import ErrorResponse
from azure_responses.gateway.places import Places


def test_places_are_taken_and_given_back() -> None:
    places = Places(1, 1, 1.0)
    assert places.enter()
    assert not places.enter()
    places.leave()
    assert places.in_progress == 0
    assert places.enter()


def test_who_waits_longest_is_next() -> None:
    async def run() -> list[int]:
        places, order = Places(1, 5, 5.0), []
        places.enter()

        async def wait(number: int) -> None:
            assert await places.wait() is None
            order.append(number)
            places.leave()

        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert places.waiting == 3
        assert not places.enter()
        places.leave()
        await asyncio.gather(*tasks)
        assert places.in_progress == 0
        return order

    assert asyncio.run(run()) == [0, 1, 2]


def test_a_full_queue_and_a_long_wait_are_refused() -> None:
    async def run() -> None:
        places = Places(1, 1, 0.01)
        places.enter()
        waiting = asyncio.create_task(places.wait())
        await asyncio.sleep(0)
        full = await places.wait()
        late = await waiting
        assert isinstance(full, ErrorResponse)
        assert isinstance(late, ErrorResponse)
        assert (full.status, late.status) == (503, 503)
        assert places.waiting == 0
        places.leave()
        assert places.in_progress == 0

    asyncio.run(run())


def test_whoever_gives_up_waiting_keeps_nobody_out() -> None:
    async def run() -> None:
        places = Places(1, 5, 5.0)
        places.enter()
        first = asyncio.create_task(places.wait())
        second = asyncio.create_task(places.wait())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        places.leave()
        assert await second is None
        # Handed over in the very moment of giving up: the place goes on to the next, or back.
        third = asyncio.create_task(places.wait())
        await asyncio.sleep(0)
        places.leave()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
        assert places.in_progress == 0

    asyncio.run(run())
