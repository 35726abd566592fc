import asyncio
import json
import threading
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.pricing.book import PriceBook
from azure_responses.pricing.ledger import Ledger, LedgerRow
from azure_responses.pricing.use import to_record
from azure_responses.types.chat import ChatCompletion
from tests.pricing.bodies import body, reply, spilled, usage

D = Decimal
_COST = D("0.00225")  # 1000 x $1.25 / 1M + 100 x $10 / 1M


def _numbered(number: int, **fields: Any) -> dict[str, Any]:
    return body(**fields) | {"id": f"resp_{number}"}


def test_calls_are_totalled_by_end_user_model_and_deployment() -> None:
    ledger = Ledger(PriceBook())
    used = usage(1000, cached=400, write=0, output=100, reasoning=60)
    ledger.record(_numbered(1, used=used, user="ann"), deployment="prod")
    ledger.record(_numbered(2, used=used, user="ann"), deployment="prod")
    ledger.record(_numbered(3, used=used, user="bob"), deployment="prod")
    ledger.record(_numbered(4, used=used, model="gpt-5-mini"), end_user="bob")
    ann, bob, mini = ledger.rows()
    once = (D(600) * D("1.25") + D(400) * D("0.125") + D(100) * 10) / 10**6
    assert ann == LedgerRow("ann", "gpt-5.1", "prod", 2, 0, 2000, 800, 0, 200, 120, 2 * once)
    assert (bob.end_user, bob.calls, bob.cost) == ("bob", 1, once)
    assert (mini.end_user, mini.model, mini.deployment) == ("bob", "gpt-5-mini", None)
    assert ledger.total == sum(row.cost for row in ledger.rows())


def test_rows_are_grouped_by_the_columns_asked_for_dearest_first() -> None:
    ledger = Ledger(PriceBook())
    for number, (user, model) in enumerate([("a", "gpt-5-mini"), ("b", "gpt-5.1"), ("b", "gpt-5")]):
        ledger.record(_numbered(number, model=model, user=user))
    assert [(row.end_user, row.model, row.calls) for row in ledger.rows(["end_user"])] == [
        ("b", None, 2),
        ("a", None, 1),
    ]
    (whole,) = ledger.rows([])
    assert (whole.end_user, whole.calls, whole.cost) == (None, 3, ledger.total)


def test_an_empty_ledger_has_no_rows_and_costs_nothing() -> None:
    ledger = Ledger()
    assert ledger.rows() == []
    assert ledger.total == 0


def test_a_response_counts_once_in_whatever_form_it_comes() -> None:
    ledger = Ledger(PriceBook())
    completion = ChatCompletion.model_validate(
        {"id": "resp_1", "model": "gpt-5.1", "usage": {"prompt_tokens": 1000}}
    )
    first = ledger.record(body())
    for again in (reply(), completion, {"type": "response.completed", "response": body()}):
        ledger.record(again)
    assert first == _COST
    assert ledger.total == _COST
    assert ledger.rows([])[0].calls == 1


def test_what_has_no_id_counts_each_time() -> None:
    ledger = Ledger(PriceBook())
    for _ in range(2):
        ledger.record(body() | {"id": None})
    assert ledger.rows([])[0].calls == 2


def test_an_id_is_forgotten_after_so_many_others() -> None:
    ledger = Ledger(PriceBook(), remember=2)
    for number in (1, 2, 3, 3, 2, 1):
        ledger.record(_numbered(number))
    assert ledger.rows([])[0].calls == 4


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_unfinished_response_counts_when_it_is_done(status: str) -> None:
    ledger = Ledger(PriceBook())
    assert ledger.record(body(status=status) | {"usage": None}) is None
    assert ledger.rows() == []
    ledger.record(body())
    assert ledger.total == _COST


def test_a_call_without_a_known_cost_is_counted_as_such() -> None:
    ledger = Ledger(PriceBook())
    assert ledger.record(_numbered(1, model="gpt-99")) is None
    ledger.record(_numbered(2, status="failed") | {"usage": None})
    image = [{"type": "image_generation_call"}]
    assert ledger.record(_numbered(3, output=image)) == _COST
    (whole,) = ledger.rows([])
    assert (whole.calls, whole.unpriced, whole.cost) == (3, 3, _COST)


def test_a_cost_that_is_given_wins_then_that_of_a_log_record() -> None:
    ledger = Ledger(PriceBook())
    record = to_record(body("gpt-99"), cost=D(2))
    assert ledger.record(_numbered(1), cost=D(5)) == 5
    assert ledger.record(record | {"id": "resp_2"}) == 2
    assert ledger.total == 7
    assert ledger.rows([])[0].unpriced == 0


def test_what_is_known_of_a_call_is_passed_on() -> None:
    ledger = Ledger(PriceBook())
    cost = ledger.record(body("x", usage(1000)), base_model="gpt-5.1", zone="us")
    assert cost == D("0.001375")


def test_what_spilled_over_is_the_cost_of_the_deployment_it_went_to() -> None:
    book = PriceBook()
    book.register_deployment("ptu", provisioned=True)
    ledger = Ledger(book)
    ledger.record(spilled(), deployment="ptu")
    (row,) = ledger.rows()
    assert (row.deployment, row.cost) == ("overflow", _COST)


def _with_code(number: int, at: float | None) -> dict[str, Any]:
    items = [{"type": "code_interpreter_call", "container_id": "cntr_1"}]
    return _numbered(number, used=usage(0), output=items, created_at=at)


@pytest.mark.parametrize(
    ("times", "sessions"),
    [
        ([0.5, 100, 3599], 1),
        ([0.5, 3600.5], 2),
        ([0.5, 3000, 4000, 7000, 8000], 3),
        ([None, None], 2),
        ([7000, 5000], 1),
    ],
)
def test_a_container_is_paid_for_once_an_hour(times: list[float | None], sessions: int) -> None:
    ledger = Ledger(PriceBook())
    for number, at in enumerate(times):
        ledger.record(_with_code(number, at))
    assert ledger.total == sessions * D("0.033")


def test_a_response_recorded_again_opens_no_session() -> None:
    ledger = Ledger(PriceBook())
    ledger.record(_with_code(1, 100))
    ledger.record(_with_code(1, 9000))
    assert ledger.record(_with_code(2, 3000)) == 0


def test_draining_starts_again_from_nothing() -> None:
    ledger = Ledger(PriceBook())
    ledger.record(_numbered(1))
    (row,) = ledger.drain(["model"])
    assert row.cost == _COST
    assert ledger.rows() == []
    ledger.record(_numbered(1))
    assert ledger.rows() == []


def test_an_export_is_json_with_exact_sums() -> None:
    ledger = Ledger(PriceBook())
    ledger.record(body("gpt-5-nano", usage(1), user="u"))
    (row,) = json.loads(json.dumps(ledger.export(["end_user"])))
    assert row["end_user"] == "u"
    assert row["model"] is None
    assert row["cost"] == "0.00000005"  # 1 x $0.05 / 1M


def test_threads_lose_no_call() -> None:
    ledger = Ledger(PriceBook())

    def record(thread: int) -> None:
        for number in range(200):
            ledger.record(_numbered(number + 200 * thread, user=f"u{number % 7}"))

    threads = [threading.Thread(target=record, args=(thread,)) for thread in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.rows([])[0].calls == 1000
    assert ledger.total == 1000 * _COST


def test_tasks_lose_no_call() -> None:
    ledger = Ledger(PriceBook())

    async def record(number: int) -> None:
        await asyncio.sleep(0)
        ledger.record(_numbered(number))

    async def record_all() -> None:
        await asyncio.gather(*(record(number) for number in range(100)))

    asyncio.run(record_all())
    assert ledger.total == 100 * _COST


def test_threads_pay_once_for_a_container_they_share() -> None:
    ledger = Ledger(PriceBook())
    threads = [
        threading.Thread(target=ledger.record, args=(_with_code(number, 100),))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.total == D("0.033")
