"""What has arrived of a response while it streams.

Text is collected in string buffers, not event by event, so that a stream costs the size of its
text and no more; a finished item replaces its buffers.
"""

from collections.abc import Callable
from io import StringIO
from typing import Any

from pydantic import ValidationError

from azure_responses.types.event import StreamEvent
from azure_responses.types.response import Response

__all__ = ["PartialResponse", "response_of", "text_of"]

# (output index, list of the item or "" for the item itself, index in that list, field, and the
# type of the part in the list)
_Place = tuple[int, str, int, str, str]


def text_of(event: StreamEvent) -> str | None:
    """The piece of output text that an event brings; None for another event, or one cut short."""
    if event.type != "response.output_text.delta":
        return None
    delta = getattr(event, "delta", None)
    return delta if isinstance(delta, str) else None


class PartialResponse:
    """Collects the events of one stream."""

    def __init__(self) -> None:
        self._snapshot: Any = None
        self._items: dict[int, Any] = {}
        self._texts: dict[_Place, StringIO] = {}

    def add(self, event: Any) -> None:
        """Take note of one event; kinds that add nothing are ignored."""
        kind = event.type
        collect = _COLLECTORS.get(kind) if isinstance(kind, str) else None
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
        for place, text in self._texts.items():
            if place[0] in items:
                _put(items[place[0]], place, text.getvalue())
        return [items[index] for index in sorted(items)]

    def _take_snapshot(self, event: Any) -> None:
        self._snapshot = response_of(event) or self._snapshot

    def _take_item(self, event: Any) -> None:
        index = getattr(event, "output_index", None)
        item = getattr(event, "item", None)
        if not isinstance(index, int) or not hasattr(item, "to_dict"):
            return
        self._items[index] = item
        for place in [place for place in self._texts if place[0] == index]:
            del self._texts[place]

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


def response_of(event: Any) -> Response | None:
    """The response an event carries, or None; also that of an event of an unknown type."""
    response = getattr(event, "response", None)
    if isinstance(response, dict):
        try:
            return Response.model_validate(response)
        except ValidationError:
            return None
    return response if isinstance(response, Response) else None


# The gaps before a part are filled with empty ones; no index may ask for more than this.
_MOST_PARTS = 1000

_Collector = Callable[[PartialResponse, Any], None]


def _part(kind: str, name: str) -> _Collector:
    listing, index_name = (
        ("summary", "summary_index") if kind == "summary_text" else ("content", "content_index")
    )

    def collect(partial: PartialResponse, event: Any) -> None:
        partial._append(event, listing, getattr(event, index_name, None), name, kind)

    return collect


def _field(name: str) -> _Collector:
    return lambda partial, event: partial._append(event, "", 0, name, "")


_COLLECTORS: dict[str, _Collector] = {
    "response.created": PartialResponse._take_snapshot,
    "response.queued": PartialResponse._take_snapshot,
    "response.in_progress": PartialResponse._take_snapshot,
    "response.failed": PartialResponse._take_snapshot,
    "response.output_item.added": PartialResponse._take_item,
    "response.output_item.done": PartialResponse._take_item,
    "response.output_text.delta": _part("output_text", "text"),
    "response.refusal.delta": _part("refusal", "refusal"),
    "response.reasoning_text.delta": _part("reasoning_text", "text"),
    "response.reasoning_summary_text.delta": _part("summary_text", "text"),
    "response.function_call_arguments.delta": _field("arguments"),
    "response.mcp_call_arguments.delta": _field("arguments"),
    "response.custom_tool_call_input.delta": _field("input"),
    "response.code_interpreter_call_code.delta": _field("code"),
}
