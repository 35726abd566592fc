"""Which deployment first."""

from collections import Counter
from typing import get_args

import pytest

from azure_responses.routing.deployment import Group, IsFree
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import Outcome, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.strategies import (
    STRATEGIES,
    STRATEGY_ALIASES,
    RoutingContext,
    Strategy,
    StrategyName,
)
from tests.routing.fleet import ask, attempt, deployment, fleet, serve

_STRATEGIES: tuple[Strategy, ...] = tuple(STRATEGIES)


def _first(
    routing: DeploymentRegistry, now: float = 0.0, asked: RouteRequest | None = None
) -> Counter[str]:
    """Whom a thousand calls evenly spread over the jitter would be given to."""
    group = routing.groups["gpt"]
    choices = (
        RoutingContext(asked or ask(), routing.health.statuses, now, step / 1000)
        for step in range(1000)
    )
    return Counter(routing.strategy.choose(group, context)[0].id for context in choices)


def test_type_checkers_know_every_strategy_by_all_its_names() -> None:
    ours, litellms = get_args(StrategyName)
    assert get_args(ours) == get_args(Strategy) == tuple(STRATEGIES)
    assert set(get_args(litellms)) == set(STRATEGY_ALIASES)


@pytest.mark.parametrize("strategy", _STRATEGIES)
@pytest.mark.parametrize("count", [2, 8, 30])
def test_ties_are_broken_fairly(strategy: Strategy, count: int) -> None:
    routing = fleet(*map(str, range(count)), strategy=strategy)
    shares = _first(routing)
    assert len(shares) == count
    assert max(shares.values()) < 1.7 * 1000 / count
    assert min(shares.values()) > 0.4 * 1000 / count


@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_a_lower_order_comes_first_and_spills_over_when_it_is_not_free(strategy: Strategy) -> None:
    routing = fleet("a", deployment("b", order=2), strategy=strategy)
    assert _first(routing) == {"a": 1000}
    routing.health.limit("a", 5.0, 0.0)
    assert serve(routing, ask())[1] == ["b"]


def test_weighted_calls_are_shared_by_weight() -> None:
    routing = fleet(deployment("a", weight=1.0), deployment("b", weight=4.0))
    assert _first(routing) == {"a": 200, "b": 800}


def test_the_weights_of_those_left_decide_when_others_are_out() -> None:
    group = Group("gpt", [deployment(n, weight=w) for n, w in (("a", 8.0), ("b", 1.0), ("c", 3.0))])

    def is_free(row: object) -> bool:
        return getattr(row, "id", "") != "a"

    picked = Counter(group.tiers[0].draw(1, j / 4000, is_free)[0].id for j in range(4000))
    assert 0.7 < picked["c"] / 4000 < 0.8


@pytest.mark.parametrize("count", [1, 3, 8, 20])
@pytest.mark.parametrize("size", [1, 2, 8, 9, 40])
def test_a_draw_has_as_many_as_there_are_free_and_none_twice(count: int, size: int) -> None:
    group = Group("gpt", [deployment(str(n)) for n in range(size)])
    frees: list[IsFree | None] = [None, lambda d: int(d.id) % 2 == 0, lambda d: d.id == "0"]
    for is_free in frees:
        free = sum(1 for d in group.deployments if is_free is None or is_free(d))
        drawn = group.tiers[0].draw(count, 0.37, is_free)
        assert len(drawn) == len(set(drawn)) == min(count, free)
        assert is_free is None or all(map(is_free, drawn))


def test_one_candidate_suffices_where_nothing_can_be_full() -> None:
    routing = fleet(*"abc")
    context = RoutingContext(ask(), routing.health.statuses, 0.0, 0.5)
    assert len(routing.strategy.choose(routing.groups["gpt"], context)) == 1


def test_with_limits_the_candidates_go_on_to_the_next_order() -> None:
    rows = [deployment(f"a{n}", rpm=5) for n in range(3)]
    rows += [deployment(f"b{n}", order=2) for n in range(9)]
    routing = fleet(*rows)
    context = RoutingContext(ask(), routing.health.statuses, 0.0, 0.5)
    for strategy in STRATEGIES.values():
        chosen = strategy.choose(routing.groups["gpt"], context)
        assert len(chosen) == 8
        assert [d.order for d in chosen] == [1] * 3 + [2] * 5


def test_the_least_busy_comes_first() -> None:
    routing = fleet(*"abc", strategy="least-busy")
    calls = [RoutedCall(routing, ask(), 0.0) for _ in range(6)]
    names = [attempt(call, 0.0, step / 6) for step, call in enumerate(calls)]
    assert Counter(names) == {"a": 2, "b": 2, "c": 2}
    calls[0].answered(Outcome(), 1.0)
    assert _first(routing) == {names[0]: 1000}


def test_the_fastest_comes_first_and_streams_are_timed_apart() -> None:
    routing = fleet("a", "b", strategy="latency")
    for name, seconds in (("a", 1.0), ("b", 2.0)):
        status = routing.health.statuses[name]
        status.time_latency(seconds, 0.0, is_stream=False)
        status.time_latency(3.0 - seconds, 0.0, is_stream=True)
    assert _first(routing) == {"a": 1000}
    assert _first(routing, asked=ask(is_stream=True)) == {"b": 1000}


def test_a_fast_deployment_under_load_leaves_calls_to_slower_ones() -> None:
    routing = fleet("a", "b", strategy="latency")
    for name, seconds in (("a", 1.0), ("b", 2.5)):
        routing.health.statuses[name].time_latency(seconds, 0.0, is_stream=False)
    names = [attempt(RoutedCall(routing, ask(), 0.0), 0.0) for _ in range(7)]
    assert Counter(names) == {"a": 5, "b": 2}


def test_a_deployment_of_unknown_latency_is_tried_but_not_by_everybody() -> None:
    routing = fleet("a", "b", strategy="latency")
    routing.health.statuses["a"].time_latency(1.0, 0.0, is_stream=False)
    names = [attempt(RoutedCall(routing, ask(), 0.0), 0.0) for _ in range(8)]
    assert Counter(names) == {"a": 4, "b": 4}


def _observe(routing: DeploymentRegistry, name: str, tokens: int) -> None:
    headers = {"x-ratelimit-remaining-tokens": str(tokens)}
    headroom = routing.health.statuses[name].headroom
    headroom.observe(headers, headroom.reserve(0, 0.0), 0.0)


def test_headroom_shares_by_what_is_left() -> None:
    routing = fleet("a", "b", strategy="headroom")
    _observe(routing, "a", 1000)
    _observe(routing, "b", 3000)
    assert 700 < _first(routing)["b"] < 800


def test_a_deployment_of_unknown_headroom_counts_as_average() -> None:
    routing = fleet("a", "b", "c", strategy="headroom")
    _observe(routing, "a", 1000)
    _observe(routing, "b", 3000)
    assert 270 < _first(routing)["c"] < 400


def test_without_room_for_the_call_it_spills_over() -> None:
    routing = fleet("a", deployment("b", order=2), strategy="headroom")
    _observe(routing, "a", 1000)
    assert _first(routing, asked=RouteRequest("gpt", 600, 400)) == {"a": 1000}
    assert _first(routing, asked=RouteRequest("gpt", 600, 401)) == {"b": 1000}


def test_all_of_a_large_group_is_looked_at_before_it_spills_over() -> None:
    rows = [deployment(str(n)) for n in range(40)]
    routing = fleet(*rows, deployment("spare", order=2), strategy="headroom")
    for n in range(39):
        _observe(routing, str(n), 10)
    assert _first(routing, asked=RouteRequest("gpt", 20)) == {"39": 1000}
    _observe(routing, "39", 10)
    assert _first(routing, asked=RouteRequest("gpt", 20)) == {"spare": 1000}


def test_when_all_headers_say_full_somebody_is_asked_all_the_same() -> None:
    routing = fleet("a", deployment("b", order=2), strategy="headroom")
    _observe(routing, "a", 10)
    _observe(routing, "b", 10)
    assert _first(routing, asked=RouteRequest("gpt", 20)) == {"a": 1000}
