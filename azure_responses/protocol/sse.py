"""Bytes → server-sent events, as the WHATWG HTML standard parses them (section 9.2.6).

A push decoder: `feed` takes whatever the transport delivered and returns the events that are
complete. Each byte is looked at a constant number of times, however the stream is cut: pieces of
an unfinished line are kept in a list and joined once.

The kinds of events in a stream of one response, and what each means for its reader.

A stream opens with `response.created` and `response.in_progress` (or `response.queued`), goes on
with output, and ends with one ending event. A failure is reported by `response.failed`, by
`error`, or by both in either order (recorded August 2026; earendil-works/pi #7983).
"""

from typing import NamedTuple

__all__ = [
    "ENDING",
    "EVENTS_AFTER_FAILURE",
    "FAILING",
    "MOST_HELD",
    "OPENING",
    "SSEDecoder",
    "ServerSentEvent",
    "TERMINAL_STATUSES",
    "opens",
]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event: `name` is None where the stream had no `event:` line."""

    name: str | None
    data: bytes


class SSEDecoder:
    """Decodes one stream.

    `id:` and `retry:` lines are read and ignored: Azure sends neither, and a Responses stream
    resumes by `sequence_number`.
    """

    def __init__(self) -> None:
        self._unfinished: list[bytes] = []
        self._name: str | None = None
        self._data: list[bytes] = []
        self._after_carriage_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that `chunk` completes, in order."""
        if self._at_start:
            chunk = self._strip_byte_order_mark(chunk)
        if self._after_carriage_return and chunk:
            self._after_carriage_return = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        # bytes.splitlines ends a line at CR, LF and CRLF only, which is the standard's own rule;
        # str.splitlines would also end one at U+2028, which JSON may contain.
        lines = chunk.splitlines()
        if not lines:
            return []
        if chunk.endswith(b"\r"):
            self._after_carriage_return = True
        elif not chunk.endswith(b"\n"):
            last = lines.pop()
            if not lines:
                self._unfinished.append(last)
                return []
            lines[0] = self._join(lines[0])
            self._unfinished.append(last)
            return self._read(lines)
        lines[0] = self._join(lines[0])
        return self._read(lines)

    def flush(self) -> list[ServerSentEvent]:
        """The event that the end of the stream left without its closing blank line, if any.

        The standard discards it. A stream whose last newline a proxy trimmed would then lose its
        terminal event, so it is offered here; the caller decides by whether its data parses.
        """
        lines = [self._join(b"")] if self._unfinished else []
        return self._read([*lines, b""])

    def _join(self, rest: bytes) -> bytes:
        if not self._unfinished:
            return rest
        line = b"".join([*self._unfinished, rest])
        self._unfinished.clear()
        return line

    def _strip_byte_order_mark(self, chunk: bytes) -> bytes:
        start = self._join(chunk)
        if len(start) < 3 and _BYTE_ORDER_MARK.startswith(start):
            self._unfinished = [start] if start else []
            return b""
        self._at_start = False
        return start.removeprefix(_BYTE_ORDER_MARK)

    def _read(self, lines: list[bytes]) -> list[ServerSentEvent]:
        events = []
        for line in lines:
            if line:
                self._read_field(line)
            elif self._data:
                data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                events.append(ServerSentEvent(self._name, data))
                self._data = []
                self._name = None
            else:
                self._name = None
        return events

    def _read_field(self, line: bytes) -> None:
        if line.startswith(b"data: "):
            self._data.append(line[6:])
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace") or None


OPENING = frozenset({"response.created", "response.queued", "response.in_progress"})
"""Nothing of the answer has been given yet, so that another deployment may still take over."""

ENDING = frozenset({"response.completed", "response.incomplete", "response.cancelled"})
"""Carry the whole response; nothing follows."""

FAILING = frozenset({"response.failed", "error"})
"""Report a failure; the reason may stand in another event that follows."""

TERMINAL_STATUSES = frozenset({"completed", "failed", "incomplete", "cancelled"})
"""The statuses of a response at which it stays."""

EVENTS_AFTER_FAILURE = 8
"""How many events to read after a failure without a reason for the `error` that gives it."""

MOST_HELD = 64
"""How many opening events are kept back: a server that sends no other must not fill the memory."""


def opens(kind: str, *, is_background: bool) -> bool:
    """True for an event that is kept back until output follows.

    A background response may wait in its queue for minutes, and its id is what cancels it: only
    `response.created` is kept back then, until the next event shows that it was accepted.
    """
    return kind in OPENING and (kind == "response.created" or not is_background)
