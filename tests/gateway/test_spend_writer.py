"""The thread that writes, with real files and databases."""

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.database import Database, open_database
from azure_responses.gateway.key_table import ApiCaller, KeyTable, StoredKey, hash_key
from azure_responses.gateway.outages import DatabaseError
from azure_responses.gateway.spend import PICO, SpendTotals, Spent
from azure_responses.gateway.spend_writer import SpendLog, SpendWriter
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.pricing.use import Use

_BOB = ApiCaller(key_id="key_b", name="bob", owner="bob", budget=PICO)
_NEVER = 3600.0


def _call(number: int = 1, *, cost: str = "0.25") -> CallSummary:
    return CallSummary(
        f"c{number}",
        "create",
        group="gpt",
        started_at=time.time(),
        use=Use(id=f"resp_{number}"),
        cost=Decimal(cost),
    )


def _keeper(
    book: SpendTotals | None = None, table: KeyTable | None = None, **how: Any
) -> SpendWriter:
    how = {"flush_interval": _NEVER, "refresh_interval": _NEVER, **how}
    return SpendWriter(table or KeyTable(), book or SpendTotals(), **how)


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_spent_survives_a_restart(database_url: str) -> None:
    with _keeper(database_url=database_url) as keeper:
        keeper.record(_BOB, _call(1))
        keeper.record(_BOB, _call(2))
    book = SpendTotals()
    with _keeper(book, database_url=database_url):
        assert book.spent("key_b") == PICO // 2


def test_calls_are_written_without_being_asked(database_url: str) -> None:
    with _keeper(database_url=database_url, flush_interval=0.02) as keeper:
        keeper.record(_BOB, _call())
        database = open_database(database_url)
        _wait_until(lambda: bool(database.totals()))
        assert [spent.cost for spent in database.totals().values()] == [PICO // 4]
        database.close()


def test_a_key_that_is_revoked_stops_working_in_a_running_gateway(database: Database) -> None:
    database.add_key(StoredKey(_BOB, hash_key("sk-bob")))
    table = KeyTable()
    url = database._engine.url.render_as_string(hide_password=False)
    with _keeper(table=table, database_url=url, flush_interval=0.02, refresh_interval=0.05):
        found = table.find("sk-bob")
        assert found is not None
        assert found.revoked is None
        database.revoke_key("key_b", 5.0)
        _wait_until(lambda: (table.find("sk-bob") or _BOB).revoked == 5.0)


def test_what_another_replica_spent_counts_against_the_budget(database: Database) -> None:
    database.add_key(StoredKey(_BOB, hash_key("sk-bob")))
    url = database._engine.url.render_as_string(hide_password=False)
    here, there = SpendTotals(), SpendTotals()
    with (
        _keeper(here, database_url=url) as first,
        _keeper(there, database_url=url) as second,
    ):
        first.record(_BOB, _call(1))
        second.record(_BOB, _call(2))
        first.flush()
        second.flush()
        first.record(_BOB, _call(3))
        first.refresh()
        assert here.spent("key_b") == PICO * 3 // 4
        assert there.spent("key_b") == PICO // 4


def test_without_a_database_totals_last_as_long_as_the_process() -> None:
    book = SpendTotals()
    with _keeper(book) as keeper:
        keeper.record(_BOB, _call())
        keeper.flush()
        keeper.refresh()
        assert book.take() is None
        assert book.spent("key_b") == PICO // 4


def test_a_call_that_ends_while_the_log_is_written_reaches_the_database_after_its_line(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SpendLog(tmp_path / "spend.jsonl")
    keeper = _keeper(database_url=database_url, log=log)
    write = log.write

    def write_amid_calls(lines: list[bytes]) -> None:
        write(lines)
        keeper.record(_BOB, _call(2, cost="0.5"))

    with monkeypatch.context() as patched, keeper:
        patched.setattr(log, "write", write_amid_calls)
        keeper.record(_BOB, _call(1))
        keeper.flush()
        with closing(open_database(database_url)) as database:
            assert [spent.cost for spent in database.totals().values()] == [PICO // 4]
        patched.undo()
    with closing(open_database(database_url)) as database:
        assert [spent.cost for spent in database.totals().values()] == [PICO * 3 // 4]


def test_every_call_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)
    with _keeper(log=log) as keeper:
        for number in range(3):
            keeper.record(_BOB, _call(number))
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["call_id"] for record in records] == ["c0", "c1", "c2"]
    assert {record["key_id"] for record in records} == {"key_b"}
    log.close()


def test_a_call_whose_line_cannot_be_written_still_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = SpendTotals()
    log = SpendLog(tmp_path / "spend.jsonl")
    with _keeper(book, log=log) as keeper, monkeypatch.context() as patch:
        patch.setattr(keeper, "_enqueue", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            keeper.record(_BOB, _call())
    assert book.spent("key_b") == PICO // 4
    log.close()


def test_a_database_that_goes_away_is_said_once_and_loses_nothing(
    database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _keeper(database_url=database_url) as keeper:
        with monkeypatch.context() as patch:

            def fail(*_: object) -> None:
                raise DatabaseError("The database cannot be used: gone.")

            patch.setattr(Database, "add_spend", fail)
            patch.setattr(Database, "keys_version", fail)
            for number in range(3):
                keeper.record(_BOB, _call(number))
                keeper.flush()
                keeper.refresh()
            assert [keeper.is_healthy] == [False]
        assert [r.levelno for r in caplog.records] == [logging.WARNING] * 2
        keeper.flush()
        keeper.flush()
        keeper.refresh()
        assert [keeper.is_healthy] == [True]
    assert "works again" in caplog.text
    database = open_database(database_url)
    total = Spent()
    for spent in database.totals().values():
        total.add(spent)
    assert (total.cost, total.calls) == (PICO * 3 // 4, 3)
    database.close()


def test_a_database_that_can_be_read_but_not_written_stays_in_trouble(
    database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("The database cannot be used: locked")

    with _keeper(database_url=database_url) as keeper:
        with monkeypatch.context() as patch:
            patch.setattr(Database, "add_spend", fail)
            for number in range(3):
                keeper.record(_BOB, _call(number))
                keeper.flush()
                keeper.refresh()
                assert not keeper.is_healthy
        keeper.flush()
        assert keeper.is_healthy
    assert caplog.text.count("locked. Calls go on") == 1


def test_what_a_database_never_took_is_said_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("The database cannot be used: gone.")

    book = SpendTotals()
    keeper = _keeper(book, database_url=str(tmp_path / "k.db"))
    keeper.start()
    keeper.record(_BOB, _call())
    monkeypatch.setattr(Database, "add_spend", fail)
    keeper.close()
    assert "lost to the database" in caplog.text
    keeper.record(_BOB, _call())
    keeper.close()
    assert book.spent("key_b") == PICO // 2


def test_a_start_that_fails_leaves_no_connection_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("The database cannot be used: gone.")

    monkeypatch.setattr(Database, "keys_version", fail)
    closed = []
    close = Database.close

    def note_and_close(self: Database) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(Database, "close", note_and_close)
    with pytest.raises(DatabaseError):
        _keeper(database_url=str(tmp_path / "k.db")).start()
    assert len(closed) == 1


def test_a_database_that_took_a_batch_without_saying_so_counts_it_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Database.add_spend

    def add_and_fail(self: Database, *arguments: Any) -> None:
        add(self, *arguments)
        raise DatabaseError("The connection broke after the commit.")

    with _keeper(database_url=database_url) as keeper:
        keeper.record(_BOB, _call())
        with monkeypatch.context() as patch:
            patch.setattr(Database, "add_spend", add_and_fail)
            keeper.flush()
        keeper.flush()
        database = open_database(database_url)
        assert [spent.calls for spent in database.totals().values()] == [1]
        database.close()


def test_no_mistake_ends_the_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    book = SpendTotals()
    with monkeypatch.context() as patch:
        patch.setattr(book, "take", lambda: 1 / 0)
        keeper = _keeper(book, flush_interval=0.01)
        keeper.start()
        _wait_until(lambda: "could not be written" in caplog.text)
    keeper.record(_BOB, _call())
    _wait_until(lambda: book.take() is None)
    keeper.close()


def test_a_full_disk_keeps_lines_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("azure_responses.gateway.spend_writer._MOST_LINES", 3)
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with _keeper(log=log) as keeper, monkeypatch.context() as patch:
        patch.setattr(SpendLog, "write", fail)
        for number in range(5):
            keeper.record(_BOB, _call(number))
            keeper.flush()
        assert not keeper.is_healthy
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["call_id"] for record in records] == ["c2", "c3", "c4"]
    assert caplog.text.count("the oldest go") == 1
    assert "lacks 2 lines" in caplog.text
    log.close()


def test_lines_that_come_while_a_write_fails_push_out_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.gateway.spend_writer._MOST_LINES", 3)
    path = tmp_path / "spend.jsonl"
    log = SpendLog(path)
    with _keeper(log=log) as keeper:

        def fail(*_: object) -> None:
            keeper.record(_BOB, _call(3))
            raise OSError(28, "No space left on device")

        for number in range(3):
            keeper.record(_BOB, _call(number))
        with monkeypatch.context() as patch:
            patch.setattr(SpendLog, "write", fail)
            keeper.flush()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["call_id"] for record in records] == ["c1", "c2", "c3"]
    log.close()


def test_a_gateway_does_not_start_without_the_keys_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        _keeper(database_url=f"sqlite:///{tmp_path / 'none' / 'k.db'}").start()
    with pytest.raises(ConfigurationError):
        _keeper(database_url="mysql://h/d").start()


_SPEND_AND_TELL = """
import sys, time
from decimal import Decimal
from pathlib import Path
from azure_responses.gateway.spend_writer import SpendWriter
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.key_table import KeyTable
from azure_responses.gateway.spend import SpendTotals
from azure_responses.gateway.spend_writer import SpendLog
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.pricing.use import Use

log = SpendLog(Path(sys.argv[2]))
keeper = SpendWriter(
    KeyTable(), SpendTotals(), database_url=sys.argv[1], log=log, flush_interval=0.002
)
keeper.start()
callers = [ApiCaller(key_id=f"k{n}") for n in range(7)]
for number in range(1, 1_000_000):
    keeper.record(
        callers[number % 7],
        CallSummary(
            str(number), "create", group="gpt", use=Use(id=f"resp_{number}"), cost=Decimal(number)
        ),
    )
    print(number, flush=True)
    time.sleep(0.0002)
"""


def _spend_until_killed(url: str, log: Path, calls: int) -> int:
    process = subprocess.Popen(
        [sys.executable, "-c", _SPEND_AND_TELL, url, str(log)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as told:
        for line in told:
            if int(line) >= calls:
                break
        process.send_signal(signal.SIGKILL)
        rest = [line for line in told if line.endswith("\n")]
    process.wait()
    return int(rest[-1]) if rest else calls


@pytest.mark.parametrize("calls", [150, 400, 900])
def test_a_process_killed_while_it_writes_leaves_the_totals_of_its_first_calls(
    database_url: str, tmp_path: Path, calls: int
) -> None:
    log = tmp_path / "spend.jsonl"
    made = _spend_until_killed(database_url, log, calls)
    database = open_database(database_url)
    totals = {key.key_id: spent for key, spent in database.totals().items()}
    costs = {name: cost for name, _, cost in database.daily_costs()}
    database.close()
    written = sum(spent.calls for spent in totals.values())
    assert 0 < written <= made
    for name in range(7):
        numbers = [n for n in range(1, written + 1) if n % 7 == name]
        assert totals[f"k{name}"].calls == len(numbers)
        assert totals[f"k{name}"].cost == sum(numbers) * PICO == costs[f"k{name}"]
    lines = log.read_bytes().split(b"\n")[:-1]
    assert [json.loads(line)["call_id"] for line in lines] == [
        str(n) for n in range(1, len(lines) + 1)
    ]
