"""The records of open responses as one process keeps them: in the shared store, or in memory.

What a record counts goes to the totals of the process, unless the store keeps totals itself.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeVar

from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.due_records import MemoryRecords
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.open_response_store import OpenResponseStore
from azure_responses.gateway.outages import Outages
from azure_responses.gateway.spend import SpendTotals, Spent
from azure_responses.gateway.webhook_event import Delivery

__all__ = ["ResponseRecords", "Taken"]

T = TypeVar("T")


class Taken(NamedTuple):
    """The result of closing a record: whether this process closed it, and its webhook."""

    is_first: bool
    keeps_delivery: bool = False


class ResponseRecords:
    """The records in the shared store, or of this process while that does not answer.

    Used by one thread.
    """

    def __init__(self, totals: SpendTotals) -> None:
        self._totals = totals
        self._local: MemoryRecords[OpenResponse] = MemoryRecords()
        self._shared: OpenResponseStore | None = None
        self._turn: AbstractContextManager[Any] = nullcontext()
        # What this process holds of budgets for records that others may close.
        self._mine: dict[str, OpenResponse] = {}
        self._outages = Outages()

    def use(
        self, store: OpenResponseStore | None, turn: AbstractContextManager[Any] | None
    ) -> None:
        """Share a store; what was held before this process started counts again."""
        self._shared, self._turn = store, turn or nullcontext()
        if store is None or store.keeps_totals:
            return
        for opened in self._attempt("reading of open responses", store.all) or []:
            self._hold(opened, Spent(held=opened.held))

    def add(self, opened: OpenResponse) -> None:
        spent, store = opened.opening_spent(), self._shared
        if store is not None and self._add_shared(store, opened, spent):
            return
        if self._local.add(opened):
            self._totals.add(opened.spend_key, spent)

    def _add_shared(self, store: OpenResponseStore, opened: OpenResponse, spent: Spent) -> bool:
        with self._turn if store.keeps_totals else nullcontext():
            is_new = self._attempt(
                "writing of open responses", lambda: store.add(opened, {opened.spend_key: spent})
            )
            if is_new and store.keeps_totals:
                self._totals.add_written(opened.spend_key, spent)
        if is_new and not store.keeps_totals:
            self._hold(opened, spent)
        return is_new is not None

    def take(
        self, opened: OpenResponse, closing: Spent, delivery: Delivery | None = None
    ) -> "Taken":
        """Close a record, and count; raises what the store raises."""
        store = self._shared
        if self._local.find([opened.name]) is not None:
            return self._take_local(opened, closing, delivery)
        if store is None:
            return Taken(is_first=False)
        if not store.keeps_totals:
            return Taken(self._take_apart(store, opened, closing))
        with self._turn:
            is_taken = store.take(opened, {opened.spend_key: closing}, delivery)
            if is_taken:
                self._totals.add_written(opened.spend_key, closing)
        return Taken(is_taken, keeps_delivery=True)

    def _take_local(
        self, opened: OpenResponse, closing: Spent, delivery: Delivery | None
    ) -> "Taken":
        self._local.take(opened)
        # The store may have taken the record without being able to say so.
        if self._shared is not None and self._shared.find([opened.name]) is not None:
            opening = opened.opening_spent()
            undone = Spent(calls=-opening.calls, unpriced=-opening.unpriced, held=-opening.held)
            self._totals.add(opened.spend_key, undone)
            return self.take(opened, closing, delivery)
        self._totals.add(opened.spend_key, closing)
        return Taken(is_first=True)

    def _take_apart(self, store: OpenResponseStore, opened: OpenResponse, closing: Spent) -> bool:
        if not store.take(opened, {}):
            return False
        if self._mine.pop(opened.name, None) is None:
            # Another process counted the call and holds the money: it releases that itself.
            counted = Spent(unpriced=1, held=opened.held)
            counted.add(closing)
            closing = counted
        self._totals.add(opened.spend_key, closing)
        return True

    def release_closed(self) -> None:
        """Release what this process holds for records that others have closed."""
        store = self._shared
        if store is None or store.keeps_totals or not self._mine:
            return
        found = self._attempt("reading of open responses", store.all)
        if found is None:
            return
        open_names = {opened.name for opened in found}
        for name in [name for name in self._mine if name not in open_names]:
            opened = self._mine.pop(name)
            self._totals.add(opened.spend_key, Spent(unpriced=-1, held=-opened.held))

    def find(self, names: list[str]) -> OpenResponse | None:
        store = self._shared
        found = self._local.find(names)
        if found is None and store is not None:
            found = self._attempt("reading of open responses", lambda: store.find(names))
        return found

    def claim(self, now: float, until: float, limit: int) -> list[OpenResponse]:
        claimed, store = self._local.claim(now, until, limit), self._shared
        if store is not None:
            claim = self._attempt(
                "reading of open responses", lambda: store.claim(now, until, limit)
            )
            claimed += claim or []
        return claimed

    def postpone(self, opened: OpenResponse) -> None:
        self._local.postpone(opened)
        store = self._shared
        if store is not None:
            self._attempt("writing of open responses", lambda: store.postpone(opened))

    def _hold(self, opened: OpenResponse, spent: Spent) -> None:
        self._mine[opened.name] = opened
        self._totals.add(opened.spend_key, spent)

    def _attempt(self, subject: str, action: Callable[[], T]) -> T | None:
        """The action's result; None if the store does not answer, which is logged once."""
        results: list[T] = []

        def attempt() -> None:
            try:
                results.append(action())
            except OSError:
                raise
            except AzureResponsesError:
                raise
            except Exception as error:
                # Of redis-py, whose errors have one class that is not imported here.
                raise OSError(f"{type(error).__name__}") from error

        self._outages.attempt(subject, "They are kept in this process.", attempt)
        return results[0] if results else None
