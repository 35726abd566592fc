"""When a call is watched, and what the observer tells whom."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.errors import RateLimitError
from azure_responses.telemetry.callback import Callbacks, callbacks
from azure_responses.telemetry.observer import Observer, TelemetryOptions, is_heard, observe
from tests.clients.listeners import Collector
from tests.telemetry.samples import make_call, make_response

_OPTIONS = TelemetryOptions()


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that never imported opentelemetry."""
    monkeypatch.delitem(sys.modules, "opentelemetry", raising=False)
    yield
    callbacks.clear()


def _observer(options: TelemetryOptions) -> Observer:
    observer = observe(options, make_call(), is_stream=False)
    assert observer is not None
    return observer


def test_nobody_listens_by_default() -> None:
    assert not is_heard()
    assert not _OPTIONS.names_a_listener
    assert observe(_OPTIONS, make_call(), is_stream=False) is None


def test_a_callback_of_the_program_listens() -> None:
    callbacks.on_error.append(print)
    assert is_heard()
    assert _observer(_OPTIONS).functions("on_error") == [print]


def test_a_logger_that_is_enabled_listens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="azure_responses")
    assert is_heard()
    _observer(_OPTIONS).end(make_response(), {})
    assert [entry.levelname for entry in caplog.records] == ["INFO"]


@pytest.mark.parametrize("name", ["tracer_provider", "meter_provider"])
def test_a_provider_listens_whatever_the_program_imported(name: str) -> None:
    provider = Collector().arguments[name]
    options = TelemetryOptions(**{name: provider})
    assert options.names_a_listener
    _observer(options)


def test_a_program_with_the_api_alone_is_not_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    import opentelemetry

    monkeypatch.setitem(sys.modules, "opentelemetry", opentelemetry)
    assert is_heard()
    assert observe(_OPTIONS, make_call(), is_stream=False) is None


def test_functions_of_the_program_come_before_the_clients() -> None:
    callbacks.on_retry.append(print)
    options = TelemetryOptions(Callbacks(on_retry=repr))
    assert _observer(options).functions("on_retry") == [print, repr]


def test_a_call_ends_once() -> None:
    observer = _observer(TelemetryOptions(Callbacks(on_response=print)))
    assert observer.end(make_response(), {}) is not None
    assert observer.end(error=ValueError()) is None


@pytest.mark.parametrize(
    ("error", "is_abandoned"), [(None, False), (ValueError(), False), (KeyboardInterrupt(), True)]
)
def test_an_interrupt_abandons_a_call(error: BaseException | None, is_abandoned: bool) -> None:
    record = _observer(TelemetryOptions(Callbacks(on_error=print))).end(error=error)
    assert record is not None
    assert record.is_abandoned is is_abandoned


def test_a_retry_reports_the_attempt_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="azure_responses")
    observer = _observer(_OPTIONS)
    observer.begin()
    record = observer.retry(RateLimitError("busy", status_code=429), 2.0)
    last = observer.end(make_response(), {})
    assert (record.attempts, record.retry_delay) == (1, 2.0)
    assert last is not None
    assert last.attempts == 2
    assert [entry.levelname for entry in caplog.records] == ["DEBUG", "DEBUG", "INFO"]


def test_without_a_trace_nothing_is_made_active() -> None:
    with _observer(TelemetryOptions(Callbacks(on_error=print))).active():
        pass


def test_events_without_a_trace_are_timed_all_the_same() -> None:
    event: Any = type("Event", (), {"type": "response.output_text.delta"})()
    observer = _observer(TelemetryOptions(Callbacks(on_error=print)))
    observer.receive([event, event])
    record = observer.end(make_response(), {})
    assert record is not None
    assert record.time_to_first_token is not None
