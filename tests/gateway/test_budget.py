from azure_responses.gateway.asgi_reply import ErrorResponse
from azure_responses.gateway.budget import Budgets, Hold
from azure_responses.gateway.key_table import MASTER, ApiCaller
from azure_responses.gateway.spend import DAY, PICO, SpendKey, SpendTotals, Spent

_DOLLAR = ApiCaller(key_id="k", budget=PICO)


def _spend(book: SpendTotals, cost: int, day: int = 0) -> None:
    book.add(SpendKey("k", "", "gpt", day), Spent(cost=cost))


def test_a_key_without_a_budget_is_never_held_up() -> None:
    assert Budgets(SpendTotals().spent).hold(MASTER, 10**18, 0.0) is None


def test_calls_at_once_cannot_all_spend_the_same_cent() -> None:
    budgets = Budgets(SpendTotals().spent)
    holds = [budgets.hold(_DOLLAR, PICO // 10, 0.0) for _ in range(100)]
    assert sum(isinstance(hold, Hold) for hold in holds) == 10


def test_what_a_call_did_not_need_lets_the_next_one_in() -> None:
    book = SpendTotals()
    budgets = Budgets(book.spent)
    first = budgets.hold(_DOLLAR, PICO, 0.0)
    assert isinstance(first, Hold)
    refused = budgets.hold(_DOLLAR, 1, 0.0)
    assert isinstance(refused, ErrorResponse)
    assert refused.retry_after == 1.0
    assert "x-should-retry" not in refused.headers
    _spend(book, PICO // 2)
    budgets.release(first)
    assert isinstance(budgets.hold(_DOLLAR, 1, 0.0), Hold)


def test_releasing_leaves_the_holds_of_others() -> None:
    budgets = Budgets(SpendTotals().spent)
    first, second = (budgets.hold(_DOLLAR, PICO // 2, 0.0) for _ in range(2))
    assert isinstance(first, Hold)
    assert isinstance(second, Hold)
    budgets.release(first)
    assert isinstance(budgets.hold(_DOLLAR, PICO // 2, 0.0), Hold)
    assert isinstance(budgets.hold(_DOLLAR, 1, 0.0), ErrorResponse)
    budgets.release(second)
    assert isinstance(budgets.hold(_DOLLAR, 1, 0.0), Hold)


def test_a_spent_budget_is_a_429_that_no_sdk_tries_again() -> None:
    book = SpendTotals()
    _spend(book, PICO)
    response = Budgets(book.spent).hold(_DOLLAR, 0, 0.0)
    assert isinstance(response, ErrorResponse)
    assert response.status == 429
    assert response.code == "budget_exceeded"
    assert response.headers == {"x-should-retry": "false"}
    assert "1.00 USD" in response.body["error"]["message"]


def test_another_status_can_be_chosen_as_litellm_has_it() -> None:
    book = SpendTotals()
    _spend(book, PICO)
    response = Budgets(book.spent, status=400).hold(_DOLLAR, 0, 0.0)
    assert isinstance(response, ErrorResponse)
    assert response.status == 400


def test_a_new_period_begins_with_nothing_spent() -> None:
    book = SpendTotals()
    caller = ApiCaller(key_id="k", budget=PICO, budget_period=7, created=0.0)
    budgets = Budgets(book.spent)
    _spend(book, PICO, day=6)
    response = budgets.hold(caller, 0, 6.5 * DAY)
    assert isinstance(response, ErrorResponse)
    assert response.retry_after == DAY / 2
    assert isinstance(budgets.hold(caller, 0, 7.0 * DAY), Hold)
