"""Metrics: what calls did, by names the operator chose."""

from typing import Any

import pytest

from azure_responses.gateway.metrics import Metrics
from azure_responses.openai_server import CallSummary


def summary(**fields: Any) -> CallSummary:
    usage = {"input_tokens": 17, "output_tokens": 54, "total_tokens": 71}
    result = {"model": "gpt-5-mini", "output": [], "usage": usage, "status": "completed"}
    call = CallSummary(
        **{
            "call_id": "c",
            "operation": "create",
            "group": "chat",
            "deployment_id": "east",
            "attempts": 1,
            "result": result,
            "upstream_seconds": 0.2,
            "owner": "the-owner",
            "end_user": "the-end-user",
            **fields,
        }
    )
    call.price()
    return call


def rendered(metrics: Metrics) -> str:
    return metrics.render(in_progress=2, queued=1, cooling=[("east", True)]).decode()


def test_a_call_is_counted_once_everywhere() -> None:
    metrics = Metrics(["chat"])
    metrics.note(summary(status=200, latency=0.25))
    metrics.note(summary(attempts=3, fallbacks=1, status=200, latency=0.25))
    metrics.note(
        summary(is_abandoned=True, time_to_first_output=0.1, result=None, status=200, latency=1.0)
    )
    metrics.note(summary(operation="retrieve", status=404, latency=0.1))
    metrics.note(summary(operation="messages", deployment_api="chat", status=200, latency=0.1))
    metrics.refuse(401)
    text = rendered(metrics)
    place, called = (
        'deployment="east",group="chat"',
        'deployment="east",deployment_api="",group="chat"',
    )
    spoken = called.replace('api=""', 'api="chat"')
    assert f'calls_total{{{called},operation="create",status="200"}} 3.0' in text
    assert f'calls_total{{{called},operation="retrieve",status="404"}} 1.0' in text
    assert f'calls_total{{{spoken},operation="messages",status="200"}} 1.0' in text
    assert 'operation="refused",status="401"} 1.0' in text
    assert f'tokens_total{{{place},kind="input"}} 51.0' in text
    assert f'tokens_total{{{place},kind="output"}} 162.0' in text
    assert f"cost_usd_total{{{place}}} 0.000" in text
    assert 'retries_total{group="chat"} 2.0' in text
    assert 'fallbacks_total{group="chat"} 1.0' in text
    assert 'abandoned_total{group="chat"} 1.0' in text
    assert "in_progress 2.0" in text
    assert "queued 1.0" in text
    assert 'cooling_down{deployment="east"} 1.0' in text
    assert "the-owner" not in text
    assert "the-end-user" not in text


@pytest.mark.parametrize(
    ("groups", "shown"), [(["chat"], "other"), (["chat", "*"], "*"), (["*"], "*")]
)
def test_a_name_that_a_caller_makes_up_is_no_label(groups: list[str], shown: str) -> None:
    metrics = Metrics(groups)
    for number in range(1000):
        called = summary(
            group=f"made-up-{number}", attempts=2, fallbacks=1, is_abandoned=True, status=200
        )
        metrics.note(called)
    metrics.note(
        summary(group=None, operation="models", deployment_id=None, status=200, latency=0.1)
    )
    text = rendered(metrics)
    assert "made-up" not in text
    assert f'group="{shown}",operation="create",status="200"}} 1000.0' in text
    assert len(text) < 20_000


def test_what_a_reply_makes_up_is_no_label_and_breaks_no_counter() -> None:
    metrics = Metrics(["chat"])
    for status in range(600, 2000):
        metrics.note(summary(status=status, latency=0.1))
    usage = {"input_tokens": 10**400, "output_tokens": -5}
    metrics.note(summary(result={"model": "gpt-5-mini", "usage": usage}, status=200, latency=0.1))
    text = rendered(metrics)
    assert 'status="other"} 1400.0' in text
    assert 'status="600"' not in text
    assert "inf" not in text.replace('le="+Inf"', "").lower()
