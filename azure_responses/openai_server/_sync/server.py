# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The OpenAI surface over a router, blocking.

Every route goes through the router's loop and attempts. Responses and Messages pass as JSON bytes,
in which only ids and the model's name are replaced, so that fields and events unknown to this
package survive. So do chat completions, unless the deployment speaks Responses: then they are the
router's own, written as bytes at the end.
"""

import time
from collections.abc import Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from azure_responses._sync.concurrency import run_in_thread, shield
from azure_responses._sync.object_calls import Download
from azure_responses.call_options import new_call_id
from azure_responses.errors import AzureResponsesError, ResponseFailedError
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.error_body import chat_error, closing_events, reason_of
from azure_responses.openai_server.exchange import ApiReply, ApiRequest, StreamBody
from azure_responses.openai_server.replies import (
    chat_body,
    chat_chunk,
    download_reply,
    event_reply,
    json_reply,
    list_models,
    passed_reply,
    refusal,
    response_body,
    show_model,
    shows_group,
    token_estimate,
)
from azure_responses.openai_server.served_request import ServedRequest, read_call
from azure_responses.router._sync.attempt import Attempt
from azure_responses.router._sync.byte_stream import ByteStream
from azure_responses.router._sync.chat_answers import (
    RoutedChatStream,
    bridges_chat,
    chat_answer,
)
from azure_responses.router._sync.object_calls import RoutedObjects
from azure_responses.router._sync.passed_calls import PassedCalls, PassedStream
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.attempts import Answer, Routed
from azure_responses.router.passed_reply import facts_of_stream, is_event_stream
from azure_responses.router.passed_request import PassedRequest
from azure_responses.router.routed_object import RoutedObject
from azure_responses.router.targets import Target
from azure_responses.router.upstream_reply import UpstreamReply
from azure_responses.routing.route_request import Outcome
from azure_responses.routing.routed_call import RoutedCall

if TYPE_CHECKING:
    from azure_responses.router import Router

__all__ = ["OpenAIServer"]

Reply = ApiReply[bytes | StreamBody]

# What takes milliseconds to write, which other tasks should not wait for.
_LONG_REPLY = 256 * 1024


class FailedAnswer(ResponseFailedError):
    """A response that Azure says has failed, to be shown as Azure said it.

    `answer` is the whole reply, or of a stream its events.
    """

    def __init__(self, error: ResponseFailedError, answer: UpstreamReply | bytes) -> None:
        super().__init__(
            error.message, code=error.code, request_id=error.request_id, hint=error.hint
        )
        self.answer = answer


class OpenAIServer:
    """Answers requests of the OpenAI surface from a router; safe to share between threads.

    Args:
        router: makes the calls; not closed by the server.
    """

    def __init__(self, router: "Router") -> None:
        self._router = router
        self._reader = router.parts.reader

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
        call_id = request.call_id or new_call_id()
        return read_call(request, self._reader, call_id=call_id, now=time.time())

    def answer(self, call: ServedRequest) -> Reply:
        """Make the call."""
        summary, began = call.summary, time.monotonic()
        try:
            if call.operation == "models":
                return json_reply(summary, list_models(self._reader.routing, call.request))
            if call.operation == "model":
                name = call.route.model
                return json_reply(summary, show_model(self._reader.routing, name, call.request))
            served = _Served(call, self._router.parts.calls, began)
            if isinstance(call.routed, RoutedObject):
                return served.forward(call.routed)
            if isinstance(call.routed, PassedRequest):
                return served.pass_on(call.routed)
            if call.operation == "count_tokens" and not served.counts_natively():
                return json_reply(summary, token_estimate(call.operation, call.body))
            return served.make()
        except FailedAnswer as failed:
            # As Azure shows it, with HTTP 200: clients of the Responses API look at `status`.
            summary.latency = time.monotonic() - began
            return _show_failure(call, failed)
        except AzureResponsesError as error:
            summary.latency = time.monotonic() - began
            return refusal(call.request, error, summary)


class _Served:
    """One call that is routed.

    Args:
        call: what is asked.
        calls: the router's loop.
        began: monotonic seconds.
    """

    def __init__(self, call: ServedRequest, calls: RoutedCalls, began: float) -> None:
        self._call = call
        self._calls = calls
        self._began = began

    def counts_natively(self) -> bool:
        """True where a deployment of the group counts the tokens of Messages itself."""
        group = self._calls.routing.group_of(self._call.group or "")
        return any(_counts(self._calls.targets.of(one)) for one in group)

    def make(self) -> Reply:
        """The reply; of a stream once output has begun."""
        routed = self._calls.perform(self._call.route_request, self._attempt)
        result = routed.result
        if isinstance(result, bytes):
            return json_reply(self._call.summary, result)
        if isinstance(result, UpstreamReply):
            return self._whole(result)
        if isinstance(result, ByteStream):
            return self._stream(result, routed)
        return self._chat(result, routed)

    def forward(self, request: RoutedObject) -> Reply:
        """The reply of a call on a stored object."""
        summary = self._call.summary
        reply = RoutedObjects(self._calls).forward(request, self._call.attempt)
        summary.headers, body = reply.headers, reply.body
        summary.warnings = request.warnings
        if request.row.is_billed and isinstance(body, bytes):
            summary.result = from_json(body)
            _begin_session(request, summary)
        summary.latency = time.monotonic() - self._began
        if isinstance(body, bytes):
            return json_reply(summary, body)
        return download_reply(summary, StreamBody(self._downloaded(body)))

    def pass_on(self, request: PassedRequest) -> Reply:
        """The reply of embeddings, images or audio."""
        summary = self._call.summary
        reply = PassedCalls(self._calls).forward(request, self._call.attempt)
        body = reply.body
        if isinstance(body, bytes):
            summary.headers, summary.result = reply.headers, reply.facts
            summary.latency = time.monotonic() - self._began
            return passed_reply(summary, body)
        self._note_begin(reply.headers)
        pieces = StreamBody(self._passed(body, request))
        if self._call.is_stream and is_event_stream(reply.headers):
            return event_reply(summary, pieces)
        return download_reply(summary, pieces)

    def _downloaded(self, download: Download) -> Generator[bytes, None]:
        """The bytes of a download; an error cuts them, since they have no other ending."""
        summary = self._call.summary
        try:
            yield from download
        except AzureResponsesError as error:
            summary.error = error
            raise
        except BaseException:
            summary.is_abandoned = True
            raise
        finally:
            summary.latency = time.monotonic() - self._began
            with shield():
                download.close()

    def _passed(self, stream: PassedStream, request: PassedRequest) -> Generator[bytes, None]:
        """The bytes of a stream: events end with one that says what went wrong."""
        summary, pieces = self._call.summary, stream.read()
        try:
            yield from pieces
        except AzureResponsesError as error:
            summary.error = error
            if not self._call.is_stream:
                raise
            yield closing_events(self._call.operation, None, error)
        except BaseException:
            summary.is_abandoned = True
            raise
        finally:
            summary.latency = time.monotonic() - self._began
            summary.result = facts_of_stream(request, stream.facts)
            # A task that is cancelled has to release the connection all the same.
            with shield():
                pieces.close()

    def _whole(self, reply: UpstreamReply) -> Reply:
        summary = self._call.summary
        summary.headers = reply.headers
        write = partial(response_body, summary, reply)
        body = run_in_thread(write) if reply.size >= _LONG_REPLY else write()
        body = self._merged(body)
        # Only now: the header with the overhead counts the writing too.
        summary.latency = time.monotonic() - self._began
        return json_reply(summary, body)

    def _stream(self, stream: ByteStream, routed: Routed[Any]) -> Reply:
        summary = self._call.summary
        self._note_begin(stream.headers)
        summary.begun = stream.frames.response
        pieces = self._pieces(stream)
        # Bound to the generator: a body that is dropped unread has lost its caller.
        stream.settle_with(routed.open_attempt, self._calls.abandoned_streams, pieces)
        return event_reply(summary, StreamBody(pieces))

    def _chat(self, result: Any, routed: Routed[Any]) -> Reply:
        """The completion that the bridge made, or its chunks."""
        summary = self._call.summary
        if not isinstance(result, RoutedChatStream):
            summary.latency = time.monotonic() - self._began
            summary.headers = result.headers
            return json_reply(summary, self._merged(chat_body(summary, result)))
        result.settle_with(routed, self._calls.abandoned_streams)
        self._note_begin(result.events.headers)
        return event_reply(summary, StreamBody(self._chunks(result)))

    def _attempt(self, target: Target, routed: RoutedCall, left: float | None) -> Answer[Any]:
        call = self._call
        if call.operation == "chat" and bridges_chat(call.posted, target, routed):
            call.summary.deployment_api = "responses"
            with call.attempt(target.deployment, routed):
                answer = self._bridged(target, routed, left)
            if answer is not None:
                return answer
        if not _can_count(call.operation, target):
            return Answer(token_estimate(call.operation, call.body), Outcome({}, 0, None))
        attempt = Attempt(call.asked, target, routed, left, self._calls)
        with call.attempt(target.deployment, routed):
            if call.is_stream:
                return self._attempt_stream(attempt)
            return self._attempt_whole(attempt)

    def _bridged(
        self, target: Target, routed: RoutedCall, left: float | None
    ) -> Answer[Any] | None:
        request = self._call.posted
        try:
            return chat_answer(request, target, routed, left, self._calls)
        finally:
            self._call.summary.warnings = request.warnings

    def _attempt_whole(self, attempt: Attempt) -> Answer[UpstreamReply]:
        try:
            reply = attempt.send()
        except ResponseFailedError as error:
            if attempt.reply is None:
                raise
            raise FailedAnswer(error, attempt.reply) from error
        finally:
            self._note(attempt)
        return Answer(reply, reply.outcome, reply.entry)

    def _attempt_stream(self, attempt: Attempt) -> Answer[ByteStream]:
        summary = self._call.summary
        stream = ByteStream(attempt, model=summary.group if shows_group(summary) else None)
        try:
            outcome = stream.open()
        except ResponseFailedError as error:
            raise FailedAnswer(error, stream.frames.release()) from error
        finally:
            self._note(attempt)
        # A stream that goes on was remembered when it opened.
        return Answer(stream, outcome, stream.entry if outcome is not None else None)

    def _note(self, attempt: Attempt) -> None:
        """Also of a failed attempt: the headers speak of the latest one."""
        summary = self._call.summary
        summary.warnings = attempt.warnings
        summary.deployment_api = attempt.api

    def _merged(self, body: bytes) -> bytes:
        """A chat completion with its reasoning in its content, where its entry says so."""
        merged = self._call.merged
        return body if merged is None else merged.whole(body)

    def _note_begin(self, headers: Any) -> None:
        summary = self._call.summary
        summary.headers = headers
        summary.time_to_first_output = time.monotonic() - self._began
        summary.latency = summary.time_to_first_output

    def _pieces(self, stream: ByteStream) -> Generator[bytes, None]:
        """The bytes to send on; settles the call however it ends.

        Read to its end, broken, or closed by the caller.
        """
        summary, frames = self._call.summary, stream.frames
        try:
            try:
                merged = self._call.merged
                while piece := stream.read():
                    yield piece if merged is None else merged.frames(piece)
                if self._call.caller == "chat":
                    # Clients of chat completions read until it comes.
                    yield b"data: [DONE]\n\n"
            except AzureResponsesError as error:
                summary.error = error
                # A failure that a response reported has been sent on already, as its own event.
                if not (frames.failures and self._call.caller == "responses"):
                    yield closing_events(self._call.operation, frames.last_sequence_number, error)
        except BaseException:
            # Cancelled, or closed by a caller who left.
            summary.is_abandoned = True
            raise
        finally:
            summary.latency = time.monotonic() - self._began
            summary.last_sequence_number = frames.last_sequence_number
            summary.result = frames.response
            # A task that is cancelled has to release the connection all the same.
            with shield():
                stream.close()

    def _chunks(self, chunks: RoutedChatStream) -> Generator[bytes, None]:
        summary, events, merged = self._call.summary, chunks.events, self._call.merged
        is_whole = False
        try:
            try:
                with chunks:
                    for chunk in chunks:
                        piece = chat_chunk(summary, chunk)
                        yield piece if merged is None else merged.frames(piece)
            except AzureResponsesError as error:
                summary.error = reason_of(error)
                yield chat_error(summary.error)
            # Clients of chat completions read until it comes, also after an error.
            yield b"data: [DONE]\n\n"
            is_whole = True
        finally:
            summary.is_abandoned = not is_whole
            summary.latency = time.monotonic() - self._began
            final = events.final_response or events.partial_response
            summary.result = None if final is None else final.to_dict()


def _begin_session(request: RoutedObject, summary: CallSummary) -> None:
    """Price a container that was made; code that runs in it pays for no session of its own."""
    # Imported on use, as in `price`: the prices are a large table.
    from azure_responses.pricing.sessions import default_sessions

    summary.price()
    found = request.reader.signer.read(str((summary.result or {}).get("id")), request.owner)
    if found is not None and summary.use is not None:
        # Whole responses name it as the caller does, events of streams as the service does.
        default_sessions.open(summary.use.in_container(found.inner))


def _counts(target: Target) -> bool:
    """True for a deployment of Claude, which counts the tokens of Messages."""
    return target.upstream.api_of(target.deployment.model) == "messages"


def _can_count(operation: str, target: Target) -> bool:
    """False for a count that the deployment has no operation for."""
    if operation == "count_tokens":
        return _counts(target)
    api = target.upstream.api_of(target.deployment.model)
    return operation != "input_tokens" or api != "chat"


def _show_failure(call: ServedRequest, failed: FailedAnswer) -> Reply:
    summary = call.summary
    summary.error = failed
    answer = failed.answer
    if isinstance(answer, UpstreamReply):
        summary.headers = answer.headers
        return json_reply(summary, response_body(summary, answer))
    return event_reply(summary, StreamBody(_once(answer)))


def _once(events: bytes) -> Iterator[bytes]:
    yield events
