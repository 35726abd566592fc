"""What is known of one deployment."""

import pytest

from azure_responses.routing.deployment_health import DeploymentState
from azure_responses.routing.settings import RouterSettings
from tests.routing.fleet import deployment


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
