"""The ledger in memory."""

from azure_responses.store.memory import MemoryLedger
from tests.store.samples import entry


def test_the_oldest_go_when_it_is_full() -> None:
    ledger = MemoryLedger(capacity=3)
    pushed_out = [ledger.put(entry(f"resp_{n}", expires=100.0), 0.0) for n in range(5)]
    assert pushed_out == [0, 0, 0, 1, 1]
    assert len(ledger) == 3
    assert [each.response_id for each in ledger.page("ann", None, 10, 0.0)] == [
        "resp_2",
        "resp_3",
        "resp_4",
    ]


def test_what_has_expired_is_gone_and_makes_room() -> None:
    ledger = MemoryLedger(capacity=2)
    ledger.put(entry("resp_a", expires=10.0), 0.0)
    ledger.put(entry("resp_b", expires=20.0), 0.0)
    assert [each.response_id for each in ledger.page("ann", None, 10, 10.0)] == ["resp_b"]
    assert ledger.put(entry("resp_c", expires=30.0), 15.0) == 0
    assert len(ledger) == 2


def test_an_entry_put_again_replaces_the_first() -> None:
    ledger = MemoryLedger()
    ledger.put(entry("resp_a", end_user="ann", expires=10.0), 0.0)
    ledger.put(entry("resp_a", end_user="bob", expires=10.0), 0.0)
    assert len(ledger) == 1
    assert ledger.page("ann", None, 10, 0.0) == ()
    assert len(ledger.page("bob", None, 10, 0.0)) == 1


def test_forgetting_what_is_not_there_is_no_error() -> None:
    ledger = MemoryLedger()
    ledger.put(entry("resp_a", end_user=None, expires=10.0), 0.0)
    ledger.pop("resp_b")
    ledger.pop("resp_a")
    ledger.pop("resp_a")
    assert len(ledger) == 0
