import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.pricing.bill import (
    TOOLS,
    Cost,
    TokenCost,
    UnpriceableError,
    charge_routing,
    charge_tokens,
    charge_tools,
    price_images,
    price_tokens,
)
from azure_responses.pricing.prices import Catalogue, ImagePrice, Price
from azure_responses.pricing.terms import Terms
from azure_responses.pricing.use import ImageTokens, Tokens, ToolUse

_PRICE = Price(Decimal(4), Decimal(20), Decimal("0.4"), Decimal(5))


def test_every_kind_of_token_has_its_price() -> None:
    cost = price_tokens(
        Tokens(input=1000, cached=300, cache_write=200, output=50, reasoning=20), _PRICE
    )
    assert cost.input == Decimal("0.003")  # 500 x $4 / 1M + 200 x $5 / 1M
    assert cost.cache_write == Decimal("0.001")  # 200 x $5 / 1M
    assert cost.cached_input == Decimal("0.00012")  # 300 x $0.40 / 1M
    assert cost.output == Decimal("0.001")  # 50 x $20 / 1M
    assert cost.reasoning == Decimal("0.0004")  # 20 of them x $20 / 1M


def test_without_a_price_of_their_own_cached_and_written_tokens_are_input() -> None:
    price = Price(Decimal(4), Decimal(20))
    cost = price_tokens(Tokens(input=1000, cached=300, cache_write=200), price)
    assert cost.input + cost.cached_input == Decimal("0.004")


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(input=10, cached=11),
        Tokens(input=10, cached=6, cache_write=5),
        Tokens(output=5, reasoning=6),
    ],
)
def test_counts_that_contradict_each_other_have_no_price(tokens: Tokens) -> None:
    with pytest.raises(UnpriceableError, match="exceed the whole: Tokens") as caught:
        price_tokens(tokens, _PRICE)
    assert caught.value.subject == "token counts"


_COUNT = st.integers(min_value=0, max_value=2_000_000)


@given(plain=_COUNT, cached=_COUNT, write=_COUNT, output=_COUNT)
def test_a_cost_is_the_sum_of_its_parts(plain: int, cached: int, write: int, output: int) -> None:
    cost = price_tokens(Tokens(plain + cached + write, cached, write, output), _PRICE)
    expected = plain * 4 + cached * Decimal("0.4") + write * 5 + output * 20
    assert (cost.input + cost.cached_input + cost.output) * 1_000_000 == expected


_IMAGE = ImagePrice(
    text_input=Decimal(5),
    image_input=Decimal(10),
    cached_text_input=Decimal("1.25"),
    cached_image_input=Decimal("2.5"),
    image_output=Decimal(40),
)
_TOKENS = ImageTokens(
    text_input=100,
    image_input=200,
    cached_text_input=20,
    cached_image_input=40,
    text_output=10,
    image_output=1000,
)


def test_images_are_priced_by_what_their_tokens_encode() -> None:
    # 80 x $5 + 20 x $1.25 + 160 x $10 + 40 x $2.50 + 1000 x $40 + 10 x $40, a million
    assert price_images(_TOKENS, _IMAGE) == Decimal("0.042525")


def test_text_that_an_image_model_writes_may_have_a_price_of_its_own() -> None:
    price = replace(_IMAGE, text_output=Decimal(10))
    assert price_images(ImageTokens(text_output=10), price) == Decimal("0.0001")  # 10 x $10 / 1M


def test_a_cost_goes_to_json_exactly() -> None:
    cost = Cost(
        total=Decimal("0.00000012"),
        input=Decimal("0E-9"),
        cached_input=Decimal(0),
        output=Decimal("1.50"),
        reasoning=Decimal(0),
        tools=Decimal(10),
        currency="USD",
        priced_as="gpt (us, standard)",
        unpriced=("image_generation",),
    )
    dumped = json.loads(json.dumps(cost.to_dict()))
    assert dumped["total"] == "0.00000012"
    assert dumped["input"] == "0"
    assert dumped["output"] == "1.5"
    assert dumped["tools"] == "10"
    assert dumped["unpriced"] == ["image_generation"]
    assert not cost.is_provisioned


_TERMS = Terms(("gpt-5.1",), "global", "standard")


def test_provisioned_tokens_are_free_whatever_they_are() -> None:
    terms = Terms((), "global", "standard", is_provisioned=True)
    cost = charge_tokens(Tokens(input=10, audio=5), terms, None, Catalogue())
    assert cost == TokenCost()


def test_a_model_not_found_is_not_priced() -> None:
    with pytest.raises(UnpriceableError, match="register") as caught:
        charge_tokens(Tokens(input=10), _TERMS, None, Catalogue())
    assert caught.value.subject == "gpt-5.1"


def test_the_size_of_the_price_is_told() -> None:
    terms = Terms(("gpt-5.4",), "us", "standard")
    assert charge_tokens(Tokens(input=300_000), terms, "gpt-5.4", Catalogue()).above == 272_000
    assert charge_tokens(Tokens(input=10), terms, "gpt-5.4", Catalogue()).above == 0


def test_routing_is_charged_on_every_input_token() -> None:
    routed = Terms(("gpt-5.1",), "us", "priority", is_routed=True)
    tokens = Tokens(input=1000, cached=900)
    assert charge_routing(tokens, routed, Catalogue()) == Decimal("0.00014")
    assert charge_routing(tokens, _TERMS, Catalogue()) == 0


def test_every_tool_priced_by_the_use_has_a_listed_price() -> None:
    catalogue = Catalogue()
    assert [tool for tool in TOOLS if catalogue.find_tool(tool, None) is None] == []


def test_tools_are_summed() -> None:
    tools = ToolUse(
        {"web_search": 2, "file_search": 4}, containers=frozenset({"a", "b"}), sessions=1
    )
    amount, unpriced = charge_tools(tools, "gpt-5.1", None, ["b"], Catalogue())
    assert amount == 2 * Decimal("0.014") + 4 * Decimal("0.0025") + 2 * Decimal("0.033")
    assert unpriced == ()


@pytest.mark.parametrize(
    ("tools", "image_model"),
    [
        (ToolUse(images=1), "gpt-image-1"),
        (ToolUse(images=1, image_tokens=ImageTokens(image_output=5)), None),
        (ToolUse(images=1, image_tokens=ImageTokens(image_output=5)), "unheard-of"),
    ],
)
def test_an_image_needs_its_model_and_its_tokens(tools: ToolUse, image_model: str | None) -> None:
    assert charge_tools(tools, "gpt-5.1", image_model, (), Catalogue()) == (
        Decimal(0),
        ("image_generation",),
    )


def test_the_image_model_said_wins_over_the_one_the_tool_names() -> None:
    tools = ToolUse(image_tokens=ImageTokens(image_output=1000), image_model="gpt-image-1")
    amount, _ = charge_tools(tools, None, "gpt-image-1-mini", (), Catalogue())
    assert amount == Decimal("0.008")
    assert charge_tools(tools, None, None, (), Catalogue()) == (Decimal("0.04"), ())
