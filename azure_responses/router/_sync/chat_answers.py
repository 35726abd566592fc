# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Chat completions of a router: over Responses by the bridge, over other APIs without it.

`chat_answer` puts the bridge around an attempt: chat → request → attempt → response → completion.
Where the deployment does not speak Responses, `native_chat_answer` reads the completion that the
attempt returns. A request that cannot be made at all ends the call (`NotSent`).
"""

import time
from typing import Any, Self

from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses._sync.concurrency import compute
from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.bridge.chat_chunks import ChatChunks
from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
)
from azure_responses.protocol.request_body import OF_RESPONSES
from azure_responses.router._sync.attempt import Attempt, find_history
from azure_responses.router._sync.byte_stream import ByteStream
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router._sync.typed_attempt import (
    RoutedStream,
    typed_answer,
    typed_stream,
)
from azure_responses.router.attempts import AbandonedStreams, Answer, NotSent, Routed
from azure_responses.router.routed_request import RoutedRequest
from azure_responses.router.targets import Target
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.response import Response
from azure_responses.types.result import Route, request_id_of

__all__ = [
    "RoutedChatStream",
    "RoutedChunks",
    "bridges_chat",
    "chat_answer",
    "native_chat_answer",
]


def bridges_chat(request: RoutedRequest, target: Target, call: RoutedCall) -> bool:
    """True where a chat is answered over the Responses API.

    Also of a deployment that speaks another API, where the chat has parameters of the Responses API
    only, which chat completions have no place for.
    """
    if target.upstream.api_of(target.deployment.name_for(call.group)) == "responses":
        return True
    return not OF_RESPONSES.isdisjoint(request.body)


def chat_answer(
    request: RoutedRequest,
    target: Target,
    call: RoutedCall,
    left: float | None,
    calls: RoutedCalls,
) -> Answer[Any] | None:
    """A chat completion over the Responses API, or its chunks once output has begun.

    None where the deployment turns out to speak another API: the chat is then sent as it is.
    """
    # Before the loop: `bridged` takes over what was found, for all of its rounds.
    if call.replays_history:
        find_history(request, call, calls.targets)
    while True:
        bridged, left_out = compute(_bridge, request, target, call)
        made = request.bridged(bridged.parameters, bridged.options, left_out)
        attempt = Attempt(made, target, call, left, calls)
        try:
            if request.is_stream:
                opened = typed_stream(attempt)
                chunks = ChatStream(bridged, created=time.time())
                stream = RoutedChatStream(opened.result, chunks)
                return Answer(stream, opened.outcome, opened.entry)
            answer = typed_answer(attempt, Response)
            completion = to_chat_completion(answer.result, bridged, created=time.time())
            return Answer(completion, answer.outcome, answer.entry)
        except AzureResponsesError as error:
            if target.upstream.learns_api(target.deployment.name_for(call.group), error):
                return None
            # True once at most: after the refusal the bridge does not ask for reasoning again.
            if not bridged.learn_from_error(error):
                raise
        finally:
            request.warnings = attempt.warnings


def native_chat_answer(attempt: Attempt) -> Answer[Any]:
    """A chat completion as its deployment wrote it, or its chunks once output has begun."""
    try:
        if attempt.request.is_stream:
            return RoutedChunks(attempt).begin()
        reply = attempt.send()
        return Answer(reply.decode(ChatCompletion), reply.outcome)
    except CredentialError:
        raise
    except ConfigurationError as error:
        raise NotSent(error) from error


def _bridge(
    request: RoutedRequest, target: Target, call: RoutedCall
) -> tuple[BridgedRequest, tuple[str, ...]]:
    """The request that the bridge makes of a chat, and what was left out of the chat."""
    deployment, options = target.deployment, request.reader.chat_options
    drops = options.drop_params or target.drops_params
    drops = drops if request.drops_params is None else request.drops_params
    body, left_out = request.body_for(deployment, terms="bridged", drops_params=drops)
    chat = {
        **body,
        **request.options_for(deployment),
        "model": deployment.name_for(call.group),
    }
    try:
        bridged = to_responses_request(
            chat,
            drop_params=drops,
            resource_tag=deployment.resource,
            reasoning_cache=options.reasoning_cache,
            knowledge=options.knowledge_of(deployment),
            now=time.time(),
        )
    except ConfigurationError as error:
        raise NotSent(error) from error
    return bridged, (*left_out, *bridged.warnings)


class RoutedChatStream(ChatCompletionStream):
    """The chunks of a chat completion, and the stream that they are made of."""

    def __init__(self, events: RoutedStream[Any], state: ChatStream) -> None:
        inner: Any = events
        super().__init__(inner, state)
        self.events = events

    def settle_with(self, routed: Routed[Any], abandoned_streams: AbandonedStreams) -> None:
        """The stream is the answer of a call, whose reservation is settled when it ends."""
        self.events.settle_with(routed, abandoned_streams)


class RoutedChunks(ChatCompletionStream):
    """The chunks of a chat completion as its deployment sent them."""

    _chunks: ChatChunks

    def __init__(self, attempt: Attempt) -> None:
        no_events: Any = None
        super().__init__(no_events, no_events)
        self._attempt = attempt
        self._stream = ByteStream(attempt)
        self._route: Route | None = None

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the connection."""
        return request_id_of(self._stream.headers)

    @property
    def route(self) -> Route | None:
        """How the router got it answered."""
        return self._route

    def begin(self) -> Answer[Self]:
        """Read on until output begins; called once, before any other reader."""
        outcome = self._stream.open()
        self._chunks = ChatChunks(self._attempt.sent)
        self._chunks.headers = self._stream.headers
        self._take(self._stream.read())
        return Answer(self, outcome)

    def settle_with(self, routed: Routed[Any], abandoned_streams: AbandonedStreams) -> None:
        """The stream is the answer of a call, whose reservation is settled when it ends."""
        self._route = routed.route
        self._stream.settle_with(routed.open_attempt, abandoned_streams, self)

    def get_final_completion(self) -> ChatCompletion:
        """The whole completion; reads what is left of the stream first."""
        while self._fill():
            self._ready.clear()
        final = self._chunks.whole()
        final.attach_route(self._route)
        return final

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_done = True
        self._stream.close()

    def _fill(self) -> bool:
        """Read once; False when there are no more chunks."""
        if self._is_done:
            return False
        try:
            piece = self._stream.read()
        except AzureResponsesError as error:
            self._is_done = True
            if not self._stream.is_interrupted:
                error.partial = self._chunks.so_far()
                raise
            self._chunks.break_off(error)
            raise self._chunks.failure or error from error
        if piece:
            self._take(piece)
            return True
        self._is_done = True
        self._chunks.end(time.time())
        return False

    def _take(self, piece: bytes) -> None:
        self._ready.extend(self._chunks.receive(piece, time.time()))
