"""What a request may set, and what a response repeats of it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Required, TypedDict

from pydantic import Field

from .content import InputPart
from .model import OPEN, Model, Number, UnknownType
from .result import Result
from .tools import Includable

__all__ = [
    "AGENT_PARAMETERS",
    "AgentParameters",
    "AnswerParameters",
    "AgentReference",
    "BackgroundOptions",
    "CREATE_PARAMETERS",
    "ChatCompletionMessageParam",
    "ChatAnswerParameters",
    "ChatParameters",
    "CompactParameters",
    "ContextManagement",
    "Conversation",
    "ImageOptions",
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
    "SharedParameters",
    "ServiceTier",
    "StreamOptions",
    "TextConfig",
    "TextFormat",
    "ToolParameters",
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


class Conversation(Result):
    """A conversation; of the one that a response belongs to, the response says the id alone."""

    _is_sent_by_id: ClassVar[bool] = True

    id: str
    created_at: Number | None = None
    metadata: dict[str, Any] | None = None
    object: str = "conversation"


# TypedDicts, not models, for what is only ever sent: callers write plain dicts, and a field that
# this version does not know must reach the service.
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


class SharedParameters(TypedDict, total=False):
    """What a compaction takes, and a response too, besides tools.

    Of the notes, "(Azure)" marks what Azure's documentation or its description of the v1 API
    says, and "(OpenAI)" what OpenAI's description of the API says.
    """

    input: str | Iterable[_JsonObject]
    """Text, or a list of input items: messages, images, files, calls, their outputs, and output
    items of earlier responses."""
    instructions: str | None
    """System message of this response alone; a later `previous_response_id` does not carry it over
    (OpenAI)."""
    model: str | None
    """Name of the deployment, which need not be the model's (Azure); None takes the client's
    `deployment`."""
    previous_response_id: str | None
    """Id of a stored response to continue; stored responses are kept for 30 days (Azure)."""
    prompt_cache_key: str | None
    """Groups requests with the same beginning, so that the prompt cache is found more often; up to
    64 characters."""


class ToolParameters(TypedDict, total=False):
    """The tools of a request."""

    tools: Iterable[_JsonObject] | None
    """Functions and built-in tools that the model may call, each as a JSON object (Azure)."""


class CompactParameters(SharedParameters, ToolParameters, total=False):
    """What a compaction takes, and a response too."""


class AnswerParameters(SharedParameters, total=False):
    """What a response can be asked for, besides tools.

    Deployments lag behind: a parameter the service knows may still be refused by a deployment.
    Notes are as in SharedParameters.
    """

    access_programs: Mapping[str, Any] | None
    """Access programs of the organisation that this request makes use of, as a JSON object
    (OpenAI)."""
    background: bool | None
    """True answers at once and works on: poll with `wait`, or stream; needs `store` other than
    False (Azure)."""
    background_options: BackgroundOptions | Mapping[str, Any] | None
    """How soon a background response is wanted: `completion_window` is "soonest", "2h" or "8h"
    (OpenAI)."""
    context_management: Iterable[ContextManagement | Mapping[str, Any]] | None
    """Compaction by the service once the context exceeds `compact_threshold` tokens (Azure)."""
    conversation: str | _JsonObject | None
    """Id of a stored conversation, or the conversation, whose items come before the input;
    excludes `previous_response_id` (OpenAI)."""
    image: ImageOptions | Mapping[str, Any] | None
    """How images in the context are treated: `context_compression` is "auto", "enabled" or
    "disabled" (OpenAI)."""
    include: Iterable[Includable] | None
    """Further output to return, such as "reasoning.encrypted_content" or
    "web_search_call.action.sources" (OpenAI)."""
    max_output_tokens: int | None
    """Most tokens the model may write, reasoning included; at least 16 (OpenAI)."""
    max_tool_calls: int | None
    """Most calls of built-in tools in one response, all tools together; further ones are ignored
    (Azure)."""
    metadata: Mapping[str, str] | None
    """Up to 16 pairs kept with the response; keys of up to 64 characters, values of up to 512
    (Azure)."""
    moderation: ModerationOptions | Mapping[str, Any] | None
    """Moderation `model` for input and output, and the `policy` that says what it does (OpenAI)."""
    parallel_tool_calls: bool | None
    """Whether the model may ask for several calls at a time; the default is True (Azure)."""
    prompt: _JsonObject | None
    """Stored prompt to use: `id`, and if wanted `version` and `variables` (Azure)."""
    prompt_cache_options: _JsonObject | None
    """`mode` ("implicit" or "explicit"), `ttl` and other settings of the prompt cache, from GPT-5.6
    on (OpenAI)."""
    prompt_cache_retention: PromptCacheRetention | None
    """How long the prompt cache may keep a prefix: "in_memory", or "24h" for 24 hours at most
    (OpenAI)."""
    reasoning: _JsonObject | None
    """`effort` and `summary` of the reasoning of a reasoning model; others refuse it (Azure)."""
    safety_identifier: str | None
    """Stable identifier of the end user, hashed rather than plain; up to 64 characters (OpenAI)."""
    service_tier: ServiceTier | None
    """One of "auto", "default", "priority" and "flex"; flex is slower, and answers 429 when it is
    full (Azure)."""
    store: bool | None
    """Whether the response is kept, for 30 days, to be retrieved or continued; the default is True
    (Azure), of chat completions False."""
    stream_options: StreamOptions | Mapping[str, Any] | None
    """How a stream is sent: `include_obfuscation` False saves bandwidth, `include_usage` adds a
    chunk of usage to a chat completion (OpenAI)."""
    temperature: float | None
    """Randomness from 0 to 2, 1 by default; models that reason refuse it (Azure)."""
    text: _JsonObject | None
    """`format` of the text (plain, JSON object or JSON schema) and its `verbosity` (OpenAI)."""
    tool_choice: str | _JsonObject | None
    """Which tool to call: "none", "auto", "required", or an object that names one (Azure)."""
    top_logprobs: int | None
    """How many likely tokens to return per position with their log probabilities, 0 to 20
    (Azure)."""
    top_p: float | None
    """Share of the probability mass that is sampled from, 0 to 1; change this or `temperature`, not
    both (Azure)."""
    truncation: Truncation | None
    """What happens to input beyond the context window: "disabled" (the default) answers 400,
    "auto" drops items (Azure)."""
    user: str | None
    """Older name of the end user's identifier; OpenAI replaced it by `safety_identifier` and
    `prompt_cache_key`."""
    multi_agent: MultiAgentOptions | Mapping[str, Any] | None
    """Lets the model run agents, `max_concurrent_subagents` at a time; GPT-5.6 and api_version
    "preview" only (Azure)."""


class ResponseParameters(AnswerParameters, ToolParameters, total=False):
    """What a response can be asked for, however it is sent."""


class ChatAnswerParameters(ResponseParameters, total=False):
    """What a chat completion can be asked for, but for the format of its answer."""

    messages: Iterable[ChatCompletionMessageParam | Any] | None
    """The conversation as chat messages, each with a `role` and `content`; `input` may stand in its
    place."""
    max_completion_tokens: int | None
    """Most tokens the model may write, reasoning included; sent as `max_output_tokens`, fewer than
    16 as 16."""
    max_tokens: int | None
    """Older name of `max_completion_tokens`."""
    reasoning_effort: ReasoningEffort | _JsonObject | None
    """How much to reason: "none", "minimal", "low", "medium", "high", "xhigh" or "max", as the
    model allows; sent as `reasoning.effort` (OpenAI)."""
    verbosity: Verbosity | None
    """How long answers are: "low", "medium" or "high"; sent as `text.verbosity` (OpenAI)."""
    logprobs: bool | None
    """True returns the log probability of each token of the text (OpenAI)."""
    web_search_options: _JsonObject | None
    """Settings of the web search tool, which they switch on (OpenAI)."""
    functions: Iterable[_JsonObject] | None
    """Older name of `tools`, of functions alone; calls come back as `function_call` (OpenAI)."""
    function_call: str | _JsonObject | None
    """Older name of `tool_choice`: "none", "auto", or an object with the function's `name`
    (OpenAI)."""
    n: int | None
    """Number of answers; only 1, since the Responses API gives one per call."""
    seed: int | None
    """Refused, or left out with `drop_params`: no parameter of the Responses API makes answers
    repeatable."""
    stop: str | Iterable[str] | None
    """Refused unless empty, or left out with `drop_params`: the Responses API has no stop
    sequences."""
    logit_bias: Mapping[str, float] | None
    """Refused unless empty, or left out with `drop_params`: the Responses API has no token
    biases."""
    frequency_penalty: float | None
    """Refused unless 0, or left out with `drop_params`: the Responses API has no penalties."""
    presence_penalty: float | None
    """Refused unless 0, or left out with `drop_params`: the Responses API has no penalties."""
    prediction: _JsonObject | None
    """Refused, or left out with `drop_params`: the Responses API takes no predicted output."""
    audio: _JsonObject | None
    """Refused, or left out with `drop_params`: the Responses API speaks no answers."""
    modalities: Iterable[str] | None
    """Only `["text"]`; others are refused, or left out with `drop_params`."""
    data_sources: Iterable[_JsonObject] | None
    """Refused unless empty, or left out with `drop_params`; the file_search tool takes the place of
    Azure's own data."""
    user_security_context: _JsonObject | None
    """End user and application, for Microsoft Defender; sent in the body as it is (Azure)."""


class ChatParameters(ChatAnswerParameters, total=False):
    """What a chat completion can be asked for: its own parameters, and those of a response."""

    response_format: type[Any] | _JsonObject | None
    """Object with the type "text", "json_object" or "json_schema", or a pydantic model; sent as
    `text.format`."""


class AgentReference(Model):
    """The agent of a Foundry project that answers; the latest version where it names none."""

    type: Literal["agent_reference"] = "agent_reference"
    name: str
    version: str | None = None


class AgentParameters(TypedDict, total=False):
    """What names an agent in the place of a model; on the endpoint of a Foundry project."""

    agent: str | None
    """Agent as "NAME" or "NAME:VERSION"; sent as `agent_reference` (Foundry)."""
    agent_reference: AgentReference | Mapping[str, Any] | None
    """Agent as an object with its `name` and `version` (Foundry)."""


AGENT_PARAMETERS = frozenset(AgentParameters.__annotations__)
"""The names of these."""


class ResponseCreateParams(ResponseParameters, total=False):
    """The body of `POST /responses`."""

    stream: bool | None
    """True streams the events of the response."""


# The names a create call takes; `multi_agent` is the beta's.
CREATE_PARAMETERS = frozenset(ResponseCreateParams.__annotations__)
