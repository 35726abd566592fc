"""A container is paid for once an hour, by one call."""

from decimal import Decimal
from typing import Any

import pytest

from azure_responses.pricing import Ledger, PriceBook, price_storage
from azure_responses.pricing.sessions import ContainerSessions
from azure_responses.pricing.use import Use, read_use

SESSION = Decimal("0.033")
GB = 2**30
DAY = 86_400


def container(**more: Any) -> dict[str, Any]:
    return {"id": "cntr_1", "object": "container", "created_at": 1000, "status": "running", **more}


def ran_in(name: str, at: float | None, call: str | None = "resp_1") -> Use:
    item = {"type": "code_interpreter_call", "container_id": name, "status": "completed"}
    body = {"id": call, "model": "gpt-5-mini", "created_at": at, "output": [item]}
    return read_use({**body, "usage": {"input_tokens": 0, "output_tokens": 0}})


@pytest.mark.parametrize("limit", [None, "1g"])
def test_making_a_container_costs_a_session(limit: str | None) -> None:
    cost = PriceBook().cost(container(memory_limit=limit))
    assert cost is not None
    assert cost.total == cost.tools == SESSION


def test_a_larger_container_has_no_listed_price() -> None:
    assert PriceBook().cost(container(memory_limit="4g")) is None


def test_a_container_without_an_id_or_a_time_is_read_all_the_same() -> None:
    use = read_use({"object": "container", "id": 1, "created_at": "now"})
    assert (use.id, use.created_at, use.tools.containers) == (None, None, frozenset())


def test_code_that_runs_in_a_container_that_was_made_pays_no_second_session() -> None:
    ledger = Ledger()
    assert ledger.record(container()) == SESSION
    assert ledger.record(ran_in("cntr_1", 2000.0)) == 0
    assert ledger.record(ran_in("cntr_1", 4700.0, "resp_2")) == SESSION
    assert ledger.total == 2 * SESSION


def test_a_call_that_is_priced_again_pays_for_its_session_again() -> None:
    sessions = ContainerSessions()
    assert sessions.open(ran_in("cntr_1", 1000.0)) == []
    assert sessions.paid(ran_in("cntr_1", 1000.0)) == []
    assert sessions.open(ran_in("cntr_1", 1000.0)) == []
    assert sessions.open(ran_in("cntr_1", 1500.0, "resp_2")) == ["cntr_1"]
    assert sessions.open(ran_in("cntr_1", 1500.0, None)) == ["cntr_1"]
    assert sessions.open(ran_in("cntr_1", 4600.0, "resp_3")) == []
    assert sessions.paid(ran_in("cntr_1", 4700.0, "resp_4")) == ["cntr_1"]


def test_a_call_without_a_time_or_a_container_is_in_no_session() -> None:
    sessions = ContainerSessions()
    for use in (ran_in("cntr_1", None), read_use({"id": "resp_1", "created_at": 1.0})):
        assert sessions.open(use) == []
        assert sessions.paid(use) == []
    assert sessions.paid(ran_in("cntr_1", 10.0)) == []


def test_the_oldest_sessions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_responses.pricing.sessions._MOST_CONTAINERS", 2)
    sessions = ContainerSessions()
    for number in range(3):
        sessions.open(ran_in(f"cntr_{number}", 1000.0, f"resp_{number}"))
    known = [bool(sessions.paid(ran_in(f"cntr_{number}", 1001.0, "resp"))) for number in range(3)]
    assert known == [False, True, True]


def test_stores_cost_by_what_they_hold_beyond_the_first_gigabyte() -> None:
    assert price_storage(GB, 30 * DAY) == 0
    assert price_storage(0, DAY) == 0
    assert price_storage(2 * GB, DAY) == Decimal("0.1")
    assert price_storage(11 * GB, 30 * DAY) == 30
    assert price_storage(GB, DAY, free=0) == Decimal("0.1")
    half_a_day = price_storage(2 * GB, DAY / 2)
    assert half_a_day == Decimal("0.05")


def test_the_price_of_storage_can_be_set() -> None:
    book = PriceBook()
    book.register_tool("vector_storage", "0.2")
    assert book.price_storage(2 * GB, DAY) == Decimal("0.2")
    book = PriceBook()
    book.register_discount("0.5", tool="vector_storage")
    assert book.price_storage(2 * GB, DAY) == Decimal("0.05")


def test_storage_without_a_price_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_responses.pricing.book.STORAGE", "unknown")
    assert PriceBook().price_storage(2 * GB, DAY) is None


def test_a_use_is_the_same_in_a_container_of_another_name() -> None:
    use = ran_in("cntr_1", 1000.0)
    assert use.in_container("cntr_2") == ran_in("cntr_2", 1000.0)
