# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Chat completions, blocking: over the Responses API by the bridge, over other APIs without it."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses._sync.concurrency import compute
from azure_responses._sync.native_chat import NativeCompletions
from azure_responses._sync.raw_results import RawMethods, StreamingMethods
from azure_responses._sync.resources import Responses
from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    ReasoningKnowledge,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.call_options import ChatArguments, ParsedChatArguments
from azure_responses.errors import AzureResponsesError
from azure_responses.openai_arguments import without_omitted
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.model_name import without_provider
from azure_responses.protocol.warning import warn_caller
from azure_responses.types.chat import ChatCompletion

if TYPE_CHECKING:
    from azure_responses._sync.chat_events import ChatEventStream
    from azure_responses.types.parsed_chat import ParsedChatCompletion

__all__ = ["Beta", "Chat", "ChatCompletionStream", "Completions"]

T = TypeVar("T")


class Chat:
    """`client.chat`."""

    def __init__(self, completions: "Completions") -> None:
        self.completions = completions


class Beta:
    """`client.beta`: the openai package's older path to `chat.completions.parse`."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat


class Completions:
    """`client.chat.completions`: chat completions on any deployment.

    Args:
        responses: sends what the bridge makes of a call.
        native: serves calls of deployments that do not speak Responses.
        deployment: the client's default for `model`.
        resource_tag: names the resource that can read the reasoning it encrypts.
        drop_params: leave out, with a warning, what the Responses API cannot do.
        reasoning_cache: restores the reasoning of messages whose client dropped it.
        knowledge: which deployments reason, as learned so far.
        warn: tells the caller what was left out.
    """

    def __init__(
        self,
        responses: Responses,
        native: NativeCompletions,
        *,
        deployment: str | None,
        resource_tag: str,
        drop_params: bool,
        reasoning_cache: ReasoningCache | None,
        knowledge: ReasoningKnowledge | None = None,
        warn: Callable[[str], None] = warn_caller,
    ) -> None:
        self._responses = responses
        self._native = native
        self._deployment = deployment
        self._resource_tag = resource_tag
        self._drop_params = drop_params
        self._reasoning_cache = reasoning_cache
        self._warn = warn
        self._knowledge = knowledge or ReasoningKnowledge()

    @property
    def with_raw_response(self) -> RawMethods:
        """The same operations, answering with status, headers and body, which is a completion's."""
        return RawMethods(self)

    @property
    def with_streaming_response(self) -> StreamingMethods:
        """The same operations, entered for the bytes, the lines or the chunks of their replies."""
        return StreamingMethods(self.with_raw_response)

    @overload
    def create(
        self,
        /,
        *,
        stream: Literal[False] | None = False,
        **parameters: Unpack[ChatArguments],
    ) -> ChatCompletion: ...
    @overload
    def create(
        self,
        /,
        *,
        stream: Literal[True],
        **parameters: Unpack[ChatArguments],
    ) -> "ChatCompletionStream": ...
    @overload
    def create(
        self,
        /,
        *,
        stream: bool | None,
        **parameters: Unpack[ChatArguments],
    ) -> "ChatCompletion | ChatCompletionStream": ...
    @shows_parameters(ChatArguments)
    def create(
        self,
        /,
        *,
        stream: bool | None = False,
        **parameters: Unpack[ChatArguments],
    ) -> "ChatCompletion | ChatCompletionStream":
        """A chat completion; takes every parameter of chat completions and of responses.

        What the deployment's API cannot do is refused by name, or with `drop_params=True` left out
        with a warning. Nothing is stored unless `store=True`.

        Raises:
            ConfigurationError: a parameter or message part that cannot be sent; nothing was.
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        chat: dict[str, Any] = {"messages": None, **without_omitted(parameters)}
        chat["model"] = without_provider(chat.get("model")) or self._deployment
        while True:
            api = self._native.api_of(chat["model"])
            try:
                if api == "responses":
                    return self._bridged(chat, stream=bool(stream))
                given, options, timeout = self._responses.split(chat)
                return self._native.create(given, options, timeout, stream=bool(stream))
            except AzureResponsesError as error:
                # Once at most: what was learned is certain.
                if not self._native.learn(chat["model"], error, api):
                    raise

    @overload
    def parse(
        self, /, *, response_format: type[T], **parameters: Unpack[ParsedChatArguments]
    ) -> "ParsedChatCompletion[T]": ...
    @overload
    def parse(
        self,
        /,
        *,
        response_format: Mapping[str, Any] | None = None,
        **parameters: Unpack[ParsedChatArguments],
    ) -> "ParsedChatCompletion[None]": ...
    @shows_parameters(ParsedChatArguments)
    def parse(
        self,
        /,
        *,
        response_format: type[Any] | Mapping[str, Any] | None = None,
        **parameters: Unpack[ParsedChatArguments],
    ) -> "ParsedChatCompletion[Any]":
        """A chat completion whose text is read into a type, and arguments into those of the tools.

        `choices[0].message.parsed` is the value, None where the model refused or called tools;
        `tool_calls[0].function.parsed_arguments` that of a strict tool or a
        `pydantic_function_tool`.

        Raises:
            LengthFinishReasonError: the answer was cut short.
            ContentFilterFinishReasonError: the content filter stopped the answer.
            pydantic.ValidationError: the type does not accept a complete answer.
            ConfigurationError: the type cannot be a strict JSON schema.
            AzureResponsesError: as of `create`.
        """
        # Imported on use: most programs parse nothing.
        from azure_responses.bridge.chat_parsing import ChatParser

        given = _with_list(parameters)
        parser: ChatParser[Any] = ChatParser(response_format, given.get("tools"))
        return parser.read(self.create(response_format=response_format, **given))

    @overload
    def stream(
        self, /, *, response_format: type[T], **parameters: Unpack[ParsedChatArguments]
    ) -> "ChatEventStream[T]": ...
    @overload
    def stream(
        self,
        /,
        *,
        response_format: Mapping[str, Any] | None = None,
        **parameters: Unpack[ParsedChatArguments],
    ) -> "ChatEventStream[None]": ...
    @shows_parameters(ParsedChatArguments)
    def stream(
        self,
        /,
        *,
        response_format: type[Any] | Mapping[str, Any] | None = None,
        **parameters: Unpack[ParsedChatArguments],
    ) -> "ChatEventStream[Any]":
        """The events of a chat completion, to use as a context manager (`with`).

        They have the types of the openai package: "content.delta", "content.done",
        "tool_calls.function.arguments.done", "chunk", ….

        Raises:
            ConfigurationError: the type cannot be a strict JSON schema.
        """
        from azure_responses._sync.chat_events import ChatEventStream
        from azure_responses.bridge.chat_parsing import ChatParser

        given = _with_list(parameters)
        parser: ChatParser[Any] = ChatParser(response_format, given.get("tools"))

        def connect() -> ChatCompletionStream:
            chunks: ChatCompletionStream = self.create(
                stream=True, response_format=response_format, **given
            )
            return chunks

        ends_early = parser.is_typed or parser.arguments.reads_any
        return ChatEventStream(connect, parser, ends_early=ends_early)

    def _bridged(
        self, chat: dict[str, Any], *, stream: bool
    ) -> "ChatCompletion | ChatCompletionStream":
        while True:
            request = compute(self._bridge, chat)
            try:
                return self._perform(request, stream=stream)
            except AzureResponsesError as error:
                # True once at most: after the refusal the bridge does not ask for reasoning again.
                if not request.learn_from_error(error):
                    raise

    def _perform(
        self, request: BridgedRequest, *, stream: bool
    ) -> "ChatCompletion | ChatCompletionStream":
        parameters = {**request.parameters, **request.options}
        if stream:
            events = self._responses.create(stream=True, **parameters)
            return ChatCompletionStream(events, ChatStream(request, created=time.time()))
        response = self._responses.create(**parameters)
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
            self._warn(warning)
        return request


def _with_list(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with tools that can be read twice."""
    tools = parameters.get("tools")
    return {**parameters} if tools is None else {**parameters, "tools": list(tools)}
