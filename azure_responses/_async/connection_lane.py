"""One lane of a connection: its turns follow one another over one socket."""

from collections import deque
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from weakref import finalize

from azure_responses._async.concurrency import Event, blocking_thread, wait_for
from azure_responses._async.response_socket import AsyncResponseSocket
from azure_responses.errors import APIConnectionError, APITimeoutError, ConfigurationError
from azure_responses.protocol.connection_turns import TurnRequest
from azure_responses.types.events import ResponseStreamEvent, parse_event
from azure_responses.types.steering import SteerFailedEvent, SteerPendingEvent

__all__ = ["AsyncLane", "QueuedTurn"]

_CLOSED = "The connection is closed."
_REOPEN = "Open another with client.responses.connect()."


@dataclass(eq=False, slots=True)
class QueuedTurn:
    """A turn's place in the queue of its lane.

    Attributes:
        thread: the thread that its wait blocks; None where other tasks run meanwhile.
        is_next: set when its turn has come, or the connection was closed.
        has_begun: something was sent, or is about to be.
    """

    thread: int | None = field(default_factory=blocking_thread)
    is_next: Event = field(default_factory=Event)
    has_begun: bool = False


class AsyncLane:
    """A queue of turns; first in, first out.

    Args:
        name: None for the lane without a name.
        socket: carries the turns.

    Attributes:
        latest: what was asked for in the turn that is going on, or was the last.
        response_id: of its response, once that has begun.
        steered: the inputs that have been sent to steer it, of which nothing final is known.
        queued: those that the service keeps for the turn that brings the results of calls.
    """

    def __init__(self, name: str | None, socket: AsyncResponseSocket) -> None:
        self.name = name
        self.socket = socket
        self.latest: TurnRequest | None = None
        self.response_id: str | None = None
        self.steered: list[Any] = []
        self.queued: list[Any] = []
        self._holder: QueuedTurn | None = None
        self._waiting: deque[QueuedTurn] = deque()
        self._is_abandoned = False
        self._is_closed = False
        # A stream that is dropped gives its place back at any time, also in here.
        self._lock = RLock()

    async def take(self, place: QueuedTurn, seconds: float | None) -> None:
        """Wait until the turns before this one have ended.

        Raises:
            APIConnectionError: the connection is closed; an APITimeoutError: the time is over.
            ConfigurationError: the turn before this one is this thread's own, and would never end.
        """
        self.check_open()
        with self._lock:
            self._waiting.append(place)
            self._call_next()
            holder = self._holder
        if holder is not None and holder is not place and holder.thread == place.thread is not None:
            self.give_back(place)
            raise ConfigurationError(
                "The lane still carries another stream of this thread.",
                hint="Read it to its end or close it first, or use another lane.",
            )
        try:
            has_come = await wait_for(place.is_next, seconds)
            self.check_open()
            if not has_come:
                raise APITimeoutError("The turn before this one in its lane has not ended in time.")
            if self._is_abandoned:
                # What is left on the socket of a stream that was dropped before its end.
                self._is_abandoned = False
                await self.socket.aclose()
        except BaseException:
            self.give_back(place)
            raise

    def give_back(self, place: QueuedTurn, *, is_dropped: bool = False) -> None:
        """A turn has ended, or does not wait any longer; nothing if that is known."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
            if self._holder is place:
                self._holder = None
                self._is_abandoned |= is_dropped and place.has_begun
            self._call_next()

    def watch(self, stream: object, place: QueuedTurn) -> None:
        """Give the place back when its stream is dropped without having been closed."""
        finalize(stream, self.give_back, place, is_dropped=True).atexit = False

    async def read_steers(self, seconds: float) -> list[ResponseStreamEvent]:
        """What has come of the steers, or comes within so many seconds after the last event."""
        events: list[ResponseStreamEvent] = []
        frames = self.socket.side_events(seconds)
        async with aclosing(frames):  # type: ignore[type-var]
            async for frame in frames:
                event = parse_event(frame.text)
                events.append(event)
                self.note_steers([event])
                if not self.steered:
                    break
        return events

    def note_steers(self, events: Iterable[ResponseStreamEvent]) -> None:
        """Note which steers have failed, and which wait for the next turn."""
        for event in events:
            if isinstance(event, SteerFailedEvent) and self.steered:
                given = event.steer.input
                self.steered.remove(given) if given in self.steered else self.steered.pop(0)
            elif isinstance(event, SteerPendingEvent):
                self.queued += self.steered
                self.steered.clear()

    def check_open(self) -> None:
        """Raise APIConnectionError where the connection is closed."""
        if self._is_closed:
            raise closed_error()

    async def aclose(self) -> None:
        """Close the socket; turns that wait end with an error."""
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting)
        for place in waiting:
            place.is_next.set()
        await self.socket.aclose()

    def _call_next(self) -> None:
        while self._holder is None and self._waiting:
            self._holder = self._waiting.popleft()
            self._holder.is_next.set()


def closed_error() -> APIConnectionError:
    """What a connection that was closed answers."""
    return APIConnectionError(_CLOSED, hint=_REOPEN)
