"""What a router asks of the state of its limits, cooldowns and stored responses."""

from collections.abc import Sequence
from typing import Protocol

from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Candidate, Reservation, Settlement

__all__ = ["PAGE_SIZE", "AsyncStateStore", "StateStore"]

PAGE_SIZE = 100
"""Entries of the ledger that one look-up returns at most, unless told otherwise."""


class StateStore(Protocol):
    """The state of one router, or of all its replicas.

    `now` is monotonic seconds of the caller. A shared state goes by its own clock.

    `reserve`, `settle`, `find`, `remember` and `forget` never fail for reasons of the store: what
    cannot be shared is counted locally. Those about an end user raise APIConnectionError when the
    shared state cannot be reached, because half a list would pass for a whole one.
    """

    @property
    def is_shared(self) -> bool:
        """True when other processes see the same state."""

    @property
    def is_degraded(self) -> bool:
        """True while a shared state cannot be reached and local counters stand in."""

    def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        """Reserve on the first candidate (of at most 8) that has room and no cooldown."""

    def full_for(self, candidates: Sequence[Candidate], now: float) -> dict[str, float]:
        """Deployment id → seconds until its limits have room, of those that have none now.

        As far as this process knows; nobody is asked, and nothing is reserved.
        """

    def settle(self, settlement: Settlement, now: float) -> None:
        """Correct what was reserved, cool down, remember a stored response; never waits."""

    def remember(self, entry: LedgerEntry) -> None:
        """Put an entry into the ledger; never waits."""

    def forget(self, response_id: str) -> None:
        """Take an entry out of the ledger; never waits."""

    def note_context(self, stored_id: str, tokens: int) -> None:
        """Tell replicas how many tokens something stored has, by the service's own id."""

    def context_of(self, stored_id: str) -> int:
        """What replicas said of it; 0 where nothing is known."""

    def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        """One page of an end user's entries, those that expire first coming first.

        `after` is the last entry of the page before. An empty page ends the list.
        """

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything settled so far is written; False when time ran out."""

    def close(self) -> None:
        """Flush, then release connections and threads."""


class AsyncStateStore(Protocol):
    """`StateStore` for async callers; `settle`, `remember` and `forget` need no awaiting."""

    @property
    def is_shared(self) -> bool:
        """True when other processes see the same state."""

    @property
    def is_degraded(self) -> bool:
        """True while a shared state cannot be reached and local counters stand in."""

    async def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        """Reserve on the first candidate (of at most 8) that has room and no cooldown."""

    def settle(self, settlement: Settlement, now: float) -> None:
        """Correct what was reserved, cool down, remember a stored response; never waits."""

    def remember(self, entry: LedgerEntry) -> None:
        """Put an entry into the ledger; never waits."""

    def forget(self, response_id: str) -> None:
        """Take an entry out of the ledger; never waits."""

    def note_context(self, stored_id: str, tokens: int) -> None:
        """Tell replicas how many tokens something stored has, by the service's own id."""

    async def context_of(self, stored_id: str) -> int:
        """What replicas said of it; 0 where nothing is known."""

    async def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        """One page of an end user's entries, those that expire first coming first."""

    async def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything settled so far is written; False when time ran out."""

    async def aclose(self) -> None:
        """Flush, then release connections and threads."""
