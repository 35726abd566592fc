"""The text of a stream as it arrives, piece by piece, with nothing left out.

Nearly all of it comes in deltas. A delta that cannot be read, or was never sent, is made up for by
the event that has the whole text of its part; until then the part's other deltas wait, so that the
pieces add up to what was written.
"""

from typing import Any

from azure_responses.protocol.partial_response import response_of
from azure_responses.protocol.readable import find_text, has_answer
from azure_responses.protocol.stream_events import ENDING
from azure_responses.types.response import Response

__all__ = ["TextPieces"]

_Place = tuple[Any, Any]


class TextPieces:
    """Takes the events of one stream and gives back the text that can be handed on."""

    def __init__(self) -> None:
        self._pieces: dict[_Place, list[str]] = {}
        self._waiting: set[_Place] = set()
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

    def _add(self, place: _Place, delta: Any) -> str | None:
        if not isinstance(delta, str):
            self._waiting.add(place)
            return None
        if self._waiting and place in self._waiting:
            return None
        self._pieces.setdefault(place, []).append(delta)
        return delta

    def _complete(self, place: _Place, text: Any) -> str | None:
        """What of a part's whole text was not handed on; one that differs adds nothing."""
        pieces = self._pieces.setdefault(place, [])
        so_far = "".join(pieces)
        if not isinstance(text, str) or not text.startswith(so_far):
            return None
        self._waiting.discard(place)
        rest = text[len(so_far) :]
        pieces.append(rest)
        return rest or None


def _place_of(event: Any) -> _Place:
    return getattr(event, "output_index", None), getattr(event, "content_index", None)
