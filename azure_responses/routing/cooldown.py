"""When a deployment is in cooldown, and how it comes back."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Cause", "Cooldown", "CooldownRules"]

Cause = Literal[
    "rate limit", "failures", "credential refused", "deployment missing", "another replica"
]

# How often to look whether a probe under way has ended.
_PROBE_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class CooldownRules:
    """Of one deployment: how many failures in a row trip it, for how long, doubled up to what."""

    allowed_fails: int
    seconds: float
    longest: float
    probe_lease: float = 600.0


class Cooldown:
    """The cooldown and circuit breaker of one deployment; callers hold the lock.

    A rate limit starts a cooldown. Failures trip it: after the cooldown it is half open, which lets
    one probe through at a time until one succeeds; a failed probe doubles the time. A deadline
    never moves back. Times are monotonic seconds.
    """

    __slots__ = ("_probe_until", "cause", "failures", "is_tripped", "rules", "trips", "until")

    def __init__(self, rules: CooldownRules) -> None:
        self.rules = rules
        self.until = 0.0
        self.cause: Cause = "rate limit"
        self.failures = 0
        self.trips = 0
        self.is_tripped = False
        self._probe_until: float | None = None

    def is_open(self, now: float) -> bool:
        """True when it may be called now (half open: when no other probe is under way)."""
        if self.until > now:
            return False
        return not self.is_tripped or not self._is_probed(now)

    def remaining(self, now: float) -> float:
        """Seconds until it may be called; 0 when it may be now."""
        if self.until > now:
            return self.until - now
        return _PROBE_PATIENCE if self.is_tripped and self._is_probed(now) else 0.0

    def extend(self, seconds: float, cause: Cause, now: float) -> None:
        """Sit out for so long, unless it already does for longer."""
        if now + seconds > self.until:
            self.until = now + seconds
            self.cause = cause

    def claim_probe(self, now: float) -> bool:
        """Take the one probe of a half-open deployment; False when it is not to be had."""
        if not self.is_open(now):
            return False
        # A probe whose caller vanished must not keep the deployment shut for ever.
        self._probe_until = now + self.rules.probe_lease
        return True

    def release_probe(self) -> None:
        """Let another call probe."""
        self._probe_until = None

    def succeed(self, *, is_probe: bool) -> None:
        """An attempt was answered. Only a probe closes a tripped breaker.

        An answer to what was sent before it tripped says nothing about now.
        """
        if is_probe:
            self.is_tripped = False
            self.trips = 0
            self._probe_until = None
        if not self.is_tripped:
            self.failures = 0

    def limit(self, hint: float | None, now: float) -> float:
        """The service said 429: a cooldown as long as it asked for, else the usual time."""
        seconds = self.rules.seconds if hint is None else hint
        self.extend(seconds, "rate limit", now)
        return seconds

    def fail(
        self,
        cause: Cause,
        now: float,
        *,
        hint: float | None = None,
        at_once: bool = False,
        is_probe: bool = False,
        counts: bool = True,
    ) -> float | None:
        """An attempt failed; seconds of cooldown, or None when it goes on.

        `hint` is what the service asked for and is heeded from the first failure on. `at_once`
        trips without waiting for more failures. `counts` is False for a further attempt of a call
        whose failure was counted: one slow call is no failures in a row.
        """
        self.failures += counts
        is_many = counts and self.failures >= self.rules.allowed_fails
        trips = at_once or is_probe or is_many
        if not trips or (self.is_tripped and not is_probe):
            if hint:
                self.extend(hint, cause, now)
            return hint or None
        seconds = self._trip(hint)
        self.extend(seconds, cause, now)
        return seconds

    def _trip(self, hint: float | None) -> float:
        seconds = self.rules.seconds if hint is None else hint
        doubled = min(seconds * 2.0 ** min(self.trips, 30), self.rules.longest)
        self.trips += 1
        self.is_tripped = True
        self._probe_until = None
        return max(seconds, doubled)

    def _is_probed(self, now: float) -> bool:
        return self._probe_until is not None and now < self._probe_until
