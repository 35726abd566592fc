"""The entries of the ledger, and the passes of a purge."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError, ResponseNotFoundError
from azure_responses.routing.purge_ledger import (
    KINDS,
    NEVER,
    READABLE_AFTER,
    RETENTION,
    LedgerEntry,
    PurgeProgress,
    complete_entry,
    decode_entry,
    encode_entry,
    judge_missing,
    newest_first,
    object_entry,
)
from azure_responses.routing.routing_errors import require_origin
from tests.routing.fleet import fleet

_TEXTS = st.text(max_size=30)
_ENTRIES = st.builds(
    LedgerEntry,
    response_id=_TEXTS,
    deployment=_TEXTS,
    resource=_TEXTS,
    end_user=st.none() | _TEXTS,
    owner=st.none() | _TEXTS,
    created=st.floats(0, 1e10),
    expires=st.floats(0, 1e10),
    kind=st.sampled_from(["response", *KINDS]),
    copies=st.lists(st.tuples(_TEXTS, _TEXTS), max_size=3).map(tuple),
)


def _entry(name: str = "resp_a", owner: str | None = None) -> LedgerEntry:
    return LedgerEntry(name, "d", "r", "ann", owner)


@given(_ENTRIES)
def test_an_entry_survives_being_written_and_read(entry: LedgerEntry) -> None:
    assert decode_entry(encode_entry(entry)) == entry
    assert decode_entry(encode_entry(entry).encode()) == entry


def test_what_is_not_known_is_not_written() -> None:
    assert set(json.loads(encode_entry(LedgerEntry("resp_a", "d", "r")))) == {
        "id",
        "deployment",
        "resource",
        "created",
        "expires",
    }


def test_a_name_that_a_later_version_added_is_passed_over() -> None:
    later = '{"id":"resp_a","deployment":"d","resource":"r","new":1}'
    assert decode_entry(later) == LedgerEntry("resp_a", "d", "r")


@pytest.mark.parametrize("text", ["", "no json", "[]", "3", '{"id":"resp_a"}', b"\xff"])
def test_what_is_no_entry_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        decode_entry(text)


def test_an_entry_without_times_lives_from_now_for_thirty_days() -> None:
    completed = complete_entry(_entry(), 1000.0)
    assert (completed.created, completed.expires) == (1000.0, 1000.0 + RETENTION)


def test_times_that_are_given_are_kept() -> None:
    whole = LedgerEntry("resp_a", "d", "r", created=5.0, expires=9.0)
    assert complete_entry(whole, 1000.0) is whole
    created = complete_entry(LedgerEntry("resp_a", "d", "r", created=5.0), 1000.0)
    assert (created.created, created.expires) == (5.0, 5.0 + RETENTION)
    expiring = complete_entry(LedgerEntry("resp_a", "d", "r", expires=9.0), 7.0)
    assert (expiring.created, expiring.expires) == (7.0, 9.0)


@pytest.mark.parametrize(
    ("kind", "expires"),
    [("response", 5.0 + RETENTION), ("containers", 5.0 + RETENTION), ("files", NEVER)],
)
def test_what_the_service_keeps_is_kept_until_it_is_deleted(kind: str, expires: float) -> None:
    assert complete_entry(LedgerEntry("x", "d", "r", kind=kind), 5.0).expires == expires


def test_an_entry_that_was_written_before_there_were_objects_is_of_a_response() -> None:
    entry = decode_entry('{"id":"resp_a","deployment":"d","resource":"r","created":1,"expires":2}')
    assert (entry.kind, entry.key, entry.is_listed) == ("response", "resp_a", True)


def _made(kind: str, **answer: object) -> LedgerEntry | None:
    return object_entry(
        kind, answer, deployment="d", resource="r", owner="me", end_user=None, now=50.0
    )


def test_an_object_is_remembered_with_its_own_times() -> None:
    made = _made("files", id="file-a", created_at=40, expires_at=90.5, purpose="batch", name="n")
    assert made == LedgerEntry("file-a", "d", "r", None, "me", 40.999, 90.5, "files", "batch")
    assert made is not None
    assert made.key == "files:r:file-a"


@pytest.mark.parametrize("kind", ["batches", "vector_stores"])
def test_the_end_of_an_objects_work_is_not_the_end_of_the_object(kind: str) -> None:
    made = _made(kind, id="x", created_at=True, expires_at=90)
    assert made is not None
    assert (made.created, made.expires) == (50.0, NEVER)


def test_a_time_that_cannot_be_is_not_taken_over() -> None:
    made = _made("files", id="x", created_at="soon", expires_at=1e300)
    assert made is not None
    assert (made.created, made.expires) == (50.0, NEVER)
    container = _made("containers", id="x", created_at=-1)
    assert container is not None
    assert (container.created, container.expires) == (50.0, 50.0 + RETENTION)


@pytest.mark.parametrize(("created_at", "created"), [(50, 50.0), (49.75, 50.0), (60, 60.0)])
def test_objects_of_one_second_stay_in_the_order_of_their_making(
    created_at: float, created: float
) -> None:
    made = _made("files", id="x", created_at=created_at)
    assert made is not None
    assert made.created == created


def test_an_object_of_no_one_in_particular_is_not_remembered() -> None:
    made = object_entry(
        "files",
        {"id": "file-a"},
        deployment="d",
        resource="r",
        owner=None,
        end_user=None,
        now=1.0,
    )
    assert made is None
    assert _made("files", id=3) is None


def test_an_entry_is_for_those_whom_it_names() -> None:
    entry = LedgerEntry("x", "d", "r", "ann", "me", kind="files")
    assert entry.is_for(None, None)
    assert not entry.is_for("them", None)
    assert not entry.is_for(None, "bob")
    assert not entry.is_for("me", "ann", "batch")
    assert replace(entry, facet="batch").is_for("me", "ann", "batch")


def test_lists_begin_with_what_was_created_last() -> None:
    entries = [LedgerEntry(name, "d", "r", created=at) for name, at in [("a", 1), ("b", 2)]]
    assert [entry.response_id for entry in newest_first(entries)] == ["b", "a"]


def test_an_entry_is_taken_once_in_a_run() -> None:
    progress = PurgeProgress("ann")
    first, second = _entry("resp_a"), _entry("resp_b")
    assert progress.take([first]) == [first]
    assert progress.take([first, second, second]) == [second]


def test_a_run_for_one_owner_leaves_the_others_alone() -> None:
    mine, theirs, nobodys = _entry("a", "me"), _entry("b", "them"), _entry("c")
    assert PurgeProgress("ann", "me").take([mine, theirs, nobodys]) == [mine]
    assert PurgeProgress("ann").take([mine, theirs, nobodys]) == [mine, theirs, nobodys]


def test_a_receipt_says_what_became_of_each() -> None:
    progress = PurgeProgress("ann", "me")
    entries = [_entry(name, "me") for name in ("a", "b", "c")]
    progress.take(entries)
    progress.note_deleted(entries[0])
    progress.note_gone(entries[1])
    progress.note_failed(entries[2], "x" * 1000)
    receipt = progress.receipt(1.0, 2.0, is_complete=True)
    assert receipt.to_dict() == {
        "end_user": "ann",
        "owner": "me",
        "deleted": ["a"],
        "already_gone": ["b"],
        "failed": {"c": "x" * 300},
        "is_complete": False,
        "started": 1.0,
        "finished": 2.0,
    }
    assert json.loads(json.dumps(receipt.to_dict())) == receipt.to_dict()


@pytest.mark.parametrize("is_complete", [True, False])
def test_a_run_without_failures_is_as_complete_as_its_ledger(is_complete: bool) -> None:
    receipt = PurgeProgress("ann").receipt(1.0, 2.0, is_complete=is_complete)
    assert receipt.is_complete is is_complete


def test_a_run_ends_with_a_pass_that_finds_nothing_new() -> None:
    progress, entry = PurgeProgress("ann"), _entry()
    assert progress.begin_pass(1.0)
    read = [progress.kind]
    for page in ([entry], *([] for _ in range(len(KINDS) + 1))):
        assert progress.wants_page
        progress.take(page)
        read.append(progress.kind)
    assert not progress.wants_page
    # Files come last: batches have written some.
    assert read[:3] == ["response", "response", "uploads"]
    assert read[-1] == "files"
    assert set(read) == {"response", *KINDS}
    assert progress.begin_pass(2.0)
    assert (progress.kind, progress.after) == ("response", None)
    progress.take([entry])
    assert not progress.begin_pass(3.0)


def test_what_is_made_while_a_pass_runs_is_for_the_next() -> None:
    progress = PurgeProgress("ann")
    progress.begin_pass(1.0)
    late = replace(_entry(), created=1.5)
    assert progress.take([late]) == [late]
    assert (progress.kind, progress.after) == ("uploads", None)


def _file(name: str, **fields: Any) -> LedgerEntry:
    return replace(_entry(name), kind="files", **fields)


def test_the_same_id_at_two_resources_is_deleted_at_both() -> None:
    progress = PurgeProgress("ann")
    files = [_file("x", resource="r"), _file("x", resource="s"), _entry("x")]
    assert progress.take(files) == files


def test_a_receipt_names_the_kinds_of_objects_and_every_copy_of_a_file() -> None:
    progress = PurgeProgress("ann")
    copied = _file("file-a", copies=(("r", "file-a"), ("s", "file-b")))
    entries = [_entry("resp_a"), copied, replace(_entry("vs_a"), kind="vector_stores")]
    progress.take(entries)
    for entry in entries[:2]:
        progress.note_deleted(entry)
    progress.note_failed(entries[2], "down")
    receipt = progress.receipt(1.0, 2.0, is_complete=True)
    assert receipt.deleted == ("resp_a", "file-a", "file-b")
    kinds = {"file-a": "files", "file-b": "files", "vs_a": "vector_stores"}
    assert receipt.to_dict()["kinds"] == receipt.kinds == kinds
    assert "dry_run" not in receipt.to_dict()


def test_a_dry_run_lists_what_it_finds_in_one_pass() -> None:
    progress = PurgeProgress("ann", "me", is_dry_run=True)
    assert progress.begin_pass(1.0)
    found = [_entry("resp_a", "me"), _entry("resp_b", "them"), _file("file-a", owner="me")]
    assert progress.take(found) == []
    assert not progress.begin_pass(2.0)
    shown = progress.receipt(1.0, 2.0, is_complete=True).to_dict()
    assert (shown["dry_run"], shown["would_delete"]) == (True, ["resp_a", "file-a"])
    assert (shown["deleted"], shown["failed"], shown["is_complete"]) == ([], {}, True)


def test_what_comes_after_ten_passes_is_listed() -> None:
    progress = PurgeProgress("ann")
    for number in range(10):
        assert progress.begin_pass(1.0)
        assert progress.take([_entry(f"r{number}")])
    assert progress.begin_pass(1.0)
    assert progress.take([_entry("late")]) == []
    assert not progress.begin_pass(1.0)
    receipt = progress.receipt(1.0, 2.0, is_complete=True)
    assert receipt.failed == {"late": "it was made while the purge ran; purge again"}


def _made_at(resource: str, created: float = 1000.0) -> LedgerEntry:
    return LedgerEntry("resp_1", "tag-a", resource, "ann", None, created, 9e9)


def test_only_a_row_of_its_resource_leads_to_a_response() -> None:
    routing = fleet("a", "b")
    require_origin(routing, _made_at("resource-b"))
    with pytest.raises(ConfigurationError, match="model_list"):
        require_origin(routing, _made_at("resource-c"))


@pytest.mark.parametrize("age", [-5.0, 0.0, READABLE_AFTER - 1, READABLE_AFTER, 9e6])
def test_what_was_made_just_now_may_not_be_readable_yet(age: float) -> None:
    error = ResponseNotFoundError("not found", status_code=404)
    judged = judge_missing(error, _made_at("resource-a"), 1000.0 + age)
    assert (judged is error) == (age >= READABLE_AFTER)
    assert isinstance(judged, ResponseNotFoundError) == (age >= READABLE_AFTER)
