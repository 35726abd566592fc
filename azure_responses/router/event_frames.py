"""What the streams of every API have in common as bytes: where events end, and what is kept back.

`frames.FrameStream` reads the events of responses, `native_frames` the chunks of chat completions
and the events of Messages. What opens an answer is kept back until output follows, so that another
deployment can still take over when a rate limit is reported inside an HTTP 200 stream.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.protocol.http_message import LARGEST_REPLY
from azure_responses.protocol.sse import MOST_HELD, SSEDecoder

__all__ = ["END", "EventFrames", "parse_event"]

END = b"\n\n"
"""What ends an event."""


class EventFrames:
    """The events of one answer, as `byte_stream` reads them.

    Attributes:
        response: what is known of the answer, in the terms of a response.
        failures: the events that reported a failure, with the service's own ids.
        is_finished: an ending event has come.
        is_handed_out: some of it has been handed out, so that no other deployment may take over.
        has_output: an event has come that gives the caller something of the answer.
        events_seen: how many pieces of the stream had an event in them.
        damage: what made the bytes unreadable, or None.
    """

    def __init__(self) -> None:
        self.response: Mapping[str, Any] | None = None
        self.failures: list[Mapping[str, Any]] = []
        self.is_finished = False
        self.is_handed_out = False
        self.has_output = False
        self.damage: str | None = None
        self.events_seen = 0
        self._has_end_mark = False
        self._unfinished = 0
        self._pending: list[bytes] = []
        self._held: list[bytes] = []
        self._decoder: SSEDecoder | None = None
        self._last = b""

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

    def end(self) -> bytes:
        """What to send on now that the bytes have ended: an event without its closing line."""
        rest = b"".join(self._pending)
        self._pending = []
        if self._decoder is not None:
            return self._take_all([_frame(*event) for event in self._decoder.flush()])
        name, data = _read(rest.rstrip(b"\n"))
        if not data or not self._is_whole(data):
            # Cut in the middle it is no sign of bad data, only of a broken connection.
            return b""
        self._last = rest
        return self._take(name, data)

    def reconnect(self) -> None:
        """What follows comes over another connection: half an event is sent again there."""
        self._forget_connection()

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
        return self.is_finished or self.damage is not None or bool(self.failures)

    @property
    def expects_reason(self) -> bool:
        """True after a failure without a reason, which another event may give."""
        return False

    @property
    def last_sequence_number(self) -> int | None:
        """The number of the last event that arrived, where events have numbers."""
        return None

    def finish(self, response: Mapping[str, Any]) -> bytes:
        """The ending event of a response that was polled; only responses can be."""
        raise NotImplementedError

    def _take_blob(self, blob: bytes) -> bytes:
        """What to send on of whole events."""
        raise NotImplementedError

    def _take(self, name: bytes | None, data: bytes) -> bytes:
        """What to send on of one event."""
        raise NotImplementedError

    def _is_whole(self, data: bytes) -> bool:
        return parse_event(data) is not None

    def _receive(self, chunk: bytes) -> bytes:
        # JSON escapes a carriage return, so a raw one ends a line, as some proxies write them.
        if self._decoder is not None or b"\r" in chunk:
            return self._receive_odd(chunk)
        blob = self._complete(chunk)
        if not blob:
            return b""
        self._last = blob
        return self._take_blob(blob)

    def _forget_connection(self) -> None:
        self._pending = []
        self._decoder = None
        self._has_end_mark = False

    def _complete(self, chunk: bytes) -> bytes:
        """The events that a chunk completes; each byte is joined once, however it is cut."""
        pending = self._pending
        if not pending:
            cut = chunk.rfind(END) + 2
            if cut == len(chunk) > 1:
                return chunk
        else:
            closes = chunk[:1] == b"\n" and pending[-1][-1:] == b"\n"
            if not closes and END not in chunk:
                pending.append(chunk)
                return b""
            chunk = b"".join((*pending, chunk))
            cut = chunk.rfind(END) + 2
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

    def _take_all(self, frames: list[bytes]) -> bytes:
        pieces = []
        for frame in frames:
            if self.damage is not None or self.is_finished:
                break
            name, data = _read(frame)
            if data:
                pieces.append(self._take(name, data))
        return b"".join(pieces)

    def _read_event(self, data: bytes) -> dict[str, Any] | None:
        """The event in some data; None of the mark that ends a stream, and of damaged data."""
        event = parse_event(data)
        if event is None:
            # Azure ends streams of chat completions with [DONE]; some gateways end every stream so.
            if data.strip() == b"[DONE]":
                self._has_end_mark = True
            elif data.strip() and not _is_json(data):
                self.damage = "The stream carried data that is not JSON."
        return event

    def _hand_out(self, frame: bytes, *, is_opening: bool) -> bytes:
        if self.is_handed_out:
            return frame
        self._held.append(frame)
        if self.failures or (is_opening and len(self._held) <= MOST_HELD):
            return b""
        return self.release()


def parse_event(data: bytes) -> dict[str, Any] | None:
    """The JSON object of an event; None of any other data."""
    try:
        event = from_json(data)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


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


def _is_json(data: bytes) -> bool:
    try:
        from_json(data)
    except ValueError:
        return False
    return True
