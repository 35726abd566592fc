"""The ledger of one process: what is stored at the service, by name and by whom it is for."""

import heapq
from collections.abc import Callable, Iterator

from azure_responses.routing.purge_ledger import LedgerEntry

__all__ = ["MemoryLedger", "MemoryObjects", "follows"]

Rank = tuple[float, str]


def _in_order_of_expiry(entry: LedgerEntry) -> Rank:
    return entry.expires, entry.key


def _in_order_of_creation(entry: LedgerEntry) -> Rank:
    # Redis counts in milliseconds: both stores have one order.
    return round(entry.created * 1000), entry.key


def follows(entry: LedgerEntry, after: LedgerEntry | None, is_descending: bool) -> bool:
    """An object's entry comes after another one in a list; every one comes after None."""
    if after is None:
        return True
    place, mark = _in_order_of_creation(entry), _in_order_of_creation(after)
    return place < mark if is_descending else place > mark


class MemoryLedger:
    """Entries by name and by the lists they stand in; the oldest go when it is full.

    Not safe for threads: the store that owns it holds a lock around every call. Times are unix
    seconds.

    Args:
        capacity: entries kept at most.
    """

    rank: Callable[[LedgerEntry], Rank] = staticmethod(_in_order_of_expiry)

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._entries: dict[str, LedgerEntry] = {}
        self._lists: dict[str | tuple[str, ...], dict[str, LedgerEntry]] = {}
        self._ends: list[Rank] = []

    def __len__(self) -> int:
        return len(self._entries)

    def lists_of(self, entry: LedgerEntry) -> Iterator[str | tuple[str, ...]]:
        """The lists that an entry stands in."""
        if entry.end_user is not None:
            yield entry.end_user

    def put(self, entry: LedgerEntry, now: float) -> int:
        """Remember an entry; returns how many that had not expired it pushed out."""
        self.pop(entry.key)
        self._drop_expired(now)
        pushed_out = 0
        while len(self._entries) >= self._capacity:
            self.pop(next(iter(self._entries)))
            pushed_out += 1
        self._entries[entry.key] = entry
        self._note_end(entry)
        for name in self.lists_of(entry):
            self._lists.setdefault(name, {})[entry.key] = entry
        return pushed_out

    def _note_end(self, entry: LedgerEntry) -> None:
        heapq.heappush(self._ends, (entry.expires, entry.key))
        # What was forgotten or replaced leaves its end behind, for years where it had none.
        if len(self._ends) > 2 * len(self._entries) + 100:
            self._ends = [(each.expires, key) for key, each in self._entries.items()]
            heapq.heapify(self._ends)

    def _drop_expired(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            entry = self._entries.get(key)
            if entry is not None and entry.expires <= now:
                self.pop(key)

    def pop(self, key: str) -> None:
        """Forget an entry, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        for name in self.lists_of(entry):
            del self._lists[name][key]
            if not self._lists[name]:
                del self._lists[name]

    def get(self, key: str, now: float) -> LedgerEntry | None:
        """An entry that has not expired."""
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires > now else None

    def page(
        self,
        name: str | tuple[str, ...],
        after: LedgerEntry | None,
        limit: int,
        now: float,
        *,
        is_descending: bool = False,
        is_wanted: Callable[[LedgerEntry], bool] = lambda entry: True,
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a list that come after one, in the order of `rank`."""
        rank = self.rank
        mark = None if after is None else rank(after)
        found = (
            entry
            for entry in self._lists.get(name, {}).values()
            if entry.expires > now
            and (mark is None or (rank(entry) < mark if is_descending else rank(entry) > mark))
            and is_wanted(entry)
        )
        choose = heapq.nlargest if is_descending else heapq.nsmallest
        return tuple(choose(limit, found, key=rank))


class MemoryObjects(MemoryLedger):
    """A ledger of objects: each stands in a list of its owner and in one of its end user."""

    rank = staticmethod(_in_order_of_creation)

    def lists_of(self, entry: LedgerEntry) -> Iterator[tuple[str, ...]]:
        """The lists that an entry stands in."""
        if not entry.is_listed:
            return
        if entry.owner is not None:
            yield "owner", entry.owner, entry.kind
        if entry.end_user is not None:
            yield "end_user", entry.end_user, entry.kind
