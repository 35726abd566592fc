from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.spend import PICO, show_dollars, to_dollars, to_pico


def test_a_dollar_is_a_million_millionths_of_a_million() -> None:
    assert to_pico(Decimal(1)) == PICO
    assert to_dollars(PICO) == 1


@given(st.lists(st.decimals(0, 1000, places=12), max_size=50))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    assert to_dollars(sum(map(to_pico, amounts))) == sum(amounts, Decimal(0))


def test_the_cheapest_token_is_not_rounded_away() -> None:
    # 0.005 USD for a million cached tokens.
    assert to_pico(Decimal("0.005") / 1_000_000) == 5_000


def test_what_is_finer_is_rounded_half_to_even() -> None:
    assert to_pico(Decimal("0.0000000000005")) == 0
    assert to_pico(Decimal("0.0000000000015")) == 2


@pytest.mark.parametrize(
    ("dollars", "digits", "shown"),
    [
        ("0", 2, "0.00"),
        ("50", 2, "50.00"),
        ("0.001", 2, "0.001"),
        ("0.0000001", 2, "0.0000001"),
        ("0.25", 6, "0.250000"),
        ("0.000000000001", 6, "0.000000000001"),
        ("9000000.5", 2, "9000000.50"),
    ],
)
def test_an_amount_is_never_shown_as_nothing(dollars: str, digits: int, shown: str) -> None:
    assert show_dollars(to_pico(Decimal(dollars)), digits) == shown
