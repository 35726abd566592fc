"""What the strategies come to over ten thousand calls of the simulation."""

from functools import cache

import pytest

from tests.routing.simulation import (
    BAD_CREDENTIAL,
    OTHERS,
    PAY_AS_YOU_GO,
    PTU_FIRST,
    Result,
    Scenario,
    simulate,
)
from tests.routing.situations import (
    HURRIED,
    ONE_SLOW_CALL,
    SHARED_QUOTA,
    SMALL_CALLS,
    Situation,
    play,
)

_CALLS = 10_000


@cache
def _run(scenario_name: str, strategy: str) -> Result:
    scenarios: dict[str, Scenario] = {s.name: s for s in (PAY_AS_YOU_GO, PTU_FIRST)}
    return simulate(scenarios[scenario_name], strategy, _CALLS)


def test_headroom_uses_a_provisioned_deployment_to_the_full() -> None:
    headroom, weighted = _run(PTU_FIRST.name, "headroom"), _run(PTU_FIRST.name, "weighted")
    assert headroom.utilisation("ptu") > 0.98
    assert headroom.utilisation("ptu") > 0.98 * weighted.utilisation("ptu")


def test_headroom_does_not_overload_it() -> None:
    headroom, weighted = _run(PTU_FIRST.name, "headroom"), _run(PTU_FIRST.name, "weighted")
    assert headroom.services["ptu"].refusals < 0.25 * weighted.services["ptu"].refusals
    assert headroom.refusals < 0.03 * _CALLS
    assert headroom.failed < 0.001 * _CALLS
    assert headroom.refusals < _run(PTU_FIRST.name, OTHERS[1]).refusals


def test_round_robin_leaves_half_of_it_unused() -> None:
    assert _run(PTU_FIRST.name, OTHERS[0]).utilisation("ptu") < 0.6


@pytest.mark.parametrize("strategy", ["weighted", "headroom"])
def test_shares_follow_the_limits(strategy: str) -> None:
    result = _run(PAY_AS_YOU_GO.name, strategy)
    shares = {name: result.share(name) for name in ("small", "medium", "large")}
    assert shares == pytest.approx({"small": 1 / 6, "medium": 1 / 3, "large": 1 / 2}, abs=0.02)


def test_every_call_is_accounted_for() -> None:
    result = _run(PTU_FIRST.name, "headroom")
    assert len(result.took) + result.failed == result.calls
    assert sum(service.served for service in result.services.values()) == len(result.took)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (simulate(PTU_FIRST, "latency", 500, seed=7) for _ in range(2))
    assert first.took == second.took


@pytest.mark.parametrize("strategy", ["weighted", "least-busy", "latency", "headroom"])
def test_a_credential_that_gives_no_token_costs_no_call_and_little_time(strategy: str) -> None:
    result = simulate(BAD_CREDENTIAL, strategy, 2000)
    assert result.failed == 0
    # One probe at the end of each cooldown, and what was under way when it failed first.
    assert result.wasted < 0.02 * result.calls
    assert result.share("good") == 1.0


@pytest.mark.parametrize("situation", [HURRIED, ONE_SLOW_CALL], ids=lambda each: each.name)
def test_nobody_waits_for_the_impatience_of_others(situation: Situation) -> None:
    for seed in range(5):
        waits = play(situation, seed).bystander
        assert waits is not None
        assert waits < 3.0


@pytest.mark.parametrize("situation", [SMALL_CALLS, SHARED_QUOTA], ids=lambda each: each.name)
def test_no_call_is_refused_that_can_be_served_in_time(situation: Situation) -> None:
    for seed in range(5):
        found = play(situation, seed)
        assert found.refused == 0
        assert len(found.took) == 10
        assert found.longest < 15.0
