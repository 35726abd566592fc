"""The shared state for async callers: event loops, cancellation, trio, and a Redis that dies."""

import asyncio
import gc
import os
import time
from collections.abc import Callable

import anyio
import anyio.to_thread
import pytest

from azure_responses.errors import APIConnectionError
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Reservation
from azure_responses.store.async_redis_state import AsyncRedisState
from azure_responses.store.purge import async_purge
from azure_responses.store.redis_state import RedisState
from tests.store.redis_server import RedisServer
from tests.store.samples import (
    candidate_for,
    entry,
    is_eventually,
    outage_is_said,
    settlement,
    shared_state,
)

_BACKENDS = ["asyncio", "trio"]


def _pair(server: RedisServer, timeout: float = 5.0) -> tuple[RedisState, AsyncRedisState]:
    state = shared_state(server.url, timeout=timeout)
    return state, AsyncRedisState(state)


def _is_granted(reservation: Reservation) -> bool:
    return reservation.candidate is not None


@pytest.mark.parametrize("backend", _BACKENDS)
def test_sync_and_async_callers_share_a_window(lasting_server: RedisServer, backend: str) -> None:
    sync, state = _pair(lasting_server)

    async def story() -> list[bool]:
        mine = await state.reserve([candidate_for(tokens=60, tpm=100)], 0.0)
        theirs = sync.reserve([candidate_for(tokens=60, tpm=100)], 0.0)
        state.settle(settlement(mine, used=10), 0.0)
        assert await state.flush()
        after = await state.reserve([candidate_for(tokens=60, tpm=100)], 0.0)
        await state.aclose()
        return [_is_granted(reservation) for reservation in (mine, theirs, after)]

    assert anyio.run(story, backend=backend) == [True, False, True]
    assert state.is_shared
    assert not state.is_degraded
    assert "127.0.0.1" in repr(state)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_the_ledger_is_read_and_purged(lasting_server: RedisServer, backend: str) -> None:
    _, state = _pair(lasting_server)

    async def delete(found: LedgerEntry) -> None:
        assert found.end_user == "ann"

    async def story() -> None:
        for number in range(120):
            state.remember(entry(f"resp_{number}"))
        assert len(await state.entries_of("ann", limit=200)) == 120
        receipt = await async_purge(state, "ann", delete)
        assert (len(receipt.deleted), receipt.is_complete) == (120, True)
        assert await state.entries_of("ann") == ()
        await state.aclose()

    anyio.run(story, backend=backend)


def test_callers_of_one_loop_never_get_more_than_there_is(lasting_server: RedisServer) -> None:
    _, state = _pair(lasting_server)

    async def story() -> list[Reservation]:
        calls = (state.reserve([candidate_for(tokens=1, tpm=70)], 0.0) for _ in range(200))
        grants = await asyncio.gather(*calls)
        await state.aclose()
        return grants

    assert sum(map(_is_granted, asyncio.run(story()))) == 70


def test_a_second_event_loop_opens_its_own_connection(lasting_server: RedisServer) -> None:
    _, state = _pair(lasting_server)

    async def story() -> Reservation:
        return await state.reserve([candidate_for()], 0.0)

    # Nobody closes anything: a connection that outlived its loop would warn when it is collected.
    assert all(_is_granted(asyncio.run(story())) for _ in range(3))
    gc.collect()
    assert len(state._connections) == 1
    asyncio.run(state.aclose())


def test_the_script_is_sent_again_to_a_redis_that_forgot_it(lasting_server: RedisServer) -> None:
    sync, state = _pair(lasting_server)

    async def story() -> list[Reservation]:
        await state.reserve([candidate_for()], 0.0)
        sync.writer.client.script_flush()
        grants = await asyncio.gather(
            *(state.reserve([candidate_for(tokens=10, tpm=50)], 0.0) for _ in range(20))
        )
        await state.aclose()
        return grants

    assert sum(map(_is_granted, asyncio.run(story()))) == 5
    assert not state.is_degraded


def test_a_connection_that_was_closed_while_idle_is_no_outage(
    lasting_server: RedisServer,
) -> None:
    sync, state = _pair(lasting_server)

    async def story() -> Reservation:
        await state.reserve([candidate_for()], 0.0)
        sync.writer.client.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0.05)
        reservation = await state.reserve([candidate_for()], 0.0)
        await state.aclose()
        return reservation

    assert _is_granted(asyncio.run(story()))


def test_what_was_reserved_for_a_cancelled_caller_is_given_back(
    redis_server: RedisServer,
) -> None:
    sync, state = _pair(redis_server)

    async def story() -> None:
        await state.reserve([candidate_for("other")], 0.0)
        redis_server.pause()
        call = asyncio.create_task(state.reserve([candidate_for(tokens=100, tpm=100)], 0.0))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        redis_server.go_on()
        # The answer comes in after the caller has gone.
        end = time.monotonic() + 20
        while not _is_granted(await state.reserve([candidate_for(tokens=100, tpm=100)], 0.0)):
            assert time.monotonic() < end
            assert await state.flush()
        await state.aclose()

    asyncio.run(story())
    assert not sync.is_degraded


def test_a_caller_cancelled_as_the_answer_comes_gives_it_back(
    lasting_server: RedisServer,
) -> None:
    _, state = _pair(lasting_server)

    async def story() -> bool:
        await state.reserve([candidate_for("other")], 0.0)
        candidate = candidate_for(tokens=100, tpm=100)
        for steps in range(40):
            call = asyncio.create_task(state.reserve([candidate], 0.0))
            for _ in range(steps):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0002 * (steps % 5))
            call.cancel()
            result = (await asyncio.gather(call, return_exceptions=True))[0]
            if isinstance(result, Reservation):
                state.settle(settlement(result, used=0), 0.0)
            # Whatever is on its way has come back once a later question is answered.
            await state.reserve([candidate_for("other")], 0.0)
            assert await state.flush()
        reserved = _is_granted(await state.reserve([candidate], 0.0))
        await state.aclose()
        return reserved

    assert asyncio.run(story())


@pytest.mark.parametrize("backend", _BACKENDS)
def test_killing_redis_loses_no_call(redis_server: RedisServer, backend: str) -> None:
    _, state = _pair(redis_server, timeout=0.25)
    grants: list[Reservation] = []

    async def call_on(end: anyio.Event) -> None:
        while not end.is_set():
            reservation = await state.reserve([candidate_for(tpm=10**9)], time.monotonic())
            grants.append(reservation)
            state.settle(settlement(reservation, used=1), time.monotonic())
            await anyio.sleep(0.001)

    async def wait_for(claim: Callable[[], bool]) -> None:
        assert await anyio.to_thread.run_sync(is_eventually, claim)

    async def wait_for_more() -> None:
        enough = len(grants) + 100
        await wait_for(lambda: len(grants) > enough)

    async def story() -> None:
        end = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call_on, end)
            await wait_for_more()
            redis_server.kill()
            await wait_for(lambda: state.is_degraded)
            await wait_for_more()
            await anyio.to_thread.run_sync(redis_server.start)
            await wait_for(lambda: not state.is_degraded)
            await wait_for_more()
            end.set()
        await state.aclose()

    with outage_is_said() as warned:
        anyio.run(story, backend=backend)
    assert all(map(_is_granted, grants))
    assert len(warned) == 1


def test_a_redis_that_hangs_holds_up_nobody_for_long(redis_server: RedisServer) -> None:
    _, state = _pair(redis_server, timeout=0.25)

    async def story() -> list[Reservation]:
        await state.reserve([candidate_for()], 0.0)
        redis_server.pause()
        grants = await asyncio.gather(*(state.reserve([candidate_for()], 0.0) for _ in range(100)))
        grants += [await state.reserve([candidate_for()], 0.0) for _ in range(1000)]
        redis_server.go_on()
        assert await asyncio.to_thread(is_eventually, lambda: not state.is_degraded)
        grants.append(await state.reserve([candidate_for()], 0.0))
        await state.aclose()
        return grants

    with outage_is_said("does not answer"):
        assert all(map(_is_granted, asyncio.run(story())))


def test_who_waits_when_the_state_is_closed_goes_by_local_counters(
    redis_server: RedisServer,
) -> None:
    _, state = _pair(redis_server, timeout=2)

    async def story() -> Reservation:
        await state.reserve([candidate_for()], 0.0)
        redis_server.pause()
        call = asyncio.create_task(state.reserve([candidate_for()], 0.0))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(state.aclose())
        reservation = await call
        redis_server.go_on()
        await closing
        return reservation

    with outage_is_said():
        assert _is_granted(asyncio.run(story()))


def test_a_ledger_out_of_reach_is_an_error_and_no_empty_list() -> None:
    _, state = _pair(RedisServer(), timeout=0.25)

    async def story() -> None:
        with pytest.raises(APIConnectionError):
            await state.entries_of("ann")
        await state.aclose()

    with outage_is_said():
        asyncio.run(story())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_its_own_connection(lasting_server: RedisServer) -> None:
    sync, state = _pair(lasting_server)

    async def reserve(number: int) -> list[bool]:
        grants = [await state.reserve([candidate_for(tokens=1, tpm=1000)], 0.0) for _ in range(20)]
        grants.append(await state.reserve([candidate_for(tokens=10_000 + number, tpm=1000)], 0.0))
        return [_is_granted(reservation) for reservation in grants]

    async def story() -> None:
        expected = [True] * 20 + [False]
        assert await reserve(0) == expected
        connection = state._connections[asyncio.get_running_loop()]._client.connection_pool
        before = connection._available_connections[0]._writer
        child = os.fork()
        if child == 0:  # pragma: no cover  (another process)
            try:
                is_fine = asyncio.run(reserve(1)) == expected and not sync.is_degraded
                os._exit(0 if is_fine else 1)
            finally:
                os._exit(2)
        assert await reserve(2) == expected
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert await reserve(3) == expected
        assert connection._available_connections[0]._writer is before
        assert not sync.is_degraded
        await state.aclose()

    asyncio.run(story())
