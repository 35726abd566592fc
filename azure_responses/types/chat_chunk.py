"""The chunks of a streamed chat completion, with what the Responses API says besides."""

from typing import Annotated, Any, Literal

from pydantic import Field

from .chat import (
    ChatCompletionAnnotation,
    ChatCompletionLogprobs,
    ChatObject,
    CompletionUsage,
    FinishReason,
    PromptFilterResult,
)
from .model import OPEN
from .usage import ToolUsage

__all__ = [
    "ChatCompletionChunk",
    "ChatCompletionChunkChoice",
    "ChatCompletionDelta",
    "ChatCompletionDeltaCustom",
    "ChatCompletionDeltaFunction",
    "ChatCompletionDeltaToolCall",
]


class ChatCompletionDeltaFunction(ChatObject):
    """The name of a function, or the next piece of its arguments."""

    name: str | None = None
    arguments: str | None = None


class ChatCompletionDeltaCustom(ChatObject):
    """The name of a custom tool, or the next piece of its input."""

    name: str | None = None
    input: str | None = None


class ChatCompletionDeltaToolCall(ChatObject):
    """More of the tool call at `index`; the last three are not of chat completions."""

    index: int
    id: str | None = None
    type: Annotated[Literal["function", "custom"] | str, OPEN] | None = None
    function: ChatCompletionDeltaFunction | None = None
    custom: ChatCompletionDeltaCustom | None = None
    namespace: str | None = None
    caller: dict[str, Any] | None = None
    item: dict[str, Any] | None = None


class ChatCompletionDelta(ChatObject):
    """What a chunk adds to the message; see ChatCompletionMessage for the fields beyond chat's.

    `hosted_events` tells how hosted tools get on: the stream's events about them, as dicts. They
    are news, not part of the message.
    """

    role: Annotated[Literal["assistant"] | str, OPEN] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCompletionDeltaToolCall] | None = None
    function_call: ChatCompletionDeltaFunction | None = None
    annotations: list[ChatCompletionAnnotation] | None = None
    commentary: str | None = None
    reasoning_content: str | None = None
    reasoning_items: list[dict[str, Any]] | None = None
    hosted_items: list[dict[str, Any]] | None = None
    output_order: list[dict[str, Any]] | None = None
    hosted_events: list[dict[str, Any]] | None = None


class ChatCompletionChunkChoice(ChatObject):
    """The one choice of a chunk; `finish_reason` is set on the last."""

    index: int = 0
    delta: ChatCompletionDelta
    finish_reason: FinishReason | None = None
    logprobs: ChatCompletionLogprobs | None = None
    content_filter_results: dict[str, Any] | None = None
    content_filter_offsets: dict[str, Any] | None = None


class ChatCompletionChunk(ChatObject):
    """One chunk; the fields after `system_fingerprint` come with the last choice."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int = 0
    model: str = ""
    choices: list[ChatCompletionChunkChoice] = Field(default_factory=list)
    usage: CompletionUsage | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    metadata: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    status: str | None = None
    incomplete_details: dict[str, Any] | None = None
    prompt_filter_results: list[PromptFilterResult] | None = None
    tool_usage: ToolUsage | dict[str, Any] | None = None
    conversation: dict[str, Any] | None = None
