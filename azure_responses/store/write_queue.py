"""What waits to be written to the shared state, and the thread that writes it behind the calls."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from azure_responses.fork import new_lock
from azure_responses.store.connection import CircuitBreaker
from azure_responses.store.lua_scripts import SETTLE, Keys, Write

__all__ = [
    "CORRECTION_LIFE",
    "PendingWrites",
    "Writer",
    "is_unknown_script",
]

CORRECTION_LIFE = 60.0
"""Seconds after which a correction of a window has nothing left to correct."""

_NOTHING: list[Write] = []


class PendingWrites:
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
            # The oldest go: a newer cooldown says more, and calls must never wait for Redis.
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
                correction may not: given back twice, tokens would be free that are in use.
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
        """Let the threads that wait look again."""
        with self.changed:
            self.changed.notify_all()

    def count_dropped(self) -> int:
        """How many writes were given up since this was asked last."""
        with self.changed:
            count, self._dropped = self._dropped, 0
            return count


_logger = logging.getLogger("azure_responses")

_BATCH = 50
_PAUSE = 1.0
# Seconds for which the tokens of a stored response are known to all replicas; most conversations
# end sooner, and those of the others are estimated.
_CONTEXT_LIFE = 24 * 3600
_TEXT_LIFE = 3600
# Batches refused in a row, with Redis taking other writes between them, before they are dropped.
_PATIENCE = 3


class Writer:
    """Writes the pending in batches; while Redis is out of reach, knocks every second.

    The thread starts with the first write or call, and again in a forked child, where what the
    parent had queued stays the parent's.

    Args:
        make_client: makes a redis-py client.
        keys: the names of the keys.
        breaker: notes errors and recoveries.
        clock: unix milliseconds in place of Redis's own clock; for tests only.

    Attributes:
        client: the sync client, which callers use too.
        pending: what waits.
        has_knocked: set once Redis has been tried for the first time, whatever came of it.
    """

    def __init__(
        self,
        make_client: Callable[[], Any],
        keys: Keys,
        breaker: CircuitBreaker,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._make_client = make_client
        self._keys = keys
        self._breaker = breaker
        self._clock = clock
        self._start_lock = new_lock()
        self._forget_process()

    def _forget_process(self) -> None:
        self._process = os.getpid()
        self.pending = PendingWrites()
        self.client = self._make_client()
        self.has_knocked = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._refusals = 0

    def start(self) -> None:
        """Have the thread running in this process."""
        if self._thread is not None and self._process == os.getpid():
            return
        with self._start_lock:
            if self._process != os.getpid():
                self._forget_process()
            if self._thread is None:
                self._start_thread()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="azure-responses-state", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The program ends, or the system has no thread left: the call goes on without Redis.
            self._breaker.note_failure(error, "connect")
            self.has_knocked.set()
        else:
            self._thread = thread

    def put(self, write: Write) -> None:
        """Queue a write."""
        self.start()
        self.pending.put(write)

    def flush(self, timeout: float) -> bool:
        """Wait until all is written; False when time ran out or Redis is out of reach."""
        if self._process != os.getpid():
            return True
        deadline = time.monotonic() + timeout
        # During an outage nothing would be written however long this waits.
        while len(self.pending) and not self._breaker.is_open:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Short turns, so that an outage that begins now ends the wait.
            self.pending.wait_until_empty(min(left, 0.05))
        return len(self.pending) == 0

    def close(self, timeout: float = 2.0) -> None:
        """Flush as far as possible, stop the thread, release the connections."""
        if self._process != os.getpid():
            return
        if not self.flush(timeout):
            _logger.warning(
                "The router's shared state was closed with %d writes outstanding.",
                len(self.pending),
            )
        self._closing.set()
        self.pending.wake()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        self.client.close()
        self._closing = threading.Event()
        self.has_knocked = threading.Event()

    def _run(self) -> None:
        pending, closing = self.pending, self._closing
        while not closing.is_set():
            if self._breaker.is_open or not self.has_knocked.is_set():
                self._knock(closing)
                continue
            batch = pending.take(_BATCH, time.monotonic())
            if batch:
                self._write(batch)
            else:
                pending.wait(_PAUSE)

    def _knock(self, closing: threading.Event) -> None:
        try:
            # Not a PING: a full or read-only server answers one, and takes no reservation.
            self._send([Write(time.monotonic(), "probe", cooldown=0.001)], is_strict=True)
        except Exception as error:
            self._breaker.note_failure(error, "connect")
            self.has_knocked.set()
            closing.wait(_PAUSE)
        else:
            self.has_knocked.set()
            self._breaker.note_recovery(self.pending.count_dropped())

    def _write(self, batch: list[Write]) -> None:
        try:
            refused = self._send(batch)
        except Exception as error:
            self._breaker.note_failure(error, "write")
            self.pending.finish(again=batch)
            return
        if not refused:
            self._refusals = 0
            self.pending.finish()
            return
        self._breaker.note_failure(refused[0][1], "write")
        self._finish_refused([write for write, _ in refused])

    def _finish_refused(self, refused: list[Write]) -> None:
        # Redis answers and takes other writes, but not these: they may not block the rest for ever.
        self._refusals += 1
        if self._refusals < _PATIENCE:
            self.pending.finish(again=refused)
        else:
            self.pending.finish(lost=len(refused))

    def _send(
        self, batch: list[Write], *, is_strict: bool = False
    ) -> list[tuple[Write, Exception]]:
        """Send a batch; returns what was refused and why, or raises the first when strict."""
        failed = self._execute(batch, "EVALSHA", SETTLE.digest)
        if any(is_unknown_script(error) for _, error in failed):
            again = [write for write, error in failed if is_unknown_script(error)]
            others = [pair for pair in failed if not is_unknown_script(pair[1])]
            failed = others + self._execute(again, "EVAL", SETTLE.text)
        if failed and is_strict:
            raise failed[0][1]
        return failed

    def _execute(
        self, batch: list[Write], command: str, script: str
    ) -> list[tuple[Write, Exception]]:
        now = time.monotonic()
        clock = self._clock() if self._clock else None
        pipeline = self.client.pipeline(transaction=False)
        for write in batch:
            if write.forgotten is not None:
                # One of the two: its name says which, but only to those who know all kinds.
                keys = self._keys
                pipeline.delete(keys.entry(write.forgotten), keys.object(write.forgotten))
            elif write.context is not None:
                stored_id, tokens = write.context
                pipeline.set(self._keys.context(stored_id), tokens, ex=_CONTEXT_LIFE)
            elif write.text is not None:
                name, text = write.text
                pipeline.set(self._keys.text(name), text, ex=_TEXT_LIFE)
            else:
                values = self._keys.settlement(write, now, clock)
                pipeline.execute_command(command, script, *values)
        pairs = zip(batch, pipeline.execute(raise_on_error=False), strict=True)
        return [(write, reply) for write, reply in pairs if isinstance(reply, Exception)]


def is_unknown_script(error: BaseException) -> bool:
    """True for Redis's NOSCRIPT: it was restarted, or its scripts were flushed."""
    # By name, so that this module does not import redis.
    return type(error).__name__ == "NoScriptError"
