"""The events of a Responses stream, and the reading of one."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, cast, get_args

from pydantic import ValidationError

from .content import Annotation, OutputPart, TokenLogprob
from .items import OutputItem, OutputMessage, TypedItem
from .mending import Loose, type_of
from .model import ContentEvent, ItemEvent, OutputEvent, StreamEvent, SummaryEvent, UnknownEvent
from .response import Response
from .steering import SteerAcceptedEvent, SteerFailedEvent, SteerPendingEvent
from .tools import ToolEvent

__all__ = [
    "AudioDeltaEvent",
    "AudioDoneEvent",
    "AudioTranscriptDeltaEvent",
    "AudioTranscriptDoneEvent",
    "CompactionCompactingEvent",
    "ContentPartAddedEvent",
    "ContentPartDoneEvent",
    "EVENT_TYPES",
    "ErrorEvent",
    "OutputItemAddedEvent",
    "OutputItemDoneEvent",
    "OutputTextAnnotationAddedEvent",
    "OutputTextDeltaEvent",
    "OutputTextDoneEvent",
    "ReasoningSummaryPartAddedEvent",
    "ReasoningSummaryPartDoneEvent",
    "ReasoningSummaryTextDeltaEvent",
    "ReasoningSummaryTextDoneEvent",
    "ReasoningTextDeltaEvent",
    "ReasoningTextDoneEvent",
    "RefusalDeltaEvent",
    "RefusalDoneEvent",
    "ResponseCompletedEvent",
    "ResponseCreatedEvent",
    "ResponseEvent",
    "ResponseFailedEvent",
    "ResponseInProgressEvent",
    "ResponseIncompleteEvent",
    "ResponseQueuedEvent",
    "ResponseStreamEvent",
    "parse_event",
]


class ResponseEvent(StreamEvent):
    """An event that carries the response as it stands."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {"response": {"id": ""}}

    response: Response


class ResponseCreatedEvent(ResponseEvent):
    """The response exists; always the first event of a fresh stream."""

    type: Literal["response.created"]


class ResponseQueuedEvent(ResponseEvent):
    """The response waits for its turn."""

    type: Literal["response.queued"]


class ResponseInProgressEvent(ResponseEvent):
    """The model is at work."""

    type: Literal["response.in_progress"]


class ResponseCompletedEvent(ResponseEvent):
    """The response is complete; the last event."""

    type: Literal["response.completed"]


class ResponseFailedEvent(ResponseEvent):
    """The response failed; on Azure an `error` event with the reason may still follow."""

    type: Literal["response.failed"]


class ResponseIncompleteEvent(ResponseEvent):
    """The response stopped early; `incomplete_details` says why."""

    type: Literal["response.incomplete"]


class OutputItemAddedEvent(OutputEvent):
    """An item began."""

    type: Literal["response.output_item.added"]
    item: OutputItem


class OutputItemDoneEvent(OutputEvent):
    """An item is final."""

    type: Literal["response.output_item.done"]
    item: OutputItem


class ContentPartAddedEvent(ContentEvent):
    """A part of a message began."""

    type: Literal["response.content_part.added"]
    part: OutputPart


class ContentPartDoneEvent(ContentEvent):
    """A part of a message is final."""

    type: Literal["response.content_part.done"]
    part: OutputPart


class OutputTextDeltaEvent(ContentEvent):
    """More text; `obfuscation` is padding that hides how long each delta is."""

    type: Literal["response.output_text.delta"]
    delta: str
    logprobs: list[TokenLogprob] | None = None
    obfuscation: str | None = None


class OutputTextDoneEvent(ContentEvent):
    """The whole text of a part."""

    type: Literal["response.output_text.done"]
    text: str
    logprobs: list[TokenLogprob] | None = None


class OutputTextAnnotationAddedEvent(ContentEvent):
    """An annotation of the text."""

    type: Literal["response.output_text.annotation.added"]
    annotation_index: int
    annotation: Annotation | None = None


class RefusalDeltaEvent(ContentEvent):
    """More of a refusal."""

    type: Literal["response.refusal.delta"]
    delta: str
    obfuscation: str | None = None


class RefusalDoneEvent(ContentEvent):
    """The whole refusal."""

    type: Literal["response.refusal.done"]
    refusal: str


class ReasoningTextDeltaEvent(ContentEvent):
    """More reasoning."""

    type: Literal["response.reasoning_text.delta"]
    delta: str
    obfuscation: str | None = None


class ReasoningTextDoneEvent(ContentEvent):
    """The whole reasoning text of a part."""

    type: Literal["response.reasoning_text.done"]
    text: str


class ReasoningSummaryPartAddedEvent(SummaryEvent):
    """A part of a reasoning summary began."""

    type: Literal["response.reasoning_summary_part.added"]
    part: OutputPart


class ReasoningSummaryPartDoneEvent(SummaryEvent):
    """A part of a reasoning summary is final."""

    type: Literal["response.reasoning_summary_part.done"]
    part: OutputPart
    status: str | None = None


class ReasoningSummaryTextDeltaEvent(SummaryEvent):
    """More of a reasoning summary."""

    type: Literal["response.reasoning_summary_text.delta"]
    delta: str
    obfuscation: str | None = None


class ReasoningSummaryTextDoneEvent(SummaryEvent):
    """The whole text of a summary part."""

    type: Literal["response.reasoning_summary_text.done"]
    text: str


class ErrorEvent(StreamEvent):
    """The service gave up inside a stream.

    The reason comes flat (`code`, `message`, `param` beside `type`) as documented, or nested in
    `error` as Azure and OpenAI really send it; the properties read both.
    """

    type: Literal["error"]
    error: Loose[dict[str, Any] | None] = None

    @property
    def code(self) -> str | None:
        """What went wrong, such as "rate_limit_exceeded"."""
        return _text(self._read("code"))

    @property
    def message(self) -> str:
        """What went wrong, in words; empty when the service had none."""
        return _text(self._read("message")) or ""

    @property
    def param(self) -> str | None:
        """The request parameter at fault."""
        return _text(self._read("param"))

    @property
    def error_type(self) -> str | None:
        """The kind of error, such as "too_many_requests"; only the nested form has it."""
        return _text(self.error.get("type")) if isinstance(self.error, dict) else None

    @property
    def headers(self) -> dict[str, str]:
        """Headers the gateway put inside the event, names in lower case; often empty."""
        headers = self._read("headers")
        if not isinstance(headers, dict):
            return {}
        return {name.lower(): str(value) for name, value in headers.items()}

    def _read(self, name: str) -> Any:
        if isinstance(self.error, dict) and name in self.error:
            return self.error[name]
        return (self.model_extra or {}).get(name)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class AudioDeltaEvent(StreamEvent):
    """More audio, in base64."""

    type: Literal["response.audio.delta"]
    delta: str
    obfuscation: str | None = None


class AudioDoneEvent(StreamEvent):
    """The audio is complete."""

    type: Literal["response.audio.done"]


class AudioTranscriptDeltaEvent(StreamEvent):
    """More of the audio's transcript."""

    type: Literal["response.audio.transcript.delta"]
    delta: str
    obfuscation: str | None = None


class AudioTranscriptDoneEvent(StreamEvent):
    """The transcript is complete."""

    type: Literal["response.audio.transcript.done"]


class CompactionCompactingEvent(ItemEvent):
    """The conversation is being compacted."""

    type: Literal["response.compaction.compacting"]


ResponseStreamEvent = (
    ResponseCreatedEvent
    | ResponseQueuedEvent
    | ResponseInProgressEvent
    | ResponseCompletedEvent
    | ResponseFailedEvent
    | ResponseIncompleteEvent
    | OutputItemAddedEvent
    | OutputItemDoneEvent
    | ContentPartAddedEvent
    | ContentPartDoneEvent
    | OutputTextDeltaEvent
    | OutputTextDoneEvent
    | OutputTextAnnotationAddedEvent
    | RefusalDeltaEvent
    | RefusalDoneEvent
    | ReasoningTextDeltaEvent
    | ReasoningTextDoneEvent
    | ReasoningSummaryPartAddedEvent
    | ReasoningSummaryPartDoneEvent
    | ReasoningSummaryTextDeltaEvent
    | ReasoningSummaryTextDoneEvent
    | ErrorEvent
    | AudioDeltaEvent
    | AudioDoneEvent
    | AudioTranscriptDeltaEvent
    | AudioTranscriptDoneEvent
    | CompactionCompactingEvent
    | SteerAcceptedEvent
    | SteerPendingEvent
    | SteerFailedEvent
    | ToolEvent
    | UnknownEvent
)

EVENT_TYPES: dict[str, type[StreamEvent]] = {
    get_args(event.model_fields["type"].annotation)[0]: event
    for event in get_args(ResponseStreamEvent)
    if event is not UnknownEvent
}

_Reader = Callable[[bytes | str], ResponseStreamEvent]
# One validator per type, built when the type is first met, instead of one over the union of all: a
# stream has thousands of events of about a dozen types, and there are sixty.
_readers: dict[str, _Reader] = {}
"""Compiled validators of the events met so far, by type."""


def parse_event(data: bytes | str, name: str | None = None) -> ResponseStreamEvent:
    """Read the data of one server-sent event.

    `name` is the event's SSE name and only a hint: some gateways leave it out, so the `type`
    inside the data decides. An event of an unknown type, or one whose fields do not fit its
    type, is an `UnknownEvent`. One whose `type` is no text is of the type that its name says.

    Raises:
        ValueError: the data is not a JSON object.
    """
    reader = _readers.get(name or "") or _find_reader(data, name)
    if reader is not None:
        try:
            return reader(data)
        except ValidationError:
            pass
    return _parse_slowly(data, name)


def _find_reader(data: bytes | str, name: str | None) -> _Reader | None:
    kind = name if name in EVENT_TYPES else _peek_type(data)
    if kind not in _readers and kind in EVENT_TYPES:
        event = EVENT_TYPES[kind]
        _build(event)
        _readers[kind] = event.__pydantic_validator__.validate_json
    return _readers.get(kind)


def _build(event: type[StreamEvent]) -> None:
    if event.model_fields.keys() & {"item", "response"}:
        # A stream meets items alone and inside responses: built first, they are built once.
        for item in (OutputMessage, *get_args(TypedItem)):
            item.model_rebuild()
    event.model_rebuild()


# Some gateways leave the SSE names out. A look at the first bytes saves parsing such events twice;
# where it finds nothing, the slow way decides.
def _peek_type(data: bytes | str) -> str:
    """The type, where the data begins with it as Azure's and OpenAI's usually does."""
    head = data[:100]
    text = head.decode("ascii", "replace") if isinstance(head, bytes) else head
    before, found, rest = text.partition('"type":')
    return rest.lstrip(" ").removeprefix('"').partition('"')[0] if before == "{" and found else ""


def _parse_slowly(data: bytes | str, name: str | None) -> ResponseStreamEvent:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the data of a stream event is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(
            f"the data of a stream event is a JSON {type(value).__name__}, not an object"
        )
    given = value.get("type")
    kind = EVENT_TYPES.get(_name_of(value, name), UnknownEvent)
    try:
        return cast(ResponseStreamEvent, kind.model_validate(value))
    except ValidationError:
        named = None if isinstance(given, str) else _validate_named(kind, value)
        return UnknownEvent.model_validate(value) if named is None else named


def _name_of(value: dict[str, Any], name: str | None) -> str:
    given = value.get("type")
    if isinstance(given, str):
        return given
    # Proxies put the body of an error into a stream as it is.
    return "error" if value.get("error") and name not in EVENT_TYPES else name or ""


def _validate_named(kind: type[StreamEvent], value: dict[str, Any]) -> ResponseStreamEvent | None:
    """An event whose type is no text, as its name says; None where its fields do not fit."""
    try:
        event = kind.model_validate({**value, "type": type_of(kind)})
    except ValidationError:
        return None
    odd = {name: value[name] for name in ("type",) if name in value}
    return cast(ResponseStreamEvent, event.keep_odd(odd, "type"))
