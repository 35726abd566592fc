"""Cooldowns, latency and the health of deployments."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.deployment_health import (
    Cooldown,
    CooldownRules,
    DeploymentHealth,
    DeploymentState,
)
from azure_responses.routing.route_request import Candidate
from azure_responses.routing.settings import RouterSettings
from tests.routing.fleet import deployment

_A = deployment("a")
_B = deployment("b")


def _health() -> DeploymentHealth:
    return DeploymentHealth([_A, _B], RouterSettings())


def test_a_cooldown_learnt_of_others_leaves_the_cause_as_known_here() -> None:
    health = _health()
    health.limit("b", 5.0, 0.0)
    health.learn({"b": 5.0}, 0.1)
    assert health.statuses["b"].cooldown.cause == "rate limit"


def test_cooldowns_of_others_count_and_end() -> None:
    health = _health()
    health.learn({"a": 3.0, "b": 0.0, "unknown": 9.0}, 0.0)
    assert health.cooldowns(1.0) == {"a": 2.0}
    assert health.statuses["a"].cooldown.cause == "another replica"
    assert health.tidy(2.0)
    assert not health.tidy(3.0)
    assert health.troubled == frozenset()
    assert health.cooldowns(3.0) == {}


def test_threads_do_not_lose_counts() -> None:
    health = _health()

    def work() -> None:
        for _ in range(500):
            mark = health.begin(Candidate(_B, 1), 0.0)
            health.end(Candidate(_B, 1), mark, 1)
        health.begin(Candidate(_B, 1), 0.0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert health.statuses["b"].in_flight == 8


def test_calls_and_probes_under_way_can_be_forgotten() -> None:
    health = _health()
    health.begin(Candidate(_B, 1), 5.0)
    health.fail("b", "failures", 5.0, hint=None, at_once=True, is_probe=False)
    assert health.claim_probe("b", 1000.0)
    assert not health.is_open("b", 1000.0)
    health.forget_calls()
    assert health.statuses["b"].in_flight == 0
    assert health.is_open("b", 1000.0)


_RULES = CooldownRules(allowed_fails=3, seconds=30.0, longest=100.0, probe_lease=50.0)

_hint = st.one_of(st.none(), st.floats(0, 500, allow_nan=False))
_events = st.lists(
    st.tuples(
        st.sampled_from(["limit", "fail", "trip", "probe", "succeed", "learn", "claim"]),
        _hint,
        st.floats(0, 50, allow_nan=False),
    ),
    max_size=40,
)


def _apply(cooldown: Cooldown, event: str, hint: float | None, now: float) -> None:
    if event == "limit":
        cooldown.limit(hint, now)
    elif event in ("fail", "trip", "probe"):
        cooldown.fail(
            "failures", now, hint=hint, at_once=event == "trip", is_probe=event == "probe"
        )
    elif event == "learn":
        cooldown.extend(hint or 1.0, "another replica", now)
    elif event == "claim":
        cooldown.claim_probe(now)
    else:
        cooldown.succeed(is_probe=bool(hint))


@given(_events)
def test_a_cooldown_is_never_shortened(events: list[tuple[str, float | None, float]]) -> None:
    cooldown, now = Cooldown(_RULES), 0.0
    for event, hint, pause in events:
        now += pause
        before = cooldown.until
        _apply(cooldown, event, hint, now)
        assert cooldown.until >= before


@given(_events)
def test_nobody_is_let_through_while_it_sits_out(
    events: list[tuple[str, float | None, float]],
) -> None:
    cooldown, now = Cooldown(_RULES), 0.0
    for event, hint, pause in events:
        now += pause
        _apply(cooldown, event, hint, now)
        assert cooldown.is_open(now) == (cooldown.remaining(now) == 0.0)
        assert cooldown.is_open(now) <= (cooldown.until <= now)


def test_an_answer_to_what_was_sent_before_does_not_close_it() -> None:
    cooldown = Cooldown(_RULES)
    cooldown.fail("failures", 0.0, at_once=True)
    cooldown.succeed(is_probe=False)
    assert cooldown.is_tripped
    assert cooldown.claim_probe(30.0)
    cooldown.succeed(is_probe=True)
    assert not cooldown.is_tripped


def test_failures_of_calls_under_way_do_not_double_the_time() -> None:
    cooldown = Cooldown(_RULES)
    assert cooldown.fail("failures", 0.0, at_once=True) == 30.0
    assert cooldown.fail("failures", 1.0) is None
    assert cooldown.fail("failures", 1.0, hint=40.0) == 40.0
    assert cooldown.until == 41.0


def test_a_hint_beyond_the_longest_time_is_believed() -> None:
    cooldown = Cooldown(_RULES)
    assert cooldown.fail("failures", 0.0, hint=400.0, at_once=True) == 400.0


def test_a_probe_whose_caller_vanished_is_given_up() -> None:
    cooldown = Cooldown(_RULES)
    cooldown.fail("failures", 0.0, at_once=True)
    assert cooldown.claim_probe(30.0)
    assert not cooldown.claim_probe(79.0)
    assert cooldown.claim_probe(80.0)


def test_latency_is_a_moving_average_of_streams_and_plain_calls_apart() -> None:
    status = DeploymentState(deployment("a"), RouterSettings())
    assert status.latency(0.0, is_stream=True) is None
    status.time_latency(1.0, 0.0, is_stream=True)
    status.time_latency(2.0, 1.0, is_stream=True)
    assert status.latency(1.0, is_stream=True) == pytest.approx(1.3)
    assert status.latency(1.0, is_stream=False) is None


def test_an_old_latency_says_nothing() -> None:
    status = DeploymentState(deployment("a"), RouterSettings())
    status.time_latency(5.0, 0.0, is_stream=False)
    assert status.latency(60.0, is_stream=False) is None
    status.time_latency(1.0, 60.0, is_stream=False)
    assert status.latency(60.0, is_stream=False) == 1.0


def test_the_rows_own_cooldown_time_counts() -> None:
    status = DeploymentState(deployment("a", cooldown_time=0.0), RouterSettings(timeout=None))
    assert status.cooldown.rules.seconds == 0.0
    assert status.cooldown.rules.probe_lease == 600.0
