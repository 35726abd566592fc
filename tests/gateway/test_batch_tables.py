"""Batches in the database: whose they are, who runs them, and what their results add up to."""

import time
from dataclasses import replace

import pytest

from azure_responses.batches.batch import BatchRecord, read_request
from azure_responses.batches.results import BatchTokens
from azure_responses.gateway.batch_records import KeptFile, ResultRow
from azure_responses.gateway.batch_tables import BatchTables
from azure_responses.gateway.database import Database
from tests.gateway.batch_files import put_file, requests

IDS = ("file-out", "file-err")


@pytest.fixture
def tables(database: Database) -> BatchTables:
    return BatchTables(database)


def _batch(tables: BatchTables, batch_id: str = "batch_1", created: float = 1000.0) -> BatchRecord:
    body = {"input_file_id": "file-input", "endpoint": "/v1/responses"}
    batch = read_request(body, batch_id, created)
    tables.add_batch(batch, "ann", "key_1")
    return batch


def _row(line: int, text: bytes = b"{}\n", *, is_failed: bool = False) -> ResultRow:
    return ResultRow(line, text, is_failed, BatchTokens(3, 1, 2, 1), cost=5)


def _content(tables: BatchTables, file: KeptFile) -> bytes:
    pieces: list[bytes] = []
    place: int | None = 0
    while place is not None:
        piece, place = tables.read_file(file, place)
        pieces.append(piece)
    return b"".join(pieces)


def test_a_file_is_its_owner_s_and_is_seen_once_it_is_whole(tables: BatchTables) -> None:
    now = time.time()
    tables.add_file(KeptFile("file-torn", "ann", "batch", "q", 0, now))
    put_file(tables, requests(100), owner="ann")
    file = tables.find_file("file-input", "ann", now)
    assert file is not None
    assert len(_content(tables, file)) == file.size
    assert file.to_dict()["bytes"] == file.size
    assert tables.find_file("file-torn", "ann", now) is None
    assert tables.find_file("file-input", "bob", now) is None
    assert tables.find_file("file-input", None, now) is None
    assert [one.id for one in tables.list_files("ann", now)] == ["file-input"]
    assert tables.list_files("ann", now, "batch_output") == []


def test_files_go_when_they_expire_or_were_never_finished(tables: BatchTables) -> None:
    for name, expires in (("file-a", 50.0), ("file-b", 200.0), ("file-torn", None)):
        tables.add_file(KeptFile(name, None, "batch", "q", 0, 10.0, expires))
        tables.add_part(name, 0, b"x")
        if name != "file-torn":
            tables.finish_file(name, 1)
    assert tables.find_file("file-a", None, 60.0) is None
    tables.drop_expired_files(100.0, abandoned=50.0)
    assert tables.find_file("file-a", None, 40.0) is None
    kept = tables.find_file("file-b", None, 100.0)
    assert kept is not None
    assert _content(tables, kept) == b"x"
    tables.drop_file("file-b")
    assert _content(tables, kept) == b""


def test_a_batch_is_claimed_by_one_process_until_its_claim_ends(tables: BatchTables) -> None:
    _batch(tables, "batch_2", 2000.0)
    _batch(tables, "batch_1", 1000.0)
    first = tables.claim("one", 60.0)
    assert first is not None
    assert (first.batch.id, first.owner, first.key_id) == ("batch_1", "ann", "key_1")
    second = tables.claim("two", -1.0)
    assert second is not None
    assert second.batch.id == "batch_2"
    # The claim of two is over.
    again = tables.claim("one", 60.0)
    assert again is not None
    assert again.batch.id == "batch_2"
    assert tables.claim("two", 60.0) is None
    assert tables.renew("batch_2", "two", 60.0) is None
    assert tables.renew("batch_1", "one", 60.0) == "validating"
    tables.release("batch_1", "two")
    assert tables.claim("two", 60.0) is None
    tables.release("batch_1", "one")
    assert tables.claim("two", 60.0) is not None


def test_who_has_lost_the_claim_changes_nothing(tables: BatchTables) -> None:
    _batch(tables)
    tables.claim("one", -1.0)
    assert tables.add_results("batch_1", "one", [_row(1)]) == "validating"
    tables.claim("two", 60.0)
    assert tables.add_results("batch_1", "one", [_row(2)]) is None
    assert tables.change("batch_1", "one", lambda batch: replace(batch, total=9)) is None
    assert tables.finish("batch_1", "one", IDS, 1.0) is None
    assert tables.done_lines("batch_1") == {1}


def test_a_result_is_kept_once(tables: BatchTables) -> None:
    _batch(tables)
    tables.claim("one", 60.0)
    tables.add_results("batch_1", "one", [_row(1, b"first\n")])
    tables.add_results("batch_1", "one", [_row(1, b"second\n"), _row(2)])
    stored = tables.find_batch("batch_1", "ann")
    assert stored is not None
    assert (stored.batch.completed, stored.usage.input, stored.cost) == (2, 6, 10)
    assert tables.add_results("batch_1", "one", []) == "validating"


def test_an_ended_batch_has_files_of_its_results_in_order(tables: BatchTables) -> None:
    _batch(tables)
    tables.claim("one", 60.0)
    tables.change("batch_1", "one", lambda b: b.moved("in_progress", 1.0, total=450))
    rows = [_row(n, b"%d\n" % n, is_failed=n % 10 == 0) for n in range(450, 0, -1)]
    gone = ResultRow(451, b"gone\n", is_failed=True, cost=0, is_made=False)
    tables.add_results("batch_1", "one", [*rows, gone])
    tables.change("batch_1", "one", lambda b: b.moved("finalizing", 2.0, ending="expired"))
    ended = tables.finish("batch_1", "one", IDS, 3.0)
    assert ended is not None
    assert (ended.status, ended.output_file_id, ended.error_file_id) == ("expired", *IDS)
    # A request that was not made counts as neither.
    assert (ended.completed, ended.failed) == (405, 45)
    output = tables.find_file("file-out", "ann", 4.0)
    errors = tables.find_file("file-err", "ann", 4.0)
    assert output is not None
    assert errors is not None
    numbers = [int(line) for line in _content(tables, output).split()]
    assert numbers == [n for n in range(1, 451) if n % 10]
    assert _content(tables, errors).endswith(b"450\ngone\n")
    assert len(_content(tables, output)) == output.size
    assert tables.claim("two", 60.0) is None
    # The totals stay when the file goes.
    tables.drop_file("file-out")
    stored = tables.find_batch("batch_1", "ann")
    assert stored is not None
    assert stored.batch.completed == 405
    assert tables.find_file("file-err", "ann", 4.0) is not None


def test_a_batch_without_results_has_no_files(tables: BatchTables) -> None:
    _batch(tables)
    tables.claim("one", 60.0)
    cancelled = tables.cancel_batch("batch_1", "ann", 2.0)
    assert cancelled is not None
    assert cancelled.batch.status == "cancelling"
    ended = tables.finish("batch_1", "one", IDS, 3.0)
    assert ended is not None
    assert (ended.status, ended.output_file_id, ended.error_file_id) == ("cancelled", None, None)
    again = tables.cancel_batch("batch_1", "ann", 9.0)
    assert again is not None
    assert again.batch.status == "cancelled"
    assert again.batch.times is not None
    assert again.batch.times["cancelling"] == 2


def test_a_batch_is_its_owner_s(tables: BatchTables) -> None:
    _batch(tables)
    assert tables.find_batch("batch_1", "bob") is None
    assert tables.find_batch("batch_1", None) is None
    assert tables.cancel_batch("batch_1", "bob", 1.0) is None
    assert tables.list_batches("bob") == []


def test_batches_are_listed_newest_first_in_pages(tables: BatchTables) -> None:
    for number in range(5):
        # Two of one second are told apart by their ids.
        _batch(tables, f"batch_{number}", 1000.0 + number // 2)
    names, after = [], None
    while page := tables.list_batches("ann", after, 2):
        names += [stored.batch.id for stored in page]
        after = names[-1]
    assert names == ["batch_4", "batch_2", "batch_3", "batch_0", "batch_1"]
