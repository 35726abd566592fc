"""Every event of a Responses stream, and the reading of one."""

import json
from collections.abc import Callable
from typing import Any, cast, get_args

from pydantic import ValidationError

from .event import StreamEvent, UnknownEvent
from .items import OutputMessage, TypedItem
from .mending import type_of
from .text_events import (
    ContentPartAddedEvent,
    ContentPartDoneEvent,
    ErrorEvent,
    OutputItemAddedEvent,
    OutputItemDoneEvent,
    OutputTextAnnotationAddedEvent,
    OutputTextDeltaEvent,
    OutputTextDoneEvent,
    ReasoningSummaryPartAddedEvent,
    ReasoningSummaryPartDoneEvent,
    ReasoningSummaryTextDeltaEvent,
    ReasoningSummaryTextDoneEvent,
    ReasoningTextDeltaEvent,
    ReasoningTextDoneEvent,
    RefusalDeltaEvent,
    RefusalDoneEvent,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseFailedEvent,
    ResponseIncompleteEvent,
    ResponseInProgressEvent,
    ResponseQueuedEvent,
)
from .tool_events import (
    ApplyPatchCallOperationDiffDeltaEvent,
    ApplyPatchCallOperationDiffDoneEvent,
    AudioDeltaEvent,
    AudioDoneEvent,
    AudioTranscriptDeltaEvent,
    AudioTranscriptDoneEvent,
    CodeInterpreterCallCodeDeltaEvent,
    CodeInterpreterCallCodeDoneEvent,
    CodeInterpreterCallCompletedEvent,
    CodeInterpreterCallInProgressEvent,
    CodeInterpreterCallInterpretingEvent,
    CompactionCompactingEvent,
    CustomToolCallInputDeltaEvent,
    CustomToolCallInputDoneEvent,
    FileSearchCallCompletedEvent,
    FileSearchCallInProgressEvent,
    FileSearchCallSearchingEvent,
    FunctionCallArgumentsDeltaEvent,
    FunctionCallArgumentsDoneEvent,
    ImageGenerationCallCompletedEvent,
    ImageGenerationCallGeneratingEvent,
    ImageGenerationCallInProgressEvent,
    ImageGenerationCallPartialImageEvent,
    McpCallArgumentsDeltaEvent,
    McpCallArgumentsDoneEvent,
    McpCallCompletedEvent,
    McpCallFailedEvent,
    McpCallInProgressEvent,
    McpListToolsCompletedEvent,
    McpListToolsFailedEvent,
    McpListToolsInProgressEvent,
    ShellCallCommandAddedEvent,
    ShellCallCommandDeltaEvent,
    ShellCallCommandDoneEvent,
    ShellCallOutputContentDeltaEvent,
    ShellCallOutputContentDoneEvent,
    WebSearchCallCompletedEvent,
    WebSearchCallInProgressEvent,
    WebSearchCallSearchingEvent,
)

__all__ = ["EVENT_TYPES", "ResponseStreamEvent", "parse_event"]

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
    | FunctionCallArgumentsDeltaEvent
    | FunctionCallArgumentsDoneEvent
    | CustomToolCallInputDeltaEvent
    | CustomToolCallInputDoneEvent
    | AudioDeltaEvent
    | AudioDoneEvent
    | AudioTranscriptDeltaEvent
    | AudioTranscriptDoneEvent
    | FileSearchCallInProgressEvent
    | FileSearchCallSearchingEvent
    | FileSearchCallCompletedEvent
    | WebSearchCallInProgressEvent
    | WebSearchCallSearchingEvent
    | WebSearchCallCompletedEvent
    | ImageGenerationCallInProgressEvent
    | ImageGenerationCallGeneratingEvent
    | ImageGenerationCallCompletedEvent
    | CodeInterpreterCallInProgressEvent
    | CodeInterpreterCallInterpretingEvent
    | CodeInterpreterCallCompletedEvent
    | McpCallInProgressEvent
    | McpCallCompletedEvent
    | McpCallFailedEvent
    | McpListToolsInProgressEvent
    | McpListToolsCompletedEvent
    | McpListToolsFailedEvent
    | ImageGenerationCallPartialImageEvent
    | CodeInterpreterCallCodeDeltaEvent
    | CodeInterpreterCallCodeDoneEvent
    | McpCallArgumentsDeltaEvent
    | McpCallArgumentsDoneEvent
    | ShellCallCommandAddedEvent
    | ShellCallCommandDeltaEvent
    | ShellCallCommandDoneEvent
    | ShellCallOutputContentDeltaEvent
    | ShellCallOutputContentDoneEvent
    | ApplyPatchCallOperationDiffDeltaEvent
    | ApplyPatchCallOperationDiffDoneEvent
    | CompactionCompactingEvent
    | UnknownEvent
)

EVENT_TYPES: dict[str, type[StreamEvent]] = {
    get_args(event.model_fields["type"].annotation)[0]: event
    for event in get_args(ResponseStreamEvent)
    if event is not UnknownEvent
}

_Reader = Callable[[bytes | str], ResponseStreamEvent]
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
