"""Spans and metrics as the SDK receives them."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracerProvider, StatusCode

from azure_responses.errors import RateLimitError
from azure_responses.telemetry.open_telemetry import CallTrace, find_instruments
from tests.clients.listeners import Collector
from tests.telemetry.samples import make_call, make_record, make_response


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    monkeypatch.delenv("OTEL_SEMCONV_STABILITY_OPT_IN", raising=False)
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    return Collector()


def _trace(providers: dict[str, Any], operation: str = "create", **options: Any) -> CallTrace:
    instruments = find_instruments(**providers)
    assert instruments is not None
    settings = {"is_stream": False, "captures_content": None, **options}
    return CallTrace(instruments, make_call(operation, input="hi"), **settings)


def test_silent_providers_are_as_good_as_none() -> None:
    assert find_instruments(NoOpTracerProvider(), NoOpMeterProvider()) is None
    assert find_instruments() is None


@pytest.mark.parametrize("name", ["tracer_provider", "meter_provider"])
def test_one_provider_is_enough(collector: Collector, name: str) -> None:
    only = {name: collector.arguments[name]}
    _trace(only).end(make_record(response=make_response()))
    assert bool(collector.spans) is (name == "tracer_provider")
    assert bool(collector.metrics()) is (name == "meter_provider")


def test_instruments_are_made_once_per_pair(collector: Collector) -> None:
    providers = collector.arguments
    assert find_instruments(**providers) is find_instruments(**providers)


def test_a_span_that_is_sampled_out_still_counts(collector: Collector) -> None:
    tracers = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    call = _trace({**collector.arguments, "tracer_provider": tracers}, captures_content=True)
    call.end(make_record(response=make_response()))
    assert collector.points("gen_ai.client.operation.duration")[0].count == 1


def test_a_sampler_sees_what_the_conventions_promise(collector: Collector) -> None:
    call = _trace(collector.arguments)
    start = {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"}
    call.span.end()
    assert start | {"server.address", "server.port"} <= set(collector.attributes())


def test_inside_the_span_is_current_and_not_after(collector: Collector) -> None:
    call = _trace(collector.arguments)
    with call.active():
        assert trace.get_current_span() is call.span
    assert trace.get_current_span() is not call.span
    assert collector.spans == []


@pytest.mark.parametrize(
    ("error", "status", "events"),
    [
        (None, StatusCode.UNSET, 0),
        (RateLimitError("busy", status_code=429), StatusCode.ERROR, 1),
        (KeyboardInterrupt(), StatusCode.UNSET, 0),
    ],
)
def test_only_an_error_makes_an_error(
    collector: Collector, error: BaseException | None, status: StatusCode, events: int
) -> None:
    _trace(collector.arguments).end(make_record(error=error))
    (span,) = collector.spans
    assert span.status.status_code is status
    assert len(span.events) == events


def test_chunks_are_timed(collector: Collector) -> None:
    call = _trace(collector.arguments, is_stream=True)
    call.note_chunks([0.5, 0.0])
    call.end(make_record(response=make_response(), time_to_first_token=0.25))
    (gaps,) = collector.points("gen_ai.client.operation.time_per_output_chunk")
    (first,) = collector.points("gen_ai.client.operation.time_to_first_chunk")
    assert (gaps.count, gaps.sum) == (2, 0.5)
    assert (first.count, first.sum) == (1, 0.25)


def test_what_is_no_inference_keeps_the_old_name_of_its_duration(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    _trace(collector.arguments, "delete").end(make_record(operation="delete"))
    assert set(collector.metrics()) == {"gen_ai.client.operation.duration"}


def test_cached_tokens_are_counted_apart_under_the_latest_names(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    response = make_response()
    _trace(collector.arguments).end(make_record(response=response, usage=response.usage))
    prefix = "gen_ai.client.inference.usage."
    counts = {
        name.removeprefix(prefix): points[0].value
        for name, points in collector.metrics().items()
        if name.startswith(prefix)
    }
    assert counts == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read.input_tokens": 40,
        "cache_write.input_tokens": 5,
        "reasoning.output_tokens": 8,
    }


def test_names_that_callers_and_replies_make_up_stay_few_on_metrics(collector: Collector) -> None:
    for number in range(300):
        error = RateLimitError("busy", status_code=429, code=f"made-up-{number}")
        _trace(collector.arguments).end(make_record(error=error))
    long = RateLimitError("busy", status_code=429, code="x" * 1000)
    _trace(collector.arguments).end(make_record(error=long))
    points = collector.points("gen_ai.client.operation.duration")
    types = {point.attributes["error.type"]: point.count for point in points}
    assert len(types) == 201
    assert types["_OTHER"] == 101
    assert types["made-up-7"] == 1
