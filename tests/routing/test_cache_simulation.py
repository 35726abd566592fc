"""What the affinity of prompt caches comes to over some thousand calls of the simulation."""

import pytest

from azure_responses.routing.strategies import STRATEGIES
from tests.routing.cache_simulation import AGENTS, CHATS, ONE_PROMPT, RARE, TIGHT, converse


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_half_of_what_was_read_anew_comes_from_the_cache(strategy: str) -> None:
    usual, kept = (converse(CHATS, strategy, has_affinity=choice) for choice in (False, True))
    assert 1 - kept.hits < 0.6 * (1 - usual.hits)
    assert kept.percentile(0.95) < usual.percentile(0.95)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_agents_over_four_resources_read_a_third_of_it(strategy: str) -> None:
    usual, kept = (converse(AGENTS, strategy, has_affinity=choice) for choice in (False, True))
    assert 1 - kept.hits < 0.35 * (1 - usual.hits)
    assert kept.percentile(0.5) < usual.percentile(0.5)


def test_an_agent_that_calls_now_and_then_depends_on_it() -> None:
    usual, kept = (converse(RARE, has_affinity=choice) for choice in (False, True))
    assert usual.hits < 0.12
    assert kept.hits > 0.95


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_calls_stay_spread_over_the_deployments(strategy: str) -> None:
    assert converse(CHATS, strategy, has_affinity=True).busiest < 0.55
    assert converse(AGENTS, strategy, has_affinity=True).busiest < 0.35


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_prompt_that_all_calls_share_does_not_lead_all_to_one_deployment(strategy: str) -> None:
    usual, kept = (converse(ONE_PROMPT, strategy, has_affinity=choice) for choice in (False, True))
    assert kept.busiest < 0.37
    assert kept.hits == pytest.approx(usual.hits, abs=0.005)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_limits_are_reached_it_costs_no_refusals(strategy: str) -> None:
    usual, kept = (converse(TIGHT, strategy, has_affinity=choice) for choice in (False, True))
    assert kept.refused < 1.1 * usual.refused
    assert kept.hits > usual.hits
    assert len(kept.took) == len(usual.took) == TIGHT.conversations * TIGHT.turns
