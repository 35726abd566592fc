import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.errors import InternalServerError
from azure_responses.gateway.call_log import describe_call, format_line
from azure_responses.gateway.key_table import MASTER, ApiCaller
from azure_responses.gateway.spend import PICO, day_of, spent_by, to_pico
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.pricing import Ledger
from azure_responses.pricing.use import Tokens, Use, read_use

_STARTED = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC).timestamp()
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-2025-08-07",
    "status": "completed",
    "safety_identifier": "alice",
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 8},
        "total_tokens": 120,
    },
}
_USE = read_use(_RESPONSE)


def _call(**fields: Any) -> CallSummary:
    defaults = {"call_id": "c1", "operation": "create", "group": "gpt", "started_at": _STARTED}
    call = CallSummary(**{**defaults, **fields})
    call.price()
    return call


def test_a_call_is_counted_under_its_key_end_user_model_and_day() -> None:
    call = _call(use=_USE, cost=Decimal("0.0123"), latency=2.0)
    key, spent = spent_by(MASTER, call)
    assert (key.key_id, key.end_user, key.model) == ("master", "alice", "gpt")
    assert key.day == day_of(_STARTED) + 1
    assert (spent.cost, spent.calls, spent.failed, spent.unpriced) == (
        to_pico(Decimal("0.0123")),
        1,
        0,
        0,
    )
    assert (spent.input_tokens, spent.cached_tokens) == (100, 40)
    assert (spent.output_tokens, spent.reasoning_tokens) == (20, 8)


def test_what_a_result_used_and_cost_is_worked_out_once() -> None:
    call = _call(result=_RESPONSE, deployment="gpt-5")
    use, cost = call.use, call.cost
    assert use is not None
    assert use.tokens == _USE.tokens
    assert cost is not None
    assert cost > 0
    assert call.price() is cost
    assert call.use is use
    assert call.total_tokens == 120
    assert (_call().use, _call().cost, _call().total_tokens) == (None, None, None)


def test_an_operation_that_is_not_billed_costs_nothing() -> None:
    call = _call(result=_RESPONSE, deployment="gpt-5", operation="retrieve")
    assert (call.cost, call.use is None) == (None, False)


def test_a_call_without_a_price_and_one_without_a_result_are_told_apart() -> None:
    _, spent = spent_by(MASTER, _call(use=_USE))
    assert (spent.cost, spent.failed, spent.unpriced) == (0, 0, 1)
    _, spent = spent_by(MASTER, _call(error=ValueError(), status=429))
    assert (spent.calls, spent.failed, spent.unpriced, spent.input_tokens) == (1, 1, 0, 0)


def test_what_is_held_counts_only_where_the_cost_is_not_known() -> None:
    assert spent_by(MASTER, _call(), held=7)[1].held == 7
    assert spent_by(MASTER, _call(use=_USE, cost=Decimal(1)), held=7)[1].held == 0


def test_a_key_s_own_end_user_stands_in_for_one_that_is_not_named() -> None:
    caller = ApiCaller(key_id="k", end_user="team")
    assert spent_by(caller, _call(use=_USE))[0].end_user == "alice"
    assert describe_call(caller, _call())["end_user"] == "team"
    assert describe_call(caller, _call(end_user="bob"))["end_user"] == "bob"


def test_a_line_is_what_the_ledger_reads() -> None:
    call = _call(use=_USE, cost=Decimal("0.0123"), deployment="row-1")
    line = json.loads(format_line(describe_call(MASTER, call)))
    ledger = Ledger()
    assert ledger.record(line) == Decimal("0.0123")
    (row,) = ledger.rows()
    assert (row.end_user, row.deployment, row.calls) == ("alice", "row-1", 1)
    assert (row.input_tokens, row.output_tokens) == (100, 20)


def test_a_line_says_what_only_a_gateway_knows() -> None:
    error = InternalServerError("No.", status_code=503, code="x")
    call = _call(deployment="row-1", status=503, error=error, latency=1.25, attempts=3)
    record = describe_call(MASTER, call)
    assert record["record"] == "azure_responses.operation"
    assert (record["key_id"], record["key_name"], record["call_id"]) == ("master", "master", "c1")
    assert (record["http_status"], record["error"], record["latency"]) == (503, "x", 1.25)
    assert (record["model_group"], record["attempts"]) == ("gpt", 3)
    assert record["time"] == "2026-11-21T23:59:59+00:00"
    assert (record["operation"], record["call_type"]) == ("create", "responses")
    chat = describe_call(MASTER, _call(operation="chat"))
    assert (chat["operation"], chat["call_type"]) == ("create", "chat_completions")


def test_a_line_is_one_line_whatever_stands_in_it() -> None:
    line = format_line(describe_call(MASTER, _call(end_user="a\n\ud800\u2028")))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line)["end_user"] == "a\n\ud800\u2028"


@pytest.mark.parametrize(
    ("cost", "tokens", "counted"),
    [(Decimal(-1), -5, (0, 0)), (Decimal("1e30"), 10**30, (100_000 * PICO, 2**40))],
)
def test_numbers_out_of_all_reason_cannot_spoil_a_total(
    cost: Decimal, tokens: int, counted: tuple[int, int]
) -> None:
    call = _call(use=Use(tokens=Tokens(input=tokens)), cost=cost)
    _, spent = spent_by(MASTER, call)
    assert (spent.cost, spent.input_tokens) == counted


def test_a_line_shortens_what_callers_and_replies_name() -> None:
    long = "x" * 100_000
    result = {**_RESPONSE, "id": long, "model": long, "safety_identifier": None}
    error = InternalServerError("No.", status_code=500, code=long, request_id=long)
    call = _call(result=result, group=long, end_user=long, error=error)
    line = format_line(describe_call(MASTER, call))
    assert len(line) < 4000
    described = json.loads(line)
    for name in ("id", "model", "model_group", "end_user", "error", "request_id"):
        assert (len(described[name]), described[name][:3]) == (200, "xxx")
