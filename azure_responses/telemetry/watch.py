"""What the shells hold while a call is watched: one twin calls callbacks, the other awaits them."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import anyio

from azure_responses.protocol.call import Call
from azure_responses.telemetry.callback import Occasion, await_callbacks, run_callbacks
from azure_responses.telemetry.observer import Observer, TelemetryOptions, is_heard, observe
from azure_responses.telemetry.record import CallRecord
from azure_responses.types.event import StreamEvent

__all__ = ["AsyncTelemetry", "AsyncWatch", "StreamState", "Telemetry", "Watch"]

# How long the callbacks of a cancelled call may take, which must not hold up the cancellation.
_GRACE = 1.0


class StreamState(Protocol):
    """What a watch needs to know of a stream that has ended."""

    headers: Mapping[str, str]
    final_response: Any

    @property
    def partial_response(self) -> Any:
        """What has arrived of the response."""


class Watch:
    """Watches one call of a sync client."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def start(self) -> None:
        """The call is about to be made."""
        self._tell("on_request", self._observer.begin())

    def active(self) -> AbstractContextManager[None]:
        """Inside, what the network libraries trace belongs to this call."""
        return self._observer.active()

    def retry(self, error: BaseException, delay: float) -> None:
        """Another attempt is about to be made, in `delay` seconds."""
        self._tell("on_retry", self._observer.retry(error, delay))

    def receive(self, events: Iterable[StreamEvent]) -> None:
        """Events of a stream have arrived."""
        self._observer.receive(events)

    def finish(self, result: Any, headers: Mapping[str, str]) -> None:
        """The call was answered."""
        self._tell("on_response", self._observer.end(result, headers))

    def fail(self, error: BaseException) -> None:
        """The call failed."""
        self._tell("on_error", self._observer.end(error=error))

    def end_stream(self, state: StreamState, error: BaseException | None = None) -> None:
        """A stream was read to its end, failed, or was given up."""
        failure = _failure(error)
        self._tell(_occasion(failure), _end(self._observer, state, failure))

    def drop(self, state: StreamState) -> None:
        """Every reader has forgotten the stream."""
        self.end_stream(state)

    def _tell(self, occasion: Occasion, record: CallRecord | None) -> None:
        if record is not None:
            run_callbacks(self._observer.functions(occasion), record)


class AsyncWatch:
    """Watches one call of an async client."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def start(self) -> None:
        """The call is about to be made."""
        await self._tell("on_request", self._observer.begin())

    def active(self) -> AbstractContextManager[None]:
        """Inside, what the network libraries trace belongs to this call."""
        return self._observer.active()

    async def retry(self, error: BaseException, delay: float) -> None:
        """Another attempt is about to be made, in `delay` seconds."""
        await self._tell("on_retry", self._observer.retry(error, delay))

    def receive(self, events: Iterable[StreamEvent]) -> None:
        """Events of a stream have arrived."""
        self._observer.receive(events)

    async def finish(self, result: Any, headers: Mapping[str, str]) -> None:
        """The call was answered."""
        await self._tell("on_response", self._observer.end(result, headers))

    async def fail(self, error: BaseException) -> None:
        """The call failed."""
        await self._tell("on_error", self._observer.end(error=error))

    async def end_stream(self, state: StreamState, error: BaseException | None = None) -> None:
        """A stream was read to its end, failed, or was given up."""
        failure = _failure(error)
        await self._tell(_occasion(failure), _end(self._observer, state, failure))

    def drop(self, state: StreamState) -> None:
        """A stream was forgotten by everybody, outside of any event loop."""
        record = _end(self._observer, state, None)
        if record is not None:
            run_callbacks(self._observer.functions("on_response"), record)

    async def _tell(self, occasion: Occasion, record: CallRecord | None) -> None:
        functions = self._observer.functions(occasion) if record is not None else []
        if record is None or not functions:
            return
        if record.is_abandoned:
            # Under a cancelled scope every await is cancelled again.
            with anyio.move_on_after(_GRACE, shield=True):
                await await_callbacks(functions, record)
        else:
            await await_callbacks(functions, record)


def _failure(error: BaseException | None) -> Exception | None:
    """The error, unless it says that the caller left: a cancellation, an interrupt."""
    return error if isinstance(error, Exception) else None


def _occasion(error: BaseException | None) -> Occasion:
    return "on_response" if error is None else "on_error"


def _end(observer: Observer, state: StreamState, error: BaseException | None) -> CallRecord | None:
    final = state.final_response
    is_abandoned = final is None and error is None
    response = final or state.partial_response
    return observer.end(response, state.headers, error, is_abandoned=is_abandoned)


class Telemetry:
    """Watches the calls of one sync client.

    Raises ConfigurationError for callbacks that would have to be awaited.
    """

    def __init__(self, options: TelemetryOptions) -> None:
        options.callbacks.refuse_async()
        self._options = options
        self._names_a_listener = options.names_a_listener

    def watch(self, call: Call, *, is_stream: bool = False) -> Watch | None:
        """A watch over a call, or None when nobody listens."""
        if not (self._names_a_listener or is_heard()):
            return None
        observer = observe(self._options, call, is_stream=is_stream)
        return None if observer is None else Watch(observer)


class AsyncTelemetry:
    """Watches the calls of one async client."""

    def __init__(self, options: TelemetryOptions) -> None:
        self._options = options
        self._names_a_listener = options.names_a_listener

    def watch(self, call: Call, *, is_stream: bool = False) -> AsyncWatch | None:
        """A watch over a call, or None when nobody listens."""
        if not (self._names_a_listener or is_heard()):
            return None
        observer = observe(self._options, call, is_stream=is_stream)
        return None if observer is None else AsyncWatch(observer)
