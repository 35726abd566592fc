"""Keys and totals, on SQLite and, where it can be started, on PostgreSQL."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import OperationalError

import pytest
import sqlalchemy as sql

from azure_responses.errors import ConfigurationError
from azure_responses.gateway import database as module
from azure_responses.gateway.database import Database, open_database
from azure_responses.gateway.key_table import ApiCaller, StoredKey, hash_key
from azure_responses.gateway.outages import DatabaseError
from azure_responses.gateway.spend import SpendBatch, SpendKey, Spent

_FULL = ApiCaller(
    key_id="key_1",
    name="bob",
    owner="team",
    models=("gpt-5*", "o1-pro"),
    rpm=5,
    tpm=2**40,
    budget=9_000_000 * 10**12,
    budget_period=30,
    created=1000.25,
    expires=2000.5,
    end_user="Zoë",
)
_PLAIN = ApiCaller(key_id="key_2", name="key_2", owner="key_2", created=1001.0)
_KEY = SpendKey("key_1", "u", "gpt", 20_000)


def test_keys_come_back_as_they_were_stored(database: Database) -> None:
    stored = [StoredKey(_FULL, hash_key("a")), StoredKey(_PLAIN, hash_key("b"))]
    for key in stored:
        database.add_key(key)
    assert database.read_keys() == stored


def test_a_revoked_key_stays_revoked_from_the_first_time(database: Database) -> None:
    database.add_key(StoredKey(_PLAIN, hash_key("b")))
    assert database.revoke_key("key_2", 5.0)
    assert database.revoke_key("key_2", 9.0)
    assert not database.revoke_key("key_9", 5.0)
    assert database.read_keys()[0].caller.revoked == 5.0


def test_batches_add_up(database: Database) -> None:
    other = SpendKey("key_1", "v", "gpt", 20_001)
    database.add_spend(
        "w", SpendBatch(1, {_KEY: Spent(cost=3, calls=1), other: Spent(cost=1)}), 20_001
    )
    database.add_spend("w", SpendBatch(2, {_KEY: Spent(cost=4, calls=1, input_tokens=9)}), 20_001)
    assert database.totals() == {
        _KEY: Spent(cost=7, calls=2, input_tokens=9),
        other: Spent(cost=1),
    }
    assert sorted(database.daily_costs()) == [("key_1", 20_000, 7), ("key_1", 20_001, 1)]
    assert database.daily_costs(["key_9"]) == []


def test_what_is_held_counts_for_the_key_and_is_in_no_total(database: Database) -> None:
    database.add_spend(
        "w", SpendBatch(1, {_KEY: Spent(cost=3, calls=2, unpriced=1, held=5)}), 20_001
    )
    assert database.daily_costs() == [(_KEY.key_id, _KEY.day, 8)]
    assert database.totals() == {_KEY: Spent(cost=3, calls=2, unpriced=1)}


def test_a_batch_that_is_handed_over_twice_counts_once(database: Database) -> None:
    batch = SpendBatch(1, {_KEY: Spent(cost=3)})
    database.add_spend("w", batch, 20_000)
    database.add_spend("w", batch, 20_000)
    database.add_spend("other", batch, 20_000)
    assert database.totals()[_KEY].cost == 6


def test_writers_long_gone_are_forgotten(database: Database) -> None:
    batch = SpendBatch(1, {_KEY: Spent(cost=3)})
    database.add_spend("old", batch, 20_000)
    database.add_spend("new", batch, 20_100)
    database.add_spend("old", batch, 20_100)
    assert database.totals()[_KEY].cost == 9


def test_thousands_of_rows_are_one_batch(database: Database) -> None:
    rows = {SpendKey("k", f"u{n}", "gpt", 1): Spent(cost=n, calls=1) for n in range(3000)}
    database.add_spend("w", SpendBatch(1, rows), 1)
    assert database.totals() == rows


_ADD = """
import sys
from azure_responses.gateway.database import open_database
from azure_responses.gateway.spend import SpendBatch, SpendKey, Spent
database = open_database(sys.argv[1])
for number in range(1, 41):
    rows = {SpendKey("k", f"u{n % 3}", "gpt", 1): Spent(cost=1, calls=1) for n in range(number)}
    database.add_spend(sys.argv[2], SpendBatch(number, rows), 1)
"""


def test_processes_that_start_and_add_at_once_add_up_exactly(database_url: str) -> None:
    # None of them finds the tables made.
    processes = [
        subprocess.Popen([sys.executable, "-c", _ADD, database_url, str(n)]) for n in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    database = open_database(database_url)
    # A batch of one call has one row, of two calls two, of more three; each is one call.
    assert sum(spent.cost for spent in database.totals().values()) == 3 * (1 + 2 + 38 * 3)
    assert sum(cost for _, _, cost in database.daily_costs()) == 3 * (1 + 2 + 38 * 3)
    database.close()


def test_threads_that_open_at_once_make_the_tables_once(database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for opened in pool.map(open_database, [database_url] * 8):
            assert opened.read_keys() == []
            opened.close()


def test_tables_of_a_later_version_are_left_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_VERSION", 2)
        open_database(database_url).close()
    with pytest.raises(ConfigurationError, match="version 2") as caught:
        open_database(database_url)
    assert "Upgrade" in str(caught.value.hint)


def test_a_path_is_a_file_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    open_database(str(path)).close()
    assert path.stat().st_size > 0


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    open_database(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:secret@h/d", "mysql"),
        ("sqlite://", "gone with the process"),
        ("sqlite:///:memory:", "gone with the process"),
        ("postgresql://u:secret@h:port/d", "cannot be understood"),
        ("what://", "what is not a database"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
    assert caught.value.hint


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DatabaseError) as caught:
        open_database(f"postgresql://u:secret@/d?host={tmp_path}&connect_timeout=2")
    assert "secret" not in str(caught.value)


def test_a_file_that_was_moved_away_takes_nothing_along(tmp_path: Path) -> None:
    path, batch = tmp_path / "keys.db", SpendBatch(1, {_KEY: Spent(cost=3)})
    database = open_database(str(path))
    for file in tmp_path.iterdir():
        file.rename(tmp_path / f"moved-{file.name}")
    with pytest.raises(DatabaseError, match=r"keys\.db is gone"):
        database.add_spend("w", batch, 20_000)
    open_database(str(path)).close()
    database.add_spend("w", batch, 20_000)
    database.close()
    assert open_database(str(path)).totals() == {_KEY: Spent(cost=3)}


def test_a_folder_that_is_not_there_is_an_error_of_the_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"none.keys\.db cannot be made: No such file"):
        open_database(f"sqlite:///{tmp_path / 'none' / 'keys.db'}")


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> sql.Engine:
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(sql, "create_engine", fail)
    with pytest.raises(ConfigurationError, match="psycopg") as caught:
        open_database("postgres://h/d")
    assert "postgres" in str(caught.value.hint)


def test_a_file_that_stays_locked_is_an_error_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.db"
    database = open_database(str(path))
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.1)
    other = open_database(str(path))
    with database.write(), pytest.raises(DatabaseError, match="locked"):
        other.revoke_key("key_1", 1.0)
    database.close()
    other.close()


class _Locked:
    """A cursor that finds the file locked for a while."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def execute(self, _: str) -> None:
        if self.failures:
            self.failures -= 1
            raise OperationalError("database is locked")


def test_a_process_waits_while_others_prepare_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    cursor = _Locked(5)
    module._switch_to_wal(cursor)
    assert cursor.failures == 0
    with pytest.raises(OperationalError):
        module._switch_to_wal(_Locked(10**6))


def test_tables_of_an_earlier_version_get_the_columns_they_lack(database_url: str) -> None:
    database = open_database(database_url)
    with database.write() as connection:
        for column in ("webhook_url", "webhook_secret"):
            connection.execute(sql.text(f"ALTER TABLE azure_responses_keys DROP COLUMN {column}"))
    database.close()
    database = open_database(database_url)
    caller = ApiCaller(key_id="key_1", owner="team", webhook_url="https://a.example")
    key = StoredKey(caller, b"d" * 32)
    database.add_key(key)
    assert database.read_keys() == [key]
    database.close()
