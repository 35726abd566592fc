"""One streamed response as bytes: what to send on, and when it may be sent.

The events pass through unchanged except for the ids in them. What opens a response is kept back
until output follows, so that another deployment can still take over when a rate limit is reported
inside an HTTP 200 stream.

Most of a stream is deltas, a few hundred bytes each, of which one network chunk brings many. Their
ids are replaced in the whole chunk at once: inside a JSON string a quote is always escaped, so
that `"item_id":"…"` can only be a key with its value.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from azure_responses.protocol.http_message import LARGEST_REPLY
from azure_responses.protocol.sse import (
    ENDING,
    EVENTS_AFTER_FAILURE,
    FAILING,
    MOST_HELD,
    SSEDecoder,
    opens,
)

__all__ = ["EventRewriter", "FrameStream", "encode_frame"]

_DELTA = b".delta\ndata: {"
# The name of an event stands in front of its data.
_DELTA_WITHIN = 120
_IS_ID = re.compile(r"[\w-]+", re.ASCII)
_FIND_ITEM_ID = re.compile(rb'"item_id":"([^"\\]*)"')
_NUMBER = b'"sequence_number":'
# A longer number is not one of an event, and takes long to convert.
_FIND_NUMBER = re.compile(rb'"sequence_number": ?(\d{1,15})\b')
_END = b"\n\n"


class EventRewriter(Protocol):
    """Puts signed ids into what one deployment answered."""

    def label(self, value: dict[str, Any]) -> dict[str, Any]:
        """An event with signed ids in the place of its own; may change what it is given."""


class FrameStream:
    """The events of one response across its connections.

    Args:
        ids: rewrites the ids of every event.
        model: stands in the place of Azure's model name; None keeps that.
        is_background: the response outlives its connection. What opens it is handed out at once:
            it may wait for minutes, and its id is what cancels it.
        starting_after: the sequence number of the last event that the caller already has.

    Attributes:
        response: the latest whole response an event carried, with the service's own id.
        failures: the events that reported a failure, with the service's own ids.
        is_finished: an ending event has come.
        is_handed_out: some of it has been handed out, so that no other deployment may take over.
        has_output: an event has come that gives the caller something of the answer.
        events_seen: how many pieces of the stream had an event in them.
        damage: what made the bytes unreadable, or None.
    """

    def __init__(
        self,
        ids: EventRewriter,
        *,
        model: str | None = None,
        is_background: bool = False,
        starting_after: int | None = None,
    ) -> None:
        self.response: Mapping[str, Any] | None = None
        self.failures: list[Mapping[str, Any]] = []
        self.is_finished = False
        self.is_handed_out = False
        self.has_output = False
        self.damage: str | None = None
        self.events_seen = 0
        self._has_end_mark = False
        self._unfinished = 0
        self._ids = ids
        self._model = model
        self._is_background = is_background
        self._pending: list[bytes] = []
        self._held: list[bytes] = []
        self._decoder: SSEDecoder | None = None
        self._items: dict[bytes, bytes] = {}
        self._last = b""
        self._starting_after = starting_after
        self._seen_before: int | None = starting_after
        self._events_after_failure = 0

    def receive(self, chunk: bytes) -> bytes:
        """What to send on now that `chunk` has arrived; may be nothing."""
        seen = self.events_seen
        ready = self._receive(chunk)
        self._unfinished = 0 if self.events_seen != seen else self._unfinished + len(chunk)
        # An event that never ends would fill the memory.
        if self._unfinished > LARGEST_REPLY:
            self._forget_connection()
            size = LARGEST_REPLY // 2**20
            self.damage = f"The stream carried more than {size} MiB without an event."
        return ready

    def _receive(self, chunk: bytes) -> bytes:
        # JSON escapes a carriage return, so a raw one ends a line, as some proxies write them.
        if self._decoder is not None or b"\r" in chunk:
            return self._receive_odd(chunk)
        blob = self._complete(chunk)
        if not blob:
            return b""
        self._last = blob
        if self._passes_deltas():
            rewritten = self._rewrite_deltas(blob)
            if rewritten is not None:
                return rewritten
        return self._take_runs(blob)

    def end(self) -> bytes:
        """What to send on now that the bytes have ended: an event without its closing line."""
        rest = b"".join(self._pending)
        self._pending = []
        if self._decoder is not None:
            return self._take_all([_frame(*event) for event in self._decoder.flush()])
        name, data = _read(rest.rstrip(b"\n"))
        if not data or _parse(data) is None:
            # Cut in the middle it is no sign of bad data, only of a broken connection.
            return b""
        self._last = rest
        return self._take(name, data)

    def reconnect(self) -> None:
        """What follows comes over another connection: half an event is sent again there."""
        self._forget_connection()
        # A proxy may not know `starting_after`, and send the whole stream again.
        self._seen_before = self.last_sequence_number

    def _forget_connection(self) -> None:
        self._pending = []
        self._decoder = None
        self._has_end_mark = False

    def finish(self, response: Mapping[str, Any]) -> bytes:
        """The ending event of a response that was polled, as bytes to send on.

        It never was streamed, and so has no sequence number.
        """
        kind = f"response.{response.get('status') or 'completed'}"
        return self._take(None, to_json({"type": kind, "response": response}))

    def release(self) -> bytes:
        """What is still kept back, for a caller who gets it although it reports a failure."""
        held, self._held = b"".join(self._held), []
        self.is_handed_out = self.is_handed_out or bool(held)
        return held

    @property
    def is_over(self) -> bool:
        """True once nothing more of this connection is worth reading."""
        return self._has_end_mark or self.is_settled

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

    def _complete(self, chunk: bytes) -> bytes:
        """The events that a chunk completes; each byte is joined once, however it is cut."""
        pending = self._pending
        if not pending:
            cut = chunk.rfind(_END) + 2
            if cut == len(chunk) > 1:
                return chunk
        else:
            closes = chunk[:1] == b"\n" and pending[-1][-1:] == b"\n"
            if not closes and _END not in chunk:
                pending.append(chunk)
                return b""
            chunk = b"".join((*pending, chunk))
            cut = chunk.rfind(_END) + 2
        # Without an end in it `rfind` says -1, and all of it is pending.
        cut = cut if cut > 1 else 0
        self._pending = [chunk[cut:]] if cut < len(chunk) else []
        return chunk[:cut]

    def _receive_odd(self, chunk: bytes) -> bytes:
        """Events whose lines do not end in a line feed alone: written anew as ours do."""
        if self._decoder is None:
            self._decoder = SSEDecoder()
            chunk = b"".join((*self._pending, chunk))
            self._pending = []
        frames = [_frame(*event) for event in self._decoder.feed(chunk)]
        if frames:
            self._last = frames[-1]
        return self._take_all(frames)

    def _take_runs(self, blob: bytes) -> bytes:
        """Events of all kinds: deltas that follow one another are still taken together.

        A run is a slice, so that thousands of deltas in one piece are not joined again.
        """
        pieces: list[bytes] = []
        begin = place = 0
        # The last frame is what follows the last end: nothing, and so the end of a run.
        for frame in blob.split(_END):
            if self.is_finished:
                # Nothing follows a terminal event, even where it came in the same piece.
                break
            end = place + len(frame) + len(_END)
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
            first, _, others = run.partition(_END)
            taken = self._take_all([first])
            rest = self._label_deltas(others) if others else b""
            return taken + (self._take_all(others.split(_END)) if rest is None else rest)
        return self._take_all(run.split(_END))

    def _rewrite_deltas(self, blob: bytes) -> bytes | None:
        """Deltas with signed ids on their items; None where the events are not deltas alone."""
        return self._label_deltas(blob) if blob.count(_DELTA) == blob.count(_END) else None

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

    def _take_all(self, frames: list[bytes]) -> bytes:
        pieces = []
        for frame in frames:
            if self.damage is not None or self.is_finished:
                break
            name, data = _read(frame)
            if data:
                pieces.append(self._take(name, data))
        return b"".join(pieces)

    def _take(self, name: bytes | None, data: bytes) -> bytes:
        event = _parse(data)
        if event is None:
            # Azure sends no [DONE]; gateways that speak chat completions to everybody do.
            if data.strip() == b"[DONE]":
                self._has_end_mark = True
            elif data.strip() and not _is_json(data):
                self.damage = "The stream carried data that is not JSON."
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
        return self._hand_out(kind, frame)

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

    def _hand_out(self, kind: str, frame: bytes) -> bytes:
        if self.is_handed_out:
            return frame
        self._held.append(frame)
        is_opening = opens(kind, is_background=self._is_background)
        if self.failures or (is_opening and len(self._held) <= MOST_HELD):
            return b""
        return self.release()

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
        return labelled


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


def _frame(name: str | None, data: bytes) -> bytes:
    head = b"" if name is None else b"event: %b\n" % name.encode()
    return head + b"".join(b"data: %b\n" % line for line in data.split(b"\n"))


def _read(frame: bytes) -> tuple[bytes | None, bytes]:
    """Name and data of one event; comments and other fields are passed over."""
    name: bytes | None = None
    data: list[bytes] = []
    for line in frame.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line.startswith(b"event:"):
            name = line[6:].strip()
    return name, data[0] if len(data) == 1 else b"\n".join(data)


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        event = from_json(data)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _is_json(data: bytes) -> bool:
    try:
        from_json(data)
    except ValueError:
        return False
    return True


def _explains(event: Mapping[str, Any]) -> bool:
    if event.get("type") == "error":
        return True
    response = event.get("response")
    return isinstance(response, Mapping) and response.get("error") is not None
