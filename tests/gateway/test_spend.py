import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.spend import OVERFLOW, SpendKey, SpendTotals, Spent, fit_name


def _key(name: str = "k", *, user: str = "u", day: int = 1) -> SpendKey:
    return SpendKey(name, user, "gpt", day)


def test_calls_add_up_while_they_wait_and_after_they_are_written() -> None:
    book = SpendTotals()
    book.add(_key(), Spent(cost=3, calls=1, input_tokens=10))
    book.add(_key(), Spent(cost=4, calls=1, input_tokens=5))
    assert book.spent("k") == 7
    batch = book.take()
    assert batch is not None
    assert batch.rows[_key()] == Spent(cost=7, calls=2, input_tokens=15)
    assert book.spent("k") == 7
    book.written(batch)
    assert book.spent("k") == 7
    assert book.take() is None


def test_a_batch_that_was_not_written_is_handed_out_again_unchanged() -> None:
    book = SpendTotals()
    book.add(_key(), Spent(cost=3))
    first = book.take()
    book.add(_key(), Spent(cost=4))
    assert book.take() is first
    assert book.is_being_written
    assert first is not None
    book.written(first)
    second = book.take()
    assert second is not None
    assert (second.number, second.rows[_key()].cost) == (first.number + 1, 4)
    assert book.spent("k") == 7


def test_a_period_counts_from_its_first_day() -> None:
    book = SpendTotals()
    book.replace_totals([("k", 1, 100), ("k", 2, 10)])
    book.add(_key(day=2), Spent(cost=1))
    assert book.spent("k") == 111
    assert book.spent("k", since=2) == 11
    assert book.spent("nobody") == 0


def test_what_is_held_for_calls_of_unknown_cost_counts_as_spent() -> None:
    book = SpendTotals()
    book.add(_key(), Spent(cost=3, calls=1))
    book.add(_key(), Spent(calls=1, unpriced=1, held=5))
    assert book.spent("k") == 8
    batch = book.take()
    assert batch is not None
    book.written(batch)
    assert book.spent("k") == 8
    assert batch.rows[_key()].cost == 3


def test_what_other_replicas_spent_takes_the_place_of_what_was_known() -> None:
    book = SpendTotals()
    book.replace_totals([("a", 1, 5), ("b", 1, 7)])
    book.add(_key("a"), Spent(cost=1))
    book.replace_totals([("a", 1, 50)], ["a"])
    assert book.spent("a") == 51
    assert book.spent("b") == 7
    book.replace_totals([], ["a"])
    assert book.spent("a") == 1


def test_too_many_end_users_are_taken_together_and_no_money_is_lost() -> None:
    book = SpendTotals(most_rows=3)
    for number in range(100):
        book.add(_key(user=f"u{number}"), Spent(cost=1, calls=1))
    batch = book.take()
    assert batch is not None
    assert len(batch.rows) == 4
    assert batch.rows[_key(user=OVERFLOW)].calls == 97
    assert book.spent("k") == 100


def test_threads_add_up_exactly() -> None:
    book = SpendTotals()
    taken = []

    def add() -> None:
        for _ in range(2000):
            book.add(_key(), Spent(cost=1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        batch = book.take()
        if batch is not None:
            taken.append(batch.rows[_key()].cost)
            book.written(batch)
    batch = book.take()
    rest = batch.rows[_key()].cost if batch is not None else 0
    assert sum(taken) + rest == 8000 == book.spent("k")


@given(st.text(st.characters(), max_size=400))
def test_every_name_can_be_kept(name: str) -> None:
    fitted = fit_name(name)
    assert len(fitted) <= 200
    assert "\0" not in fitted
    fitted.encode()


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert fit_name("a\ud800\0") == "a?\ufffd"
    assert fit_name(None) == ""


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert fit_name("a" * 500 + "b") != fit_name("a" * 500 + "c")


@pytest.mark.parametrize("name", ["bob", "a" * 200, "Zoë"])
def test_a_usual_name_stays_as_it_is(name: str) -> None:
    assert fit_name(name) == name
