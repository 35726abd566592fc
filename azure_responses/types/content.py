"""What messages and tool results are made of."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from .mending import Mended, type_of
from .model import OPEN, Model, Number, UnknownType

__all__ = [
    "Annotation",
    "ContainerFileCitation",
    "FileCitation",
    "FilePath",
    "InputAudio",
    "InputAudioData",
    "InputFile",
    "InputImage",
    "InputPart",
    "InputText",
    "MessagePart",
    "OutputPart",
    "OutputText",
    "PromptCacheBreakpoint",
    "ReasoningText",
    "Refusal",
    "SummaryText",
    "TokenLogprob",
    "TopLogprob",
    "UnknownAnnotation",
    "UnknownPart",
    "URLCitation",
    "part_type",
]


class FileCitation(Model):
    """A file that the text draws on."""

    type: Literal["file_citation"]
    file_id: str | None = None
    filename: str | None = None
    index: int | None = None


class URLCitation(Model):
    """A page that a stretch of the text draws on; indexes are in characters."""

    type: Literal["url_citation"]
    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class ContainerFileCitation(Model):
    """A file in a code interpreter container that a stretch of the text draws on."""

    type: Literal["container_file_citation"]
    container_id: str | None = None
    file_id: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class FilePath(Model):
    """A file that the text offers."""

    type: Literal["file_path"]
    file_id: str | None = None
    index: int | None = None


class UnknownAnnotation(Model):
    """An annotation of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


_Citation = FileCitation | URLCitation | ContainerFileCitation | FilePath
_CITATIONS: dict[Any, type[Model]] = {type_of(kind): kind for kind in get_args(_Citation)}


def _find_citation(fields: Mapping[str, Any]) -> type[Model] | None:
    kind = fields.get("type")
    return _CITATIONS.get(kind) if isinstance(kind, str) else None


Annotation = Annotated[
    Annotated[_Citation, Field(discriminator="type")]
    | Annotated[UnknownAnnotation, Mended(_find_citation)],
    Field(union_mode="left_to_right"),
]


class TopLogprob(Model):
    """One alternative token and its log probability."""

    token: str | None = None
    logprob: Number | None = None
    bytes: list[int] | None = None


class TokenLogprob(Model):
    """One token of the output, its log probability and the alternatives."""

    token: str | None = None
    logprob: Number | None = None
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class PromptCacheBreakpoint(Model):
    """Marks the end of a stretch of the prompt worth caching."""

    mode: Annotated[Literal["explicit"] | str, OPEN] | None = None
    ttl: Annotated[Literal["30m", "12h"] | str, OPEN] | None = None


class InputText(Model):
    """Text given to the model."""

    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class InputImage(Model):
    """An image given to the model, by URL (`https:` or `data:`) or by file id."""

    type: Literal["input_image"]
    detail: Annotated[Literal["low", "high", "auto", "original"] | str, OPEN] | None = None
    image_url: str | None = None
    file_id: str | None = None
    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class InputFile(Model):
    """A file given to the model: by URL, by id, or as a `data:` URL in `file_data`."""

    type: Literal["input_file"]
    detail: Annotated[Literal["auto", "low", "high"] | str, OPEN] | None = None
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: PromptCacheBreakpoint | None = None


class InputAudioData(Model):
    """Base64 audio and its format."""

    data: str | None = None
    format: Annotated[Literal["mp3", "wav"] | str, OPEN] | None = None


class InputAudio(Model):
    """Audio given to the model."""

    type: Literal["input_audio"]
    input_audio: InputAudioData


class OutputText(Model):
    """Text the model wrote.

    `parsed` is what `responses.parse` made of it; it is not part of a dump, so that the message can
    be sent back.
    """

    parsed: ClassVar[Any] = None
    type: Literal["output_text"]
    text: str
    annotations: list[Annotation] | None = None
    logprobs: list[TokenLogprob] | None = None

    def attach_parsed(self, value: Any) -> None:
        """Remember what the text was parsed into."""
        self.__dict__["parsed"] = value


class Refusal(Model):
    """The model's own words for why it will not answer."""

    type: Literal["refusal"]
    refusal: str


class ReasoningText(Model):
    """The model's reasoning, where the model shows it."""

    type: Literal["reasoning_text"]
    text: str


class SummaryText(Model):
    """A summary of the model's reasoning."""

    type: Literal["summary_text"]
    text: str


# Behind every union stands a member like this: what the service adds tomorrow is kept, and comes
# back from a dump as it was (decision 0006).
class UnknownPart(Model):
    """A content part of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


InputPart = Annotated[
    Annotated[InputText | InputImage | InputFile | InputAudio, Field(discriminator="type")]
    | UnknownPart,
    Field(union_mode="left_to_right"),
]

_Written = OutputText | Refusal | ReasoningText | SummaryText
_WRITTEN: dict[Any, type[Model]] = {type_of(kind): kind for kind in get_args(_Written)}


def part_type(name: Any) -> type[Model] | None:
    """The class of output parts of a `type`; None of an unknown one."""
    return _WRITTEN.get(name) if isinstance(name, str) else None


def _find_part(fields: Mapping[str, Any]) -> type[Model] | None:
    kind = fields.get("type")
    if isinstance(kind, str):
        return part_type(kind)
    # A part without a word for its type is what it holds.
    if isinstance(fields.get("text"), str):
        return OutputText
    return Refusal if isinstance(fields.get("refusal"), str) else None


OutputPart = Annotated[
    Annotated[_Written, Field(discriminator="type")] | Annotated[UnknownPart, Mended(_find_part)],
    Field(union_mode="left_to_right"),
]

# Clients replay what the model said inside messages of their own.
MessagePart = Annotated[
    Annotated[
        InputText | InputImage | InputFile | InputAudio | OutputText | Refusal,
        Field(discriminator="type"),
    ]
    | UnknownPart,
    Field(union_mode="left_to_right"),
]
