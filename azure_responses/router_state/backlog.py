"""What waits to be written to the shared state."""

import threading
from collections import deque
from dataclasses import replace

from azure_responses.router_state.scripts import Write
from azure_responses.routing.outcome import LedgerEntry

__all__ = ["CORRECTION_LIFE", "Backlog"]

CORRECTION_LIFE = 60.0
"""Seconds after which a correction of a window has nothing left to correct."""

_NOTHING: list[Write] = []


class Backlog:
    """A bounded queue for many producers and one writer.

    Corrections of windows and lasting facts (cooldowns, entries, forgotten ids) wait apart, so
    that an outage full of corrections does not push a fact out.

    Args:
        capacity: of each kind; the oldest go when it is full.

    Attributes:
        changed: notified when something came in or was written.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._facts: deque[Write] = deque()
        self._corrections: deque[Write] = deque()
        self._pending: dict[str, LedgerEntry | None] = {}
        self._in_flight = 0
        self._is_idle = False
        self.changed = threading.Condition()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._facts) + len(self._corrections) + self._in_flight

    def put(self, write: Write) -> None:
        """Queue a write."""
        with self.changed:
            self._note(write)
            queue = self._corrections if write.is_correction else self._facts
            if len(queue) >= self._capacity:
                self._drop(queue.popleft())
            queue.append(write)
            # A writer at work looks again by itself; waking it costs a thread switch.
            if self._is_idle:
                self.changed.notify_all()

    def _note(self, write: Write) -> None:
        if write.forgotten is not None:
            self._pending[write.forgotten] = None
        elif write.entry is not None:
            self._pending[write.entry.response_id] = write.entry

    def _drop(self, write: Write) -> None:
        self._dropped += 1
        self._release(write)

    def _release(self, write: Write) -> None:
        key = write.forgotten or (write.entry.response_id if write.entry else None)
        # A later write about the same response keeps its own note.
        if key is not None and self._pending.get(key, write.entry) is write.entry:
            self._pending.pop(key, None)

    def has_news_of(self, response_id: str) -> bool:
        """True when an entry waits to be written or forgotten."""
        return response_id in self._pending

    def find(self, response_id: str) -> LedgerEntry | None:
        """The entry that waits to be written; None as well when it waits to be forgotten."""
        return self._pending.get(response_id)

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
                    self._drop(write)
                else:
                    batch.append(write)
            self._in_flight = len(batch)
            return batch

    def finish(
        self, done: list[Write], *, again: list[Write] = _NOTHING, lost: list[Write] = _NOTHING
    ) -> None:
        """Say what became of the batch in flight.

        Args:
            done: has reached the shared state.
            again: may have reached it or not. Facts may be written twice and are queued again. A
                correction may not: given back twice, tokens would be handed out that nobody has.
            lost: will never reach it.
        """
        with self.changed:
            self._in_flight = 0
            for write in done:
                self._release(write)
            for write in lost:
                self._drop(write)
            for write in reversed(again):
                self._put_back(write)
            self.changed.notify_all()

    def _put_back(self, write: Write) -> None:
        if write.is_correction or len(self._facts) >= self._capacity:
            self._drop(write)
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
