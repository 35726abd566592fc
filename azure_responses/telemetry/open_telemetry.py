"""Spans and metrics; the only module that imports opentelemetry, and imported only beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from opentelemetry import context, metrics, trace
from opentelemetry.metrics import Histogram, Meter, MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from azure_responses.protocol.call import Call
from azure_responses.telemetry.attributes import (
    Attributes,
    Naming,
    exception_attributes,
    measure_attributes,
    read_naming,
    request_attributes,
    request_content,
    response_attributes,
    response_content,
    retry_attributes,
    span_name,
    start_attributes,
    uses_tokens,
)
from azure_responses.telemetry.record import CallRecord
from azure_responses.types.usage import Usage
from azure_responses.version import __version__

__all__ = ["CallTrace", "Instruments", "find_instruments"]

_NAME = "azure_responses"
_DETAILS = "gen_ai.client.inference.operation.details"
_EXCEPTION = "gen_ai.client.operation.exception"
# Boundaries of histograms, as the conventions advise them; seconds, and tokens for the second.
_DURATIONS = [0.01 * 2**power for power in range(14)]
_COUNTS = [4.0**power for power in range(14)]
_FIRST_CHUNKS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10]
_CHUNKS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
# Values of one attribute; further ones become `_OTHER`, the conventions' word for `error.type`.
_MOST_VALUES = 200
_LONGEST_VALUE = 256
_OTHER = "_OTHER"
# A program that only imported the API has these in place of an SDK's providers.
_SILENT = frozenset({"ProxyTracerProvider", "NoOpTracerProvider"})
_SILENT_METERS = frozenset({"_ProxyMeterProvider", "NoOpMeterProvider"})


class Instruments:
    """The tracer and the instruments of one pair of providers."""

    def __init__(self, tracer: Tracer, meter: Meter, naming: Naming) -> None:
        self.tracer = tracer
        self._shown: dict[str, set[Any]] = {}
        self.naming = naming
        self._meter = meter
        self.chunk_gaps = self._per_name("time_per_output_chunk", _CHUNKS)
        self.first_chunks = self._per_name("time_to_first_chunk", _FIRST_CHUNKS)
        # The conventions have no new name for the duration of calls that are not inference.
        self.other_duration = self._seconds("gen_ai.client.operation.duration", _DURATIONS)
        self.durations = [self.other_duration] if naming.uses_old else []
        self.token_usage: Histogram | None = None
        if naming.uses_old:
            self.token_usage = self._tokens("gen_ai.client.token.usage")
        if naming.uses_latest:
            self._add_latest()

    def _add_latest(self) -> None:
        prefix = "gen_ai.client.inference"
        self.durations.append(self._seconds(f"{prefix}.duration", _DURATIONS))
        self.sizes = {
            kind: self._tokens(f"{prefix}.operation.{kind}_tokens") for kind in ("input", "output")
        }
        names = ("input", "output", "cache_read.input", "cache_write.input", "reasoning.output")
        self.totals = {
            name: self._meter.create_counter(f"{prefix}.usage.{name}_tokens", unit="{token}")
            for name in names
        }

    def _per_name(self, suffix: str, boundaries: list[float]) -> list[Histogram]:
        names = ["operation"] if self.naming.uses_old else []
        names += ["inference"] if self.naming.uses_latest else []
        return [self._seconds(f"gen_ai.client.{name}.{suffix}", boundaries) for name in names]

    def _seconds(self, name: str, boundaries: list[float]) -> Histogram:
        return self._meter.create_histogram(
            name, unit="s", explicit_bucket_boundaries_advisory=boundaries
        )

    def _tokens(self, name: str) -> Histogram:
        return self._meter.create_histogram(
            name, unit="{token}", explicit_bucket_boundaries_advisory=_COUNTS
        )

    def bound(self, attributes: Attributes) -> Attributes:
        """Attributes of a metric, with few values for names from callers and replies.

        Otherwise a router or gateway that accepts any model, and the codes of errors, would make
        a time series of each name.
        """
        return {name: self._bound(name, value) for name, value in attributes.items()}

    def _bound(self, name: str, value: Any) -> Any:
        shown = self._shown.setdefault(name, set())
        if value in shown:
            return value
        if len(shown) >= _MOST_VALUES or (isinstance(value, str) and len(value) > _LONGEST_VALUE):
            return _OTHER
        shown.add(value)
        return value

    def count_tokens(self, usage: Usage, attributes: Attributes) -> None:
        """Record what an answer used."""
        if self.token_usage is not None:
            for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                self.token_usage.record(count, attributes | {"gen_ai.token.type": kind})
        if self.naming.uses_latest:
            self._count_by_kind(usage, attributes)

    def _count_by_kind(self, usage: Usage, attributes: Attributes) -> None:
        self.sizes["input"].record(usage.input_tokens, attributes)
        self.sizes["output"].record(usage.output_tokens, attributes)
        counts = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cache_read.input": usage.cached_tokens,
            "cache_write.input": usage.cache_write_tokens,
            "reasoning.output": usage.reasoning_tokens,
        }
        for name, count in counts.items():
            # Input may
            modality = "unknown" if name.endswith("input") else "text"
            self.totals[name].add(count, attributes | {"gen_ai.token.modality": modality})


def find_instruments(
    tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Instruments | None:
    """The instruments to use now, or None while the program has set up no provider.

    Without a provider of the client the program's global one is used.
    """
    tracers = tracer_provider or trace.get_tracer_provider()
    meters = meter_provider or metrics.get_meter_provider()
    if type(tracers).__name__ in _SILENT and type(meters).__name__ in _SILENT_METERS:
        return None
    return _make_instruments(tracers, meters, os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN"))


@lru_cache(maxsize=64)
def _make_instruments(
    tracers: TracerProvider, meters: MeterProvider, opt_in: str | None
) -> Instruments:
    tracer = tracers.get_tracer(_NAME, __version__)
    return Instruments(tracer, meters.get_meter(_NAME, __version__), read_naming(opt_in))


def _read_capture(option: bool | None) -> tuple[bool, bool]:
    """Whether content goes on the span, and whether on its event."""
    if option is not None:
        return option, False
    # The first two values are those of instrumentations from before there were events.
    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    wanted = os.environ.get(variable, "").strip().lower()
    on_span = wanted in ("true", "1", "span_only", "span_and_event")
    return on_span, wanted in ("event_only", "span_and_event")


class CallTrace:
    """The span of one call, and its part in the metrics.

    Args:
        instruments: of the client's providers.
        call: what is sent.
        is_stream: the answer comes as events.
        captures_content: None for what the environment says.
    """

    def __init__(
        self,
        instruments: Instruments,
        call: Call,
        *,
        is_stream: bool,
        captures_content: bool | None,
    ) -> None:
        self._instruments = instruments
        self._captures_on_span, self._captures_on_event = _read_capture(captures_content)
        self._start = start_attributes(call)
        self._measured = instruments.bound(self._start)
        self._is_inference = call.context.operation == "create"
        self._content: dict[str, str] = {}
        self.span: Span = instruments.tracer.start_span(
            span_name(call), kind=SpanKind.CLIENT, attributes=self._start
        )
        if self.span.is_recording():
            self.span.set_attributes(request_attributes(call, is_stream=is_stream))
            self._note_request_content(call)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the span the parent of what happens inside; it does not end there."""
        token = context.attach(trace.set_span_in_context(self.span))
        try:
            yield
        finally:
            context.detach(token)

    def note_retry(self, record: CallRecord) -> None:
        """Add the event of a further attempt."""
        self.span.add_event("azure_responses.retry", retry_attributes(record))

    def note_chunks(self, gaps: list[float]) -> None:
        """Record the seconds before chunks of a stream."""
        for histogram in self._instruments.chunk_gaps:
            for gap in gaps:
                histogram.record(gap, self._measured)

    def end(self, record: CallRecord) -> None:
        """Say how the call went and end the span."""
        if self.span.is_recording():
            attributes = response_attributes(record, self._instruments.naming)
            self.span.set_attributes(attributes)
            self._note_response_content(record, attributes)
            self._note_error(record)
        self._measure(record)
        self.span.end()

    def _note_error(self, record: CallRecord) -> None:
        # As in OpenTelemetry's own code: a cancellation or an interrupt is not a failed call.
        if isinstance(record.error, Exception):
            details = exception_attributes(record.error)
            self.span.add_event(_EXCEPTION, details)
            self.span.set_status(Status(StatusCode.ERROR, details.get("exception.message")))

    def _measure(self, record: CallRecord) -> None:
        instruments = self._instruments
        attributes = instruments.bound(measure_attributes(self._measured, record))
        failed: Attributes = {}
        if record.error is not None:
            failed = instruments.bound({"error.type": record.error_type})
        durations = instruments.durations if self._is_inference else [instruments.other_duration]
        for histogram in durations:
            histogram.record(record.latency, attributes | failed)
        if record.time_to_first_token is not None:
            for histogram in instruments.first_chunks:
                histogram.record(record.time_to_first_token, attributes)
        if record.usage is not None and uses_tokens(record):
            instruments.count_tokens(record.usage, attributes)

    def _note_request_content(self, call: Call) -> None:
        if self._captures_on_span or self._captures_on_event:
            self._content = request_content(call)
        if self._captures_on_span:
            self.span.set_attributes(self._content)

    def _note_response_content(self, record: CallRecord, attributes: Attributes) -> None:
        if not (self._captures_on_span or self._captures_on_event):
            return
        reasons: Any = attributes.get("gen_ai.response.finish_reasons", [None])
        content = response_content(record.response, reasons[0])
        if self._captures_on_span:
            self.span.set_attributes(content)
        if self._captures_on_event:
            self.span.add_event(_DETAILS, {**self._content, **content})
