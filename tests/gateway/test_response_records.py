"""Where records are kept while the store that replicas share does not answer."""

from typing import Any

import pytest

from azure_responses.gateway.due_records import MemoryRecords
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.outages import DatabaseError
from azure_responses.gateway.response_records import ResponseRecords
from azure_responses.gateway.spend import SpendTotals, Spent
from tests.gateway.test_open_response_store import OPENED

CLOSING = Spent(cost=3, unpriced=-1, held=-7)


class Store(MemoryRecords[OpenResponse]):
    """A store that can be away, or lose its answers.

    Attributes:
        error: raised by each method.
        is_mute: what is asked is done, and then the error raised.
    """

    def __init__(self, *, keeps_totals: bool = False) -> None:
        super().__init__()
        self.keeps_totals = keeps_totals
        self.error: Exception | None = None
        self.is_mute = False

    def add(self, record: OpenResponse, *counted: Any) -> bool:
        if self.error is not None and not self.is_mute:
            raise self.error
        added = super().add(record)
        if self.error is not None:
            raise self.error
        return added

    def find(self, names: Any) -> OpenResponse | None:
        if self.error is not None:
            raise self.error
        return super().find(names)


def records_over(store: Store) -> tuple[ResponseRecords, SpendTotals]:
    totals = SpendTotals()
    records = ResponseRecords(totals)
    records.use(store, None)
    return records, totals


@pytest.mark.parametrize("error", [DatabaseError("It is away."), ConnectionError(), ValueError()])
def test_a_record_that_cannot_be_written_is_kept_here(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(keeps_totals=True)
    records, totals = records_over(store)
    store.error = error
    records.add(OPENED)
    assert totals.spent("key_1") == 7
    assert records.find([OPENED.name]) == OPENED
    assert records.claim(1030.0, 1150.0, 10) == [OPENED]
    records.postpone(OPENED.postponed(1160.0))
    assert records.claim(1159.0, 1300.0, 10) == []
    store.error = None
    assert records.take(OPENED, CLOSING).is_first
    assert not records.take(OPENED, CLOSING).is_first
    assert totals.spent("key_1") == 3
    assert "writing of open responses fails" in caplog.text


def test_a_record_that_was_written_unseen_is_counted_once() -> None:
    store = Store(keeps_totals=True)
    records, totals = records_over(store)
    store.error, store.is_mute = DatabaseError("The answer is lost."), True
    records.add(OPENED)
    store.error = None
    assert records.take(OPENED, CLOSING).is_first
    assert store.all() == []
    # What this process counted in the place of the store is taken back.
    assert totals.spent("key_1") == -4
    totals.add_written(OPENED.spend_key, OPENED.opening_spent())
    assert totals.spent("key_1") == 3


def test_money_held_for_a_record_that_another_process_closed_is_released() -> None:
    store = Store()
    records, totals = records_over(store)
    records.add(OPENED)
    assert totals.spent("key_1") == 7
    other, their_totals = records_over(store)
    assert other.take(OPENED, CLOSING).is_first
    # The other one held the same since it started, and releases its own part.
    assert their_totals.spent("key_1") == 3
    records.release_closed()
    records.release_closed()
    assert totals.spent("key_1") == 0


def test_a_process_that_starts_holds_the_money_of_open_records() -> None:
    store = Store()
    store.add(OPENED)
    records, totals = records_over(store)
    assert totals.spent("key_1") == 7
    assert records.take(OPENED, CLOSING).is_first
    assert totals.spent("key_1") == 3


def test_what_is_held_stays_while_the_store_is_away() -> None:
    store = Store()
    records, totals = records_over(store)
    records.add(OPENED)
    store.all = lambda: (_ for _ in ()).throw(ConnectionError())  # type: ignore[method-assign]
    records.release_closed()
    assert totals.spent("key_1") == 7


def test_without_a_store_records_are_those_of_the_process() -> None:
    totals = SpendTotals()
    records = ResponseRecords(totals)
    records.use(None, None)
    records.release_closed()
    records.add(OPENED)
    records.add(OPENED)
    assert totals.spent("key_1") == 7
    assert records.find(["other"]) is None
    assert records.take(OPENED, CLOSING).is_first
    assert not records.take(OPENED, CLOSING).is_first
    assert totals.spent("key_1") == 3
