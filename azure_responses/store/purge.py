"""Deletes everything that is stored for an end user, and says what became of each.

An entry leaves the ledger only after its object was deleted from the service. A run that is cut
short therefore loses nothing: the next one finds what is left.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio

from azure_responses.errors import ResponseNotFoundError
from azure_responses.routing.purge_ledger import (
    KINDS,
    LedgerEntry,
    PurgeProgress,
    PurgeReceipt,
    object_key,
)
from azure_responses.store.interface import AsyncStateStore, StateStore, StateWriter

__all__ = ["async_purge", "purge"]


def purge(
    store: StateStore,
    end_user: str,
    delete: Callable[[LedgerEntry], object],
    *,
    owner: str | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
) -> PurgeReceipt:
    """Delete the stored responses and objects of an end user, one after the other.

    The ledger is read until it holds nothing new, so that what is made meanwhile is deleted
    too; after ten rounds those still coming are listed as failed. Two runs at once do no harm.

    Args:
        store: whose ledger.
        end_user: for whom it was made.
        delete: deletes one at the service; raises ResponseNotFoundError when it is gone already.
            Any other exception is a failure: the entry stays, and the receipt says why.
        owner: only what this owner made; None for all.
        dry_run: say what would be deleted, and delete nothing.
        clock: unix seconds.

    Raises:
        APIConnectionError: a shared ledger cannot be read to its end.
    """
    progress, started = PurgeProgress(end_user, owner, is_dry_run=dry_run), clock()
    while progress.begin_pass(clock()):
        while progress.wants_page:
            kind, after = progress.kind, progress.after
            if kind in KINDS:
                page = store.objects_of(kind, end_user=end_user, after=after)
            else:
                page = store.entries_of(end_user, after=after)
            for entry in progress.take(page):
                with _noted(store, progress, entry):
                    delete(entry)
    return progress.receipt(started, clock(), is_complete=store.flush())


async def async_purge(
    store: AsyncStateStore,
    end_user: str,
    delete: Callable[[LedgerEntry], Awaitable[object]],
    *,
    owner: str | None = None,
    dry_run: bool = False,
    concurrency: int = 8,
    clock: Callable[[], float] = time.time,
) -> PurgeReceipt:
    """`purge` for async callers, with up to `concurrency` deletions under way at once."""
    progress, started = PurgeProgress(end_user, owner, is_dry_run=dry_run), clock()
    limiter = anyio.CapacityLimiter(concurrency)

    async def delete_one(entry: LedgerEntry) -> None:
        with _noted(store, progress, entry):
            async with limiter:
                await delete(entry)

    while progress.begin_pass(clock()):
        while progress.wants_page:
            kind, after = progress.kind, progress.after
            if kind in KINDS:
                page = await store.objects_of(kind, end_user=end_user, after=after)
            else:
                page = await store.entries_of(end_user, after=after)
            async with anyio.create_task_group() as group:
                for entry in progress.take(page):
                    group.start_soon(delete_one, entry)
    return progress.receipt(started, clock(), is_complete=await store.flush())


@contextmanager
def _noted(store: StateWriter, progress: PurgeProgress, entry: LedgerEntry) -> Iterator[None]:
    """Note what became of one deletion, and take its entry out of the ledger once it is gone."""
    try:
        yield
    except ResponseNotFoundError:
        progress.note_gone(entry)
    # One that cannot be deleted must not keep the others.
    except Exception as error:
        progress.note_failed(entry, f"{type(error).__name__}: {error}")
        return
    else:
        progress.note_deleted(entry)
    # Last, and never before the service has confirmed: what is not in the ledger is not deleted.
    for resource, inner in entry.copies:
        store.forget(object_key(entry.kind, resource, inner))
    store.forget(entry.key)
