"""The short way to a price gives the same price as the long one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses import pricing
from azure_responses.openai_server import cost
from azure_responses.openai_server.cost import price, use_of
from azure_responses.pricing import Deployment, default_book
from azure_responses.pricing.use import Tokens, Use, read_use
from tests.benchmarks.bodies import make_response

MODELS = ("gpt-5-mini", "gpt-5.1", "gpt-4.1", "o1-pro", "gpt-5.4", "model-router")


def long_way(use: Use, deployment: str | None, base_model: str | None) -> Any:
    said = Deployment(base_model=base_model) if base_model else None
    found = default_book.price(use, deployment, said)
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
    found = price(use, deployment=model, base_model=base_model)
    assert found == long_way(use, model, base_model)


@pytest.mark.parametrize(
    "tokens", [Tokens(input=300_000, output=5), Tokens(input=5, cached=9), Tokens(input=5, audio=2)]
)
def test_unusual_calls_are_priced_by_the_book(tokens: Tokens) -> None:
    use = Use(model="gpt-5.4", tokens=tokens)
    found = price(use, deployment="gpt-5.4", base_model=None)
    assert found == long_way(use, "gpt-5.4", None)


def test_no_price_is_never_nothing() -> None:
    tokens = Tokens(input=1)
    assert price(Use(model="unheard-of", tokens=tokens), deployment="d", base_model=None) is None
    assert price(Use(model="gpt-5.1"), deployment="d", base_model=None) is None


def test_a_price_registered_later_is_used_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("azure_responses.openai_server.cost.time.monotonic", lambda: now[0])
    use = Use(model="my-own-model", tokens=Tokens(input=1_000_000 // 20))
    assert price(use, deployment="x", base_model=None) is None
    try:
        pricing.register("my-own-model", input=20, output=40)
        now[0] += 2.0
        assert price(use, deployment="x", base_model=None) == 1
    finally:
        pricing.clear()
        cost._rates.clear()


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
        {"tool_usage": cost._UNUSED[1]},
    ],
)
def test_what_was_used_is_read_alike_both_ways(changes: dict[str, Any]) -> None:
    body = make_response(**changes)
    found, expected = use_of(body, {}), read_use(body)
    assert found == expected
    spilled = use_of(body, HEADERS)
    assert (spilled.deployment, spilled.region) == ("spare", "East US 2")
    assert (spilled.is_spilled, spilled.spilled_from) == (True, "ptu")
    assert spilled.tokens == expected.tokens
