# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The OpenAI surface over a router, blocking."""

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from azure_responses._sync.client import AzureResponses
from azure_responses._sync.concurrency import compute, run_in_thread, shield, sleep
from azure_responses._sync.watch import Watch
from azure_responses.errors import (
    APIConnectionError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseFailedError,
)
from azure_responses.openai_server._sync.chat import ChatServer
from azure_responses.openai_server.error_body import error_event
from azure_responses.openai_server.exchange import ApiReply, ApiRequest
from azure_responses.openai_server.model_listing import list_models, show_model
from azure_responses.openai_server.proxy_attempt import (
    Abandoned,
    Dropping,
    FailedAnswer,
    ProxyAttempt,
    UpstreamResult,
    resumption_pause,
    settle_stream,
    shorter,
    unusable_credential,
)
from azure_responses.openai_server.raw_calls import RawCalls
from azure_responses.openai_server.raw_stream import RawStream
from azure_responses.openai_server.replies import event_reply, json_reply, refusal
from azure_responses.openai_server.served_request import ServedRequest, read_call
from azure_responses.openai_server.stream_body import StreamBody
from azure_responses.reply_body import StreamedReply
from azure_responses.router._sync.labelled import LabelledAttempt
from azure_responses.router.attempts import Answer, OpenAttempt
from azure_responses.router.targets import Target
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import for_stream
from azure_responses.transport import Timeout

if TYPE_CHECKING:
    from azure_responses.router import Router

__all__ = ["OpenAIServer"]

Reply = ApiReply[bytes | StreamBody]

# What takes milliseconds to read, which others should not wait for.
_LONG_REPLY = 256 * 1024


class OpenAIServer:
    """Answers requests of the OpenAI surface from a router; safe to share between threads.

    Args:
        router: makes the calls; not closed by the server.
    """

    def __init__(self, router: "Router") -> None:
        self._router = router
        self._reader = router.reader
        self._raw_calls: WeakKeyDictionary[AzureResponses, RawCalls] = WeakKeyDictionary()

    def handle(self, request: ApiRequest) -> Reply:
        """Answer a request; whatever goes wrong is an answer too."""
        try:
            call = self.read(request)
        except AzureResponsesError as error:
            return refusal(request, error)
        return self.answer(call)

    def read(self, request: ApiRequest) -> ServedRequest:
        """What a request asks, to be looked at before it is answered.

        Raises:
            APIStatusError: it cannot be answered, whatever Azure thinks of it; see `refusal`.
        """
        call_id = request.call_id or str(uuid4())
        return read_call(request, self._reader, call_id=call_id, now=time.time())

    def answer(self, call: ServedRequest) -> Reply:
        """Make the call."""
        summary, began = call.summary, time.monotonic()
        try:
            if call.operation == "models":
                return json_reply(summary, list_models(self._reader.routing, call.request))
            if call.operation == "model":
                return json_reply(
                    summary, show_model(self._reader.routing, call.route.model, call.request)
                )
            if call.operation == "chat":
                return ChatServer(self._router, call, began).answer()
            if call.is_stream:
                return _Streamed(self, self._router, call, began).answer()
            return self._answer_whole(call, began)
        except FailedAnswer as failed:
            summary.latency = time.monotonic() - began
            return _show_failure(call, failed)
        except AzureResponsesError as error:
            summary.latency = time.monotonic() - began
            return refusal(call.request, error, summary)

    def _answer_whole(self, call: ServedRequest, began: float) -> Reply:
        summary = call.summary

        def attempt(
            target: Target, routed: RoutedCall, left: float | None
        ) -> Answer[UpstreamResult]:
            raw = self.begin_attempt(call, target, routed, left)
            answer = _send(raw, call, target, left)
            outcome = raw.outcome(answer.body, answer.headers)
            return Answer(answer, outcome, raw.entry(answer.body))

        routed = self._router.calls.perform(call.route_request, attempt)
        summary.headers = routed.result.headers
        finish = partial(routed.result.finish, summary)
        is_long = routed.result.size >= _LONG_REPLY
        body = run_in_thread(finish) if is_long else finish()
        if call.operation == "delete" and call.stored is not None:
            self._router.calls.state.forget(call.stored.inner)
        summary.latency = time.monotonic() - began
        return json_reply(summary, body)

    def begin_attempt(
        self, call: ServedRequest, target: Target, routed: RoutedCall, left: float | None
    ) -> ProxyAttempt:
        """An attempt on one deployment, with the history it has to carry if it has to."""
        if routed.replays_history and call.reading is not None:
            calls = self._router.calls
            typed = LabelledAttempt(
                call.reading, target, routed, left, calls.targets, calls.state.remember
            )
            typed.find_history()
        options = self._router.chat_options
        dropping = Dropping(
            options.knowledge_of(target.deployment),
            call.drops_params or options.drop_params or target.drops_params,
        )
        raw_calls = self.raw_calls(target)
        return compute(ProxyAttempt, call, target.deployment, routed, raw_calls, dropping)

    def raw_calls(self, target: Target) -> RawCalls:
        """What makes the calls of a target's client."""
        found = self._raw_calls.get(target.client)
        if found is None:
            found = self._raw_calls[target.client] = RawCalls(target.operations)
        return found


def _show_failure(call: ServedRequest, failed: FailedAnswer) -> Reply:
    summary = call.summary
    summary.error = failed
    answer = failed.answer
    if isinstance(answer, UpstreamResult):
        summary.headers = answer.headers
        return json_reply(summary, answer.finish(summary))
    return event_reply(summary, StreamBody(_once(answer)))


def _once(events: bytes) -> Iterator[bytes]:
    yield events


def _send(
    raw: ProxyAttempt, call: ServedRequest, target: Target, left: float | None
) -> UpstreamResult:
    """One attempt's whole answer, told to whoever listens."""
    watch = target.sender.telemetry.watch(raw.call)
    if watch is not None:
        watch.start()
    try:
        answer = _exchange(raw, call, target, left, watch)
    except BaseException as error:
        raw.note_failure(error)
        if watch is not None:
            watch.fail(error)
        raise
    if watch is not None:
        watch.finish(raw.typed(answer.body, answer.headers), answer.headers)
    return answer


def _exchange(
    raw: ProxyAttempt,
    call: ServedRequest,
    target: Target,
    left: float | None,
    watch: Watch | None,
) -> UpstreamResult:
    try:
        reply = target.sender.send(raw.call, shorter(call.timeout, left), watch)
    except CredentialError:
        raise
    except ConfigurationError as error:
        raise unusable_credential(error) from error
    except NotFoundError as error:
        raise raw.explain_missing(error) from error
    if len(reply.body) < _LONG_REPLY:
        return raw.read(reply, time.time())
    return run_in_thread(partial(raw.read, reply, time.time()))


class _Streamed:
    """One streamed response.

    The generator of its bytes settles the open_attempt however it ends: read to its end, broken, or
    closed because nobody wants the rest.
    """

    def __init__(
        self, server: OpenAIServer, router: "Router", call: ServedRequest, began: float
    ) -> None:
        self._server = server
        self._router = router
        self._call = call
        self._began = began

    def answer(self) -> Reply:
        """The reply, once output has begun."""
        call, summary = self._call, self._call.summary
        routed = self._router.calls.perform(call.route_request, self._attempt)
        opened = routed.result
        summary.headers = opened.reply.headers
        summary.time_to_first_output = time.monotonic() - self._began
        summary.latency = summary.time_to_first_output
        return event_reply(
            summary, StreamBody(opened.events(routed.open_attempt, call, self._began))
        )

    def _attempt(self, target: Target, routed: RoutedCall, left: float | None) -> "Answer[_Opened]":
        raw = self._server.begin_attempt(self._call, target, routed, left)
        opened = _Opened(raw, target)
        try:
            opened.open(self._call, left, self._router.calls.state.remember)
        except AzureResponsesError as error:
            raw.label_error(error)
            raise
        finally:
            raw.note_latency()
        return Answer(opened, None)


class _Opened:
    """A stream under way."""

    reply: StreamedReply

    def __init__(self, attempt: ProxyAttempt, target: Target) -> None:
        self.attempt = attempt
        self.state: RawStream = attempt.open_stream()
        self._target = target
        self._first = b""
        self._watch: Any = None

    def open(self, call: ServedRequest, left: float | None, remember: Any) -> None:
        """Read until there is output; raises what happened before there was."""
        sender = self._target.sender
        self._remember = remember
        self._watch = sender.telemetry.watch(self.attempt.call, is_stream=True)
        if self._watch is not None:
            self._watch.start()
        try:
            self._begin(call.timeout, left)
        except BaseException as error:
            self._close()
            if self._watch is not None:
                self._watch.fail(error)
            raise

    def _begin(self, timeout: Timeout, left: float | None) -> None:
        own = self._target.deployment.timeout
        opening = for_stream(timeout, left, own)
        try:
            sender = self._target.sender
            self.reply = sender.open(self.attempt.call, opening, self._watch)
        except CredentialError:
            raise
        except ConfigurationError as error:
            raise unusable_credential(error) from error
        self._read_opening()

    def _read_opening(self) -> None:
        state = self.state
        while not self._first and not state.is_over:
            chunk = self.reply.read()
            if chunk is None:
                self._first = state.end()
                break
            self._first = state.receive(chunk)
            self.reply.note(state)
        self.reply.end_opening()
        if self._first:
            self._note_created()
            return
        error = self.attempt.failure_of(state, self.reply.headers)
        if isinstance(error, ResponseFailedError):
            raise FailedAnswer(error, state.release())
        raise error or APIConnectionError("The stream ended before its terminal event.")

    def events(
        self, open_attempt: OpenAttempt, call: ServedRequest, began: float
    ) -> Iterator[bytes]:
        """The bytes to send on."""
        summary, state = call.summary, self.state
        error: BaseException | None = None
        broken: AzureResponsesError | None = None
        latency = summary.time_to_first_output or 0.0
        try:
            yield self._first
            self._first = b""
            try:
                yield from self._pieces(call.timeout)
            except AzureResponsesError as caught:
                broken = caught
            failure = settle_stream(
                open_attempt, self.attempt, state, self.reply.headers, latency, broken=broken
            )
            error = summary.error = failure
            if failure is not None and not state.failures:
                number = state.last_sequence_number
                yield error_event(failure, None if number is None else number + 1)
        except BaseException as left:
            error = left
            summary.is_abandoned = True
            raise
        finally:
            open_attempt.abandoned()
            summary.latency = time.monotonic() - began
            summary.result = state.response
            summary.last_sequence_number = state.last_sequence_number
            with shield():
                self._close()
                self._end_watch(error)

    def _pieces(self, timeout: Timeout) -> Iterator[bytes]:
        """What is to be sent on, over as many connections as it takes."""
        resumed = 0
        while not self._is_settled():
            broken: APIConnectionError | None = None
            last = self.state.last_sequence_number
            try:
                yield from self._arriving()
            except APIConnectionError as error:
                broken = error
            if self._is_settled():
                break
            # An event that came shows that the way is open again.
            resumed = 0 if self.state.last_sequence_number != last else resumed + 1
            pause = resumption_pause(resumed)
            if pause is None or not self._resume(pause, timeout):
                if broken is not None:
                    raise broken
                return
        if self.state.is_over:
            self.reply.drain()

    def _arriving(self) -> Iterator[bytes]:
        state = self.state
        while not state.is_over and (chunk := self.reply.read()) is not None:
            piece = state.receive(chunk)
            self.reply.note(state)
            if piece:
                yield piece
        if not state.is_over:
            piece = state.end()
            if piece:
                yield piece

    def _resume(self, pause: float, timeout: Timeout) -> bool:
        """Connect again behind the last event; False where that is not possible."""
        call = self.attempt.resumption(self.state)
        if call is None:
            return False
        self.reply.close()
        sleep(pause)
        try:
            self.reply = self._target.sender.open(call, timeout, None)
        except (APIConnectionError, InternalServerError, RateLimitError):
            # The closed reply has nothing more, so that it is tried once more.
            pass
        except AzureResponsesError:
            return False
        self.state.reconnect()
        return True

    def _is_settled(self) -> bool:
        return self.state.is_settled

    def _note_created(self) -> None:
        entry = self.attempt.entry(self.state.response)
        if entry is not None:
            self._remember(entry)

    def _close(self) -> None:
        reply: StreamedReply | None = getattr(self, "reply", None)
        if reply is not None:
            reply.close()

    def _end_watch(self, error: BaseException | None) -> None:
        if self._watch is None:
            return
        final = self.attempt.typed(self.state.response, self.reply.headers)
        if isinstance(error, AzureResponsesError):
            self._watch.fail(error)
        elif error is None:
            self._watch.finish(final, self.reply.headers)
        else:
            self._watch.end_stream(Abandoned(self.reply.headers, final))
