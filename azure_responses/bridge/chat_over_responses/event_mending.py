"""Events that lack fields which nobody but their sender could have left out."""

from typing import Any

from pydantic import ValidationError

from azure_responses.types.event import StreamEvent, UnknownEvent
from azure_responses.types.events import EVENT_TYPES
from azure_responses.types.text_events import ResponseCompletedEvent

__all__ = ["mend_event"]

# Gateways and tests cut events down to what they need. A stream of one text part needs no more.
_MISSING: dict[str, Any] = {
    "item_id": "",
    "output_index": 0,
    "content_index": 0,
    "summary_index": 0,
    "annotation_index": 0,
}


def mend_event(event: UnknownEvent) -> StreamEvent:
    """The event as its type says, missing fields filled in; itself where that is not enough."""
    fields = event.to_dict()
    response = fields.get("response")
    name: object = event.type
    kind = EVENT_TYPES.get(event.type)
    if name == "response.cancelled":
        # No description lists it; it ends a cancelled background stream.
        kind, fields["type"] = ResponseCompletedEvent, "response.completed"
    if kind is None:
        return event
    if "response" in kind.model_fields:
        fields["response"] = {"id": "", **(response if isinstance(response, dict) else {})}
    try:
        missing = {name: _MISSING[name] for name in _MISSING.keys() & kind.model_fields.keys()}
        return kind.model_validate({**missing, **fields})
    except ValidationError:
        return event
