"""Deployments, and groups of them drawn by weight."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.deployment import Group, Tier, random_numbers
from tests.routing.fleet import deployment


def test_the_name_at_azure_is_the_rows_or_the_one_asked_for() -> None:
    assert deployment("a", model="gpt-5").name_for("gpt") == "gpt-5"
    assert deployment("a", model="*").name_for("o3") == "o3"


def test_a_repr_shows_no_connection() -> None:
    assert "sk-secret" not in repr(deployment("a", connection={"api_key": "sk-secret"}))


def test_random_numbers_spread_evenly() -> None:
    luck = random_numbers(0.25)
    drawn = [next(luck) for _ in range(4000)]
    assert all(0.0 <= chance < 1.0 for chance in drawn)
    tenths = Counter(int(chance * 10) for chance in drawn)
    assert min(tenths.values()) > 300


@pytest.mark.parametrize("salt", [0, 0x9E3779B97F4A7C15])
def test_a_random_number_does_not_follow_from_the_one_it_is_made_of(salt: int) -> None:
    seconds: dict[int, Counter[int]] = {}
    for step in range(9000):
        second = next(random_numbers(step / 9000, salt))
        seconds.setdefault(int(step / 9000 * 3), Counter())[int(second * 3)] += 1
    assert all(min(counts.values()) > 800 for counts in seconds.values())


@given(st.floats(0, 1, exclude_max=True), st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_every_chance_falls_on_a_deployment(chance: float, weights: list[float]) -> None:
    rows = [deployment(str(n), weight=weight) for n, weight in enumerate(weights)]
    assert Tier(1, rows, is_pinned=False).at(chance) in rows


def test_shares_are_those_of_the_weights() -> None:
    tier = Tier(1, [deployment("a", weight=1.0), deployment("b", weight=3.0)], is_pinned=False)
    drawn = Counter(tier.at(step / 1000).id for step in range(1000))
    assert drawn == {"a": 250, "b": 750}


def test_a_row_without_weight_takes_pinned_calls_only() -> None:
    rows = [deployment("a", weight=0.0)]
    assert Group("gpt", rows).tiers == ()
    pinned = Group("gpt", rows, is_pinned=True)
    assert pinned.tiers[0].at(0.5) is rows[0]


def test_the_lowest_order_comes_first() -> None:
    group = Group("gpt", [deployment("a", order=2), deployment("b", order=1)])
    assert [tier.order for tier in group.tiers] == [1, 2]


def test_context_windows_are_known_as_far_as_rows_say() -> None:
    some = Group("gpt", [deployment("a", max_input_tokens=10), deployment("b")])
    assert (some.smallest_window, some.largest_window) == (10, None)
    assert some.is_uneven(11)
    assert not some.is_too_small(10**9)
    both = Group("gpt", [deployment(n, max_input_tokens=s) for n, s in (("a", 10), ("b", 20))])
    assert both.is_too_small(21)
    assert not both.is_uneven(10)
    assert not Group("gpt", [deployment("a")]).is_uneven(10**9)
