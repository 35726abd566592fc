"""Deletes every stored response of an end user, and says what became of each.

An entry leaves the ledger only once its response is gone from the service. A run that dies half
way therefore loses nothing: the next one finds what is left.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio

from azure_responses.errors import ResponseNotFoundError
from azure_responses.routing.purge_ledger import LedgerEntry, PurgeProgress, PurgeReceipt
from azure_responses.store.interface import AsyncStateStore, StateStore

__all__ = ["async_purge", "purge"]

_MOST_PASSES = 10


def purge(
    store: StateStore,
    end_user: str,
    delete: Callable[[LedgerEntry], object],
    *,
    owner: str | None = None,
    clock: Callable[[], float] = time.time,
) -> PurgeReceipt:
    """Delete the stored responses of an end user, one after the other.

    The ledger is read until it holds nothing new, so that responses made meanwhile are deleted
    too; after ten rounds those still coming are listed as failed. Two runs at once do no harm.

    Args:
        store: whose ledger.
        end_user: whose responses.
        delete: deletes one at the service; raises ResponseNotFoundError when it is gone already.
            Any other exception is a failure: the entry stays, and the receipt says why.
        owner: only responses of this owner; None for all.
        clock: unix seconds.

    Raises APIConnectionError when a shared ledger cannot be read to its end.
    """
    progress, started = PurgeProgress(end_user, owner), clock()
    for _ in range(_MOST_PASSES):
        if not _purge_pass(store, progress, delete, clock()):
            break
    else:
        progress.list_late(_pages(store, end_user, clock()))
    is_complete = store.flush() and not progress.has_failures
    return progress.receipt(started, clock(), is_complete=is_complete)


def _purge_pass(
    store: StateStore,
    progress: PurgeProgress,
    delete: Callable[[LedgerEntry], object],
    now: float,
) -> bool:
    """Read the ledger as it is now; True when it held something new."""
    has_found = False
    for page in _pages(store, progress.end_user, now):
        for entry in progress.take(page):
            has_found = True
            _delete(store, progress, delete, entry)
    return has_found


def _pages(store: StateStore, end_user: str, now: float) -> Iterator[tuple[LedgerEntry, ...]]:
    last: LedgerEntry | None = None
    while page := store.entries_of(end_user, after=last):
        yield page
        last = page[-1]
        if last.created > now:
            # What is made while the ledger is read is for the next pass, or this one might
            # never end.
            return


def _delete(
    store: StateStore,
    progress: PurgeProgress,
    delete: Callable[[LedgerEntry], object],
    entry: LedgerEntry,
) -> None:
    try:
        delete(entry)
    except ResponseNotFoundError:
        progress.note_gone(entry)
    except Exception as error:
        progress.note_failed(entry, _describe(error))
        return
    else:
        progress.note_deleted(entry)
    store.forget(entry.response_id)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


async def async_purge(
    store: AsyncStateStore,
    end_user: str,
    delete: Callable[[LedgerEntry], Awaitable[object]],
    *,
    owner: str | None = None,
    concurrency: int = 8,
    clock: Callable[[], float] = time.time,
) -> PurgeReceipt:
    """`purge` for async callers, with up to `concurrency` deletions under way at once."""
    progress, started = PurgeProgress(end_user, owner), clock()
    limiter = anyio.CapacityLimiter(concurrency)
    for _ in range(_MOST_PASSES):
        if not await _async_purge_pass(store, progress, delete, limiter, clock()):
            break
    else:
        progress.list_late([page async for page in _apages(store, end_user, clock())])
    is_complete = await store.flush() and not progress.has_failures
    return progress.receipt(started, clock(), is_complete=is_complete)


async def _async_purge_pass(
    store: AsyncStateStore,
    progress: PurgeProgress,
    delete: Callable[[LedgerEntry], Awaitable[object]],
    limiter: anyio.CapacityLimiter,
    now: float,
) -> bool:
    has_found = False
    async for page in _apages(store, progress.end_user, now):
        async with anyio.create_task_group() as group:
            for entry in progress.take(page):
                has_found = True
                group.start_soon(_adelete, store, progress, delete, entry, limiter)
    return has_found


async def _apages(
    store: AsyncStateStore, end_user: str, now: float
) -> AsyncIterator[tuple[LedgerEntry, ...]]:
    last: LedgerEntry | None = None
    while page := await store.entries_of(end_user, after=last):
        yield page
        last = page[-1]
        if last.created > now:
            return


async def _adelete(
    store: AsyncStateStore,
    progress: PurgeProgress,
    delete: Callable[[LedgerEntry], Awaitable[object]],
    entry: LedgerEntry,
    limiter: anyio.CapacityLimiter,
) -> None:
    try:
        async with limiter:
            await delete(entry)
    except ResponseNotFoundError:
        progress.note_gone(entry)
    except Exception as error:
        progress.note_failed(entry, _describe(error))
        return
    else:
        progress.note_deleted(entry)
    store.forget(entry.response_id)
