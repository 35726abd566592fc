# Written by scripts/unasync: change the file of this name in ../_async instead.
"""A stream that a router opened, blocking.

Its ids carry labels, and its end settles what was reserved for it.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from weakref import finalize

from pydantic import ValidationError

from azure_responses._sync.stream import Stream
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.partial_response import TextPieces
from azure_responses.router.attempts import AbandonedStreams, Routed
from azure_responses.router.stream_outcome import (
    StreamOutcome,
    label_error,
    late_opening,
    response_of,
)
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.route_request import Outcome
from azure_responses.types.events import ResponseStreamEvent
from azure_responses.types.response import Response
from azure_responses.types.result import Result, Route

__all__ = ["RoutedStream"]

R = TypeVar("R", bound=Response)


class RoutedStream(Generic[R]):
    """The typed events of one response, in order, from whichever deployment.

    Used as a client's `Stream` is. When a caller gets it, output has begun (of a background
    response: its id is known), and no other deployment takes over any more.
    """

    def __init__(self, inner: Stream[R], labels: IdRewriter, outcome_so_far: StreamOutcome) -> None:
        self.route: Route | None = None
        self._inner = inner
        self._labels = labels
        self._outcome_so_far = outcome_so_far
        self._ready: deque[ResponseStreamEvent] = deque()
        self._is_entered = False

    @property
    def response_id(self) -> str | None:
        """The response's id, labelled."""
        inner = self._inner.response_id
        return None if inner is None else self._labels.label_id(inner)

    @property
    def final_response(self) -> Response | None:
        """The finished response as its terminal event carried it; None before that."""
        final = self._inner.final_response
        return None if final is None else self._finished(final)

    @property
    def partial_response(self) -> Response | None:
        """The response as far as it has arrived; None before its first event."""
        partial = self._inner.partial_response
        return None if partial is None else self._labels.label(partial)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the latest connection's reply."""
        return self._inner.headers

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the latest connection."""
        return self._inner.request_id

    def begin(self) -> Outcome | None:
        """Read on until output begins; called once, before anybody else reads.

        The answer is the outcome of a stream that has no output and has ended.

        Raises:
            AzureResponsesError: it failed before; the connection is closed.
        """
        try:
            self._read_until_output()
        except BaseException as error:
            self._inner.close()
            self._label_error(error)
            raise late_opening(error) or error from error.__cause__
        return self._outcome_so_far.early_outcome(self._inner)

    def _read_until_output(self) -> None:
        self._inner.open()
        while (event := next(self._inner, None)) is not None:
            self._ready.append(event)
            if self._outcome_so_far.is_output(event):
                self._outcome_so_far.note_output()
                self._inner._end_opening()
                return

    def settle_with(self, routed: Routed[Any], abandoned_streams: AbandonedStreams) -> None:
        """Tell the open_attempt of this stream how it ends; forgotten streams go to `orphans`."""
        self.route = routed.route
        self._outcome_so_far.open(routed.open_attempt, self._inner)
        # Nobody may ever close the stream; this does not keep it alive.
        self._outcome_so_far.release_by(finalize(self, abandoned_streams.add, routed.open_attempt))

    def __iter__(self) -> Iterator[ResponseStreamEvent]:
        return self if self._is_entered else self._closing()

    def __next__(self) -> ResponseStreamEvent:
        event = self._next()
        if event is None:
            raise StopIteration
        return event

    def text_deltas(self) -> Iterator[str]:
        """The pieces of output text as they arrive."""
        pieces = TextPieces()
        for event in self:
            text = pieces.take(event)
            if text is not None:
                yield text

    def get_final_response(self) -> R:
        """The finished response; reads what is left of the stream first.

        Raises:
            StreamInterruptedError: the stream was closed before its end.
        """
        while self._next() is not None:
            pass
        try:
            return self._finished(self._inner.get_final_response())
        except ValidationError as error:
            self._finished(response_of(error))
            raise

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        try:
            self._inner.close()
        finally:
            self._outcome_so_far.end(self._inner)

    def __enter__(self) -> Self:
        self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _closing(self) -> Iterator[ResponseStreamEvent]:
        try:
            while (event := self._next()) is not None:
                yield event
        finally:
            self.close()

    def _next(self) -> ResponseStreamEvent | None:
        """The next event, labelled; None at the end."""
        if self._ready:
            return self._labels.label(self._ready.popleft())
        try:
            event = next(self._inner, None)
        except BaseException as error:
            self._label_error(error)
            self._outcome_so_far.fail(error, self._inner)
            raise
        if event is not None:
            return self._labels.label(event)
        self._outcome_so_far.end(self._inner)
        return None

    def _finished(self, final: Result) -> "R":
        final.attach_route(self.route)
        labelled: R = self._labels.label(final)  # type: ignore[assignment]
        return labelled

    def _label_error(self, error: BaseException) -> None:
        if isinstance(error, AzureResponsesError):
            label_error(error, self._labels)
