"""What is read of the replies of embeddings, images and audio, which are passed on as they are."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.protocol.sse import ServerSentEvent, SSEDecoder
from azure_responses.router.passed_request import PassedRequest

__all__ = ["EventPieces", "facts_of_reply", "facts_of_stream", "is_event_stream"]

# What says who answered, and what that used; all else is data.
_FACTS = ("id", "model", "usage", "duration", "created", "error")
_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


def facts_of_reply(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
    """What a whole reply says besides its data; None where it should be a JSON object and is not.

    A transcription may be text or subtitles.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") and kind != "text/html":
        return {}
    return _facts_in(body)


def facts_of_stream(request: PassedRequest, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a stream has said of its use; of sound without a word of it, what was read aloud."""
    if facts or not request.characters:
        return facts
    return {"usage": {"type": "characters", "characters": request.characters}}


def is_event_stream(headers: Mapping[str, str]) -> bool:
    """True for a reply of server-sent events."""
    return headers.get("content-type", "").lower().startswith("text/event-stream")


def _facts_in(text: bytes) -> Mapping[str, Any] | None:
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return {name: value[name] for name in _FACTS if name in value}


class EventPieces:
    """Cuts the bytes of a stream between its events, so that a comment may come between pieces.

    Attributes:
        facts: of the latest event that says what was used.
    """

    def __init__(self) -> None:
        self.facts: Mapping[str, Any] = {}
        self._decoder = SSEDecoder()
        self._held = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """The events that are whole with this piece; may be empty."""
        self._note(self._decoder.feed(piece))
        # An end may be cut in two by the pieces.
        start = max(0, len(self._held) - 3)
        self._held += piece
        places = [(self._held.rfind(mark, start), mark) for mark in _ENDS]
        end = max(place + len(mark) if place >= 0 else 0 for place, mark in places)
        whole = bytes(self._held[:end])
        del self._held[:end]
        return whole

    def end(self) -> bytes:
        """What is left at the end of the stream."""
        self._note(self._decoder.flush())
        left = bytes(self._held)
        self._held.clear()
        return left

    def _note(self, events: list[ServerSentEvent]) -> None:
        for event in events:
            # An image beside it may have megabytes.
            if b'"usage"' in event.data:
                self.facts = _facts_in(event.data) or self.facts
