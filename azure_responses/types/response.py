"""A response, and the other replies of the Responses API."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field, PrivateAttr

from .content import OutputText, Refusal
from .filters import ContentFilter
from .items import InputItem, OutputItem, OutputMessage, is_callers
from .mending import Loose
from .model import OPEN, Model, Number
from .page import Page
from .parameters import (
    AgentReference,
    Conversation,
    Prompt,
    PromptCacheOptions,
    PromptCacheRetention,
    Reasoning,
    ServiceTier,
    TextConfig,
    Truncation,
)
from .result import Result, show_answer, show_facts, show_text
from .tools import Tool, ToolChoice
from .usage import ToolUsage, Usage

__all__ = [
    "CompactedResponse",
    "DeletedResponse",
    "IncompleteDetails",
    "IncompleteReason",
    "InputItemList",
    "InputTokenCount",
    "Misalignment",
    "ParsedResponse",
    "Response",
    "ResponseError",
    "ResponseErrorCode",
    "ResponseStatus",
]

ResponseStatus = Annotated[
    Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"] | str, OPEN
]

IncompleteReason = Annotated[
    Literal["max_output_tokens", "max_messages", "content_filter", "steered"] | str, OPEN
]

T = TypeVar("T")

ResponseErrorCode = Literal[
    "server_error",
    "rate_limit_exceeded",
    "invalid_prompt",
    "data_residency_mismatch",
    "bio_policy",
    "misalignment_policy_violation",
    "vector_store_timeout",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_content_policy_violation",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
]


class Misalignment(Model):
    """What made the service stop a response for its conduct."""

    error_type: (
        Annotated[
            Literal[
                "potentially_unintended_data_transfer",
                "potentially_unintended_data_access",
                "potentially_unintended_destructive_activity",
                "other",
            ]
            | str,
            OPEN,
        ]
        | None
    ) = None
    detailed_explanation: str | None = None
    review_target: str | None = None
    steer: dict[str, Any] | None = None


class ResponseError(Model):
    """Why a response failed."""

    code: Annotated[ResponseErrorCode | str, OPEN] | None = None
    message: str | None = None
    param: str | None = None
    type: str | None = None
    misalignment: Misalignment | None = None


class IncompleteDetails(Model):
    """Why a response stopped early."""

    reason: IncompleteReason | None = None


def _says_something(message: OutputMessage) -> bool:
    return bool(message.text) or any(isinstance(part, Refusal) for part in message.content)


# Gateways build responses of their own; one item without its list must not cost the answer.
def _as_list(output: Any) -> Any:
    """Output that is one item as the list of items it should be."""
    return [output] if isinstance(output, dict) and "type" in output else output


class Response(Result):
    """A model's response.

    Only `id` is certain: which other fields appear depends on the year and the surface of the
    API. A setting whose value has a shape this version does not know is kept as plain JSON, since
    a surprise there must not cost the caller the answer. Times are Unix seconds.
    """

    # Even a response without an id is an answer; it only cannot be continued.
    _stand_ins: ClassVar[Mapping[str, Any]] = {"id": ""}
    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"output": _as_list}

    id: str
    object: str = "response"
    created_at: Loose[Number | None] = None
    completed_at: Loose[Number | None] = None
    status: Loose[ResponseStatus | None] = None
    model: Loose[str | None] = None
    output: list[OutputItem] = Field(default_factory=list)
    # A failed response may have null here: the reason then comes in an `error` event after it.
    error: Loose[ResponseError | None] = None
    incomplete_details: Loose[IncompleteDetails | None] = None
    # Null until the response has ended, and in responses that failed early.
    usage: Loose[Usage | None] = None
    # Azure's own. Null in the first events; in completed responses an array since early 2026,
    # null before (recorded by posit-dev/chatlas and vercel/ai).
    content_filters: Loose[list[ContentFilter] | None] = None
    # Settings of the request, repeated. Which ones depends on the surface and the year.
    instructions: Loose[str | list[InputItem] | None] = None
    tools: Loose[list[Tool] | None] = None
    tool_choice: Loose[ToolChoice | None] = None
    parallel_tool_calls: Loose[bool | None] = None
    max_output_tokens: Loose[int | None] = None
    max_tool_calls: Loose[int | None] = None
    previous_response_id: Loose[str | None] = None
    reasoning: Loose[Reasoning | None] = None
    text: Loose[TextConfig | None] = None
    truncation: Loose[Truncation | None] = None
    temperature: Loose[Number | None] = None
    top_p: Loose[Number | None] = None
    top_logprobs: Loose[int | None] = None
    frequency_penalty: Loose[Number | None] = None
    presence_penalty: Loose[Number | None] = None
    background: Loose[bool | None] = None
    store: Loose[bool | None] = None
    service_tier: Loose[ServiceTier | None] = None
    conversation: Loose[Conversation | None] = None
    # Of a response that an agent of a Foundry project gave.
    agent_reference: Loose[AgentReference | None] = None
    prompt: Loose[Prompt | None] = None
    prompt_cache_key: Loose[str | None] = None
    prompt_cache_options: Loose[PromptCacheOptions | None] = None
    prompt_cache_retention: Loose[PromptCacheRetention | None] = None
    safety_identifier: Loose[str | None] = None
    user: Loose[str | None] = None
    metadata: Loose[dict[str, Any] | None] = None
    moderation: Loose[dict[str, Any] | None] = None
    # Since the autumn of 2026, with zeros for tools that were not used.
    tool_usage: Loose[ToolUsage | None] = None
    access_programs: Loose[dict[str, Any] | None] = None

    @property
    def output_text(self) -> str:
        """The text of every message, commentary included, joined; empty when there is none."""
        return "".join(part.text for part in self._parts() if isinstance(part, OutputText))

    @property
    def final_text(self) -> str | None:
        """The text of the final answer alone; None where there is none, or the model calls tools.

        Newer models write what they are about to do as messages of the phase "commentary" before
        the one of the phase "final_answer" (openai-python#3859). Without phases the last message
        that has text is the answer. `output_text` joins all of them, as in the openai package.
        """
        messages: list[OutputMessage] = []
        for item in self.output:
            # What stands before a call that the caller has to answer led up to it: no answer yet.
            if is_callers(item):
                messages = []
            elif isinstance(item, OutputMessage) and _says_something(item):
                messages.append(item)
        final = [message for message in messages if message.phase == "final_answer"]
        other = [message for message in messages if message.phase != "commentary"]
        return ((final or other or messages)[-1].text or None) if messages else None

    @property
    def refusal(self) -> str | None:
        """What the model said in place of an answer, or None when it did not refuse."""
        refusals = [part.refusal for part in self._parts() if isinstance(part, Refusal)]
        return "".join(refusals) if refusals else None

    def __repr__(self) -> str:
        # A response has forty fields, most of which repeat the request: `print` shows them all.
        return f"{type(self).__name__}({show_facts(self._facts())})"

    def _facts(self) -> Iterator[tuple[str, Any]]:
        text = self.output_text or self.refusal
        yield "id", self.id
        yield "model", self.model
        yield "status", self.status
        if text:
            yield "text", show_text(text)
        else:
            yield "output", [item.type for item in self.output]
        yield "total_tokens", getattr(self.usage, "total_tokens", None)

    def _repr_markdown_(self) -> str:
        """What Jupyter shows: the answer, and under it the model, the status and the tokens."""
        usage = self.usage if isinstance(self.usage, Usage) else None
        tokens = f"{usage.input_tokens} + {usage.output_tokens} tokens" if usage else None
        text = self.output_text or self.refusal or ""
        return show_answer(text, f"`{self.id}`", self.model, self.status, tokens)

    def _parts(self) -> list[Model]:
        messages = (item for item in self.output if isinstance(item, OutputMessage))
        return [part for message in messages for part in message.content]


class ParsedResponse(Response, Generic[T]):
    """A response whose text was parsed into a type of the caller's."""

    _parsed: T | None = PrivateAttr(default=None)

    @property
    def output_parsed(self) -> T | None:
        """The parsed text, or None when the model refused or wrote nothing."""
        return self._parsed

    def attach_parsed(self, value: T | None) -> None:
        """Remember what the text was parsed into."""
        self._parsed = value
        text = self.final_text
        for part in self._parts():
            if isinstance(part, OutputText) and part.text == text:
                part.attach_parsed(value)


class DeletedResponse(Result):
    """Confirms that a stored response is gone."""

    id: str | None = None
    object: str = "response"
    deleted: bool | None = None


class CompactedResponse(Result):
    """A conversation compacted: its `output` is the next request's input.

    So it holds input items: what users said is kept beside the compaction item.
    """

    id: str | None = None
    object: str = "response.compaction"
    created_at: Number | None = None
    output: list[InputItem] = Field(default_factory=list)
    usage: Loose[Usage | None] = None


if TYPE_CHECKING:
    _ItemPage = Page[InputItem]
else:
    # To name the kind of item would build validators now, for every program that imports this.
    _ItemPage = Page


class InputItemList(_ItemPage):
    """One page of the items that were a response's input."""

    data: list[InputItem] = Field(default_factory=list)
    has_more: bool = False


# What `POST /responses/input_tokens` answers; routers and gateways pass it on as bytes.
class InputTokenCount(Result):
    """How many tokens an input would be; `is_estimate` where the deployment cannot count them."""

    object: str = "response.input_tokens"
    input_tokens: int = 0
    is_estimate: bool = False
