"""Decides whether a call is watched, and reports it to traces and the log."""

import logging
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from azure_responses.fork import generation
from azure_responses.protocol.call import Call
from azure_responses.telemetry.callback import Callback, Callbacks, Occasion, callbacks
from azure_responses.telemetry.charges import charged_responses
from azure_responses.telemetry.client_log import LOGGER, log_call, log_request, log_retry
from azure_responses.telemetry.record import CallRecord, Observation, routed_attempt
from azure_responses.types.model import StreamEvent

if TYPE_CHECKING:
    from azure_responses.telemetry.open_telemetry import CallTrace

__all__ = ["Observer", "StreamState", "TelemetryOptions", "is_heard", "observe"]


class StreamState(Protocol):
    """What an observer needs to know of a stream that has ended."""

    headers: Mapping[str, str]

    @property
    def final_response(self) -> Any:
        """The finished response; None before its end."""

    @property
    def partial_response(self) -> Any:
        """What has arrived of the response."""


@dataclass(frozen=True)
class TelemetryOptions:
    """What one client reports, and where.

    Attributes:
        callbacks: the client's own.
        tracer_provider, meter_provider: OpenTelemetry's, in place of the global ones.
        captures_content: put content on spans; None leaves it to the environment variable.
    """

    callbacks: Callbacks = field(default_factory=Callbacks)
    tracer_provider: Any = None
    meter_provider: Any = None
    captures_content: bool | None = None

    @property
    def names_a_listener(self) -> bool:
        """True when the client itself has a callback or a provider."""
        providers = (self.tracer_provider, self.meter_provider)
        return bool(self.callbacks) or any(provider is not None for provider in providers)


def is_heard() -> bool:
    """True when the program has set up something that may listen to the calls of any client.

    Runs for every call, so it may cost no more than a look-up or two.
    """
    # A program that never imported opentelemetry has nothing for it to write to.
    return "opentelemetry" in sys.modules or LOGGER.isEnabledFor(logging.INFO) or bool(callbacks)


def observe(options: TelemetryOptions, call: Call, *, is_stream: bool) -> "Observer | None":
    """An observer of a call, or None when nothing listens."""
    has_provider = options.tracer_provider is not None or options.meter_provider is not None
    trace = None
    if "opentelemetry" in sys.modules or has_provider:
        trace = _start_trace(options, call, is_stream=is_stream)
    is_reported = options.callbacks or callbacks or LOGGER.isEnabledFor(logging.INFO)
    if trace is None and not is_reported:
        return None
    return Observer(options, call, trace, is_stream=is_stream)


def _start_trace(options: TelemetryOptions, call: Call, *, is_stream: bool) -> "CallTrace | None":
    from azure_responses.telemetry.open_telemetry import CallTrace, find_instruments

    instruments = find_instruments(options.tracer_provider, options.meter_provider)
    if instruments is None:
        return None
    # None: the environment decides, which is read for each call.
    captures = options.captures_content
    return CallTrace(instruments, call, is_stream=is_stream, captures_content=captures)


class Observer:
    """Watches one call. The shells run the callbacks, because some have to be awaited."""

    def __init__(
        self,
        options: TelemetryOptions,
        call: Call,
        trace: "CallTrace | None",
        *,
        is_stream: bool,
    ) -> None:
        self._options = options
        self._trace = trace
        self._observation = Observation(
            call,
            is_stream=is_stream,
            now=time.monotonic(),
            wall_clock=time.time(),
            routed=routed_attempt.get(),
        )
        self._has_ended = False
        # A forked child has copies of its parent's calls, which the parent reports.
        self._process = generation()

    def functions(self, occasion: Occasion) -> list[Callback]:
        """The callbacks of an occasion: the program's, then the client's."""
        return [*callbacks.of(occasion), *self._options.callbacks.of(occasion)]

    def begin(self) -> CallRecord:
        """The call is about to be made."""
        if LOGGER.isEnabledFor(logging.DEBUG):
            log_request(self._observation.call)
        return self._observation.describe(time.monotonic())

    def active(self) -> AbstractContextManager[None]:
        """Inside, what the network libraries trace belongs to this call."""
        return nullcontext() if self._trace is None else self._trace.active()

    def retry(self, error: BaseException, delay: float) -> CallRecord:
        """Another attempt is about to be made."""
        record = self._observation.describe(time.monotonic(), error=error, retry_delay=delay)
        if self._trace is not None:
            self._trace.note_retry(record)
        if LOGGER.isEnabledFor(logging.DEBUG):
            log_retry(record)
        self._observation.note_retry()
        return record

    def receive(self, events: Iterable[StreamEvent]) -> None:
        """Events of a stream have arrived."""
        gaps = self._observation.note_events(events, time.monotonic())
        # Only metrics need the gaps; the time of the first chunk is in the record.
        if gaps and self._trace is not None:
            self._trace.note_chunks(gaps)

    def end(
        self,
        response: Any = None,
        headers: Mapping[str, str] | None = None,
        error: BaseException | None = None,
        *,
        is_abandoned: bool = False,
    ) -> CallRecord | None:
        """The call has ended; None if that was known, or if a forked child ends a parent's call."""
        if self._has_ended or self._process != generation():
            return None
        self._has_ended = True
        # A cancellation or an interrupt is not a failure of the call: its caller left.
        is_abandoned = is_abandoned or not isinstance(error, Exception | None)
        operation = self._observation.call.context.operation
        record = self._observation.describe(
            time.monotonic(),
            response=response,
            headers=headers or {},
            error=error,
            is_abandoned=is_abandoned,
            is_charged=charged_responses.charges(operation, response),
        )
        if self._trace is not None:
            self._trace.end(record)
        if LOGGER.isEnabledFor(logging.INFO):
            log_call(record)
        return record

    def end_stream(self, state: StreamState, error: BaseException | None) -> CallRecord | None:
        """A stream has ended; without a final response and an error it was given up."""
        final = state.final_response
        response = final or state.partial_response
        is_abandoned = final is None and error is None
        return self.end(response, state.headers, error, is_abandoned=is_abandoned)
