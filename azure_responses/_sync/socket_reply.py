# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What a turn over a WebSocket is answered with, as the bytes of a stream."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from azure_responses.call_options import new_warm_up_id
from azure_responses.errors import APIConnectionError
from azure_responses.protocol.call import Call
from azure_responses.protocol.socket_frames import ServerFrame, sse_of
from azure_responses.protocol.socket_state import SocketTurn
from azure_responses.protocol.warm_up import warm_up_events, write_events
from azure_responses.reply_body import DRAIN_SECONDS, EventTimer
from azure_responses.timeouts import TimeLimit

__all__ = ["SocketReply", "TurnOwner", "WarmUpReply"]


class TurnOwner(Protocol):
    """The socket, as the reader of a turn knows it."""

    def read_event(self, turn: SocketTurn, limit: TimeLimit) -> ServerFrame:
        """The next event of the turn that is going on."""

    def end_turn(self, turn: SocketTurn) -> None:
        """No reader waits any more."""


class SocketReply(EventTimer):
    """The events of one turn, as the bytes of a stream; stands where a streamed reply stands.

    Args:
        owner: the socket.
        turn: what is answered.
        first: the first event, which has come.
        limit, is_opening: the time the others may take, as for the timer.

    Attributes:
        headers: of the handshake's reply.
    """

    def __init__(
        self,
        owner: TurnOwner,
        turn: SocketTurn,
        first: ServerFrame,
        headers: Mapping[str, str],
        limit: TimeLimit,
        *,
        is_opening: bool,
    ) -> None:
        super().__init__(limit, is_opening=is_opening)
        self.headers = headers
        self._owner = owner
        self._turn = turn
        self._first: ServerFrame | None = first
        self._has_ended = first.is_terminal
        self._is_closed = False

    def read(self) -> bytes | None:
        """The next event; None at the end.

        Raises:
            APIConnectionError: the socket was lost; an APITimeoutError: the next event is late.
        """
        first, self._first = self._first, None
        if first is not None:
            return sse_of(first)
        if self._has_ended or self._is_closed:
            return None
        if not self._is_waiting:
            self._is_waiting = True
            self._limit.restart()
        frame = self._owner.read_event(self._turn, self._limit)
        self._has_ended = frame.is_terminal
        return sse_of(frame)

    def close(self) -> None:
        """End the turn; before its last event the socket is closed, which stops the generation."""
        if not self._is_closed:
            self._is_closed = True
            self._owner.end_turn(self._turn)

    def drain(self) -> None:
        """Read what little is left, so that the socket can carry another turn."""
        self._hurry(DRAIN_SECONDS)
        with suppress(APIConnectionError):
            while self.read() is not None:
                pass


class WarmUpReply(EventTimer):
    """The answer to a warm-up over HTTP, for which nothing is sent.

    Args:
        call: the warm-up.
    """

    def __init__(self, call: Call) -> None:
        super().__init__(TimeLimit(None), is_opening=False)
        self.headers: Mapping[str, str] = {}
        events = warm_up_events(call.parameters, new_warm_up_id(), time.time())
        self._events: bytes | None = write_events(events)

    def read(self) -> bytes | None:
        """All events; None at the end."""
        events, self._events = self._events, None
        return events

    def close(self) -> None:
        """Nothing is held."""

    def drain(self) -> None:
        """Nothing is left."""
