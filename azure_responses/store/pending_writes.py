"""What waits to be written to the shared state."""

import threading
from collections import deque
from dataclasses import replace

from azure_responses.store.lua_scripts import Write

__all__ = ["CORRECTION_LIFE", "PendingWrites"]

CORRECTION_LIFE = 60.0
"""Seconds after which a correction of a window has nothing left to correct."""

_NOTHING: list[Write] = []


class PendingWrites:
    """A bounded queue for many producers and one writer.

    Corrections of windows and lasting facts (cooldowns, entries, forgotten ids) wait apart, so
    that an breaker full of corrections does not push a fact out.

    Args:
        capacity: of each kind; the oldest go when it is full.

    Attributes:
        changed: notified when something came in or was written.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._facts: deque[Write] = deque()
        self._corrections: deque[Write] = deque()
        self._in_flight = 0
        self._is_idle = False
        self.changed = threading.Condition()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._facts) + len(self._corrections) + self._in_flight

    def put(self, write: Write) -> None:
        """Queue a write."""
        with self.changed:
            queue = self._corrections if write.is_correction else self._facts
            if len(queue) >= self._capacity:
                queue.popleft()
                self._dropped += 1
            queue.append(write)
            # A writer at work looks again by itself; waking it costs a thread switch.
            if self._is_idle:
                self.changed.notify_all()

    def wait(self, seconds: float | None) -> None:
        """Sleep until something is there to be written, or so many seconds."""
        with self.changed:
            if not (self._facts or self._corrections):
                self._is_idle = True
                self.changed.wait(seconds)
                self._is_idle = False

    def take(self, most: int, now: float) -> list[Write]:
        """The next writes, which stay in flight until `finish`."""
        with self.changed:
            batch: list[Write] = []
            while len(batch) < most and (self._facts or self._corrections):
                write = (self._facts or self._corrections).popleft()
                if write.is_correction and now - write.at > CORRECTION_LIFE:
                    self._dropped += 1
                else:
                    batch.append(write)
            self._in_flight = len(batch)
            return batch

    def finish(self, *, again: list[Write] = _NOTHING, lost: int = 0) -> None:
        """Say what became of the batch in flight; the rest of it has reached the shared state.

        Args:
            again: may have reached it or not. Facts may be written twice and are queued again. A
                correction may not: given back twice, tokens would be handed out that nobody has.
            lost: how many will never reach it.
        """
        with self.changed:
            self._in_flight = 0
            self._dropped += lost
            for write in reversed(again):
                self._put_back(write)
            self.changed.notify_all()

    def _put_back(self, write: Write) -> None:
        if write.is_correction or len(self._facts) >= self._capacity:
            self._dropped += 1
        else:
            self._facts.appendleft(replace(write, tokens=0, requests=0, reserved=0))

    def wait_until_empty(self, seconds: float) -> bool:
        """Sleep until everything is written; False when the time ran out."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self) == 0, seconds)

    def wake(self) -> None:
        """Have whoever waits look again."""
        with self.changed:
            self.changed.notify_all()

    def count_dropped(self) -> int:
        """How many writes were given up since this was asked last."""
        with self.changed:
            count, self._dropped = self._dropped, 0
            return count
