from decimal import Decimal
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.price import Price, read_amount


@pytest.mark.parametrize("value", [Decimal("0.1"), 0.1, "0.1"])
def test_an_amount_is_read_as_it_is_written(value: Any) -> None:
    assert read_amount(value, "input") == Decimal("0.1")


@pytest.mark.parametrize("value", ["a lot", "", -1, "NaN", "Infinity", None, True])
def test_what_is_no_sum_of_money_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="cached_input is"):
        read_amount(value, "cached_input")


def test_a_discount_lowers_every_price_there_is() -> None:
    half = Decimal("0.5")
    price = Price(Decimal(2), Decimal(8), Decimal(1), Decimal(3), above=10, source="a page")
    assert price.discount(half) == Price(
        Decimal(1), Decimal(4), half, Decimal("1.5"), above=10, source="a page"
    )


def test_a_discount_invents_no_price() -> None:
    price = Price(Decimal(2), Decimal(8)).discount(Decimal("0.5"))
    assert price.cached_input is None
    assert price.cache_write is None
