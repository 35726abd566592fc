"""A response, and the other replies of the Responses API."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, PrivateAttr

from .content import OutputText, Refusal
from .filters import ContentFilter
from .input_items import InputItem
from .items import OutputItem, OutputMessage
from .model import Model
from .parameters import (
    Conversation,
    Prompt,
    PromptCacheOptions,
    PromptCacheRetention,
    Reasoning,
    ServiceTier,
    TextConfig,
    Truncation,
)
from .result import Result
from .status import IncompleteReason, ResponseStatus
from .tolerance import ELSE_RAW, OPEN, Number
from .tool_choice import ToolChoice
from .tools import Tool
from .usage import ToolUsage, Usage

__all__ = [
    "CompactedResponse",
    "DeletedResponse",
    "IncompleteDetails",
    "InputItemList",
    "InputTokenCount",
    "Misalignment",
    "ParsedResponse",
    "Response",
    "ResponseError",
    "ResponseErrorCode",
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


class Response(Result):
    """A model's response.

    Only `id` is certain: which other fields appear depends on the year and the surface of the
    API. Times are Unix seconds.
    """

    id: str
    object: str = "response"
    created_at: Number | None = None
    completed_at: Number | None = None
    status: ResponseStatus | None = None
    model: str | None = None
    output: list[OutputItem] = Field(default_factory=list)
    error: Annotated[ResponseError | None, ELSE_RAW] = None
    incomplete_details: Annotated[IncompleteDetails | None, ELSE_RAW] = None
    usage: Annotated[Usage | None, ELSE_RAW] = None
    content_filters: Annotated[list[ContentFilter] | None, ELSE_RAW] = None
    instructions: str | list[InputItem] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    previous_response_id: str | None = None
    reasoning: Annotated[Reasoning | None, ELSE_RAW] = None
    text: Annotated[TextConfig | None, ELSE_RAW] = None
    truncation: Truncation | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_logprobs: int | None = None
    frequency_penalty: Number | None = None
    presence_penalty: Number | None = None
    background: bool | None = None
    store: bool | None = None
    service_tier: ServiceTier | None = None
    conversation: Annotated[Conversation | None, ELSE_RAW] = None
    prompt: Annotated[Prompt | None, ELSE_RAW] = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Annotated[PromptCacheOptions | None, ELSE_RAW] = None
    prompt_cache_retention: PromptCacheRetention | None = None
    safety_identifier: str | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    tool_usage: Annotated[ToolUsage | None, ELSE_RAW] = None
    access_programs: dict[str, Any] | None = None

    @property
    def output_text(self) -> str:
        """The text of every message, joined; empty when the model wrote none."""
        return "".join(part.text for part in self._parts() if isinstance(part, OutputText))

    @property
    def refusal(self) -> str | None:
        """What the model said in place of an answer, or None when it did not refuse."""
        refusals = [part.refusal for part in self._parts() if isinstance(part, Refusal)]
        return "".join(refusals) if refusals else None

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


class DeletedResponse(Result):
    """Confirms that a stored response is gone."""

    id: str | None = None
    object: str = "response"
    deleted: bool | None = None


class CompactedResponse(Result):
    """A conversation compacted: its `output` is the next request's input."""

    id: str | None = None
    object: str = "response.compaction"
    created_at: Number | None = None
    output: list[OutputItem] = Field(default_factory=list)
    usage: Annotated[Usage | None, ELSE_RAW] = None


class InputItemList(Result):
    """One page of the items that were a response's input."""

    object: str = "list"
    data: list[InputItem] = Field(default_factory=list)
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class InputTokenCount(Result):
    """How many tokens an input would be."""

    object: str = "response.input_tokens"
    input_tokens: int = 0
