"""What is said of a shared state that is out of reach."""

import logging
import warnings

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from azure_responses.store.connection import CircuitBreaker
from tests.store.samples import outage_is_said


def test_an_outage_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker("host:1/0")
    with caplog.at_level(logging.WARNING), outage_is_said("host:1/0") as warned:
        breaker.note_failure(ConnectionError("refused"), "reserve")
        breaker.note_failure(ConnectionError("refused"), "connect")
    assert len(warned) == 1
    states = [breaker.is_open]
    breaker.note_recovery(dropped=3)
    breaker.note_recovery()
    assert [*states, breaker.is_open] == [True, False]
    first, last = [record.getMessage() for record in caplog.records]
    assert "ConnectionError: refused" in first
    assert "3 writes were dropped" in last


def test_the_next_outage_is_said_again() -> None:
    breaker = CircuitBreaker("host:1/0")
    for _ in range(2):
        with outage_is_said():
            breaker.note_failure(ConnectionError("refused"), "reserve")
        breaker.note_recovery()


def test_a_program_that_turns_warnings_into_errors_loses_no_call() -> None:
    breaker = CircuitBreaker("host:1/0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        breaker.note_failure(ConnectionError("refused"), "reserve")
    assert breaker.is_open


def test_every_error_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    breaker = CircuitBreaker("host:1/0")
    with outage_is_said():
        for _ in range(3):
            breaker.note_failure(TimeoutError("late"), "reserve")
    assert _points(reader) == [
        (3, {"azure_responses.operation": "reserve", "error.type": "TimeoutError"})
    ]


def test_nothing_is_counted_for_a_program_without_opentelemetry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "opentelemetry")
    breaker = CircuitBreaker("host:1/0")
    with outage_is_said():
        breaker.note_failure(TimeoutError("late"), "reserve")
    assert breaker.is_open


def _points(reader: InMemoryMetricReader) -> list[tuple[float, dict[str, object]]]:
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "azure_responses.router.state_errors"
    points = [point for point in metric.data.data_points if isinstance(point, NumberDataPoint)]
    return [(point.value, dict(point.attributes or {})) for point in points]
