"""How often to poll an object of the service, and when to stop.

The caller passes the time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from azure_responses.errors import APITimeoutError, ConfigurationError
from azure_responses.protocol.retry import poll_hint
from azure_responses.protocol.sse import TERMINAL_STATUSES

__all__ = ["BATCH", "FILE", "FILE_BATCH", "RESPONSE", "STORE_FILE", "Poll", "Pollable", "Polled"]

_SHORTEST_POLL = 1.0
# A service that asks to be asked at once must not be asked without a pause.
_SHORTEST_HINT = 0.1
# A year; what sleeps takes no more than a few hundred.
_LONGEST = 3e7


class Pollable(Protocol):
    """The kinds of objects that can be waited for."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> object: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Polled:
    """What is waited for.

    Attributes:
        name: as errors call it.
        ends: the statuses in which nothing more happens. Any other, also one that this version
            does not know, is waited through.
        hint: for a wait whose time is up.
        first, longest: seconds between polls, which grow by half each time. Short at first, for
            what ends soon, then growing: a wait of minutes costs few requests.
    """

    name: str
    ends: frozenset[str]
    hint: str
    first: float = 0.5
    longest: float = 5.0


_LONGER = "Wait again for longer: the work goes on at the service."
RESPONSE = Polled("Response", TERMINAL_STATUSES, "Wait again with a longer timeout, or cancel it.")
FILE = Polled("File", frozenset({"processed", "error", "deleted"}), _LONGER)
STORE_FILE = Polled("File", frozenset({"completed", "failed", "cancelled"}), _LONGER)
FILE_BATCH = Polled("File batch", frozenset({"completed", "failed", "cancelled"}), _LONGER)
# Microsoft's page on batches asks once a minute.
BATCH = Polled(
    "Batch",
    frozenset({"completed", "failed", "expired", "cancelled"}),
    "Wait again for longer, or cancel it: a batch takes up to 24 hours.",
    first=1.0,
    longest=60.0,
)


class Poll:
    """One wait for one object.

    Args:
        started_at: monotonic seconds.
        interval: seconds between polls; None goes by what the service asks for, else grows.
        timeout: seconds to wait in all; None is for ever, and less than 0 is a time that is up.
        polled: what is waited for.

    Raises:
        ConfigurationError: `interval` or `timeout` is not a number in its range.
    """

    def __init__(
        self,
        started_at: float,
        interval: float | None,
        timeout: float | None,
        polled: Polled = RESPONSE,
    ) -> None:
        _check_seconds("poll_interval", interval, (0, _LONGEST))
        _check_seconds("timeout", timeout, (-math.inf, math.inf))
        self._polled = polled
        self._ends_at = None if timeout is None else started_at + timeout
        self._fixed = interval
        self._interval = polled.first

    @classmethod
    def every(
        cls,
        interval_ms: float | None,
        max_wait_seconds: float | None,
        started_at: float,
        polled: Polled,
    ) -> "Poll":
        """A wait with the arguments that the openai package has for it; raises as the class."""
        _check_seconds("poll_interval_ms", interval_ms, (0, 1000 * _LONGEST))
        _check_seconds("max_wait_seconds", max_wait_seconds, (0, math.inf))
        interval = None if interval_ms is None else interval_ms / 1000
        return cls(started_at, interval, max_wait_seconds, polled)

    def patience(self, now: float) -> float | None:
        """Seconds that one poll may take, a second at least; None is for as long as any call."""
        if self._ends_at is None:
            return None
        return max(self._ends_at - now, _SHORTEST_POLL)

    def delay(self, found: Pollable, now: float) -> float | None:
        """Seconds until the next poll, or None because what is waited for has ended.

        Raises:
            APITimeoutError: it has not ended and the time is up.
        """
        if found.status is None or str(found.status) in self._polled.ends:
            return None
        delay = self._next_interval(found)
        if self._ends_at is None:
            return delay
        if now >= self._ends_at:
            raise APITimeoutError(
                f"{self._polled.name} {found.id} is still {found.status}.", hint=self._polled.hint
            )
        return min(delay, self._ends_at - now)

    def _next_interval(self, found: Pollable) -> float:
        if self._fixed is not None:
            return self._fixed
        hint = poll_hint(found.headers)
        if hint is not None:
            return max(hint, _SHORTEST_HINT)
        delay = self._interval
        self._interval = min(self._interval * 1.5, self._polled.longest)
        return delay


def _check_seconds(name: str, value: object, limits: tuple[float, float]) -> None:
    least, most = limits
    if value is None or (isinstance(value, int | float) and least <= value <= most):
        return
    unit = "milliseconds" if name.endswith("_ms") else "seconds"
    raise ConfigurationError(
        f"{name} is {value!r}.", hint=f"It is a number of {unit} from 0, or None."
    )
