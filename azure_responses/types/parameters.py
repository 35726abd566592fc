"""What a request may set, and what a response repeats of it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Required, TypedDict

from pydantic import Field

from .content import InputPart
from .model import Model
from .tolerance import OPEN, UnknownType

__all__ = [
    "BackgroundOptions",
    "CREATE_PARAMETERS",
    "ChatCompletionMessageParam",
    "ContextManagement",
    "Conversation",
    "ImageOptions",
    "Includable",
    "JsonObjectFormat",
    "JsonSchemaFormat",
    "ModerationOptions",
    "MultiAgentOptions",
    "Prompt",
    "PromptCacheOptions",
    "PromptCacheRetention",
    "Reasoning",
    "ReasoningEffort",
    "ResponseCreateParams",
    "ResponseInputItemParam",
    "ResponseInputParam",
    "ResponseParameters",
    "ServiceTier",
    "StreamOptions",
    "TextConfig",
    "TextFormat",
    "PlainTextFormat",
    "Truncation",
    "UnknownFormat",
    "Verbosity",
]

ReasoningEffort = Annotated[
    Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | str, OPEN
]
ServiceTier = Annotated[
    Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | str, OPEN
]
Truncation = Annotated[Literal["auto", "disabled"] | str, OPEN]
Verbosity = Annotated[Literal["low", "medium", "high"] | str, OPEN]
# Azure's description spells the first "in-memory", its replies "in_memory" (recorded by
# charmbracelet/fantasy).
PromptCacheRetention = Annotated[Literal["in_memory", "in-memory", "24h"] | str, OPEN]
Includable = (
    Literal[
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs",
        "reasoning.encrypted_content",
        "message.output_text.logprobs",
    ]
    | str
)
_SummaryKind = Annotated[Literal["auto", "concise", "detailed"] | str, OPEN]


class Reasoning(Model):
    """How hard, and how visibly, the model reasons."""

    effort: ReasoningEffort | None = None
    summary: _SummaryKind | None = None
    generate_summary: _SummaryKind | None = None
    context: Annotated[Literal["auto", "current_turn", "all_turns"] | str, OPEN] | None = None
    mode: Annotated[Literal["standard", "pro"] | str, OPEN] | None = None


class PlainTextFormat(Model):
    """Plain text."""

    type: Literal["text"]


class JsonObjectFormat(Model):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchemaFormat(Model):
    """JSON that follows a schema."""

    type: Literal["json_schema"]
    name: str
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class UnknownFormat(Model):
    """A text format of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


TextFormat = Annotated[
    Annotated[PlainTextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]
    | UnknownFormat,
    Field(union_mode="left_to_right"),
]


class TextConfig(Model):
    """How the text of a response is shaped."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None


class Prompt(Model):
    """A stored prompt and the values of its variables."""

    id: str
    version: str | None = None
    variables: dict[str, str | InputPart] | None = None


class PromptCacheOptions(Model):
    """How the prompt cache is used."""

    mode: Annotated[Literal["implicit", "explicit"] | str, OPEN] | None = None
    ttl: Annotated[Literal["30m", "12h"] | str, OPEN] | None = None
    prewarm: bool | None = None
    comparison_response_id: str | None = None


class Conversation(Model):
    """The conversation a response belongs to."""

    id: str


class ContextManagement(TypedDict, total=False):
    """Compaction on the server: `{"type": "compaction", "compact_threshold": tokens}`."""

    type: Required[str]
    compact_threshold: int | None


class StreamOptions(TypedDict, total=False):
    """How a stream is sent; `include_obfuscation` False saves bandwidth."""

    include_obfuscation: bool


class BackgroundOptions(TypedDict, total=False):
    """How soon a background response is wanted; a longer window is cheaper where it is offered."""

    completion_window: Literal["soonest", "2h", "8h"] | str


class ImageOptions(TypedDict, total=False):
    """How images in the context are treated."""

    context_compression: Literal["auto", "enabled", "disabled"] | str


class ModerationOptions(TypedDict, total=False):
    """Which moderation model checks input and output, and what it does about it."""

    model: Required[str]
    policy: Mapping[str, Any] | None


class MultiAgentOptions(TypedDict, total=False):
    """Whether the model may spawn agents, and how many at a time (beta)."""

    enabled: Required[bool]
    max_concurrent_subagents: int


_JsonObject = Mapping[str, Any] | Model
# A conversation that grows: dicts and the items of responses in one list.
ResponseInputItemParam = _JsonObject
ResponseInputParam = list[ResponseInputItemParam]
ChatCompletionMessageParam = _JsonObject


class ResponseParameters(TypedDict, total=False):
    """What a response can be asked for, however it is sent.

    Deployments lag behind: a parameter the service knows may still be refused by a deployment.
    """

    access_programs: Mapping[str, Any] | None
    background: bool | None
    background_options: BackgroundOptions | Mapping[str, Any] | None
    context_management: Iterable[ContextManagement | Mapping[str, Any]] | None
    conversation: str | _JsonObject | None
    image: ImageOptions | Mapping[str, Any] | None
    include: Iterable[Includable] | None
    input: str | Iterable[_JsonObject]
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    model: str
    moderation: ModerationOptions | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: _JsonObject | None
    prompt_cache_key: str | None
    prompt_cache_options: _JsonObject | None
    prompt_cache_retention: PromptCacheRetention | None
    reasoning: _JsonObject | None
    safety_identifier: str | None
    service_tier: ServiceTier | None
    store: bool | None
    stream_options: StreamOptions | Mapping[str, Any] | None
    temperature: float | None
    text: _JsonObject | None
    tool_choice: str | _JsonObject | None
    tools: Iterable[_JsonObject] | None
    top_logprobs: int | None
    top_p: float | None
    truncation: Truncation | None
    user: str | None
    multi_agent: MultiAgentOptions | Mapping[str, Any] | None


class ResponseCreateParams(ResponseParameters, total=False):
    """The body of `POST /responses`."""

    stream: bool | None


# The names a create call takes; `multi_agent` is the beta's.
CREATE_PARAMETERS = frozenset(ResponseCreateParams.__annotations__)
