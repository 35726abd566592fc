"""One server-sent event as bytes: what is in it, and how to put something else there."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from azure_responses.types.event import StreamEvent
from azure_responses.types.events import EVENT_TYPES

__all__ = ["LEAN", "LEAN_TYPES", "Frame", "item_id_span", "name_of"]

_NAMED = b"event: "
_TYPED = b'data: {"type":"'
_ITEM_ID = b'"item_id":"'
# Fields of events in which there may be more ids than that of the item.
_RICH = frozenset({"annotation", "item", "output", "part", "response"})
# An object without any of these has no place for an id.
_HAS_IDS = re.compile(rb'(?:id|ids|encrypted_content|container|conversation)"')

LEAN_TYPES: frozenset[type[StreamEvent]] = frozenset(
    event
    for event in EVENT_TYPES.values()
    if "item_id" in event.model_fields and not _RICH & event.model_fields.keys()
)
"""Events whose only id is that of the item: all deltas, so nearly every event."""

LEAN: frozenset[bytes] = frozenset(
    name.encode() for name, event in EVENT_TYPES.items() if event in LEAN_TYPES
)
"""Their names."""


def name_of(frame: bytes) -> bytes | None:
    """The event's name where it stands at the beginning, as it usually does."""
    if frame.startswith(_NAMED):
        return frame[len(_NAMED) : frame.find(b"\n")].rstrip(b"\r")
    if frame.startswith(_TYPED):
        return frame[len(_TYPED) : frame.find(b'"', len(_TYPED))]
    return None


def item_id_span(frame: bytes) -> tuple[int, int] | None:
    """Where in a lean frame the item's id is; None when it is not plain to see.

    Quotes within JSON text are escaped, so these bytes can be nothing but the field itself.
    """
    found = frame.find(_ITEM_ID)
    if found < 0:
        return None
    start = found + len(_ITEM_ID)
    end = frame.find(b'"', start)
    return None if frame.find(b"\\", start, end) >= 0 else (start, end)


class Frame(NamedTuple):
    """A frame whose data is a JSON object.

    Attributes:
        value: the object.
        lines: the frame's lines with their ends.
    """

    value: dict[str, Any]
    lines: Sequence[bytes]

    @classmethod
    def parse(cls, frame: bytes) -> "Frame | None":
        """The frame taken apart; None when there can be no id in it."""
        if _HAS_IDS.search(frame) is None:
            return None
        lines = frame.splitlines(keepends=True)
        data = b"\n".join(
            line.removeprefix(b"data:").strip(b" \r\n") for line in lines if _is_data(line)
        )
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return cls(value, lines) if isinstance(value, dict) else None

    def with_data(self, data: bytes) -> bytes:
        """The frame with other data, on one line."""
        first = next(index for index, line in enumerate(self.lines) if _is_data(line))
        end = self.lines[first].removeprefix(self.lines[first].rstrip(b"\r\n"))
        before = self.lines[:first]
        after = [line for line in self.lines[first + 1 :] if not _is_data(line)]
        return b"".join([*before, b"data: ", data, end, *after])


def _is_data(line: bytes) -> bool:
    return line.startswith(b"data:")
