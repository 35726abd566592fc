"""Events about a response as a whole and the text it writes."""

from typing import Any, Literal

from .content import Annotation, OutputPart, TokenLogprob
from .event import ContentEvent, OutputEvent, ResponseEvent, StreamEvent, SummaryEvent
from .items import OutputItem
from .tolerance import Loose

__all__ = [
    "ContentPartAddedEvent",
    "ContentPartDoneEvent",
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
    "ResponseFailedEvent",
    "ResponseInProgressEvent",
    "ResponseIncompleteEvent",
    "ResponseQueuedEvent",
]


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
