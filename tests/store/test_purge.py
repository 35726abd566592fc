"""Purging an end user; across processes and crashes in test_redis_state.py."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from azure_responses.errors import APIConnectionError, ResponseNotFoundError
from azure_responses.routing.purge_ledger import LedgerEntry, PurgeReceipt
from azure_responses.store.interface import AsyncStateAdapter
from azure_responses.store.memory import MemoryState
from azure_responses.store.purge import async_purge, purge
from tests.store.samples import entry

Delete = Callable[[LedgerEntry], None]
Run = Callable[..., PurgeReceipt]


def _sync(state: MemoryState, end_user: str, delete: Delete, **options: Any) -> PurgeReceipt:
    return purge(state, end_user, delete, clock=lambda: 7.0, **options)


def _async(state: MemoryState, end_user: str, delete: Delete, **options: Any) -> PurgeReceipt:
    async def adelete(found: LedgerEntry) -> None:
        await asyncio.sleep(0)
        delete(found)

    twin = AsyncStateAdapter(state)
    return asyncio.run(async_purge(twin, end_user, adelete, clock=lambda: 7.0, **options))


both = pytest.mark.parametrize("run", [_sync, _async], ids=["sync", "async"])


def _state(*names: str, **fields: Any) -> MemoryState:
    state = MemoryState()
    for name in names:
        state.remember(entry(name, **fields))
    return state


@both
def test_every_response_of_an_end_user_is_deleted(run: Run) -> None:
    names = [f"resp_{number}" for number in range(250)]
    state, deleted = _state(*names), []
    state.remember(entry("resp_bob", end_user="bob"))
    receipt = run(state, "ann", lambda found: deleted.append(found.response_id))
    assert sorted(deleted) == sorted(names)
    assert sorted(receipt.deleted) == sorted(names)
    assert (receipt.is_complete, receipt.started, receipt.finished) == (True, 7.0, 7.0)
    assert state.entries_of("ann") == ()
    assert len(state.entries_of("bob")) == 1


@both
def test_what_cannot_be_deleted_stays_for_the_next_run(run: Run) -> None:
    state = _state("resp_a", "resp_b", "resp_c")

    def delete(found: LedgerEntry) -> None:
        if found.response_id == "resp_a":
            raise ResponseNotFoundError("It is gone.", status_code=404)
        if found.response_id == "resp_b":
            raise APIConnectionError("The connection failed.")

    receipt = run(state, "ann", delete)
    assert receipt.already_gone == ("resp_a",)
    assert receipt.deleted == ("resp_c",)
    assert receipt.failed == {"resp_b": "APIConnectionError: The connection failed."}
    assert not receipt.is_complete
    assert [each.response_id for each in state.entries_of("ann")] == ["resp_b"]
    again = run(state, "ann", lambda found: None)
    assert (again.deleted, again.is_complete) == (("resp_b",), True)
    assert state.entries_of("ann") == ()


@both
def test_a_response_made_during_the_purge_is_deleted_too(run: Run) -> None:
    state = _state("resp_a")

    def delete(found: LedgerEntry) -> None:
        if found.response_id == "resp_a":
            state.remember(entry("resp_late"))

    assert set(run(state, "ann", delete).deleted) == {"resp_a", "resp_late"}


@both
def test_an_end_user_who_goes_on_for_ever_is_told_of(run: Run) -> None:
    state, made = _state("resp_0"), [0]

    def delete(found: LedgerEntry) -> None:
        made[0] += 1
        if made[0] < 1000:
            state.remember(entry(f"resp_{made[0]}", created=4e9 + made[0]))

    # The clock stands still before every one of them.
    receipt = run(state, "ann", delete)
    assert not receipt.is_complete
    assert 10 <= len(receipt.deleted) <= 20
    assert list(receipt.failed.values()) == ["it was made while the purge ran; purge again"]


@both
def test_only_the_responses_of_the_owner_are_deleted(run: Run) -> None:
    state = _state("resp_mine", owner="me")
    state.remember(entry("resp_theirs", owner="them"))
    receipt = run(state, "ann", lambda found: None, owner="me")
    assert (receipt.deleted, receipt.owner) == (("resp_mine",), "me")
    assert [each.response_id for each in state.entries_of("ann")] == ["resp_theirs"]


@both
def test_what_an_interrupted_purge_did_not_delete_stays_for_the_next_run(run: Run) -> None:
    state = _state("resp_a", "resp_b")

    def delete(found: LedgerEntry) -> None:
        raise KeyboardInterrupt

    with pytest.raises(BaseException) as caught:  # noqa: PT011  (a group where it is async)
        run(state, "ann", delete)
    assert isinstance(caught.value, KeyboardInterrupt | BaseExceptionGroup)
    assert len(state.entries_of("ann")) == 2


def test_no_more_deletions_run_at_once_than_are_allowed() -> None:
    state = _state(*(f"resp_{number}" for number in range(40)))
    running, most = [0], [0]

    async def delete(found: LedgerEntry) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.001)
        running[0] -= 1

    asyncio.run(async_purge(AsyncStateAdapter(state), "ann", delete, concurrency=3))
    assert most == [3]


class _Unflushed(MemoryState):
    """A state whose last writes do not arrive."""

    def flush(self, timeout: float = 5.0) -> bool:
        return False


def test_a_purge_whose_notes_are_not_written_is_not_complete() -> None:
    state = _Unflushed()
    state.remember(entry("resp_a"))
    receipt = purge(state, "ann", lambda found: None)
    assert (receipt.deleted, receipt.is_complete) == (("resp_a",), False)
