"""Chat completions as their callers know them, with what the Responses API says besides.

The shapes are those of chat completions; every field that chat completions does not have says so.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, PrivateAttr

from .filters import ContentFilter
from .mending import Loose
from .model import OPEN, Model, UnknownType
from .result import Result, show_answer, show_facts, show_text
from .usage import ToolUsage

__all__ = [
    "ChatCompletion",
    "ChatCompletionAnnotation",
    "ChatCompletionChoice",
    "ChatCompletionCustom",
    "ChatCompletionCustomToolCall",
    "ChatCompletionFunction",
    "ChatCompletionFunctionToolCall",
    "ChatCompletionLogprobs",
    "ChatCompletionMessage",
    "ChatCompletionToolCall",
    "ChatCompletionToolCallUnion",
    "ChatCompletionUnknownToolCall",
    "ChatContainerFileCitation",
    "ChatFileCitation",
    "ChatFilePath",
    "ChatObject",
    "ChatURLCitation",
    "CompletionTokensDetails",
    "CompletionUsage",
    "FinishReason",
    "PromptFilterResult",
    "PromptTokensDetails",
]

FinishReason = Annotated[
    Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | str, OPEN
]


class ChatObject(Model):
    """A JSON object of chat completions, read as `object.name` or as `object["name"]`."""

    # Each class's fields with their defaults, made on first use.
    _blank: ClassVar[dict[str, Any] | None] = None

    def __getitem__(self, name: str) -> Any:
        if name in type(self).model_fields:
            return getattr(self, name)
        return (self.model_extra or {})[name]

    def __contains__(self, name: object) -> bool:
        return name in type(self).model_fields or name in (self.model_extra or {})

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field, or `default` where there is none or it is None."""
        try:
            value = self[name]
        except KeyError:
            return default
        return default if value is None else value

    def keys(self) -> list[str]:
        """The names of all fields, so that `dict(…)` and `**` work."""
        return [*type(self).model_fields, *(self.model_extra or {})]

    @classmethod
    def assemble(cls, values: dict[str, Any]) -> Self:
        """Make an object of fields already known to fit; several times faster than validation.

        `values` holds declared fields under their Python names.
        """
        instance: Self = _new(cls)
        _set_dict(instance, {**(cls._blank or cls.blank()), **values})
        _set_fields(instance, set(values))
        _set_extra(instance, {})
        _set_private(instance, None)
        return instance

    @classmethod
    def blank(cls) -> dict[str, Any]:
        """Every field with its default; not to be changed."""
        if cls._blank is None:
            cls._blank = {name: field.default for name, field in cls.model_fields.items()}
        return cls._blank


# Pydantic keeps a model's state in four slots. Setting them directly takes half a microsecond,
# model_construct five; a stream of two thousand chunks is six thousand objects.
_new: Any = object.__new__
_set_dict: Any = vars(BaseModel)["__dict__"].__set__
_set_fields: Any = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_extra: Any = vars(BaseModel)["__pydantic_extra__"].__set__
_set_private: Any = vars(BaseModel)["__pydantic_private__"].__set__


class ChatCompletionFunction(ChatObject):
    """The function a tool call names, and its arguments as JSON text."""

    name: Loose[str] = ""
    arguments: Loose[str] = ""


class ChatCompletionCustom(ChatObject):
    """The custom tool a tool call names, and its input."""

    name: Loose[str] = ""
    input: Loose[str] = ""


class ChatCompletionToolCall(ChatObject):
    """A call for the caller to carry out; each `type` has a class of its own below.

    Not of chat completions:
        namespace, caller: what the Responses API says of a call besides; needed to answer it.
        item: the whole output item, where the call is of a kind chat completions does not have
            (`apply_patch_call`, `shell_call`, `local_shell_call`, `computer_call`,
            `tool_search_call`, `mcp_approval_request`) and `function` is its stand-in.
    """

    id: Loose[str] = ""
    type: str = ""
    function: ChatCompletionFunction | None = None
    custom: ChatCompletionCustom | None = None
    namespace: str | None = None
    caller: dict[str, Any] | None = None
    item: dict[str, Any] | None = None


class ChatCompletionFunctionToolCall(ChatCompletionToolCall):
    """A call of a function."""

    type: Literal["function"]
    function: ChatCompletionFunction


class ChatCompletionCustomToolCall(ChatCompletionToolCall):
    """A call of a custom tool, whose input is plain text."""

    type: Literal["custom"]
    custom: ChatCompletionCustom


class ChatCompletionUnknownToolCall(ChatCompletionToolCall):
    """A call of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


ChatCompletionToolCallUnion = Annotated[
    ChatCompletionFunctionToolCall | ChatCompletionCustomToolCall | ChatCompletionUnknownToolCall,
    Field(union_mode="left_to_right"),
]


class ChatURLCitation(ChatObject):
    """A page that a stretch of the message draws on; indexes are in characters."""

    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class ChatFileCitation(ChatObject):
    """A file the message draws on; `index` is where in the message, in characters."""

    file_id: str | None = None
    filename: str | None = None
    index: int | None = None


class ChatContainerFileCitation(ChatObject):
    """A container's file that a stretch of the message draws on; indexes are in characters."""

    container_id: str | None = None
    file_id: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class ChatFilePath(ChatObject):
    """A file the message offers; `index` is where in the message, in characters."""

    file_id: str | None = None
    index: int | None = None


class ChatCompletionAnnotation(ChatObject):
    """An annotation: its details lie under the name of its type.

    Chat completions has `url_citation` only; the other types follow its pattern.
    """

    type: str
    url_citation: ChatURLCitation | None = None
    file_citation: ChatFileCitation | None = None
    container_file_citation: ChatContainerFileCitation | None = None
    file_path: ChatFilePath | None = None


class ChatCompletionLogprobs(ChatObject):
    """Log probabilities of the tokens of a choice, as dicts of token, logprob, bytes, top_logprobs.

    `refusal` stays None: the Responses API gives none for refusals.
    """

    content: list[dict[str, Any]] | None = None
    refusal: list[dict[str, Any]] | None = None


class ChatCompletionMessage(ChatObject):
    """The model's message; sent back as it is in the next request's `messages`.

    Not of chat completions:
        commentary: what the model wrote on its way to the answer, as messages of the phase
            "commentary"; `content` is the answer without it.
        reasoning_content: the reasoning that may be read, for people; never sent back.
        reasoning_items: every reasoning item in order; each may have a `resource`, the tag of
            the resource whose encryption it carries.
        hosted_items: output items that chat completions has no shape for, such as searches,
            code runs, images and MCP calls.
        output_order: how the output's items followed each other, where that is not reasoning,
            hosted items, one message, tool calls.
    """

    role: Annotated[Literal["assistant"] | str, OPEN] = "assistant"
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCompletionToolCallUnion] | None = None
    function_call: ChatCompletionFunction | None = None
    annotations: list[ChatCompletionAnnotation] | None = None
    audio: dict[str, Any] | None = None
    commentary: str | None = None
    reasoning_content: str | None = None
    reasoning_items: list[dict[str, Any]] | None = None
    hosted_items: list[dict[str, Any]] | None = None
    output_order: list[dict[str, Any]] | None = None


class ChatCompletionChoice(ChatObject):
    """The answer. `finish_reason` is None while a background response is unfinished.

    `content_filter_results` and `content_filter_offsets` are Azure's.
    """

    index: int = 0
    message: ChatCompletionMessage
    finish_reason: FinishReason | None = None
    logprobs: ChatCompletionLogprobs | None = None
    content_filter_results: dict[str, Any] | None = None
    content_filter_offsets: dict[str, Any] | None = None


class PromptTokensDetails(ChatObject):
    """Prompt tokens by what became of them; each is part of the total."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionTokensDetails(ChatObject):
    """Completion tokens by what they were spent on; each is part of the total."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class CompletionUsage(ChatObject):
    """Token counts of one completion."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class PromptFilterResult(ChatObject):
    """Azure's verdict on the prompt."""

    prompt_index: int = 0
    content_filter_results: dict[str, Any] | None = None
    content_filter_offsets: dict[str, Any] | None = None


class ChatCompletion(Result, ChatObject):
    """A chat completion made of a response; `id` is the response's, `model` what served it.

    Not of chat completions:
        status, incomplete_details: the response's, where it is not simply completed; "queued"
            and "in_progress" mark a background response that `responses.wait(id)` completes.
        prompt_filter_results: Azure's verdicts on the prompt.
        tool_usage, conversation: the response's.
    """

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int = 0
    model: str = ""
    choices: list[ChatCompletionChoice] = Field(default_factory=list)
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
    _content_filters: list[ContentFilter] | None = PrivateAttr(default=None)

    @property
    def content_filters(self) -> list[ContentFilter] | None:
        """Azure's verdicts whole, as the response had them; None when it had none.

        They are not part of a dump, which has them in chat completions' shape.
        """
        return self._content_filters

    def attach_filters(self, filters: list[ContentFilter] | None) -> None:
        """Remember the verdicts as the response had them."""
        self._content_filters = filters

    def __repr__(self) -> str:
        # `print` shows every field.
        return f"{type(self).__name__}({show_facts(self._facts())})"

    def _facts(self) -> Iterator[tuple[str, Any]]:
        text = self._text()
        yield "id", self.id
        yield "model", self.model
        yield "finish_reason", self.choices[0].finish_reason if self.choices else None
        yield "text", show_text(text)
        yield "total_tokens", self.usage.total_tokens if self.usage else None

    def _repr_markdown_(self) -> str:
        """What Jupyter shows: the answer, and under it the model and the tokens."""
        usage = self.usage
        tokens = f"{usage.prompt_tokens} + {usage.completion_tokens} tokens" if usage else None
        return show_answer(self._text(), f"`{self.id}`", self.model, self.status, tokens)

    def _text(self) -> str:
        message = self.choices[0].message if self.choices else None
        return (message.content or message.refusal or "") if message else ""

    def take_headers(self, result: Result) -> None:
        """Answer `headers`, `request_id`, `rate_limit`, `cost` and `route` as `result` does."""
        # A completion stands for its response: it costs what that costs, priced on demand.
        private = result.__pydantic_private__
        attachment = private["_attachment"] if private else None
        if attachment is not None:
            self.attach(attachment.headers, lambda _: result.cost)
            self.attach_route(attachment.route)

    @classmethod
    def assemble(cls, values: Mapping[str, Any]) -> Self:
        """Make a completion of fields already known to fit."""
        instance = super().assemble(dict(values))
        _set_private(instance, {"_attachment": None, "_content_filters": None})
        return instance
