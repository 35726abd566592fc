"""The ledgers of one process."""

from azure_responses.routing.purge_ledger import NEVER
from azure_responses.store.memory_ledger import MemoryLedger, MemoryObjects
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


def test_an_entry_that_ends_sooner_than_older_ones_leaves_first() -> None:
    ledger = MemoryObjects(capacity=2)
    ledger.put(entry("file-a", kind="files", expires=NEVER), 0.0)
    ledger.put(entry("file-b", kind="files", expires=20.0), 0.0)
    assert ledger.put(entry("file-c", kind="files", expires=NEVER), 30.0) == 0
    name = ("end_user", "ann", "files")
    assert {each.response_id for each in ledger.page(name, None, 10, 30.0)} == {"file-a", "file-c"}


def test_an_entry_whose_end_was_put_off_stays() -> None:
    ledger = MemoryObjects()
    ledger.put(entry("file-a", kind="files", expires=20.0), 0.0)
    ledger.put(entry("file-a", kind="files", expires=90.0), 0.0)
    ledger.put(entry("file-b", kind="files", expires=NEVER), 30.0)
    assert len(ledger) == 2
    assert ledger.get("files:resource:file-a", 30.0) is not None
    assert ledger.get("files:resource:file-a", 90.0) is None


def test_what_comes_and_goes_for_ever_leaves_nothing_behind() -> None:
    ledger = MemoryObjects()
    for number in range(2000):
        made = entry(f"file-{number}", kind="files", expires=NEVER)
        ledger.put(made, 0.0)
        ledger.pop(made.key)
    assert (len(ledger), ledger._lists) == (0, {})
    assert len(ledger._ends) < 200


def test_of_a_file_at_several_resources_one_copy_is_listed() -> None:
    ledger, copies = MemoryObjects(), (("resource", "file-a"), ("other", "file-b"))
    ledger.put(entry("file-a", kind="files", expires=NEVER, copies=copies), 0.0)
    ledger.put(entry("file-b", kind="files", expires=NEVER, copies=copies), 0.0)
    page = ledger.page(("end_user", "ann", "files"), None, 10, 0.0)
    assert [each.response_id for each in page] == ["file-a"]
    assert ledger.get("files:resource:file-b", 0.0) is not None
