"""Chat completions, awaited: served by the Responses API through the bridge."""

import time
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Literal, Self, Unpack, overload

from azure_responses._async.concurrency import compute
from azure_responses._async.resources import AsyncResponses
from azure_responses._async.stream import AsyncStream
from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    ReasoningKnowledge,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.call_options import ChatArguments
from azure_responses.errors import AzureResponsesError, StreamInterruptedError
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.sse import FAILING
from azure_responses.protocol.warning import warn_caller
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk
from azure_responses.types.response import Response
from azure_responses.types.result import Route

__all__ = ["AsyncChat", "AsyncChatCompletionStream", "AsyncCompletions"]


class AsyncChat:
    """`client.chat`."""

    def __init__(self, completions: "AsyncCompletions") -> None:
        self.completions = completions


class AsyncCompletions:
    """`client.chat.completions`: chat completions on the Responses API.

    Args:
        responses: sends what the bridge makes of a call.
        deployment: the client's default for `model`.
        resource_tag: names the resource that can read the reasoning it encrypts.
        drop_params: leave out, with a warning, what the Responses API cannot do.
        reasoning_cache: restores the reasoning of messages whose client dropped it.
        knowledge: which deployments reason, as learned so far.
    """

    def __init__(
        self,
        responses: AsyncResponses,
        *,
        deployment: str | None,
        resource_tag: str,
        drop_params: bool,
        reasoning_cache: ReasoningCache | None,
        knowledge: ReasoningKnowledge | None = None,
    ) -> None:
        self._responses = responses
        self._deployment = deployment
        self._resource_tag = resource_tag
        self._drop_params = drop_params
        self._reasoning_cache = reasoning_cache
        self._knowledge = knowledge or ReasoningKnowledge()

    @overload
    async def create(
        self,
        /,
        *,
        stream: Literal[False] | None = False,
        **parameters: Unpack[ChatArguments],
    ) -> ChatCompletion: ...
    @overload
    async def create(
        self,
        /,
        *,
        stream: Literal[True],
        **parameters: Unpack[ChatArguments],
    ) -> "AsyncChatCompletionStream": ...
    @overload
    async def create(
        self,
        /,
        *,
        stream: bool | None,
        **parameters: Unpack[ChatArguments],
    ) -> "ChatCompletion | AsyncChatCompletionStream": ...
    @shows_parameters(ChatArguments)
    async def create(
        self,
        /,
        *,
        stream: bool | None = False,
        **parameters: Unpack[ChatArguments],
    ) -> "ChatCompletion | AsyncChatCompletionStream":
        """A chat completion; takes every parameter of chat completions and of responses.

        What the Responses API cannot do is refused by name, or with `drop_params=True` left out
        with a warning. Nothing is stored unless `store=True`.

        Raises:
            ConfigurationError: a parameter or message part that cannot be sent; nothing was.
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        chat: dict[str, Any] = {"messages": None, **parameters}
        chat["model"] = parameters.get("model") or self._deployment
        while True:
            request = await compute(self._bridge, chat)
            try:
                return await self._perform(request, stream=bool(stream))
            except AzureResponsesError as error:
                # True once at most: after the refusal the bridge does not ask for reasoning again.
                if not request.learn_from_error(error):
                    raise

    async def _perform(
        self, request: BridgedRequest, *, stream: bool
    ) -> "ChatCompletion | AsyncChatCompletionStream":
        parameters = {**request.parameters, **request.options}
        if stream:
            events = await self._responses.create(stream=True, **parameters)
            return AsyncChatCompletionStream(events, ChatStream(request, created=time.time()))
        response = await self._responses.create(**parameters)
        return to_chat_completion(response, request, created=time.time())

    def _bridge(self, chat: dict[str, Any]) -> BridgedRequest:
        request = to_responses_request(
            chat,
            drop_params=self._drop_params,
            resource_tag=self._resource_tag,
            reasoning_cache=self._reasoning_cache,
            knowledge=self._knowledge,
            now=time.time(),
        )
        for warning in request.warnings:
            warn_caller(warning)
        return request


class AsyncChatCompletionStream:
    """The chunks of one chat completion, in order.

    Iterate it. Breaking out of a `for` loop closes the connection, unless the stream was entered
    as a context manager (`async with`). A completion that fails after its first chunk raises the
    error of its code, one that breaks off StreamInterruptedError; `partial` is the completion so
    far.
    """

    def __init__(self, events: AsyncStream[Response], state: ChatStream) -> None:
        self._events = events
        self._state = state
        self._ready: deque[ChatCompletionChunk] = deque()
        self._is_entered = False
        self._is_done = False

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the latest connection."""
        return self._events.request_id

    @property
    def route(self) -> Route | None:
        """How a router got it answered; None without one."""
        return getattr(self._events, "route", None)

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return self if self._is_entered else self._closing()

    async def __anext__(self) -> ChatCompletionChunk:
        while not self._ready:
            if not await self._fill():
                raise StopAsyncIteration
        return self._ready.popleft()

    async def get_final_completion(self) -> ChatCompletion:
        """The whole completion; reads what is left of the stream first."""
        while await self._fill():
            self._ready.clear()
        if self._state.final is None:
            raise StreamInterruptedError(
                "The stream was closed before the completion was complete.",
                partial=self._state.so_far(),
            )
        if self._events.final_response is not None:
            self._state.final.take_headers(self._events.final_response)
        return self._state.final

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_done = True
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _closing(self) -> AsyncIterator[ChatCompletionChunk]:
        try:
            while self._ready or await self._fill():
                if self._ready:
                    yield self._ready.popleft()
        finally:
            await self.aclose()

    async def _fill(self) -> bool:
        """Take one event; False when there are no more."""
        if self._is_done:
            return False
        try:
            event = await anext(self._events, None)
        except AzureResponsesError as error:
            await self.aclose()
            raise self._state.failure(error) from error.__cause__
        if event is None:
            self._ready.extend(self._state.finish())
            self._is_done = True
        # The stream itself raises what a failing event reports, with the headers of the reply.
        elif str(event.type) not in FAILING:
            self._ready.extend(self._state.feed(event))
        return bool(self._ready) or not self._is_done
