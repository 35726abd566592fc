# Written by scripts/unasync: change the file of this name in ../_async instead.
"""A streamed response, blocking."""

import random
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Generic, Self, TypeVar, cast
from weakref import finalize

from azure_responses._sync.closing import Closing
from azure_responses._sync.concurrency import shield, sleep
from azure_responses._sync.converted_calls import ConvertedStream
from azure_responses._sync.executor import Executor
from azure_responses._sync.response_socket import ResponseSocket
from azure_responses._sync.socket_reply import SocketReply, WarmUpReply
from azure_responses._sync.watch import Watch
from azure_responses.errors import APIConnectionError, AzureResponsesError, StreamInterruptedError
from azure_responses.http_exchange import Headers, HttpResponse
from azure_responses.protocol.call import Call
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.partial_response import TextPieces
from azure_responses.protocol.resumption import Step
from azure_responses.protocol.stream import ResponseStream
from azure_responses.reply_body import StreamedReply
from azure_responses.transport import Timeout
from azure_responses.types.events import ResponseStreamEvent
from azure_responses.types.response import Response
from azure_responses.types.result import request_id_of

__all__ = ["Stream", "TypedStream"]

R = TypeVar("R", bound=Response)
_Reply = StreamedReply | ConvertedStream | SocketReply | WarmUpReply


class TypedStream(Closing, Generic[R]):
    """What a client's and a router's stream share: iteration, text, the finished response."""

    _state: ResponseStream

    def __init__(self) -> None:
        self._ready: deque[ResponseStreamEvent] = deque()
        self._is_entered = False

    @property
    def response_id(self) -> str | None:
        """The response's id, once its first event has arrived."""
        return self._state.response_id

    @property
    def final_response(self) -> Response | None:
        """The finished response as its terminal event carried it; None before that."""
        return self._state.final_response

    @property
    def partial_response(self) -> Response | None:
        """The response as far as it has arrived; None before its first event."""
        return self._state.partial_response

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the latest connection's reply."""
        return self._state.headers

    @property
    def response(self) -> HttpResponse:
        """The reply with the attributes of an `httpx.Response`; the body is in the events."""
        return HttpResponse(200, Headers(self.headers))

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the latest connection."""
        return request_id_of(self.headers)

    def __iter__(self) -> Iterator[ResponseStreamEvent]:
        # In `with` the end of the block closes the connection; elsewhere the end of the loop.
        return self if self._is_entered else self._closing()

    def __next__(self) -> ResponseStreamEvent:
        while not self._ready:
            if not self._fill():
                raise StopIteration
        return self._ready.popleft()

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
        # The events are not wanted: dropping them keeps memory at the size of the text.
        while self._fill():
            self._ready.clear()
        final = self.final_response
        if final is None:
            raise StreamInterruptedError(
                "The stream was closed before the response was complete.",
                partial=self._state.partial_response,
            )
        return cast(R, self._state.finish(final))

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _closing(self) -> Iterator[ResponseStreamEvent]:
        try:
            while self._ready or self._fill():
                if self._ready:
                    yield self._ready.popleft()
        finally:
            self.close()

    def _fill(self) -> bool:
        """Read or reconnect once; False when there is nothing left to do."""
        raise NotImplementedError


class Stream(TypedStream[R]):
    """The typed events of one response, in order.

    Iterate it. Breaking out of a `for` loop closes the connection, unless the stream was entered
    as a context manager (`with`): then it can be iterated further until the block ends.

    A dropped background stream is taken up again by itself, without losing or repeating an event.
    A failure raises after the events that report it have been handed out; a stream that ends
    without a terminal event raises StreamInterruptedError.

    Args:
        executor: performs the calls.
        operations: builds those that retrieve the response after the connection was lost.
        state: what has arrived, and the call that opens the stream.
        options, timeout: of every call.
    """

    def __init__(
        self,
        executor: Executor | ResponseSocket,
        operations: Operations,
        state: ResponseStream,
        options: Options,
        timeout: Timeout,
    ) -> None:
        super().__init__()
        self._executor = executor
        self._operations = operations
        self._state = state
        # A retrieval has no body.
        self._options = replace(options, extra_body=None) if options.extra_body else options
        self._timeout = timeout
        self._reply: _Reply | None = None
        self._cause: AzureResponsesError | None = None
        self._failure: AzureResponsesError | None = None
        self._watch: Watch | None = None
        self._is_connected_once = False
        self._noted_id: str | None = None
        self._is_done = False

    def open(self) -> Self:
        """Connect now instead of at the first event; raises what the service answers."""
        if self._is_connected_once:
            return self
        self._start_watch()
        try:
            self._connect(self._state.call)
        except BaseException as error:
            self._end_watch(error)
            raise
        return self

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._give_up(None)

    def __enter__(self) -> Self:
        self._is_entered = True
        return self.open()

    def _fill(self) -> bool:
        """Read or reconnect once; False when there is nothing left to do."""
        if self._is_done:
            return False
        try:
            self._advance()
        except BaseException as error:
            # An interrupt may strike between two bytes; the connection is of no use after it.
            self._give_up(error)
            raise
        return bool(self._ready) or not self._is_done

    def _advance(self) -> None:
        # Four states: not connected yet; failed, after the events before the failure were handed
        # out; connected; or between two connections, where the state decides what follows.
        if not self._is_connected_once:
            self.open()
        elif self._failure is not None:
            raise self._failure
        elif self._reply is not None:
            self._read()
        else:
            self._recover()

    def _read(self) -> None:
        state, reply = self._state, self._reply
        assert reply is not None
        try:
            chunk = reply.read()
        except APIConnectionError as error:
            self._break_off(error)
            return
        events = state.end() if chunk is None else state.receive(chunk)
        self._ready.extend(events)
        if self._watch is not None:
            self._watch.receive(events)
        reply.note(state)
        if chunk is None or state.is_over:
            # The body may end a few bytes behind its last event. Once they are read, the connection
            # can serve the next call.
            if chunk is not None:
                reply.drain()
            self._break_off(None)

    def _break_off(self, cause: AzureResponsesError | None) -> None:
        self._cause = cause
        self._disconnect()

    def _recover(self) -> None:
        """Connect again where that helps, or come to the end."""
        try:
            step = self._state.next_step(
                self._cause, time.monotonic(), time.time(), random.random()
            )
        except AzureResponsesError as error:
            self._failure = error
            self._ready.extend(self._state.release())
            return
        if step.action == "finish":
            self._is_done = True
            self._end_watch(None)
        elif step.action == "settle":
            self._ready.extend(self._state.settle())
        else:
            self._take(step)

    def _take(self, step: Step) -> None:
        if self._watch is not None and step.cause is not None:
            self._watch.retry(step.cause, step.delay)
        try:
            while step.action == "poll":
                sleep(step.delay)
                step = self._state.after_poll(self._poll())
            sleep(step.delay)
            if step.action == "resume":
                self._connect(
                    self._operations.retrieve(
                        self._known_id(),
                        self._options,
                        stream=True,
                        starting_after=step.starting_after,
                    )
                )
            else:
                self._connect(self._state.call)
        except AzureResponsesError as error:
            # The first request has used up its own retries by now. A resumption that failed is
            # judged anew by `next_step`, which may poll instead.
            if step.action == "resend":
                raise
            self._cause = error

    def _poll(self) -> Response:
        """The response as it stands, retrieved as part of the watched call."""
        call = self._operations.retrieve(self._known_id(), self._options)
        return self._executor.exchange(call, self._timeout, self._watch)[1]

    def _known_id(self) -> str:
        assert self._state.response_id is not None
        return self._state.response_id

    def _connect(self, call: Call) -> None:
        self._is_connected_once = True
        self._reply = self._executor.open(call, self._timeout, self._watch)
        self._state.open(self._reply.headers, time.monotonic())

    def _give_up(self, error: BaseException | None) -> None:
        self._is_done = True
        try:
            self._disconnect()
        finally:
            self._end_watch(error)

    def _start_watch(self) -> None:
        watch = self._executor.telemetry.watch(self._state.call, is_stream=True)
        if watch is not None:
            self._watch = watch
            # A caller may drop the stream without closing it; this does not keep it alive.
            finalize(self, watch.drop, self._state)
            watch.start()

    def _end_watch(self, error: BaseException | None) -> None:
        if self._watch is not None:
            self._watch.end_stream(self._state, error)

    def _disconnect(self) -> None:
        if self._state.response_id not in (None, self._noted_id):
            # Once: noting it again at `close` would make a deleted response look fresh.
            self._noted_id = self._state.response_id
            final = self._state.final_response
            if final is None or final.store is not False:
                self._operations.recent.remember(self._known_id(), time.monotonic())
        # Forgotten first: closing may be interrupted, and is not done twice.
        reply, self._reply = self._reply, None
        if reply is not None:
            with shield():
                reply.close()
