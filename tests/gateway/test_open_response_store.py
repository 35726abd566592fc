"""Records of open responses: one of all who try closes a record, and one at a time polls for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from azure_responses.gateway.database import open_database
from azure_responses.gateway.due_records import MemoryRecords
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.open_response_store import OpenResponseStore, RedisOpenResponses
from azure_responses.gateway.open_response_table import DatabaseOpenResponses
from azure_responses.gateway.spend import Spent
from azure_responses.store.connection import read_address
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

OPENED = OpenResponse(
    id="resp_1",
    label="resp_azr1_1",
    resource="00112233",
    key_id="key_1",
    end_user="ann",
    model="gpt",
    day=20_000,
    held=7,
    created=1000.0,
    due=1030.0,
    headers={"x-ms-region": "eu"},
)
KINDS = ("memory", "redis", "sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[OpenResponseStore]]:
    """The stores of two replicas; in memory both are the same."""
    kind, databases = request.param, []
    if kind == "memory":
        memory: MemoryRecords[OpenResponse] = MemoryRecords()
        yield [memory, memory]
        return
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        address = read_address(server.url, timeout=5)
        yield [RedisOpenResponses(address, prefix=str(tmp_path)) for _ in range(2)]
        return
    url: Any = f"sqlite:///{tmp_path / 'open.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgresql")
    databases = [open_database(url) for _ in range(2)]
    yield [DatabaseOpenResponses(database) for database in databases]
    for database in databases:
        database.close()


def test_a_record_is_found_as_it_was_kept(stores: list[OpenResponseStore]) -> None:
    first, second = stores
    assert first.add(OPENED, {OPENED.spend_key: OPENED.opening_spent()})
    assert not second.add(OPENED, {OPENED.spend_key: OPENED.opening_spent()})
    assert second.find(["other/resp_1", OPENED.name]) == OPENED
    assert second.find(["other/resp_1"]) is None
    assert second.find([]) is None
    assert second.all() == [OPENED]


def test_one_of_many_who_try_at_once_closes_a_record(stores: list[OpenResponseStore]) -> None:
    rows = {OPENED.spend_key: Spent(cost=1)}
    for number in range(10):
        opened = replace(OPENED, id=f"resp_{number}")
        stores[0].add(opened, {opened.spend_key: opened.opening_spent()})

        def take(turn: int, opened: OpenResponse = opened) -> bool:
            return stores[turn % 2].take(opened, rows)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(take, range(8))) == 1
        assert stores[1].find([opened.name]) is None
    assert stores[0].all() == []


def test_a_due_record_is_claimed_by_one_replica_until_its_time_is_over(
    stores: list[OpenResponseStore],
) -> None:
    first, second = stores
    first.add(OPENED, {OPENED.spend_key: OPENED.opening_spent()})
    assert first.claim(1029.0, 1149.0, 10) == []
    assert [one.name for one in first.claim(1030.0, 1150.0, 10)] == [OPENED.name]
    assert second.claim(1149.0, 1300.0, 10) == []
    assert [one.name for one in second.claim(1150.0, 1300.0, 10)] == [OPENED.name]


def test_a_postponed_record_is_due_later(stores: list[OpenResponseStore]) -> None:
    first, second = stores
    first.add(OPENED, {OPENED.spend_key: OPENED.opening_spent()})
    first.postpone(OPENED.postponed(2000.0))
    assert second.claim(1999.0, 3000.0, 10) == []
    assert [one.due for one in second.claim(2000.0, 3000.0, 10)] == [2000.0]


def test_what_was_closed_does_not_come_back_by_being_postponed(
    stores: list[OpenResponseStore],
) -> None:
    first, second = stores
    first.add(OPENED, {OPENED.spend_key: OPENED.opening_spent()})
    assert second.take(OPENED, {OPENED.spend_key: Spent(cost=1)})
    first.postpone(OPENED.postponed(2000.0))
    assert first.all() == []
    assert first.claim(9999.0, 99_999.0, 10) == []


def test_no_more_are_claimed_than_asked_for_and_the_longest_due_first(
    stores: list[OpenResponseStore],
) -> None:
    for number in range(5):
        opened = replace(OPENED, id=f"resp_{number}", due=1000.0 + number)
        stores[0].add(opened, {opened.spend_key: opened.opening_spent()})
    assert [one.id for one in stores[1].claim(2000.0, 3000.0, 2)] == ["resp_0", "resp_1"]
    assert [one.id for one in stores[1].claim(2000.0, 3000.0, 9)] == ["resp_2", "resp_3", "resp_4"]


def test_a_database_counts_with_the_record(database_url: str) -> None:
    database = open_database(database_url)
    store = DatabaseOpenResponses(database)
    key = OPENED.spend_key
    store.add(OPENED, {key: OPENED.opening_spent()})
    store.add(OPENED, {key: OPENED.opening_spent()})
    assert database.totals()[key] == Spent(calls=1, unpriced=1)
    assert database.daily_costs() == [("key_1", 20_000, 7)]
    closing = Spent(cost=3, unpriced=-1, input_tokens=5, held=-7)
    assert store.take(OPENED, {key: closing})
    assert not store.take(OPENED, {key: closing})
    assert database.totals()[key] == Spent(cost=3, calls=1, input_tokens=5)
    assert database.daily_costs() == [("key_1", 20_000, 3)]
    database.close()


def test_the_oldest_records_in_memory_go_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azure_responses.gateway.due_records._MOST_RECORDS", 2)
    store: MemoryRecords[OpenResponse] = MemoryRecords()
    for number in range(3):
        store.add(replace(OPENED, id=f"resp_{number}"), {})
    assert [one.id for one in store.all()] == ["resp_1", "resp_2"]
