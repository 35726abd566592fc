"""Timeouts as callers give them: of a whole routed call, of one attempt, and of reading a reply."""

import math
import time
from typing import Any, Self

import httpx

from azure_responses.errors import ConfigurationError

__all__ = [
    "OpeningTimeout",
    "TimeLimit",
    "Timeout",
    "deadline_of",
    "for_stream",
    "limit_of",
    "limited_phases",
    "patience_of",
    "phases_of",
    "read_timeout",
    "seconds_of",
    "shorten",
    "shortest_of",
]

Timeout = float | httpx.Timeout | None

_CONNECT_TIMEOUT = 10.0
# Three years; the clocks of operating systems overflow at a few hundred.
_LONGEST = 1e8
# A timeout is left alone as long as hardly any of it has passed.
_NEARLY = 0.98


class TimeLimit(float):
    """The seconds that one wait may last, and when every wait together has to be over.

    As a number it is what any HTTP library takes for the timeout of one read. Our own connections
    ask `left` before each read instead, so that a server cannot stretch the time by sending a byte
    now and then.

    Args:
        seconds: for one wait; None is no limit.
        total: for everything until the first `restart`; None is `seconds`.
    """

    __slots__ = ("until",)
    until: float

    def __new__(cls, seconds: float | None, total: float | None = None) -> Self:
        limit = super().__new__(cls, _LONGEST if seconds is None else seconds)
        limit.restart()
        if total is not None:
            limit.until = time.monotonic() + total
        return limit

    def restart(self) -> None:
        """The next wait begins."""
        self.until = math.inf if self >= _LONGEST else time.monotonic() + self

    def hurry(self, seconds: float) -> None:
        """Let the wait end in so many seconds, if it would not sooner."""
        self.until = min(self.until, time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds; not above 0 when the time is over, infinite without a limit."""
        return self.until - time.monotonic()


def seconds_of(limit: TimeLimit) -> float | None:
    """What is left of a limit, for what takes None for no limit and no time that is over."""
    left = limit.left()
    return None if left == math.inf else max(0.001, left)


class OpeningTimeout(httpx.Timeout):
    """The timeout of a stream whose first output has to come sooner than any later event.

    `opening` is the seconds until then.
    """

    def __init__(self, timeout: Timeout, opening: float) -> None:
        super().__init__(**phases_of(timeout))
        self.opening = opening


def phases_of(timeout: Timeout) -> dict[str, float | None]:
    """The timeout as httpx's four phases, in seconds; connecting never takes long."""
    if isinstance(timeout, httpx.Timeout):
        return timeout.as_dict()
    connect = _CONNECT_TIMEOUT if timeout is None else min(timeout, _CONNECT_TIMEOUT)
    return {"connect": connect, "read": timeout, "write": timeout, "pool": timeout}


def limit_of(timeout: Timeout) -> TimeLimit:
    """The time that begins now: for a whole reply, or for the head of a streamed one.

    An `httpx.Timeout` is a limit for each of its phases; a reply that is read in many pieces may
    take as long as the longest of them.
    """
    if not isinstance(timeout, httpx.Timeout):
        return TimeLimit(timeout)
    if isinstance(timeout, OpeningTimeout):
        return TimeLimit(timeout.read, timeout.opening)
    if timeout.read is None:
        return TimeLimit(None)
    return TimeLimit(timeout.read, max(filter(None, timeout.as_dict().values())))


def limited_phases(timeout: Timeout, limit: TimeLimit) -> dict[str, float | None]:
    """The phases of an attempt of the sync shell, whose reads obey the limit."""
    phases = phases_of(timeout)
    if not isinstance(timeout, httpx.Timeout):
        return {**phases, "write": limit, "read": limit}
    if isinstance(timeout, OpeningTimeout):
        # Fetching a token may have used it up; no library takes a time that is over.
        left = max(0.001, limit.left())
        phases = {n: left if v is None else min(v, left) for n, v in phases.items()}
    return {**phases, "read": limit}


def read_timeout(timeout: object) -> Timeout:
    """A timeout as a caller gave it; more than three years count as no limit.

    Raises:
        ConfigurationError: not above 0: aiohttp would take 0 for no limit, and httpx would not
            even connect.
    """
    timeout = _as_httpx(timeout)
    phases = timeout.as_dict().values() if isinstance(timeout, httpx.Timeout) else (timeout,)
    if all(phase is None or _is_time(phase) for phase in phases):
        is_endless = isinstance(timeout, int | float) and timeout > _LONGEST
        return None if is_endless else timeout  # type: ignore[return-value]
    raise ConfigurationError(
        f"timeout is {timeout!r}.",
        hint="It is a number of seconds above 0, an httpx.Timeout of such, or None for no limit.",
    )


def _as_httpx(timeout: Any) -> object:
    # `openai.Timeout` of openai 3 is a class of httpx2.
    is_foreign = type(timeout).__name__ == "Timeout" and not isinstance(timeout, httpx.Timeout)
    return httpx.Timeout(**timeout.as_dict()) if is_foreign else timeout


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def patience_of(timeout: Timeout) -> float | None:
    """How long the caller waits for one thing, in seconds; None is for ever."""
    return timeout.read if isinstance(timeout, httpx.Timeout) else timeout


def deadline_of(timeout: Timeout) -> float | None:
    """When a call that begins now has to have ended, in monotonic seconds; infinity is never."""
    patience = patience_of(timeout)
    return math.inf if patience is None else time.monotonic() + patience


def shortest_of(timeout: Timeout) -> float | None:
    """The shortest time that a timeout gives any part of an attempt; None where it gives all."""
    if not isinstance(timeout, httpx.Timeout):
        return timeout
    phases = timeout.as_dict().values()
    return min((seconds for seconds in phases if seconds is not None), default=None)


def shorten(timeout: Timeout, left: float | None) -> Timeout:
    """The caller's timeout, but no more than the seconds that are left."""
    if left is None or left == math.inf:
        return timeout
    if not isinstance(timeout, httpx.Timeout):
        return left if timeout is None or left < timeout * _NEARLY else timeout
    phases = {n: left if v is None else min(v, left) for n, v in timeout.as_dict().items()}
    return httpx.Timeout(**phases)


def for_stream(timeout: Timeout, left: float | None, own: float | None) -> Timeout:
    """What a stream is asked for with.

    `left` counts until its first output, and between events what was asked for: otherwise a stream
    that was a long time in coming would be cut off at its first short silence.

    Args:
        timeout: the caller's.
        left: seconds that are left of it.
        own: that of the deployment, in seconds.
    """
    usual = shorten(timeout, own)
    opening = _opening(usual, left)
    return usual if opening is None else OpeningTimeout(usual, opening)


def _opening(usual: Timeout, left: float | None) -> float | None:
    """The seconds to the first output, or None for any number."""
    if left is None or left == math.inf:
        return None
    silence = patience_of(usual)
    return left if silence is None else min(left, silence)
