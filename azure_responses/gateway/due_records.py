"""Records that are due at a time, for one process at a time; kept in this process's memory.

`due_table` keeps them in a database.
"""

import heapq
import threading
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["DueRecord", "DueRecords", "MemoryRecords"]

R = TypeVar("R", bound="DueRecord")

# A record is less than two kilobytes.
_MOST_RECORDS = 50_000


class DueRecord(Protocol):
    """A record that is due at a time; it is never changed, only replaced."""

    @property
    def name(self) -> str:
        """The name of the record in the store."""

    @property
    def due(self) -> float:
        """When the record is due next, in unix seconds."""

    def postponed(self: R, due: float) -> R:
        """The same, due at another time."""

    def to_json(self) -> str:
        """The record as text."""


class DueRecords(Protocol[R]):
    """Keeps records; any thread may call."""

    def add(self, record: R) -> bool:
        """Keep a record; False where it is kept already."""

    def take(self, record: R) -> bool:
        """Remove a record; of several callers, only one gets True."""

    def claim(self, now: float, until: float, limit: int) -> list[R]:
        """The records that are due, which are not due again before `until`."""

    def postpone(self, record: R) -> None:
        """Replace a record; nothing where it has been removed."""


class MemoryRecords(Generic[R]):
    """Records of this process, which end with it; the oldest go when there are too many."""

    keeps_totals = False

    def __init__(self) -> None:
        self._records: dict[str, R] = {}
        self._lock = threading.Lock()

    def add(self, record: R, *_counted: Any) -> bool:
        """Keep a record; False where it is kept already."""
        with self._lock:
            if record.name in self._records:
                return False
            while len(self._records) >= _MOST_RECORDS:
                del self._records[next(iter(self._records))]
            self._records[record.name] = record
            return True

    def find(self, names: Sequence[str]) -> R | None:
        """The first record with one of these names."""
        with self._lock:
            return next((self._records[name] for name in names if name in self._records), None)

    def take(self, record: R, *_counted: Any) -> bool:
        """Remove a record; of several callers, only one gets True."""
        with self._lock:
            return self._records.pop(record.name, None) is not None

    def claim(self, now: float, until: float, limit: int) -> list[R]:
        """The records that are due, which are not due again before `until`."""
        with self._lock:
            due = [one for one in self._records.values() if one.due <= now]
            claimed = heapq.nsmallest(limit, due, key=lambda one: one.due)
            for one in claimed:
                self._records[one.name] = one.postponed(until)
            return claimed

    def postpone(self, record: R) -> None:
        """Replace a record; nothing where it has been removed."""
        with self._lock:
            if record.name in self._records:
                self._records[record.name] = record

    def all(self) -> list[R]:
        """Every record."""
        with self._lock:
            return list(self._records.values())
