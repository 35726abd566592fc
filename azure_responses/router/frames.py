"""One streamed response as bytes: what to send on, and when it may be sent.

The events pass through unchanged except for the ids in them. What opens a response is kept back
until output follows, so that another deployment can still take over when a rate limit is reported
inside an HTTP 200 stream.

Most of a stream is deltas, a few hundred bytes each, of which one network chunk brings many. Their
ids are replaced in the whole chunk at once: inside a JSON string a quote is always escaped, so
that `"item_id":"…"` can only be a key with its value.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from pydantic_core import to_json

from azure_responses.protocol.sse import (
    ENDING,
    EVENTS_AFTER_FAILURE,
    FAILING,
    opens,
)
from azure_responses.router.event_frames import END, EventFrames

__all__ = ["EventRewriter", "FrameStream", "ShowEvent", "encode_frame"]

_DELTA = b".delta\ndata: {"
# The name of an event stands in front of its data.
_DELTA_WITHIN = 120
_IS_ID = re.compile(r"[\w-]+", re.ASCII)
_FIND_ITEM_ID = re.compile(rb'"item_id":"([^"\\]*)"')
_NUMBER = b'"sequence_number":'
# A longer number is not one of an event, and takes long to convert.
_FIND_NUMBER = re.compile(rb'"sequence_number": ?(\d{1,15})\b')


ShowEvent = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes an event with signed ids, which it may change, and returns what the caller gets."""


class EventRewriter(Protocol):
    """Puts signed ids into what one deployment answered."""

    def label(self, value: dict[str, Any]) -> dict[str, Any]:
        """An event with signed ids in the place of its own; may change what it is given."""


class FrameStream(EventFrames):
    """The events of one response across its connections.

    Args:
        ids: rewrites the ids of every event.
        model: stands in the place of Azure's model name; None keeps that.
        is_background: the response outlives its connection. What opens it is handed out at once:
            it may wait for minutes, and its id is what cancels it.
        starting_after: the sequence number of the last event that the caller already has.
        show: makes what the caller gets of each event but deltas; None shows it as it is.

    Attributes:
        response: the latest whole response an event carried, with the service's own id.
    """

    def __init__(
        self,
        ids: EventRewriter,
        *,
        model: str | None = None,
        is_background: bool = False,
        starting_after: int | None = None,
        show: ShowEvent | None = None,
    ) -> None:
        super().__init__()
        self._ids = ids
        self._show = show
        self._model = model
        self._is_background = is_background
        self._items: dict[bytes, bytes] = {}
        self._starting_after = starting_after
        self._seen_before: int | None = starting_after
        self._events_after_failure = 0

    def reconnect(self) -> None:
        """What follows comes over another connection: half an event is sent again there."""
        super().reconnect()
        # A proxy may not know `starting_after`, and send the whole stream again.
        self._seen_before = self.last_sequence_number

    def finish(self, response: Mapping[str, Any]) -> bytes:
        """The ending event of a response that was polled, as bytes to send on.

        It never was streamed, and so has no sequence number.
        """
        kind = f"response.{response.get('status') or 'completed'}"
        return self._take(None, to_json({"type": kind, "response": response}))

    @property
    def is_settled(self) -> bool:
        """True once it is known how the stream has ended, or that its bytes are bad."""
        if self.is_finished or self.damage is not None:
            return True
        if not self.failures:
            return False
        # A 429 within a stream is an `error` and a `response.failed`, in either order; only one of
        # them has the reason.
        return not self.expects_reason or self._events_after_failure >= EVENTS_AFTER_FAILURE

    @property
    def expects_reason(self) -> bool:
        """True after a failure without a reason, which another event may give."""
        return bool(self.failures) and not any(_explains(event) for event in self.failures)

    @property
    def last_sequence_number(self) -> int | None:
        """The number of the last event that arrived, where it had one."""
        found = _FIND_NUMBER.match(self._last, max(0, self._last.rfind(_NUMBER)))
        return int(found[1]) if found is not None else self._starting_after

    def _take_blob(self, blob: bytes) -> bytes:
        if self._passes_deltas():
            rewritten = self._rewrite_deltas(blob)
            if rewritten is not None:
                return rewritten
        return self._take_runs(blob)

    def _take_runs(self, blob: bytes) -> bytes:
        """Events of all kinds: deltas that follow one another are still taken together.

        A run is a slice, so that thousands of deltas in one piece are not joined again.
        """
        pieces: list[bytes] = []
        begin = place = 0
        # The last frame is what follows the last end: nothing, and so the end of a run.
        for frame in blob.split(END):
            if self.is_finished:
                # Nothing follows a terminal event, even where it came in the same piece.
                break
            end = place + len(frame) + len(END)
            if frame.find(_DELTA, 0, _DELTA_WITHIN) < 0:
                if begin < place:
                    pieces.append(self._take_deltas(blob[begin:place]))
                pieces.append(self._take_all([frame]))
                begin = end
            place = end
        return b"".join(pieces)

    def _passes_deltas(self) -> bool:
        """True where a run of deltas needs no look at each of them."""
        return self.is_handed_out and not self.failures and self._seen_before is None

    def _take_deltas(self, run: bytes) -> bytes:
        if self._passes_deltas() and self.damage is None:
            rewritten = self._label_deltas(run)
            if rewritten is not None:
                return rewritten
            # An item seen for the first time: its first delta teaches its signed id.
            first, _, others = run.partition(END)
            taken = self._take_all([first])
            rest = self._label_deltas(others) if others else b""
            return taken + (self._take_all(others.split(END)) if rest is None else rest)
        return self._take_all(run.split(END))

    def _rewrite_deltas(self, blob: bytes) -> bytes | None:
        """Deltas with signed ids on their items; None where the events are not deltas alone."""
        return self._label_deltas(blob) if blob.count(_DELTA) == blob.count(END) else None

    def _label_deltas(self, run: bytes) -> bytes | None:
        """A run of deltas with signed ids on their items; None where an item is new."""
        items = _items_in(run)
        if items is None:
            return None
        for item in items:
            label = self._items.get(item)
            if label is None:
                return None
            if label != item:
                run = run.replace(b'"item_id":"%b"' % item, b'"item_id":"%b"' % label)
        self.events_seen += 1
        return run

    def _take(self, name: bytes | None, data: bytes) -> bytes:
        event = self._read_event(data)
        if event is None:
            return b""
        if not isinstance(event.get("type"), str) and name is None and event.get("error"):
            # Proxies put the body of an error into a stream as it is.
            event["type"] = "error"
        kind = event.get("type")
        kind = kind if isinstance(kind, str) else (name or b"").decode("utf-8", "replace")
        self.events_seen += 1
        if self._is_repeated(event, kind):
            return b""
        self._note(event, kind)
        frame = encode_frame(name, self._rewrite(event))
        is_opening = opens(kind, is_background=self._is_background)
        return self._hand_out(frame, is_opening=is_opening)

    def _is_repeated(self, event: Mapping[str, Any], kind: str) -> bool:
        """True for what an earlier connection brought already."""
        if self._seen_before is None:
            return False
        number = event.get("sequence_number")
        # An error may be numbered by another counter.
        if isinstance(number, int) and number <= self._seen_before and kind != "error":
            return True
        self._seen_before = None
        return False

    def _note(self, event: Mapping[str, Any], kind: str) -> None:
        response = event.get("response")
        if isinstance(response, dict):
            # Rewriting works on the event itself; what is noted has to stay as Azure said it.
            self.response = dict(response)
        if self.failures:
            self._events_after_failure += 1
        if kind in FAILING:
            self.failures.append(dict(event))
        elif kind in ENDING:
            self.is_finished = True
        # Before any output the content filter may have left nothing of an answer.
        is_opening = opens(kind, is_background=self._is_background)
        if not is_opening and kind != "response.incomplete" and kind not in FAILING:
            self.has_output = True

    def _rewrite(self, event: dict[str, Any]) -> dict[str, Any]:
        item = _item_of(event)
        labelled = self._ids.label(event)
        # For the deltas of the item, which are not parsed.
        if item is not None:
            self._items[item.encode()] = (_item_of(labelled) or item).encode()
        response = labelled.get("response")
        if self._model is not None and isinstance(response, dict) and "model" in response:
            response["model"] = self._model
        return labelled if self._show is None else self._show(labelled)


def _items_in(blob: bytes) -> Collection[bytes] | None:
    """The ids of the items that deltas are about; None where one is not written as usual."""
    count = blob.count(b'"item_id"')
    first = _FIND_ITEM_ID.search(blob)
    # Nearly always all of them are about one item, which is counted sooner than found.
    if first is not None and blob.count(first[0]) == count:
        return (first[1],)
    found = _FIND_ITEM_ID.findall(blob)
    return set(found) if len(found) == count else None


def _item_of(event: Mapping[str, Any]) -> str | None:
    """The id of the output item an event is about."""
    item = event.get("item")
    found = item.get("id") if isinstance(item, dict) else event.get("item_id")
    # Ids of other characters are none of the service's, and would not stand in JSON as they are.
    return found if isinstance(found, str) and _IS_ID.fullmatch(found) else None


def encode_frame(name: bytes | None, event: Mapping[str, Any]) -> bytes:
    """One server-sent event; without a name, that of its type."""
    if name is None:
        kind = event.get("type")
        name = kind.encode() if isinstance(kind, str) else b"message"
    return b"event: %b\ndata: %b\n\n" % (name, to_json(event))


def _explains(event: Mapping[str, Any]) -> bool:
    if event.get("type") == "error":
        return True
    response = event.get("response")
    return isinstance(response, Mapping) and response.get("error") is not None
