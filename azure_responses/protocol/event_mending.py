"""Events with a field that does not fit: what they bring is taken all the same.

Gateways and tests cut events down to what they need, and a stream of one text part needs no index.
"""

from collections.abc import Mapping
from typing import Any, cast

from azure_responses.types.event import UnknownEvent
from azure_responses.types.events import EVENT_TYPES, ResponseStreamEvent
from azure_responses.types.mending import mend

__all__ = ["EventMender"]

# What stands in for a field that only says where an event belongs.
_PLACES: dict[str, Any] = {
    "item_id": "",
    "summary_index": 0,
    "annotation_index": 0,
    "command_index": 0,
    "partial_image_index": 0,
}


class EventMender:
    """Mends the events of one stream, whose items it has to hear of to know where events belong.

    Attributes:
        lost: the types of the events that could not be read.
    """

    def __init__(self) -> None:
        self._indexes: dict[Any, int] = {}
        self._parts: dict[int, int] = {}
        self._latest = -1
        self.lost: list[str] = []

    def note_item(self, event: Any) -> None:
        """An item was added to the output, or is final."""
        self._latest = event.output_index
        self._indexes[getattr(event.item, "id", None)] = event.output_index

    def note_part(self, event: Any) -> None:
        """A part was added to an item."""
        self._parts[event.output_index] = event.content_index

    def mend(self, event: UnknownEvent) -> ResponseStreamEvent:
        """The event as its type says; itself where it is of no known type, or says nothing."""
        fields = event.to_dict()
        name: object = event.type
        kind = EVENT_TYPES.get(name) if isinstance(name, str) else None
        if kind is None:
            return event
        index, part = self.place_of(fields)
        places = {**_PLACES, "output_index": index, "content_index": part}
        mended = mend(kind, fields, places)
        if mended is None:
            self.lost.append(event.type)
            return event
        return cast(ResponseStreamEvent, mended)

    def place_of(self, fields: Mapping[str, Any]) -> tuple[int, int]:
        """The indexes of an event's item and, in that, of its part: said, or else most likely."""
        index = self._index_of(fields)
        part = fields.get("content_index", fields.get("summary_index"))
        return index, part if isinstance(part, int) else self._parts.get(index, 0)

    def _index_of(self, fields: Mapping[str, Any]) -> int:
        """Where the item of an event stands, as far as its other fields tell."""
        given = fields.get("output_index")
        if isinstance(given, int):
            return given
        item = fields.get("item")
        found = item.get("id") if isinstance(item, dict) else fields.get("item_id")
        if isinstance(found, str) and found in self._indexes:
            return self._indexes[found]
        is_new = fields.get("type") == "response.output_item.added"
        return self._latest + 1 if is_new else max(self._latest, 0)
