"""What is changed in the database counts on every replica, in time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer
from azure_responses.gateway.database import Database, open_database
from azure_responses.gateway.key_reader import KeyReader
from azure_responses.gateway.key_table import ApiCaller, KeyTable, StoredKey, hash_key
from azure_responses.gateway.outages import Outages
from azure_responses.gateway.spend import PICO, SpendTotals
from azure_responses.gateway.spend_writer import SpendWriter
from tests.gateway.gateways import Running, config_of, serve
from tests.openai_server.servers import make_emulator

_INTERVAL = 0.5
# A loaded machine takes its time; that a change is seen at all is what most tests ask.
_PATIENCE = 20.0
_ANN = ApiCaller(key_id="key_a", name="ann", owner="ann")
_BOB = ApiCaller(key_id="key_b", name="bob", owner="bob")


def _stored(caller: ApiCaller) -> StoredKey:
    return StoredKey(caller, hash_key(f"sk-{caller.name}"))


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def _replicas(url: str, count: int = 2, **how: Any) -> Iterator[list[KeyTable]]:
    tables = [KeyTable() for _ in range(count)]
    with ExitStack() as stack:
        for table in tables:
            options = {"flush_interval": 0.1, "refresh_interval": _INTERVAL, **how}
            stack.enter_context(SpendWriter(table, SpendTotals(), database_url=url, **options))
        yield tables


def _execute(url: str, statement: str, **values: Any) -> None:
    """A change by hand, as an operator's own program makes it."""
    with closing(open_database(url)) as database, database.write() as connection:
        connection.execute(sql.text(statement), values)


def test_a_key_deleted_while_another_is_added_is_gone_on_every_replica(database_url: str) -> None:
    with closing(open_database(database_url)) as database:
        database.add_key(_stored(_ANN))
    with _replicas(database_url) as tables:
        assert all(table.find("sk-ann") for table in tables)
        with closing(open_database(database_url)) as database:
            with database.write() as connection:
                connection.execute(sql.text("DELETE FROM azure_responses_keys"))
            database.add_key(_stored(_BOB))
        _wait_until(lambda: all(table.find("sk-ann") is None for table in tables))
        assert all(table.find("sk-bob") == _BOB for table in tables)


@pytest.mark.parametrize(("column", "value", "field"), [
    ("rpm", 3, 3), ("tpm", 40, 40), ("budget", 5, 5), ("budget_period", 7, 7),
    ("expires", 12.5, 12.5), ("revoked", 9.0, 9.0), ("name", "n", "n"), ("owner", "o", "o"),
    ("end_user", "e", "e"), ("models", '["gpt"]', ("gpt",)), ("created", 1.5, 1.5),
])  # fmt: skip
def test_every_field_changed_by_hand_is_seen(
    database_url: str, column: str, value: Any, field: Any
) -> None:
    known = replace(_ANN, budget=1, budget_period=1, expires=99.0)
    with closing(open_database(database_url)) as database:
        database.add_key(_stored(known))
        reader = KeyReader(table := KeyTable(), database, Outages(), interval=9)
        reader.read()
        assert table.find("sk-ann") == known
        _execute(database_url, f"UPDATE azure_responses_keys SET {column} = :value", value=value)
        reader.read()
        assert table.find("sk-ann") == replace(known, **{column: field})
        for column_again in ("expires", "budget", "budget_period"):
            _execute(database_url, f"UPDATE azure_responses_keys SET {column_again} = NULL")
        reader.read()
        found = table.find("sk-ann")
        assert found is not None
        assert (found.expires, found.budget, found.budget_period) == (None, None, None)


def test_a_change_is_seen_within_the_interval(database_url: str) -> None:
    with closing(open_database(database_url)) as database:
        database.add_key(_stored(_ANN))
        with _replicas(database_url, refresh_interval=4.0, flush_interval=60.0) as tables:
            time.sleep(0.3)
            began = time.monotonic()
            database.revoke_key("key_a", 5.0)
            _wait_until(lambda: all(table.find("sk-ann") != _ANN for table in tables))
            assert time.monotonic() - began < 4.0


def test_a_key_is_read_while_the_totals_are_locked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    with closing(open_database(url)) as database:
        database.add_key(_stored(_ANN))
        database.add_key(_stored(_BOB))
        database.revoke_key("key_b", 1.0)
    with closing(open_database(url)) as other, _replicas(url, 1) as (table,):
        _execute(url, "UPDATE azure_responses_keys SET revoked = 2 WHERE id = 'key_a'")
        # From here on nobody else can write.
        with other.write():
            _wait_until(lambda: getattr(table.find("sk-ann"), "revoked", None) == 2)


def test_a_row_that_cannot_be_read_hides_no_other(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_database(database_url)) as database:
        database.add_key(_stored(_ANN))
        database.add_key(_stored(_BOB))
        reader = KeyReader(table := KeyTable(), database, Outages(), interval=9)
        reader.read()
        for column, value in (("models", '{"a": 1}'), ("budget_period", 0), ("rpm", -1)):
            change = f"UPDATE azure_responses_keys SET {column} = :value WHERE id = 'key_a'"
            _execute(database_url, change, value=value)
            database.revoke_key("key_b", 7.0)
            caplog.clear()
            reader.read()
            # What it allows cannot be told, so it allows nothing.
            assert table.find("sk-ann") is None
            assert table.find("sk-bob") == replace(_BOB, revoked=7.0)
            assert f"'key_a': {column}" in caplog.text
            undo = f"UPDATE azure_responses_keys SET {column} = :value WHERE id = 'key_a'"
            _execute(database_url, undo, value="[]" if column == "models" else None)
        reader.read()
        assert table.find("sk-ann") == _ANN


def test_keys_go_on_while_the_database_is_down_and_changes_count_when_it_is_back(
    postgresql: Any, empty_postgresql: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_database(empty_postgresql)) as database:
        database.add_key(_stored(_ANN))
    with _replicas(empty_postgresql) as tables:
        postgresql.stop()
        try:
            _wait_until(lambda: caplog.text.count("The reading of keys fails") == 2)
            assert all(table.find("sk-ann") == _ANN for table in tables)
        finally:
            postgresql.start()
        with closing(open_database(empty_postgresql)) as database:
            database.revoke_key("key_a", 3.0)
            database.add_key(_stored(_BOB))
        _wait_until(lambda: all(table.find("sk-bob") == _BOB for table in tables))
        assert all(table.find("sk-ann") == replace(_ANN, revoked=3.0) for table in tables)


def test_no_mistake_ends_the_reading(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = KeyReader(table := KeyTable(), database, Outages(), interval=0.02)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "keys_version", lambda _: 1 / 0)
        reader.start()
        _wait_until(lambda: "Keys could not be read" in caplog.text)
    try:
        database.add_key(_stored(_ANN))
        _wait_until(lambda: table.find("sk-ann") == _ANN)
    finally:
        reader.close()


def test_those_who_wait_for_a_reading_share_it_and_are_told_at_the_end(
    database: Database,
) -> None:
    reader = KeyReader(table := KeyTable(), database, Outages(), interval=100.0)
    reader.start()
    database.add_key(_stored(_ANN))
    waiting = [reader.read_soon() for _ in range(3)]
    for each in waiting:
        each.result(_PATIENCE)
    assert table.find("sk-ann") == _ANN
    last = reader.read_soon()
    reader.close()
    assert last.done()
    reader.close()


@contextmanager
def _gateways(url: str, emulator: Emulator, **general: Any) -> Iterator[list[Running]]:
    with RunningServer(emulator) as served, ExitStack() as stack:
        config = config_of(served.url, "east", database_url=url, **general)
        yield [stack.enter_context(serve(config)) for _ in range(2)]


def _status(running: Running, key: str) -> int:
    with running.client(key) as client:
        return client.post("/v1/responses", json={"model": "chat", "input": "Hi"}).status_code


def _answers(running: Running, key: str, status: int) -> bool:
    return _status(running, key) == status


def test_gateways_serve_a_new_key_at_once_and_refuse_a_deleted_one_in_time(
    database_url: str,
) -> None:
    with (
        closing(open_database(database_url)) as database,
        _gateways(database_url, make_emulator(), key_refresh_interval=30) as gateways,
    ):
        for running in gateways:
            assert _status(running, "sk-ann") == 401
        database.add_key(_stored(_ANN))
        for running in gateways:
            assert _status(running, "sk-ann") == 200
        _execute(database_url, "DELETE FROM azure_responses_keys WHERE id = 'key_a'")
        database.add_key(_stored(replace(_BOB, rpm=1)))
        for running in gateways:
            _wait_until(partial(_answers, running, "sk-ann", 401))
            assert [_status(running, "sk-bob") for _ in range(2)] == [200, 429]
        _execute(database_url, "UPDATE azure_responses_keys SET rpm = 0")
        for running in gateways:
            _wait_until(partial(_answers, running, "sk-bob", 429))
        _execute(database_url, "UPDATE azure_responses_keys SET rpm = NULL, models = '[\"x\"]'")
        for running in gateways:
            _wait_until(partial(_answers, running, "sk-bob", 403))


def test_what_was_spent_is_what_the_database_says(database_url: str) -> None:
    day = int(time.time() // 86_400)
    with (
        closing(open_database(database_url)) as database,
        _gateways(database_url, make_emulator(), key_refresh_interval=0.5) as gateways,
    ):
        database.add_key(_stored(replace(_ANN, budget=PICO)))
        for running in gateways:
            assert _status(running, "sk-ann") == 200
        row = "INSERT INTO azure_responses_key_days VALUES ('key_a', :day, :cost)"
        with database.write() as connection:
            connection.execute(sql.text("DELETE FROM azure_responses_key_days"))
            connection.execute(sql.text(row), {"day": day, "cost": 2 * PICO})
        for running in gateways:
            _wait_until(partial(_answers, running, "sk-ann", 429))
        _execute(database_url, "UPDATE azure_responses_keys SET budget = :value", value=5 * PICO)
        for running in gateways:
            _wait_until(partial(_answers, running, "sk-ann", 200))


def test_keys_that_do_not_exist_make_few_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    readings: list[float] = []
    version = Database.keys_version

    def count(self: Database) -> str:
        readings.append(time.monotonic())
        return version(self)

    monkeypatch.setattr(Database, "keys_version", count)
    with _gateways(url, make_emulator(), key_refresh_interval=30) as (running, _):
        readings.clear()
        began = time.monotonic()
        seen: list[int] = []

        def knock() -> None:
            seen.extend(_status(running, f"sk-{number}") for number in range(10))

        threads = [threading.Thread(target=knock) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [401] * 50
        assert len(readings) <= (time.monotonic() - began) / 0.05 + 4
