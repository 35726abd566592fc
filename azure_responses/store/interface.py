"""What a router asks of the state of its limits, cooldowns and stored responses.

The methods are documented here, once for all the stores that have them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Candidate, Reservation, Settlement

__all__ = [
    "PAGE_SIZE",
    "AsyncStateAdapter",
    "AsyncStateStore",
    "StateStore",
    "StateWriter",
    "list_name",
]

PAGE_SIZE = 100
"""Entries of the ledger that one look-up returns at most, unless its caller says otherwise."""

T = TypeVar("T")


def list_name(kind: str, owner: str | None, end_user: str | None) -> tuple[str, str, str]:
    """The list of objects that is read for an owner and an end user.

    Raises ValueError when neither is named.
    """
    # An end user has fewer objects than an owner, who may be a whole team.
    if end_user is not None:
        return "end_user", end_user, kind
    if owner is None:
        raise ValueError("Objects are listed for an owner or for an end user.")
    return "owner", owner, kind


class StateWriter(Protocol):
    """What sync and async callers use alike: none of it waits, and none of it fails.

    What a shared store cannot take now is written later, or counted in this process.
    """

    @property
    def is_shared(self) -> bool:
        """True when other processes see the same state."""

    @property
    def is_degraded(self) -> bool:
        """True while a shared state cannot be reached and local counters stand in."""

    def settle(self, settlement: Settlement, now: float) -> None:
        """Correct what was reserved, cool down, remember a stored response."""

    def remember(self, entry: LedgerEntry) -> None:
        """Put an entry into the ledger."""

    def forget(self, key: str) -> None:
        """Take an entry out of the ledger: `LedgerEntry.key`, which for a response is its id."""

    def note_text(self, name: str, text: str) -> None:
        """Keep a short text for an hour, such as where the next page of a list begins."""

    def note_context(self, stored_id: str, tokens: int) -> None:
        """Tell other replicas how many tokens a stored response has, by the service's own id."""


class StateStore(StateWriter, Protocol):
    """The state of one router, or of all its replicas.

    `now` is monotonic seconds of the caller; a shared state goes by its own clock. `reserve` does
    not fail for reasons of the store: it uses local counters. What concerns an end user raises
    APIConnectionError when a shared state cannot be reached, because half a list would look like
    a whole one.
    """

    def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        """Reserve on the first candidate (of at most 8) that has room and no cooldown."""

    def full_for(self, candidates: Sequence[Candidate], now: float) -> dict[str, float]:
        """Deployment id → seconds until its limits have room, of those that have none now.

        As far as this process knows; nothing is reserved.
        """

    def context_of(self, stored_id: str) -> int:
        """How many tokens a stored response has, as replicas noted; 0 where that is not known."""

    def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        """One page of an end user's entries, those that expire first coming first.

        `after` is the last entry of the page before. An empty page ends the list.

        Raises:
            APIConnectionError: a shared state cannot be read, or lacks writes that are pending.
        """

    def objects_of(
        self,
        kind: str,
        *,
        owner: str | None = None,
        end_user: str | None = None,
        facet: str | None = None,
        after: LedgerEntry | None = None,
        limit: int = PAGE_SIZE,
        is_descending: bool = False,
    ) -> tuple[LedgerEntry, ...]:
        """One page of the objects of a kind that were made for an owner or an end user.

        They come in the order in which they were created, those of one millisecond by their keys.
        `facet` leaves only those whose facet it is. Of a file at several resources there is one
        entry. `after` is the last entry of the page
        before; it may be forgotten by now. An empty page ends the list.

        Raises:
            ValueError: neither an owner nor an end user is named.
            APIConnectionError: a shared state cannot be read, or lacks writes that are pending.
        """

    def find_objects(self, keys: Sequence[str]) -> dict[str, LedgerEntry]:
        """Those entries of objects that there are, by key, in one look-up; at most some hundreds.

        Raises:
            APIConnectionError: a shared state cannot be read, or lacks writes that are pending.
        """

    def text_of(self, name: str) -> str | None:
        """A text that was noted within the last hour, as far as it is known here."""

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything settled so far is written; False when it could not be."""

    def close(self) -> None:
        """Flush, then release connections and threads."""


class AsyncStateStore(StateWriter, Protocol):
    """`StateStore` for async callers; its methods are those of `StateStore`, awaited."""

    async def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        """Reserve on the first candidate (of at most 8) that has room and no cooldown."""

    async def context_of(self, stored_id: str) -> int:
        """How many tokens a stored response has; 0 where that is not known."""

    async def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        """One page of an end user's entries, those that expire first coming first."""

    async def objects_of(
        self,
        kind: str,
        *,
        owner: str | None = None,
        end_user: str | None = None,
        facet: str | None = None,
        after: LedgerEntry | None = None,
        limit: int = PAGE_SIZE,
        is_descending: bool = False,
    ) -> tuple[LedgerEntry, ...]:
        """One page of the objects of a kind that were made for an owner or an end user."""

    async def find_objects(self, keys: Sequence[str]) -> dict[str, LedgerEntry]:
        """Those entries of objects that there are, by key."""

    async def text_of(self, name: str) -> str | None:
        """A text that was noted within the last hour, as far as it is known here."""

    async def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything settled so far is written; False when it could not be."""

    async def aclose(self) -> None:
        """Flush, then release connections and threads."""


class AsyncStateAdapter:
    """A sync store as an `AsyncStateStore`, for async callers, who may share it with sync ones.

    A subclass says in `_run` how what may wait is kept from blocking the event loop; here nothing
    waits, as in `MemoryState`.

    Args:
        store: the sync one.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        # Taken over as they are, because they never wait; a wrapper would only cost each call.
        self.settle = store.settle
        self.remember = store.remember
        self.forget = store.forget
        self.note_context = store.note_context
        self.note_text = store.note_text

    @property
    def is_shared(self) -> bool:
        return self._store.is_shared

    @property
    def is_degraded(self) -> bool:
        return self._store.is_degraded

    async def _run(self, function: Callable[[], T]) -> T:
        return function()

    async def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        return self._store.reserve(candidates, now)

    async def context_of(self, stored_id: str) -> int:
        return await self._run(lambda: self._store.context_of(stored_id))

    async def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        return await self._run(lambda: self._store.entries_of(end_user, after=after, limit=limit))

    async def objects_of(
        self,
        kind: str,
        *,
        owner: str | None = None,
        end_user: str | None = None,
        facet: str | None = None,
        after: LedgerEntry | None = None,
        limit: int = PAGE_SIZE,
        is_descending: bool = False,
    ) -> tuple[LedgerEntry, ...]:
        return await self._run(
            lambda: self._store.objects_of(
                kind,
                owner=owner,
                end_user=end_user,
                facet=facet,
                after=after,
                limit=limit,
                is_descending=is_descending,
            )
        )

    async def find_objects(self, keys: Sequence[str]) -> dict[str, LedgerEntry]:
        return await self._run(lambda: self._store.find_objects(keys))

    async def text_of(self, name: str) -> str | None:
        return await self._run(lambda: self._store.text_of(name))

    async def flush(self, timeout: float = 5.0) -> bool:
        return await self._run(lambda: self._store.flush(timeout))

    async def aclose(self) -> None:
        await self._run(self._store.close)
