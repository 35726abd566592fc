"""The order of the turns of one connection: each lane is first in, first out."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["WebSocketLimits", "TurnQueue"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """The limits of one connection.

    Attributes:
        most_active: turns that are made at the same time; further ones wait.
        most_lanes: how many names of lanes it may use.
        most_waiting: how many turns may wait.
        most_waiting_bytes: the size of the frames of turns that wait.
        first_seconds: time for the first frame.
        idle_seconds: time without a turn and without a message; 0 sets no limit.
        max_seconds: how long it lasts. Turns that have begun by then are made.
    """

    most_active: int = 16
    most_lanes: int = 32
    most_waiting: int = 256
    most_waiting_bytes: int = 64 * 2**20
    first_seconds: float = 30.0
    idle_seconds: float = 0.0
    max_seconds: float = 3600.0


@dataclass(slots=True)
class _LaneQueue(Generic[T]):
    waiting: deque[tuple[T, int]] = field(default_factory=deque)
    is_busy: bool = False


class TurnQueue(Generic[T]):
    """The turns that wait, by lane; None is the lane without a name.

    Attributes:
        active: how many are being made.
        waiting: how many wait.
    """

    def __init__(self, limits: WebSocketLimits) -> None:
        self.active = 0
        self.waiting = 0
        self._limits = limits
        self._bytes = 0
        self._lanes: dict[str | None, _LaneQueue[T]] = {None: _LaneQueue()}
        # The lanes whose next turn can begin as soon as there is a place, in their order.
        self._ready: deque[str | None] = deque()

    def knows(self, lane: str | None) -> bool:
        """True for a lane that may be used: a connection has so many names and no more."""
        return lane in self._lanes or len(self._lanes) <= self._limits.most_lanes

    def has_room(self, size: int) -> bool:
        """True when one more turn, of so many bytes, may wait."""
        limits = self._limits
        return self.waiting < limits.most_waiting and (
            self._bytes + size <= limits.most_waiting_bytes or not self.waiting
        )

    def add(self, lane: str | None, turn: T, size: int) -> None:
        """Have a turn wait for its place."""
        found = self._lanes.setdefault(lane, _LaneQueue())
        if not found.waiting and not found.is_busy:
            self._ready.append(lane)
        found.waiting.append((turn, size))
        self.waiting += 1
        self._bytes += size

    def begin(self) -> tuple[str | None, T] | None:
        """The turn that begins now, and its lane; None while there is no place, or no turn."""
        if not self._ready or self.active >= self._limits.most_active:
            return None
        lane = self._ready.popleft()
        found = self._lanes[lane]
        found.is_busy = True
        self.active += 1
        return lane, self._take(found)

    def end(self, lane: str | None) -> None:
        """The turn of a lane has ended."""
        found = self._lanes[lane]
        found.is_busy = False
        self.active -= 1
        if found.waiting:
            self._ready.append(lane)

    def clear(self) -> list[str | None]:
        """Forget what waits; returns the lane of each turn."""
        self._ready.clear()
        forgotten = []
        for name, lane in self._lanes.items():
            while lane.waiting:
                self._take(lane)
                forgotten.append(name)
        return forgotten

    def _take(self, lane: _LaneQueue[T]) -> T:
        turn, size = lane.waiting.popleft()
        self.waiting -= 1
        self._bytes -= size
        return turn
