"""The ledger of stored responses in this process."""

import heapq
from collections.abc import Iterator

from azure_responses.routing.outcome import LedgerEntry

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """Entries by id and by end user; the oldest go when it is full.

    Not safe for threads: the store that owns it holds a lock around every call. Times are unix
    seconds.

    Args:
        capacity: entries kept at most.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._entries: dict[str, LedgerEntry] = {}
        self._by_user: dict[str, dict[str, LedgerEntry]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: LedgerEntry, now: float) -> int:
        """Remember an entry; returns how many that had not expired it pushed out."""
        self.pop(entry.response_id)
        self._drop_expired(now)
        pushed_out = 0
        while len(self._entries) >= self._capacity:
            self.pop(next(iter(self._entries)))
            pushed_out += 1
        self._entries[entry.response_id] = entry
        if entry.end_user is not None:
            self._by_user.setdefault(entry.end_user, {})[entry.response_id] = entry
        return pushed_out

    def _drop_expired(self, now: float) -> None:
        # Entries come in the order of their making and live equally long: the oldest expire first.
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if oldest.expires > now:
                return
            self.pop(oldest.response_id)

    def pop(self, response_id: str) -> None:
        """Forget an entry, if there is one."""
        entry = self._entries.pop(response_id, None)
        if entry is None or entry.end_user is None:
            return
        of_user = self._by_user[entry.end_user]
        del of_user[response_id]
        if not of_user:
            del self._by_user[entry.end_user]

    def page(
        self, end_user: str, after: LedgerEntry | None, limit: int, now: float
    ) -> tuple[LedgerEntry, ...]:
        """An end user's entries that come after one, in the order of their expiry."""
        return tuple(heapq.nsmallest(limit, self._following(end_user, after, now), key=_rank))

    def _following(
        self, end_user: str, after: LedgerEntry | None, now: float
    ) -> Iterator[LedgerEntry]:
        for entry in self._by_user.get(end_user, {}).values():
            if entry.expires > now and (after is None or _rank(entry) > _rank(after)):
                yield entry


def _rank(entry: LedgerEntry) -> tuple[float, str]:
    return entry.expires, entry.response_id
