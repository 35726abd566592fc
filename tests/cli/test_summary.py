"""Tokens and cost in one line."""

from decimal import Decimal

import pytest

from azure_responses.cli.rendering import describe_cost, describe_tokens, summarise
from azure_responses.types.response import Response
from azure_responses.types.usage import InputTokensDetails, OutputTokensDetails, Usage


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (None, "price unknown"),
        (Decimal("0.0000125"), "$0.000012"),
        (Decimal("0.5"), "$0.500000"),
        (Decimal("1234.567"), "$1,234.57"),
        (Decimal(0), "$0.000000"),
        (Decimal("0.00000002"), "$0.00000002"),
    ],
)
def test_a_cost_is_shown_with_the_digits_it_needs(cost: Decimal | None, words: str) -> None:
    assert describe_cost(cost) == words


def test_tokens_are_shown_with_what_was_cached_or_thought() -> None:
    usage = Usage(
        input_tokens=1234,
        output_tokens=56,
        input_tokens_details=InputTokensDetails(cached_tokens=1000),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=40),
    )
    assert describe_tokens(usage) == (
        "1,234 input (1,000 cached) + 56 output (40 reasoning) tokens"
    )
    assert describe_tokens(Usage(input_tokens=1, output_tokens=2)) == "1 input + 2 output tokens"
    assert describe_tokens(None) == "tokens unknown"


def test_a_response_is_summed_up() -> None:
    response = Response(id="r", usage=Usage(input_tokens=1, output_tokens=2))
    response.attach({}, lambda _: Decimal("0.25"))
    assert summarise(response) == "1 input + 2 output tokens, $0.250000"
