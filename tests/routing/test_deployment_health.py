"""What this process knows of its deployments."""

import threading

from azure_responses.routing.deployment_health import DeploymentHealth
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
