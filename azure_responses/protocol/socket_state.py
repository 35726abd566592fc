"""What one WebSocket knows and may carry next; no clock, no I/O.

One turn is one response. Between two turns the socket may be replaced by another, which knows none
of the responses of the one before; while a turn is going on it is lost with its socket.

| State of a turn | Frame | Next | What happens |
|---|---|---|---|
| sent | an event | begun | handed out; nothing is sent again from now on |
| sent | an `error` | none | it is the reply to the request; the socket stays |
| sent | the `error` of the 60 minutes | sent | another socket carries the same request |
| sent | of steering | sent | kept for `side_events` |
| begun | any | begun | handed out |
| begun | the last event of the response | none | handed out; the socket stays |
| begun | the reader leaves, or the socket is lost | none | the socket is closed |
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call import Call, Continuation
from azure_responses.protocol.socket_frames import (
    LIMIT_REACHED,
    ServerFrame,
    SocketSettings,
    create_frame,
)

__all__ = ["SocketState", "SocketTurn", "Verdict", "turn_of"]

Verdict = Literal["begun", "refused", "outdated", "unknown", "aside"]

_NOT_FOUND = "previous_response_not_found"
_STEER_ENDS = frozenset({"response.steer.pending", "response.steer.failed"})


@dataclass(frozen=True, eq=False, slots=True)
class SocketTurn:
    """One response that is asked for over a WebSocket.

    Attributes:
        body: that of the call.
        continuation: how it is sent where the socket knows what it continues.
    """

    body: Mapping[str, Any]
    continuation: Continuation | None = None

    @property
    def is_adopted(self) -> bool:
        """Nothing is sent: the service begins the response by itself."""
        return self.continuation is not None and self.continuation.is_adopted

    @property
    def previous_id(self) -> Any:
        """Of the response that the body continues."""
        return self.body.get("previous_response_id")

    def frame(self, *, is_short: bool, settings: SocketSettings) -> str:
        """What is sent: the whole body, or its short form.

        Raises:
            ConfigurationError: it is too large for one frame.
        """
        short = self.continuation.content if is_short and self.continuation else None
        text = create_frame(self.body if short is None else short)
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size > settings.largest_frame:
            raise ConfigurationError(
                f"The request has {size / 2**20:.1f} MiB; a WebSocket takes "
                f"{settings.largest_frame / 2**20:.0f} MiB.",
                hint="Upload files and pass their ids, or send the request over HTTP.",
            )
        return text


def turn_of(call: Call) -> SocketTurn | None:
    """The call as a turn; None where only HTTP carries it.

    That is every operation but the creation of a response, what a deployment of another API gets,
    and a background response.
    """
    request = call.request
    is_creation = request.method == "POST" and urlsplit(request.url).path.endswith("/responses")
    is_converted = call.conversion is not None or call.stored_id is not None
    if not is_creation or is_converted or not isinstance(request.body, bytes):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("background") is True:
        return None
    return SocketTurn(body, call.continuation)


class SocketState:
    """The state of the sockets that stand in for one another.

    Attributes:
        failures: sockets lost or refused since the last turn that came to its end.
        opened_count: sockets that were opened.
        latest_id: of the response that the socket can continue from its own memory.
        expects_successor: the service begins a response by itself, because it was steered.
    """

    def __init__(self, settings: SocketSettings) -> None:
        self.failures = 0
        self.opened_count = 0
        self.latest_id: str | None = None
        self.expects_successor = False
        self._settings = settings
        self._opened_at = 0.0
        self._is_refused_for_good = False
        self._continued_id: Any = None
        self._is_short = False

    @property
    def is_http(self) -> bool:
        """True once everything goes over HTTP."""
        return self._is_refused_for_good or self.failures >= self._settings.most_failures

    def opened(self, now: float) -> None:
        """Another socket took over; it knows no response. `now` is monotonic seconds."""
        self._opened_at = now
        self.opened_count += 1
        self.lost()

    def lost(self) -> None:
        """There is no socket any more."""
        self.latest_id = None
        self.expects_successor = False

    def fail(self) -> None:
        """A socket was lost or could not be opened."""
        self.failures += 1

    def refuse(self) -> None:
        """There is no WebSocket at the service."""
        self._is_refused_for_good = True

    def is_due(self, now: float, turn: SocketTurn) -> bool:
        """True where another socket has to take over before this turn.

        A turn that continues what only this socket knows stays, until the service ends it.
        """
        if now - self._opened_at < self._settings.rotate_after:
            return False
        is_kept_elsewhere = turn.continuation is not None or turn.body.get("store") is not False
        return is_kept_elsewhere or turn.previous_id != self.latest_id

    def knows(self, response_id: str, now: float) -> bool:
        """True where the socket can continue the response from its own memory."""
        is_young = now - self._opened_at < self._settings.rotate_after
        return is_young and response_id == self.latest_id

    def begin(self, turn: SocketTurn) -> bool:
        """A turn is about to be sent; True where its short form is."""
        known = turn.continuation
        self._is_short = known is not None and known.previous_id == self.latest_id is not None
        self._continued_id = self.latest_id if self._is_short else turn.previous_id
        return self._is_short

    def take_first(self, frame: ServerFrame) -> Verdict:
        """What a frame means before the response has begun.

        refused: it is the reply to the request; outdated: the socket is too old; unknown: the
        longer form is to be sent; aside: it concerns an earlier response.
        """
        if frame.is_steer:
            self._note_steer(frame)
            return "aside"
        if not frame.is_error:
            self.expects_successor = False
            self.take(frame)
            return "begun"
        if self._continued_id == self.latest_id:
            # A refusal evicts what the turn continues.
            self.latest_id = None
        if frame.code == LIMIT_REACHED:
            return "outdated"
        return "unknown" if self._is_short and frame.code == _NOT_FOUND else "refused"

    def take(self, frame: ServerFrame) -> None:
        """Note what a frame says of the response that is going on."""
        if frame.is_steer:
            self._note_steer(frame)
        elif frame.is_terminal:
            self.failures = 0
            is_kept = frame.type in ("response.completed", "response.incomplete")
            self.latest_id = frame.response_id if is_kept else None
            details = frame.response.get("incomplete_details")
            if isinstance(details, dict) and details.get("reason") == "steered":
                self.expects_successor = True

    def _note_steer(self, frame: ServerFrame) -> None:
        if frame.type == "response.steer.accepted":
            self.expects_successor = True
        elif frame.type in _STEER_ENDS:
            self.expects_successor = False
