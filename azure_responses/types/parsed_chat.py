"""Chat completions whose text and arguments were parsed, and the events of their streams.

What was parsed is not part of a dump, so that a message can be sent back as it is.
"""

from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field
from pydantic_core import from_json

from .chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionFunction,
    ChatCompletionFunctionToolCall,
    ChatCompletionMessage,
    ChatObject,
)
from .chat_chunk import ChatCompletionChunk

__all__ = [
    "ChatCompletionStreamEvent",
    "ChunkEvent",
    "ContentDeltaEvent",
    "ContentDoneEvent",
    "FunctionToolCallArgumentsDeltaEvent",
    "FunctionToolCallArgumentsDoneEvent",
    "LogprobsContentDeltaEvent",
    "LogprobsContentDoneEvent",
    "LogprobsRefusalDeltaEvent",
    "LogprobsRefusalDoneEvent",
    "ParsedChatCompletion",
    "ParsedChatCompletionMessage",
    "ParsedChoice",
    "ParsedFunction",
    "ParsedFunctionToolCall",
    "ChatRefusalDeltaEvent",
    "ChatRefusalDoneEvent",
]

T = TypeVar("T")


class ParsedFunction(ChatCompletionFunction):
    """The function that a call names; `parsed_arguments` is a model, a dict, or None.

    A tool of `pydantic_function_tool` gives its model, another strict tool the JSON value.
    """

    _blank: ClassVar[dict[str, Any] | None] = None

    parsed_arguments: Any = Field(default=None, exclude=True)


class ParsedFunctionToolCall(ChatCompletionFunctionToolCall):
    """A call of a function, with its arguments parsed."""

    _blank: ClassVar[dict[str, Any] | None] = None

    function: ParsedFunction


class ParsedChatCompletionMessage(ChatCompletionMessage, Generic[T]):
    """The model's message; `parsed` is None where the model refused or called tools.

    `tool_calls` may hold calls of custom tools too, as they came.
    """

    _blank: ClassVar[dict[str, Any] | None] = None

    parsed: T | None = Field(default=None, exclude=True)
    tool_calls: list[ParsedFunctionToolCall] | None = None  # type: ignore[assignment]


class ParsedChoice(ChatCompletionChoice, Generic[T]):
    """The answer, parsed."""

    _blank: ClassVar[dict[str, Any] | None] = None

    message: ParsedChatCompletionMessage[T]


class ParsedChatCompletion(ChatCompletion, Generic[T]):
    """A chat completion whose text and arguments were parsed into types of the caller's."""

    _blank: ClassVar[dict[str, Any] | None] = None

    choices: list[ParsedChoice[T]] = Field(default_factory=list)  # type: ignore[assignment]


class _Event(ChatObject):
    """An event of `chat.completions.stream`."""

    _blank: ClassVar[dict[str, Any] | None] = None


class ChunkEvent(_Event, Generic[T]):
    """A chunk as it came; `snapshot` is the completion so far, which goes on growing."""

    type: Literal["chunk"] = "chunk"
    chunk: ChatCompletionChunk
    snapshot: ParsedChatCompletion[T]


class ContentDeltaEvent(_Event):
    """More text, and all of it so far."""

    type: Literal["content.delta"] = "content.delta"
    delta: str = ""
    snapshot: str = ""
    is_typed: bool = Field(default=False, exclude=True, repr=False)

    @property
    def parsed(self) -> object | None:
        """The text so far as a JSON value, cut short; None where no type was asked for."""
        # Made on demand: parsing all of the text at every delta would take quadratic time.
        is_json = self.is_typed and self.snapshot.strip()
        return from_json(self.snapshot, allow_partial=True) if is_json else None


class ContentDoneEvent(_Event, Generic[T]):
    """The whole text, parsed where a type was asked for."""

    type: Literal["content.done"] = "content.done"
    content: str = ""
    parsed: T | None = None


class ChatRefusalDeltaEvent(_Event):
    """More of a refusal, and all of it so far."""

    type: Literal["refusal.delta"] = "refusal.delta"
    delta: str = ""
    snapshot: str = ""


class ChatRefusalDoneEvent(_Event):
    """The whole refusal."""

    type: Literal["refusal.done"] = "refusal.done"
    refusal: str = ""


class FunctionToolCallArgumentsDeltaEvent(_Event):
    """More of the arguments of a function, and all of them so far."""

    type: Literal["tool_calls.function.arguments.delta"] = "tool_calls.function.arguments.delta"
    name: str = ""
    index: int = 0
    arguments: str = ""
    arguments_delta: str = ""
    is_typed: bool = Field(default=False, exclude=True, repr=False)

    @property
    def parsed_arguments(self) -> object | None:
        """The arguments so far as a JSON value, cut short; None for a tool that is not strict."""
        is_json = self.is_typed and self.arguments.strip()
        return from_json(self.arguments, allow_partial=True) if is_json else None


class FunctionToolCallArgumentsDoneEvent(_Event):
    """The whole arguments of a function, parsed as in `ParsedFunction`."""

    type: Literal["tool_calls.function.arguments.done"] = "tool_calls.function.arguments.done"
    name: str = ""
    index: int = 0
    arguments: str = ""
    parsed_arguments: Any = None


class LogprobsContentDeltaEvent(_Event):
    """Log probabilities of more tokens, and all of them so far."""

    type: Literal["logprobs.content.delta"] = "logprobs.content.delta"
    content: list[dict[str, Any]] = Field(default_factory=list)
    snapshot: list[dict[str, Any]] = Field(default_factory=list)


class LogprobsContentDoneEvent(_Event):
    """Log probabilities of all tokens."""

    type: Literal["logprobs.content.done"] = "logprobs.content.done"
    content: list[dict[str, Any]] = Field(default_factory=list)


class LogprobsRefusalDeltaEvent(_Event):
    """Log probabilities of more tokens of a refusal, and all of them so far."""

    type: Literal["logprobs.refusal.delta"] = "logprobs.refusal.delta"
    refusal: list[dict[str, Any]] = Field(default_factory=list)
    snapshot: list[dict[str, Any]] = Field(default_factory=list)


class LogprobsRefusalDoneEvent(_Event):
    """Log probabilities of all tokens of a refusal."""

    type: Literal["logprobs.refusal.done"] = "logprobs.refusal.done"
    refusal: list[dict[str, Any]] = Field(default_factory=list)


ChatCompletionStreamEvent = (
    ChunkEvent[T]
    | ContentDeltaEvent
    | ContentDoneEvent[T]
    | ChatRefusalDeltaEvent
    | ChatRefusalDoneEvent
    | FunctionToolCallArgumentsDeltaEvent
    | FunctionToolCallArgumentsDoneEvent
    | LogprobsContentDeltaEvent
    | LogprobsContentDoneEvent
    | LogprobsRefusalDeltaEvent
    | LogprobsRefusalDoneEvent
)
