"""The state of one process, and its ledger."""

import asyncio
import logging
import os
import threading

import pytest

from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.store.interface import AsyncStateAdapter
from azure_responses.store.memory import MemoryState
from azure_responses.store.purge import async_purge
from tests.store.samples import candidate_for, entry, find, settlement


def test_threads_together_never_get_more_than_there_is() -> None:
    state = MemoryState()
    reserved: list[int] = []

    def call() -> None:
        grants = [state.reserve([candidate_for(tokens=1, tpm=1000)], 5.0) for _ in range(500)]
        reserved.append(sum(reservation.candidate is not None for reservation in grants))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(reserved) == 1000


def test_a_full_ledger_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    state = MemoryState(capacity=2)
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            state.remember(entry(f"resp_{number}"))
    assert [record.getMessage()[:33] for record in caplog.records] == [
        "The router's ledger is full at 2 "
    ]


def test_the_ledger_goes_by_the_clock_it_is_given() -> None:
    now = [1000.0]
    state = MemoryState(clock=lambda: now[0])
    state.remember(entry("resp_a"))
    assert find(state, "resp_a") is not None
    now[0] += 31 * 24 * 3600
    assert find(state, "resp_a") is None


def test_cooldowns_of_others_are_taken_over_and_never_shorten() -> None:
    state = MemoryState()
    state.learn({"one": 30.0}, 100.0)
    state.learn({"one": 5.0}, 100.0)
    assert state.reserve([candidate_for("one")], 100.0).retry_after == pytest.approx(30.0)


def test_what_another_store_granted_counts_here_too() -> None:
    state = MemoryState()
    assert state.count(candidate_for(tokens=100, tpm=100), 7.5) == 7
    assert state.count(candidate_for("free"), 7.5) == 7
    assert state.reserve([candidate_for(tokens=1, tpm=100)], 7.5).candidate is None
    # There is no room for more here: the other store knows better.
    assert state.count(candidate_for(tokens=1, tpm=100), 8.5) == 0


def test_a_limit_that_has_changed_holds_from_then_on() -> None:
    state = MemoryState()
    assert state.reserve([candidate_for(tokens=50, tpm=100)], 1.0).candidate is not None
    assert state.reserve([candidate_for(tokens=50, tpm=60)], 1.0).candidate is None
    assert state.reserve([candidate_for(tokens=50, tpm=100)], 1.0).candidate is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_lock_held_while_forking_does_not_stop_the_child() -> None:
    state = MemoryState()
    with state._lock:
        child = os.fork()
        if child == 0:
            reservation = state.reserve([candidate_for(tokens=1, tpm=100)], 1.0)
            os._exit(0 if reservation.candidate else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_sync_and_async_callers_share_one_state() -> None:
    sync = MemoryState()
    state = AsyncStateAdapter(sync)

    async def delete(found: LedgerEntry) -> None:
        assert found.response_id == "resp_a"

    async def story() -> None:
        reservation = await state.reserve([candidate_for(tokens=100, tpm=100)], 1.0)
        assert sync.reserve([candidate_for(tokens=1, tpm=100)], 1.0).candidate is None
        state.settle(settlement(reservation, entry=entry("resp_a")), 1.0)
        (found,) = await state.entries_of("ann")
        assert found == find(sync, "resp_a")
        receipt = await async_purge(state, "ann", delete)
        assert receipt.is_complete
        assert await state.flush()
        await state.aclose()

    asyncio.run(story())
    sync.close()
    assert not state.is_shared
    assert not state.is_degraded


def test_what_is_full_is_told_without_reserving_anything() -> None:
    state = MemoryState()
    candidates = [
        candidate_for("full", rpm=1),
        candidate_for("free", rpm=1),
        candidate_for("endless"),
    ]
    state.reserve(candidates[:1], 0.0)
    assert state.full_for(candidates, 0.0) == {"full": 61.0}
    assert state.full_for(candidates, 0.0) == {"full": 61.0}
    assert state.full_for(candidates, 61.0) == {}
