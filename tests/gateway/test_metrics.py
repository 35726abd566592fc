"""Metrics: what calls did, by names the operator chose."""

from typing import Any

import pytest

from azure_responses.gateway import metrics as module
from azure_responses.gateway.metrics import Metrics
from azure_responses.relay import CallSummary


def summary(**fields: Any) -> CallSummary:
    usage = {"input_tokens": 17, "output_tokens": 54, "total_tokens": 71}
    result = {"model": "gpt-5-mini", "output": [], "usage": usage, "status": "completed"}
    return CallSummary(
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


def rendered(metrics: Metrics) -> str:
    return metrics.render(in_progress=2, queued=1, cooling=[("east", True)]).decode()


def test_a_call_is_counted_once_everywhere() -> None:
    metrics = Metrics(["chat"])
    metrics.note(summary(), 200, 0.25)
    metrics.note(summary(attempts=3, fallbacks=1), 200, 0.25)
    metrics.note(summary(is_abandoned=True, time_to_first_output=0.1, result=None), 200, 1.0)
    metrics.note(summary(operation="retrieve"), 404, 0.1)
    metrics.refuse(401)
    text = rendered(metrics)
    place = 'deployment="east",group="chat"'
    assert f'calls_total{{{place},operation="create",status="200"}} 3.0' in text
    assert f'calls_total{{{place},operation="retrieve",status="404"}} 1.0' in text
    assert 'operation="refused",status="401"} 1.0' in text
    assert f'tokens_total{{{place},kind="input"}} 34.0' in text
    assert f'tokens_total{{{place},kind="output"}} 108.0' in text
    assert f"cost_usd_total{{{place}}} 0.000" in text
    assert 'retries_total{group="chat"} 2.0' in text
    assert 'fallbacks_total{group="chat"} 1.0' in text
    assert 'abandoned_total{group="chat"} 1.0' in text
    assert "in_progress 2.0" in text
    assert "queued 1.0" in text
    assert 'cooling_down{deployment="east"} 1.0' in text
    assert "the-owner" not in text
    assert "the-end-user" not in text


def test_names_that_callers_make_up_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_GROUPS", 3)
    metrics = Metrics(["chat"])
    for number in range(10):
        metrics.note(summary(group=f"made-up-{number}"), 200, 0.1)
    metrics.note(summary(group=None, operation="models", deployment_id=None), 200, 0.1)
    text = rendered(metrics)
    assert 'group="made-up-1"' in text
    assert 'group="made-up-2"' not in text
    assert 'group="(others)"' in text
