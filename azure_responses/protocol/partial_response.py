"""What has arrived of a response while it streams.

Text is collected in string buffers, not event by event, so that a stream costs the size of its
text and no more; a finished item replaces its buffers.
"""

from collections.abc import Callable
from io import StringIO
from typing import Any

from azure_responses.types.response import Response

__all__ = ["PartialResponse"]

# (output index, list of the item or "" for the item itself, index in that list, field)
_Place = tuple[int, str, int, str]


class PartialResponse:
    """Collects the events of one stream."""

    def __init__(self) -> None:
        self._snapshot: Any = None
        self._items: dict[int, Any] = {}
        self._texts: dict[_Place, StringIO] = {}

    @property
    def has_output(self) -> bool:
        """True once an item of the output has begun."""
        return bool(self._items)

    def add(self, event: Any) -> None:
        """Take note of one event; kinds that add nothing are ignored."""
        collect = _COLLECTORS.get(event.type)
        if collect is not None:
            collect(self, event)

    def build(self) -> Response | None:
        """The response so far, its status as last told; None before it was created."""
        if self._snapshot is None:
            return None
        body = self._snapshot.to_dict()
        body["output"] = self._build_output() or body.get("output") or []
        return Response.model_validate(body)

    def fill(self, response: Response) -> Response:
        """`response` with the finished items of the stream, if it came without any.

        Some gateways send the last event with an empty `output`.
        """
        if response.output or not self._items:
            return response
        body = {**response.to_dict(), "output": self._build_output()}
        return Response.model_validate(body)

    def _build_output(self) -> list[dict[str, Any]]:
        items = {index: item.to_dict() for index, item in self._items.items()}
        for (index, listing, position, name), text in self._texts.items():
            if index in items:
                _place(items[index], listing, position, name, text.getvalue())
        return [items[index] for index in sorted(items)]

    def _take_snapshot(self, event: Any) -> None:
        if isinstance(getattr(event, "response", None), Response):
            self._snapshot = event.response

    def _take_item(self, event: Any) -> None:
        index = getattr(event, "output_index", None)
        item = getattr(event, "item", None)
        if index is None or not hasattr(item, "to_dict"):
            return
        self._items[index] = item
        for place in [place for place in self._texts if place[0] == index]:
            del self._texts[place]

    def _append(self, place: _Place, delta: Any) -> None:
        buffer = self._texts.get(place)
        if buffer is None:
            buffer = self._texts[place] = StringIO()
        if isinstance(delta, str):
            buffer.write(delta)


def _place(item: dict[str, Any], listing: str, position: int, name: str, text: str) -> None:
    if not listing:
        item[name] = text
        return
    parts = item.get(listing)
    if not isinstance(parts, list):
        parts = item[listing] = []
    kind = _PART_TYPES[listing, name]
    while len(parts) <= position:
        parts.append({"type": kind, name: ""})
    parts[position][name] = text


_PART_TYPES = {
    ("content", "text"): "output_text",
    ("content", "refusal"): "refusal",
    ("summary", "text"): "summary_text",
}

_Collector = Callable[[PartialResponse, Any], None]


def _part(listing: str, name: str, index_name: str) -> _Collector:
    def collect(partial: PartialResponse, event: Any) -> None:
        place = (event.output_index, listing, getattr(event, index_name), name)
        partial._append(place, event.delta)

    return collect


def _field(name: str) -> _Collector:
    def collect(partial: PartialResponse, event: Any) -> None:
        partial._append((event.output_index, "", 0, name), event.delta)

    return collect


_COLLECTORS: dict[str, _Collector] = {
    "response.created": PartialResponse._take_snapshot,
    "response.queued": PartialResponse._take_snapshot,
    "response.in_progress": PartialResponse._take_snapshot,
    "response.failed": PartialResponse._take_snapshot,
    "response.output_item.added": PartialResponse._take_item,
    "response.output_item.done": PartialResponse._take_item,
    "response.output_text.delta": _part("content", "text", "content_index"),
    "response.refusal.delta": _part("content", "refusal", "content_index"),
    "response.reasoning_summary_text.delta": _part("summary", "text", "summary_index"),
    "response.function_call_arguments.delta": _field("arguments"),
    "response.mcp_call_arguments.delta": _field("arguments"),
    "response.custom_tool_call_input.delta": _field("input"),
    "response.code_interpreter_call_code.delta": _field("code"),
}
