"""What the async shell holds while a call is watched: it calls the callbacks."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from azure_responses._async.concurrency import grace
from azure_responses.protocol.call import Call
from azure_responses.telemetry.callback import (
    Occasion,
    async_check_callbacks,
    async_run_callbacks,
    run_callbacks,
)
from azure_responses.telemetry.observer import (
    Observer,
    StreamState,
    TelemetryOptions,
    is_heard,
    observe,
)
from azure_responses.telemetry.record import CallRecord
from azure_responses.types.model import StreamEvent

__all__ = ["AsyncTelemetry", "AsyncWatch"]

# How long the callbacks of a cancelled call may take, which must not hold up the cancellation.
_GRACE = 1.0


class AsyncWatch:
    """Watches one call, and tells the callbacks of it."""

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
        # A cancellation or an interrupt says that the caller left, which is no failure.
        failure = error if isinstance(error, Exception) else None
        occasion: Occasion = "on_response" if failure is None else "on_error"
        await self._tell(occasion, self._observer.end_stream(state, failure))

    def drop(self, state: StreamState) -> None:
        """No reference to the stream is left; noticed in any thread, outside of an event loop."""
        record = self._observer.end_stream(state, None)
        if record is not None:
            run_callbacks(self._observer.functions("on_response"), record)

    async def _tell(self, occasion: Occasion, record: CallRecord | None) -> None:
        functions = self._observer.functions(occasion) if record is not None else []
        if record is None or not functions:
            return
        # Under a cancelled scope every await is cancelled again.
        with grace(_GRACE) if record.is_abandoned else nullcontext():
            await async_run_callbacks(functions, record)


class AsyncTelemetry:
    """Watches the calls of one client.

    Raises ConfigurationError for callbacks that the client cannot call.
    """

    def __init__(self, options: TelemetryOptions) -> None:
        async_check_callbacks(options.callbacks)
        self._options = options
        self._names_a_listener = options.names_a_listener

    def watch(self, call: Call, *, is_stream: bool = False) -> AsyncWatch | None:
        """A watch over a call, or None when nothing listens."""
        if not (self._names_a_listener or is_heard()):
            return None
        observer = observe(self._options, call, is_stream=is_stream)
        return None if observer is None else AsyncWatch(observer)
