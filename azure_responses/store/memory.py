"""The state of one process: windows, cooldowns and bounded ledgers."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from azure_responses.fork import new_lock
from azure_responses.routing.purge_ledger import LedgerEntry, complete_entry
from azure_responses.routing.quota import MinuteWindow
from azure_responses.routing.route_request import Candidate, Reservation, Settlement
from azure_responses.store.interface import PAGE_SIZE, StateStore, list_name
from azure_responses.store.memory_ledger import MemoryLedger, MemoryObjects

__all__ = ["MemoryState"]

_logger = logging.getLogger("azure_responses")

_NONE: Mapping[str, float] = {}
_MOST_TEXTS = 10_000


class MemoryState(StateStore):
    """A `StateStore` that lives and dies with its process.

    Args:
        capacity: entries of responses, and as many of objects; the oldest go when there are more,
            with a warning in the log, because a purge does not find them any more.
        clock: unix seconds, for the ledgers.
    """

    is_shared = False
    is_degraded = False

    def __init__(self, capacity: int = 100_000, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[str, MinuteWindow] = {}
        self._cooldowns: dict[str, float] = {}
        self._responses = MemoryLedger(capacity)
        self._objects = MemoryObjects(capacity)
        self._texts: dict[str, str] = {}
        self._has_warned = False
        self._lock = new_lock()

    def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        if not candidates:
            return Reservation(None, int(now))
        first = candidates[0].deployment
        # The usual case of a router without limits takes no lock.
        if not self._cooldowns and first.rpm is None and first.tpm is None:
            return Reservation(candidates[0], int(now))
        with self._lock:
            cooldowns = self._remaining(candidates, now) if self._cooldowns else _NONE
            for candidate in candidates:
                slot = (
                    None
                    if candidate.deployment.id in cooldowns
                    else self._reserve_one(candidate, now)
                )
                if slot is not None:
                    return Reservation(candidate, slot, None, cooldowns)
            return Reservation(None, int(now), self._soonest(candidates, cooldowns, now), cooldowns)

    def _remaining(self, candidates: Sequence[Candidate], now: float) -> dict[str, float]:
        remaining = {}
        for candidate in candidates:
            name = candidate.deployment.id
            left = self._cooldowns.get(name, now) - now
            if left > 0:
                remaining[name] = left
            else:
                self._cooldowns.pop(name, None)
        return remaining

    def _reserve_one(self, candidate: Candidate, now: float) -> int | None:
        window = self._window(candidate)
        return int(now) if window is None else window.reserve(candidate.tokens, now)

    def _window(self, candidate: Candidate) -> MinuteWindow | None:
        deployment = candidate.deployment
        if deployment.rpm is None and deployment.tpm is None:
            return None
        window = self._windows.get(deployment.id)
        if window is None:
            window = self._windows[deployment.id] = MinuteWindow(deployment.rpm, deployment.tpm)
        # Routers that share a state may have read their limits at different times.
        window.rpm, window.tpm = deployment.rpm, deployment.tpm
        return window

    def _soonest(
        self, candidates: Sequence[Candidate], cooldowns: Mapping[str, float], now: float
    ) -> float | None:
        waits = []
        for candidate in candidates:
            window = self._window(candidate)
            # An rpm of 0 never has room: there is no time to wait for.
            if window is None or window.rpm != 0:
                wait = window.wait(candidate.tokens, now) if window else 0.0
                waits.append(max(wait, cooldowns.get(candidate.deployment.id, 0.0)))
        return min(waits, default=None)

    def full_for(self, candidates: Sequence[Candidate], now: float) -> dict[str, float]:
        with self._lock:
            windows = [(candidate, self._window(candidate)) for candidate in candidates]
            waits = {b.deployment.id: w.wait(b.tokens, now) for b, w in windows if w is not None}
        return {name: seconds for name, seconds in waits.items() if seconds > 0}

    def count(self, candidate: Candidate, now: float) -> int:
        """Count what another store reserved; the slot."""
        with self._lock:
            return self._reserve_one(candidate, now) or 0

    def learn(self, cooldowns: Mapping[str, float], now: float) -> None:
        """Take over cooldowns (id → seconds remaining) from another store."""
        with self._lock:
            for name, seconds in cooldowns.items():
                self._cool_down(name, now + seconds)

    def _cool_down(self, name: str, deadline: float) -> None:
        # A later hint may be shorter; the first one has not become untrue.
        self._cooldowns[name] = max(deadline, self._cooldowns.get(name, deadline))

    def settle(self, settlement: Settlement, now: float) -> None:
        if settlement.entry is not None:
            self.remember(settlement.entry)
        candidate = settlement.candidate
        if (
            candidate.deployment.rpm is None
            and candidate.deployment.tpm is None
            and not settlement.cooldown
        ):
            return
        with self._lock:
            if settlement.cooldown:
                self._cool_down(candidate.deployment.id, now + settlement.cooldown)
            window = self._windows.get(candidate.deployment.id)
            if window is not None:
                refunds = settlement.refunds_request
                used = settlement.used
                window.settle(settlement.slot, candidate.tokens, used, refunds_request=refunds)

    def remember(self, entry: LedgerEntry) -> None:
        now = self._clock()
        ledger = self._responses if entry.is_response else self._objects
        with self._lock:
            pushed_out = ledger.put(complete_entry(entry, now), now)
        # Once: a full ledger pushes one out with every call.
        if pushed_out and not self._has_warned:
            self._has_warned = True
            _logger.warning(
                "The router's ledger is full at %d %s: the oldest are forgotten, and a "
                "purge will not find them. Use a shared state (state='redis://…') to keep all.",
                len(ledger),
                "responses" if entry.is_response else "objects",
            )

    def forget(self, key: str) -> None:
        with self._lock:
            self._responses.pop(key)
            self._objects.pop(key)

    def note_text(self, name: str, text: str) -> None:
        with self._lock:
            self._texts.pop(name, None)
            if len(self._texts) >= _MOST_TEXTS:
                del self._texts[next(iter(self._texts))]
            self._texts[name] = text

    def text_of(self, name: str) -> str | None:
        return self._texts.get(name)

    def note_context(self, stored_id: str, tokens: int) -> None:
        pass  # The router of this process knows it.

    def context_of(self, stored_id: str) -> int:
        return 0  # What is known here, the router of this process knows.

    def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        with self._lock:
            return self._responses.page(end_user, after, limit, self._clock())

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
        with self._lock:
            return self._objects.page(
                list_name(kind, owner, end_user),
                after,
                limit,
                self._clock(),
                is_descending=is_descending,
                is_wanted=lambda entry: entry.is_for(owner, end_user, facet),
            )

    def find_objects(self, keys: Sequence[str]) -> dict[str, LedgerEntry]:
        now = self._clock()
        with self._lock:
            found = ((key, self._objects.get(key, now)) for key in keys)
            return {key: entry for key, entry in found if entry is not None}

    def flush(self, timeout: float = 5.0) -> bool:
        return True

    def close(self) -> None:
        pass
