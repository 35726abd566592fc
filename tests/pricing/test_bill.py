import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.pricing.bill import (
    Cost,
    UnpriceableError,
    price_images,
    price_tokens,
)
from azure_responses.pricing.price import Price
from azure_responses.pricing.price_table import ImagePrice
from azure_responses.pricing.tool_use import ImageTokens
from azure_responses.pricing.use import Tokens

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
