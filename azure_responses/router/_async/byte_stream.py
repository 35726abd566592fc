"""One streamed response as bytes, over as many connections as it takes.

The OpenAI server sends the bytes on; `routed_stream` decodes them into typed events, and chat turns
those into chunks. The states of a stream, after which no other deployment takes over but from the
first:

| state | event | next state | what happens |
|---|---|---|---|
| opening | an opening event | opening | it is kept back |
| opening | output | open | what was kept back is handed out; the ledger hears of the response |
| opening | an ending event | ended | the outcome is known; routing may want another answer |
| opening | a failure, or the connection ends | failed | raised by `open`: it is tried elsewhere |
| open | an event | open | it is handed out |
| open | an ending event | ended | settled with the outcome |
| open | a failure is reported | failed | settled as failed, and raised by `read` |
| open | the connection ends, in the background | open | read on or polled for, see `resumption` |
| open | the connection ends | failed | settled as failed, and raised by `read` |
| open | `aclose`, or it is forgotten | abandoned | settled as abandoned |
"""

import random
import time
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import finalize

from azure_responses._async.concurrency import shield, sleep
from azure_responses._async.converted_calls import AsyncConvertedStream
from azure_responses._async.executor import AsyncExecutor
from azure_responses._async.response_socket import AsyncResponseSocket
from azure_responses._async.socket_reply import AsyncSocketReply, AsyncWarmUpReply
from azure_responses._async.watch import AsyncWatch
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    ConfigurationError,
)
from azure_responses.protocol.call import Call
from azure_responses.protocol.resumption import Resumption, Step
from azure_responses.reply_body import AsyncStreamedReply
from azure_responses.router._async.attempt import AsyncAttempt
from azure_responses.router.attempts import AbandonedStreams, OpenAttempt
from azure_responses.router.event_frames import EventFrames
from azure_responses.router.routed_object import RoutedObject
from azure_responses.router.upstream_reply import (
    outcome_of,
    stream_failure,
    tokens_of,
    typed_response,
)
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome
from azure_responses.timeouts import Timeout, for_stream, read_timeout, shorten

__all__ = ["AsyncByteStream", "Progress"]

_Reply = AsyncStreamedReply | AsyncConvertedStream | AsyncSocketReply | AsyncWarmUpReply
_Sender = AsyncExecutor | AsyncResponseSocket


class Progress(Protocol):
    """What a typed reader has made of a stream so far, for those who watch the call."""

    @property
    def partial_response(self) -> Any:
        """The response as far as it has arrived, or None."""


class AsyncByteStream:
    """One stream, and the attempt it belongs to.

    Args:
        attempt: not sent yet.
        model: stands in the place of Azure's model name; None keeps that.

    Attributes:
        headers: of the latest connection's reply.
        frames: the events so far.
        latency: seconds to the first output.
        entry: the stored response to remember, once it is known.
        progress: what a typed reader has made of it.
        watch: a typed reader tells it the events; None without listeners.
        is_interrupted: the connection ended before the stream did.
    """

    _reply: _Reply
    frames: EventFrames

    def __init__(self, attempt: AsyncAttempt, *, model: str | None = None) -> None:
        self.headers: Mapping[str, str] = {}
        self.latency = 0.0
        self.entry: LedgerEntry | None = None
        self.progress: Progress | None = None
        self.watch: AsyncWatch | None = None
        self.is_interrupted = False
        self._attempt = attempt
        self._model = model
        self._first = b""
        self._open_attempt: OpenAttempt | None = None
        self._finalizers: list[finalize[..., Any]] = []
        self._cause: AzureResponsesError | None = None
        self._polled: dict[str, Any] = {}
        self._is_connected = False
        self._is_opening = True
        self._has_ended = False

    async def open(self) -> Outcome | None:
        """Connect, and read until output begins; called once.

        The result is the outcome of a stream that has arrived whole, else None.

        Raises:
            AzureResponsesError: it failed before output; `frames` still has what arrived.
        """
        attempt = self._attempt
        await attempt.write()
        self.frames = attempt.make_frames(self._model)
        self._resumption = Resumption(attempt.sent.policy)
        self.watch = attempt.target.sender.telemetry.watch(attempt.sent, is_stream=True)
        if self.watch is not None:
            await self.watch.start()
        try:
            await self._begin()
        except BaseException as error:
            # The connection first: what a listener does may raise.
            await self._close()
            if self.watch is not None:
                await self.watch.fail(error)
            if isinstance(error, AzureResponsesError):
                explained = attempt.explain(error)
                raise explained from error.__cause__
            raise
        return self._note_opening()

    def settle_with(
        self, open_attempt: OpenAttempt, abandoned_streams: AbandonedStreams, reader: object
    ) -> None:
        """Tell the reservation how the stream ends; one whose reader is forgotten is abandoned."""
        self._open_attempt = open_attempt
        # A finalizer keeps what it is to settle alive: the reservation, by its errors and their
        # tracebacks the frames that read the stream, and by those the stream itself. So it is
        # detached as soon as the stream has ended.
        if not open_attempt.is_settled:
            self._finalizers.append(finalize(reader, abandoned_streams.add, open_attempt))
        if self.watch is not None:
            self._finalizers.append(finalize(reader, self._drop))

    async def read(self) -> bytes:
        """The next bytes to send on; none once the stream has ended in order.

        Raises:
            AzureResponsesError: the failure it has ended with. If it reported that itself, the
                events that do have been handed out.
        """
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            while not self._has_ended:
                piece = await self._read_once()
                if piece:
                    return piece
        except AzureResponsesError as error:
            explained = self._attempt.explain(error)
            await self.end(explained)
            raise explained from error.__cause__
        except BaseException as error:
            # An interrupt may strike between two bytes; the connection is of no use after it.
            await self.end(error)
            raise
        return b""

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        await self.end(None)

    async def end(self, error: BaseException | None) -> None:
        """Settle and close; `error` is why, None where it has ended or was closed."""
        self._has_ended = True
        for finalizer in self._finalizers:
            finalizer.detach()
        self._settle(error)
        with shield():
            await self._close()
            await self._end_watch(error)

    async def _begin(self) -> None:
        attempt = self._attempt
        while not self._is_connected:
            try:
                await self._connect(attempt.sent, self._opening_timeout(), attempt.sender)
            except APIStatusError as error:
                await attempt.write_again(error)
                self.frames = attempt.make_frames(self._model)
        while not self._first:
            self._first = await self._read_once()
        self._is_opening = False
        if self._is_connected:
            self._reply.end_opening()
        if not self.frames.has_output and self.frames.is_finished:
            # Another deployment may be asked for an answer: this may not be read to its end.
            await self._disconnect()

    def _note_opening(self) -> Outcome | None:
        attempt, frames = self._attempt, self.frames
        self.latency = time.monotonic() - attempt.began
        attempt.note_created(frames.response)
        self.entry = attempt.request.entry(frames.response, attempt.target.deployment)
        # It came whole, so that no later read will settle it.
        if frames.is_finished:
            return self._outcome(has_output=frames.has_output)
        if self.entry is not None:
            # Now: the service may keep what the caller does not read to its end.
            attempt.calls.state.remember(self.entry)
        return None

    async def _read_once(self) -> bytes:
        frames = self.frames
        # A proxy may keep the connection open after the ending event.
        if not self._is_connected or frames.is_over:
            return await self._next_connection()
        seen = frames.events_seen
        try:
            chunk = await self._reply.read()
        except APIConnectionError as error:
            self._cause, self._is_connected = error, False
            return b""
        if chunk is None:
            self._is_connected = False
            return frames.end()
        piece = frames.receive(chunk)
        self._reply.note(frames)
        # Comments are no progress: a connection that brings nothing else counts as a failed one.
        if frames.events_seen != seen:
            self._resumption.progress()
        return piece

    async def _next_connection(self) -> bytes:
        """What there is to hand out when a connection has ended: nothing, or the last event."""
        frames = self.frames
        if not frames.is_settled and (step := self._next_step()) is not None:
            await self._disconnect()
            return await self._take(step)
        # Read to its end, the connection can serve another call.
        if self._is_connected:
            await self._reply.drain()
        failure = self._failure()
        if failure is not None:
            # A stream that ends without saying why was cut off.
            self.is_interrupted = not frames.failures
            raise failure
        await self.end(None)
        return b""

    def _next_step(self) -> Step | None:
        # Any other response dies with its connection, and one whose id never came cannot be read.
        if not self._attempt.request.is_background or self._response_id() is None:
            return None
        cause = self._cause or APIConnectionError("The stream ended before its terminal event.")
        last = self.frames.last_sequence_number
        return self._resumption.after_interruption(cause, last, time.monotonic(), random.random())

    async def _take(self, step: Step) -> bytes:
        """Read on where the connection was lost; the result is an ending event that was polled."""
        if step.action == "settle":
            # The last connection brought no ending event either, so the polled response makes it.
            return self.frames.finish(self._polled)
        if self.watch is not None and step.cause is not None:
            await self.watch.retry(step.cause, step.delay)
        try:
            while step.action == "poll":
                await sleep(step.delay)
                self._polled = await self._poll()
                last = self.frames.last_sequence_number
                step = self._resumption.after_poll(self._polled.get("status"), last)
            await sleep(step.delay)
            await self._reconnect(step.starting_after)
        except AzureResponsesError as error:
            # Not raised: this cause decides whether the next step tries again, polls or gives up.
            self._cause = error
        return b""

    async def _poll(self) -> dict[str, Any]:
        sender, call = self._attempt.target.sender, self._retrieval(None, is_stream=False)
        reply = await sender.send(call, self._timeout(), self.watch)
        return self._attempt.target.upstream.read(call, reply, time.time())

    async def _reconnect(self, after: int | None) -> None:
        # Until output begins another deployment may take over, which needs time of its own.
        timeout = self._opening_timeout() if self._is_opening else self._timeout()
        sender = self._attempt.target.sender
        await self._connect(self._retrieval(after, is_stream=True), timeout, sender)
        self.frames.reconnect()

    async def _connect(self, call: Call, timeout: Timeout, sender: _Sender) -> None:
        try:
            self._reply = await sender.open(call, timeout, self.watch)
        except ConfigurationError as error:
            refused = self._attempt.refusal(error)
            if refused is error:
                raise
            raise refused from error
        self._attempt.tell_warnings()
        self.headers = self._reply.headers
        self._is_connected, self._cause = True, None
        self._resumption.open(time.monotonic())

    def _retrieval(self, after: int | None, *, is_stream: bool) -> Call:
        found, asked = self._response_id(), self._attempt.request
        # The reply to a call on a stored object is no stream of events.
        assert found is not None
        assert not isinstance(asked, RoutedObject)
        request = asked.retrieval(found, after, is_stream=is_stream)
        return self._attempt.target.upstream.write(request)

    def _response_id(self) -> str | None:
        """As the service knows it."""
        request = self._attempt.request
        if request.known_id is not None:
            return request.known_id
        found = self.frames.response.get("id") if self.frames.response else None
        return found if isinstance(found, str) else None

    def _opening_timeout(self) -> Timeout:
        attempt = self._attempt
        own = attempt.target.deployment.timeout
        return read_timeout(for_stream(attempt.request.timeout, attempt.left, own))

    def _timeout(self) -> Timeout:
        attempt = self._attempt
        return shorten(attempt.request.timeout, attempt.target.deployment.timeout)

    def _failure(self) -> AzureResponsesError | None:
        """The error that the stream has ended with, or None."""
        failure = stream_failure(self._attempt.sent, self.frames, self.headers, time.time())
        # What the network said tells more than that no ending event came.
        if failure is not None and self._cause is not None and not self.frames.failures:
            return self._cause
        return failure

    def _outcome(self, *, has_output: bool) -> Outcome:
        is_stored = self._attempt.request.is_about_stored
        return outcome_of(
            self.frames.response,
            self.headers,
            None if is_stored else self.latency,
            has_output=has_output,
            is_stored=is_stored,
        )

    def _settle(self, error: BaseException | None) -> None:
        open_attempt, frames = self._open_attempt, self.frames
        if open_attempt is None:
            return
        # No event before output had the response: a purge has to find it all the same.
        if self.entry is None and not open_attempt.is_settled:
            self._remember_late()
        if isinstance(error, AzureResponsesError):
            tokens = tokens_of(frames.response)
            open_attempt.failed(error, has_output=True, tokens=tokens)
        elif error is None and frames.is_finished:
            open_attempt.answered(self._outcome(has_output=True))
        else:
            open_attempt.abandoned(tokens=tokens_of(frames.response))

    def _remember_late(self) -> None:
        attempt = self._attempt
        entry = attempt.request.entry(self.frames.response, attempt.target.deployment)
        if entry is not None:
            self.entry = entry
            attempt.calls.state.remember(entry)

    async def _disconnect(self) -> None:
        self._is_connected = False
        await self._reply.aclose()

    async def _close(self) -> None:
        reply: _Reply | None = getattr(self, "_reply", None)
        if reply is not None:
            await reply.aclose()

    def _drop(self) -> None:
        """Every reader has forgotten the stream."""
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.drop(_Watched(self))

    async def _end_watch(self, error: BaseException | None) -> None:
        watch, self.watch = self.watch, None
        if watch is not None:
            await watch.end_stream(_Watched(self), error)


class _Watched:
    """A stream that has ended, for those who watch the call: with the service's own ids."""

    def __init__(self, stream: AsyncByteStream) -> None:
        self.headers = stream.headers
        frames = stream.frames
        typed = typed_response(stream._attempt.sent, frames.response, stream.headers)
        self.final_response = typed if frames.is_finished else None
        progress = stream.progress
        partial = progress.partial_response if progress is not None else None
        self.partial_response = typed if partial is None else partial
