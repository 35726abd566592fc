"""How many retries a router allows itself, so that an breaker does not multiply its load."""

from azure_responses.fork import new_lock

__all__ = ["RetryBudget"]

# Seconds of the floor that may be saved up.
_SAVED = 10.0


class RetryBudget:
    """A bucket of retries: every call puts a fraction in, every retry takes one out.

    `ratio` retries are allowed per call and `floor` per second besides, so that a router with few
    calls may still retry. Ten seconds of the floor (and at least one retry) may be saved up. Safe
    between threads; times are monotonic seconds.
    """

    def __init__(self, ratio: float, floor: float, now: float = 0.0) -> None:
        self._ratio = ratio
        self._floor = floor
        self._most = max(floor * _SAVED, 1.0 if ratio or floor else 0.0)
        self._saved = self._most
        self._at = now
        self._lock = new_lock()

    def deposit(self) -> None:
        """A call has begun."""
        # Nearly always it is full, and nothing is to be done.
        if self._saved < self._most:
            with self._lock:
                self._saved = min(self._most, self._saved + self._ratio)

    def has_retry(self, now: float) -> bool:
        """True when a retry may be made now."""
        with self._lock:
            self._grow(now)
            return self._saved >= 1.0

    def withdraw(self, now: float) -> None:
        """A retry is made; one that was allowed a moment ago is never refused."""
        with self._lock:
            self._grow(now)
            self._saved -= 1.0

    def _grow(self, now: float) -> None:
        if now > self._at:
            self._saved = min(self._most, self._saved + (now - self._at) * self._floor)
            self._at = now
