"""The short way to a total gives the total of the long one."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.pricing import PriceBook, PricedDeployment
from azure_responses.pricing.use import NO_TOOLS, Tokens, ToolUse, Use, read_use
from tests.benchmarks.bodies import make_response

MODELS = ("gpt-5-mini", "gpt-5.1", "gpt-4.1", "o1-pro", "gpt-5.4", "model-router")


_BOOK = PriceBook()


def long_way(use: Use, deployment: str | None, base_model: str | None) -> Any:
    found = _BOOK.price(use, deployment, PricedDeployment(base_model=base_model))
    return None if found is None else found.total


@settings(deadline=None)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([None, "default", "flex", "priority"]),
    st.tuples(*[st.integers(0, 90_000)] * 4),
    st.sampled_from([None, "gpt-5.1"]),
)
def test_every_price_is_that_of_the_book(
    model: str, tier: str | None, counts: tuple[int, int, int, int], base_model: str | None
) -> None:
    given_, cached, written, made = counts
    cached = min(cached, given_)
    written = min(written, given_ - cached)
    tokens = Tokens(input=given_, cached=cached, cache_write=written, output=made)
    use = Use(model=model, tier=tier, tokens=tokens)
    assert _BOOK.total(use, model, base_model) == long_way(use, model, base_model)


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(input=300_000, output=5),
        Tokens(input=5, cached=9),
        Tokens(input=5, audio=2),
        Tokens(output=1, reasoning=2),
    ],
)
def test_unusual_calls_are_priced_in_full(tokens: Tokens) -> None:
    use = Use(model="gpt-5.4", tokens=tokens)
    assert _BOOK.total(use, "gpt-5.4") == long_way(use, "gpt-5.4", None)


def test_tools_are_in_the_total() -> None:
    use = Use(model="gpt-5.4", tokens=Tokens(input=1), tools=ToolUse({"web_search": 2}))
    assert _BOOK.total(use) == long_way(use, None, None)
    assert (_BOOK.total(use) or 0) > Decimal("0.02")


def test_provisioned_tokens_cost_nothing_more() -> None:
    book = PriceBook()
    book.register_deployment("ptu", base_model="gpt-5.1", provisioned=True)
    assert book.total(Use(model="gpt-5.1", tokens=Tokens(input=9)), "ptu") == 0


def test_no_price_is_never_nothing() -> None:
    assert _BOOK.total(Use(model="unheard-of", tokens=Tokens(input=1)), "d") is None
    assert _BOOK.total(Use(model="gpt-5.1"), "d") is None


def test_a_longer_input_has_its_own_price() -> None:
    book = PriceBook()
    book.register("mine", input=1, output=1)
    book.register("mine", input=2, output=2, above=100)
    totals = [book.total(Use(model="mine", tokens=Tokens(input=count))) for count in (100, 101)]
    assert totals == [Decimal("0.0001"), Decimal("0.000202")]


def test_what_is_registered_later_is_used_at_once() -> None:
    book = PriceBook()
    use = Use(model="mine", tokens=Tokens(input=1_000_000 // 20))
    assert book.total(use, "x") is None
    book.register("mine", input=20, output=40)
    assert book.total(use, "x") == 1
    book.clear()
    assert book.total(use, "x") is None
    listed = Use(model="gpt-5.1", tokens=Tokens(input=8))
    whole = book.total(listed)
    book.register_discount("0.5")
    assert book.total(listed) == (whole or 0) / 2


def test_the_rates_of_very_many_names_are_not_all_kept() -> None:
    book = PriceBook()
    for number in range(501):
        book.total(Use(model=f"gpt-{number}", tokens=Tokens(input=1)))
    assert len(book._rates) == 1


HEADERS = {
    "x-ms-region": "East US 2",
    "x-ms-deployment-name": "spare",
    "x-ms-spillover-from-deployment": "ptu",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"user": "u", "service_tier": "flex"},
        {"usage": None},
        {"usage": {"input_tokens": 5, "output_tokens": 7}},
        {"usage": {"input_tokens": 5, "output_tokens": "7"}},
        {"usage": {"input_tokens": 5, "output_tokens": 1, "input_tokens_details": []}},
        {
            "usage": {
                "input_tokens": 5,
                "output_tokens": 1,
                "input_tokens_details": {"audio_tokens": 3},
            }
        },
        {"tools": [{"type": "web_search"}], "output": [{"type": "web_search_call", "id": "ws_1"}]},
        {"output": [{"type": "code_interpreter_call", "container_id": "c"}]},
        {"output": ["odd"]},
        {"output": None},
        {"tool_usage": {"web_search": {"num_requests": 2}}},
        {"tool_usage": {"image_gen": {"total_tokens": 0}, "web_search": {"num_requests": 0}}},
    ],
)
def test_headers_change_only_who_served(changes: dict[str, Any]) -> None:
    body = make_response(**changes)
    plain, spilled = read_use(body), read_use(body, HEADERS)
    assert (spilled.deployment, spilled.region) == ("spare", "East US 2")
    assert (spilled.is_spilled, spilled.spilled_from) == (True, "ptu")
    assert (spilled.tokens, spilled.tools) == (plain.tokens, plain.tools)


def test_tools_that_were_not_used_are_no_use() -> None:
    report = {"image_gen": {"total_tokens": 0}, "web_search": {"num_requests": 0}}
    assert read_use(make_response(tool_usage=report)).tools is NO_TOOLS


@pytest.mark.parametrize("model", ["o1-pro", "gpt-5-mini"])
def test_no_tokens_cost_nothing_with_and_without_a_price(model: str) -> None:
    use = Use(model=model, tokens=Tokens())
    assert _BOOK.total(use, model) == long_way(use, model, None) == 0


def test_tokens_without_a_price_have_no_total() -> None:
    use = Use(model="o1-pro", tokens=Tokens(input=1))
    assert _BOOK.total(use, "o1-pro") is long_way(use, "o1-pro", None) is None
