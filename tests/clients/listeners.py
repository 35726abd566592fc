"""What tests of telemetry listen with: OpenTelemetry's own SDK, callbacks and a log handler."""

import logging
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from azure_responses import CallRecord

__all__ = ["OCCASIONS", "SECRET", "Collector", "Keeper", "Told", "read_all"]

OCCASIONS = ("on_request", "on_response", "on_error", "on_retry")
SECRET = "the user's secret"


class Collector:
    """A real SDK that keeps what it is given."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.arguments: dict[str, Any] = {
            "tracer_provider": tracers,
            "meter_provider": MeterProvider([self._reader], shutdown_on_exit=False),
        }

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended."""
        return list(self._exporter.get_finished_spans())

    def attributes(self) -> dict[str, Any]:
        """Those of the only span."""
        (span,) = self.spans
        return dict(span.attributes or {})

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        return self.metrics().get(name, [])

    def metrics(self) -> dict[str, list[Any]]:
        """The data points of every metric, by name."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for s in scopes for metric in s.metrics}


@dataclass
class Told:
    """What callbacks were told, in order."""

    calls: list[tuple[str, CallRecord]] = field(default_factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        """A client's arguments: one function per occasion."""
        return {name: self._listen(name) for name in OCCASIONS}

    @property
    def occasions(self) -> list[str]:
        """Which callbacks were called."""
        return [name for name, _ in self.calls]

    def last(self, occasion: str) -> CallRecord:
        """The latest record of an occasion."""
        return [record for name, record in self.calls if name == occasion][-1]

    def _listen(self, name: str) -> Any:
        return lambda record: self.calls.append((name, record))


class Keeper(logging.Handler):
    """Keeps the records it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.kept.append(record)


async def read_all(stream: Any) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass
