"""The events of one stream, put together: the response so far, mended events, pieces of text.

Text is collected in string buffers, not event by event, so that a stream costs the size of its
text and no more; a finished item replaces its buffers.

Gateways and tests cut events down to what they need, so that a field may be missing or odd:
`EventMender` fills in where such an event belongs. A delta that cannot be read, or was never sent,
is replaced by the event that has the whole text of its part: `TextPieces` holds the part's other
deltas back until then, so that the pieces add up to the model's text.
"""

from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any, cast

from azure_responses.protocol.decode import find_text, has_answer
from azure_responses.protocol.sse import ENDING
from azure_responses.types.events import EVENT_TYPES, ResponseStreamEvent
from azure_responses.types.mending import mend
from azure_responses.types.model import UnknownEvent
from azure_responses.types.response import Response
from azure_responses.types.tools import DELTAS

__all__ = ["EventMender", "PartialResponse", "TextPieces", "response_of"]

# (output index, list of the item or "" for the item itself, index in that list, field, and the
# type of the part in the list)
_Place = tuple[int, str, int, str, str]


class PartialResponse:
    """Collects the events of one stream."""

    def __init__(self) -> None:
        self._snapshot: Any = None
        self._items: dict[int, Any] = {}
        self._texts: dict[_Place, StringIO] = {}
        self._mender = EventMender()

    def mend(self, event: UnknownEvent) -> ResponseStreamEvent:
        """An event that does not fit its type, as far as it can be read."""
        return self._mender.mend(event)

    @property
    def lost(self) -> list[str]:
        """The types of the events that could not be read."""
        return self._mender.lost

    def add(self, event: Any) -> None:
        """Take note of one event; kinds that add nothing are ignored."""
        kind = event.type
        collect = _COLLECTORS.get(kind) if isinstance(kind, str) else None
        if collect is not None:
            collect(self, event)

    def build(self) -> Response | None:
        """The response so far, with its latest status; None before its first event."""
        if self._snapshot is None and not (self._items or self._texts):
            return None
        body = {"id": ""} if self._snapshot is None else self._snapshot.to_dict()
        output = body.get("output")
        body["output"] = self._build_output() or (output if isinstance(output, list) else [])
        return mend(Response, body)

    def fill(self, response: Response) -> Response:
        """`response` with what the stream brought, if it came without any of it.

        Some gateways send the last event with an empty or unreadable `output`.
        """
        if has_answer(response) or not (self._items or self._texts):
            return response
        body = {**response.to_dict(), "output": self._build_output()}
        filled = mend(Response, body)
        is_better = filled is not None and (has_answer(filled) or not response.output)
        return filled if filled is not None and is_better else response

    def _build_output(self) -> list[dict[str, Any]]:
        items = {index: item.to_dict() for index, item in self._items.items()}
        for place, text in self._texts.items():
            item = items.get(place[0]) or _item_around(place)
            if item is not None:
                items[place[0]] = item
                _put(item, place, text.getvalue())
        return [items[index] for index in sorted(items)]

    def _take_snapshot(self, event: Any) -> None:
        response = response_of(event)
        if response is not None and (response.id or self._snapshot is None):
            self._snapshot = response

    def _take_item(self, event: Any) -> None:
        index = getattr(event, "output_index", None)
        item = getattr(event, "item", None)
        if not isinstance(index, int) or not hasattr(item, "to_dict"):
            return
        self._mender.note_item(event)
        self._items[index] = item
        for place in [place for place in self._texts if place[0] == index]:
            del self._texts[place]

    def _take_part(self, event: Any) -> None:
        if type(event) is not UnknownEvent:
            self._mender.note_part(event)

    def _append(self, event: Any, listing: str, position: Any, name: str, kind: str) -> None:
        index, delta = getattr(event, "output_index", None), getattr(event, "delta", None)
        # An event whose fields do not fit its type arrives all the same, as an unknown one.
        if not (isinstance(index, int) and isinstance(position, int) and isinstance(delta, str)):
            return
        place = (index, listing, position, name, kind)
        buffer = self._texts.get(place)
        if buffer is None:
            buffer = self._texts[place] = StringIO()
        buffer.write(delta)

    def _set(self, event: Any, listing: str, position: Any, name: str, kind: str) -> None:
        """The whole text of a part: nothing of it is missing, whatever became of its deltas."""
        index, text = getattr(event, "output_index", None), getattr(event, name, None)
        if not (isinstance(index, int) and isinstance(position, int) and isinstance(text, str)):
            return
        buffer = self._texts[index, listing, position, name, kind] = StringIO()
        buffer.write(text)


def _put(item: dict[str, Any], place: _Place, text: str) -> None:
    _, listing, position, name, kind = place
    if not listing:
        item[name] = text
        return
    parts = item.get(listing)
    if not isinstance(parts, list):
        parts = item[listing] = []
    while len(parts) <= min(position, _MOST_PARTS):
        parts.append({"type": kind, name: ""})
    if position < len(parts) and isinstance(parts[position], dict):
        parts[position][name] = text


def _item_around(place: _Place) -> dict[str, Any] | None:
    """An item for a text whose item has not arrived; None for an item that needs more fields."""
    _, listing, _, _, kind = place
    if kind == "summary_text" or kind == "reasoning_text":
        return {"type": "reasoning", "summary": []}
    if listing == "content":
        return {"type": "message", "id": "", "role": "assistant", "content": []}
    return None


def response_of(event: Any) -> Response | None:
    """The response an event carries, or None; also that of an event of an unknown type."""
    response = getattr(event, "response", None)
    if isinstance(response, dict):
        return mend(Response, response)
    return response if isinstance(response, Response) else None


# The gaps before a part are filled with empty ones; no index may ask for more than this.
_MOST_PARTS = 1000

_Collector = Callable[[PartialResponse, Any], None]


def _part(kind: str, name: str, take: Any = PartialResponse._append) -> _Collector:
    listing, index_name = (
        ("summary", "summary_index") if kind == "summary_text" else ("content", "content_index")
    )

    def collect(partial: PartialResponse, event: Any) -> None:
        take(partial, event, listing, getattr(event, index_name, None), name, kind)

    return collect


def _field(name: str, take: Any = PartialResponse._append) -> _Collector:
    return lambda partial, event: take(partial, event, "", 0, name, "")


_COLLECTORS: dict[str, _Collector] = {
    "response.created": PartialResponse._take_snapshot,
    "response.queued": PartialResponse._take_snapshot,
    "response.in_progress": PartialResponse._take_snapshot,
    "response.failed": PartialResponse._take_snapshot,
    "response.output_item.added": PartialResponse._take_item,
    "response.output_item.done": PartialResponse._take_item,
    "response.content_part.added": PartialResponse._take_part,
    "response.output_text.delta": _part("output_text", "text"),
    "response.refusal.delta": _part("refusal", "refusal"),
    "response.reasoning_text.delta": _part("reasoning_text", "text"),
    "response.reasoning_summary_text.delta": _part("summary_text", "text"),
    "response.output_text.done": _part("output_text", "text", PartialResponse._set),
    "response.refusal.done": _part("refusal", "refusal", PartialResponse._set),
    "response.reasoning_text.done": _part("reasoning_text", "text", PartialResponse._set),
    "response.reasoning_summary_text.done": _part("summary_text", "text", PartialResponse._set),
    **{f"{name}.delta": _field(field) for name, field in DELTAS.items()},
    **{f"{name}.done": _field(field, PartialResponse._set) for name, field in DELTAS.items()},
}


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


_PartPlace = tuple[Any, Any]


class TextPieces:
    """Takes the events of one stream and gives back the text that can be handed on."""

    def __init__(self) -> None:
        self._pieces: dict[_PartPlace, list[str]] = {}
        self._waiting: set[_PartPlace] = set()
        self._items: list[Any] = []

    def take(self, event: Any) -> str | None:
        """The text that an event brings; None for none."""
        kind = event.type
        if kind == "response.output_text.delta":
            return self._add(_place_of(event), getattr(event, "delta", None))
        if kind == "response.output_text.done":
            return self._complete(_place_of(event), getattr(event, "text", None))
        if kind == "response.output_item.done":
            self._items.append(getattr(event, "item", None))
        elif isinstance(kind, str) and kind in ENDING and not any(self._pieces.values()):
            return self._whole(response_of(event) or Response(id=""))
        return None

    def _whole(self, response: Response) -> str | None:
        """The text that came in no delta: in the last event, or else in the finished items."""
        if not has_answer(response):
            response = response.model_copy(update={"output": response.output or self._items})
            find_text(response)
        return response.output_text or None

    def _add(self, place: _PartPlace, delta: Any) -> str | None:
        if not isinstance(delta, str):
            self._waiting.add(place)
            return None
        if self._waiting and place in self._waiting:
            return None
        self._pieces.setdefault(place, []).append(delta)
        return delta

    def _complete(self, place: _PartPlace, text: Any) -> str | None:
        """What of a part's whole text was not handed on; one that differs adds nothing."""
        pieces = self._pieces.setdefault(place, [])
        so_far = "".join(pieces)
        if not isinstance(text, str) or not text.startswith(so_far):
            return None
        self._waiting.discard(place)
        rest = text[len(so_far) :]
        pieces.append(rest)
        return rest or None


def _place_of(event: Any) -> _PartPlace:
    return getattr(event, "output_index", None), getattr(event, "content_index", None)
