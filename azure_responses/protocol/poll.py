"""How often to ask for a background response, and when to stop; the caller passes the time."""

import math

from azure_responses.errors import APITimeoutError, ConfigurationError
from azure_responses.protocol.stream_events import TERMINAL_STATUSES
from azure_responses.types.response import Response

__all__ = ["Poll"]

# Short at first, for responses that end soon, then growing: a wait of minutes costs few requests.
_FIRST_INTERVAL = 0.5
_LONGEST_INTERVAL = 5.0
_SHORTEST_POLL = 1.0
# A year; what sleeps takes no more than a few hundred.
_LONGEST = 3e7


class Poll:
    """One wait for one response.

    Args:
        started_at: monotonic seconds.
        interval: seconds between polls; None starts at half a second and grows to five.
        timeout: seconds to wait in all; None is for ever, and less than 0 is a time that is up.

    Raises:
        ConfigurationError: `interval` or `timeout` is not a number in its range.
    """

    def __init__(self, started_at: float, interval: float | None, timeout: float | None) -> None:
        _check_seconds("poll_interval", interval, (0, _LONGEST))
        _check_seconds("timeout", timeout, (-math.inf, math.inf))
        self._ends_at = None if timeout is None else started_at + timeout
        self._is_fixed = interval is not None
        self._interval = _FIRST_INTERVAL if interval is None else interval

    def patience(self, now: float) -> float | None:
        """Seconds that one poll may take, a second at least; None is for as long as any call."""
        if self._ends_at is None:
            return None
        return max(self._ends_at - now, _SHORTEST_POLL)

    def delay(self, response: Response, now: float) -> float | None:
        """Seconds until the next poll, or None because the response has ended.

        Raises:
            APITimeoutError: the response is still at work and the time is up.
        """
        if response.status is None or str(response.status) in TERMINAL_STATUSES:
            return None
        delay = self._interval
        if self._ends_at is not None:
            if now >= self._ends_at:
                raise APITimeoutError(
                    f"Response {response.id} is still {response.status}.",
                    hint="Wait again with a longer timeout, or cancel it.",
                )
            delay = min(delay, self._ends_at - now)
        if not self._is_fixed:
            self._interval = min(self._interval * 1.5, _LONGEST_INTERVAL)
        return delay


def _check_seconds(name: str, value: object, limits: tuple[float, float]) -> None:
    least, most = limits
    if value is None or (isinstance(value, int | float) and least <= value <= most):
        return
    raise ConfigurationError(
        f"{name} is {value!r}.",
        hint="It is a number of seconds, or None to leave it to the client.",
    )
