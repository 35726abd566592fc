"""Recorded replies cost what LiteLLM says, but for what Azure bills and LiteLLM does not."""

import pytest

from tests.pricing.agreement import Comparison, compare, report


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return compare()


def test_every_difference_from_litellm_has_its_reason(comparisons: list[Comparison]) -> None:
    print(report(comparisons))
    both = [row for row in comparisons if row.ours is not None and row.theirs is not None]
    assert len(both) > 380
    unexplained = [row for row in both if abs(row.difference - float(row.expected)) > 1e-9]
    assert unexplained == []


def test_what_litellm_prices_we_price(comparisons: list[Comparison]) -> None:
    assert [row for row in comparisons if row.ours is None and row.theirs is not None] == []


def test_most_replies_cost_the_same_to_the_cent_fraction(comparisons: list[Comparison]) -> None:
    both = [row for row in comparisons if row.ours is not None and row.theirs is not None]
    same = [row for row in both if not row.reasons]
    assert len(same) > 0.9 * len(both)
