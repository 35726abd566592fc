import pytest

from azure_responses.gateway.admission import Admission, Admitted
from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.budget import Budgets
from azure_responses.gateway.key_table import MASTER, ApiCaller
from azure_responses.gateway.spend import PICO, SpendTotals


def _admission() -> Admission:
    return Admission(Budgets(SpendTotals().spent))


def _admit(
    admission: Admission, caller: ApiCaller, *, tokens: int = 10, cost: int = 0, tick: float = 0.0
) -> Admitted | ErrorResponse:
    return admission.admit(caller, model="gpt", tokens=tokens, cost=cost, now=0.0, tick=tick)


def test_the_master_key_has_no_limits() -> None:
    admission = _admission()
    admitted = _admit(admission, MASTER, tokens=10**9, cost=10**18)
    assert isinstance(admitted, Admitted)
    admission.settle(admitted, tokens=5)
    admission.refund(admitted)
    assert isinstance(_admit(admission, MASTER, tokens=10**9), Admitted)


def test_a_model_the_key_is_not_for_is_refused_before_anything_is_counted() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", models=("other",), rpm=1)
    response = _admit(admission, caller)
    assert isinstance(response, ErrorResponse)
    assert response.status == 403
    assert isinstance(_admit(admission, ApiCaller(key_id="k", rpm=1)), Admitted)


def test_one_request_too_many_waits_for_the_first_to_be_a_minute_old() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", rpm=2)
    assert all(isinstance(_admit(admission, caller, tick=t), Admitted) for t in (0.0, 10.0))
    response = _admit(admission, caller, tick=20.0)
    assert isinstance(response, ErrorResponse)
    assert response.status == 429
    assert response.body["error"]["type"] == "requests"
    assert response.retry_after == 41.0
    assert isinstance(_admit(admission, caller, tick=20.0 + 41.0), Admitted)


def test_too_many_tokens_are_refused_until_others_turn_out_to_need_fewer() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", tpm=100, rpm=2)
    first = _admit(admission, caller, tokens=80)
    assert isinstance(first, Admitted)
    response = _admit(admission, caller, tokens=30)
    assert isinstance(response, ErrorResponse)
    assert response.body["error"]["type"] == "tokens"
    admission.settle(first, tokens=20)
    assert isinstance(_admit(admission, caller, tokens=81), ErrorResponse)
    assert isinstance(_admit(admission, caller, tokens=80), Admitted)
    response = _admit(admission, caller, tokens=0)
    assert isinstance(response, ErrorResponse)
    assert response.body["error"]["type"] == "requests"


def test_without_a_count_the_estimate_stands() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", tpm=100)
    admitted = _admit(admission, caller, tokens=80)
    assert isinstance(admitted, Admitted)
    admission.settle(admitted, tokens=None)
    assert isinstance(_admit(admission, caller, tokens=21), ErrorResponse)
    assert isinstance(_admit(admission, caller, tokens=20), Admitted)


def test_a_call_that_was_not_made_is_given_back_with_its_money() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", rpm=1, tpm=100, budget=PICO)
    admitted = _admit(admission, caller, cost=PICO)
    assert isinstance(admitted, Admitted)
    admission.refund(admitted)
    assert isinstance(_admit(admission, caller, tokens=100), Admitted)


def test_a_spent_budget_costs_no_request_of_the_minute() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", rpm=2, budget=PICO)
    held = _admit(admission, caller, cost=PICO)
    assert isinstance(held, Admitted)
    response = _admit(admission, caller)
    assert isinstance(response, ErrorResponse)
    assert response.code == "budget_exceeded"
    admission.settle(held, tokens=None)
    assert isinstance(_admit(admission, caller), Admitted)


def test_a_spent_budget_of_a_key_without_other_limits_is_refused_too() -> None:
    admission = _admission()
    caller = ApiCaller(key_id="k", budget=PICO)
    assert isinstance(_admit(admission, caller, cost=PICO), Admitted)
    assert isinstance(_admit(admission, caller), ErrorResponse)


def test_limits_that_were_changed_hold_at_once() -> None:
    admission = _admission()
    assert isinstance(_admit(admission, ApiCaller(key_id="k", rpm=1)), Admitted)
    assert isinstance(_admit(admission, ApiCaller(key_id="k", rpm=2)), Admitted)


def test_the_minutes_of_keys_long_unused_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_responses.gateway.admission._MOST_KEYS", 2)
    admission = _admission()
    first = _admit(admission, ApiCaller(key_id="0", rpm=1))
    for name in ("1", "2"):
        _admit(admission, ApiCaller(key_id=name, rpm=1))
    assert isinstance(first, Admitted)
    admission.settle(first, tokens=5)
    admission.refund(first)
    assert isinstance(_admit(admission, ApiCaller(key_id="0", rpm=1)), Admitted)
