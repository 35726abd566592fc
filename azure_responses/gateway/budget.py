"""Limits of one key: requests and tokens a minute, and money in a period."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite

from azure_responses.gateway.asgi_reply import ErrorResponse, error_response
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.spend import DAY, day_of, show_dollars

__all__ = [
    "Budgets",
    "Hold",
    "period_end",
    "period_start",
    "read_expiry",
    "read_period",
]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY, "mo": 30 * DAY, "y": 365 * DAY}
_NAMES = {"daily": 1, "day": 1, "weekly": 7, "week": 7, "monthly": 30, "month": 30, "yearly": 365}
_DURATION = re.compile(r"(\d{1,9})\s*(s|m|h|d|w|mo|y)", re.ASCII)
_LATEST = 253_402_300_799  # The last second that has a year of four digits.


def period_start(created: float, period: int | None, now: float) -> int:
    """The first day of the period that `now` is in; periods count from the day of `created`."""
    first = day_of(created)
    if period is None:
        # All that was ever spent, even by a process whose clock was wrong.
        return 0
    return first + (day_of(now) - first) // period * period


def period_end(created: float, period: int, now: float) -> float:
    """Unix seconds at which the period that `now` is in ends."""
    return float((period_start(created, period, now) + period) * DAY)


def read_period(text: str) -> int:
    """Days of a budget's period: `daily`, `weekly`, `monthly` (30 days), `7d`, `24h`, `1mo`…

    Raises:
        ValueError: it is not a duration, or not in whole days. Spend is kept by day.
    """
    name = text.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    seconds = _read_duration(name)
    if seconds is None or seconds % DAY or not 0 < seconds <= 3660 * DAY:
        raise ValueError("is not a number of days such as 1d, 7d or 30d")
    return seconds // DAY


def read_expiry(text: str, now: float | None) -> float:
    """Unix seconds at which a key expires: `30d` from `now`, or a date or time such as 2027-01-31.

    A date without a time means its first moment in UTC. Without `now`, for a text that is read
    again and again, only a date will do, and it may have passed.

    Raises:
        ValueError: it is not a duration, date or time, or has passed.
    """
    seconds = _read_duration(text.strip().lower())
    if now is None:
        if seconds is not None:
            raise ValueError("would begin anew with every start; write a date such as 2027-01-31")
        return _read_moment(text.strip())
    moment = _read_moment(text.strip()) if seconds is None else now + seconds
    if not now < moment <= _LATEST:
        raise ValueError("has passed" if moment <= now else "is too far away")
    return moment


def _read_duration(text: str) -> int | None:
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def _read_moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        stamp = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(
            "is neither a duration such as 30d nor a date such as 2027-01-31"
        ) from error
    assert isfinite(stamp)
    return stamp


@dataclass(frozen=True, slots=True)
class Hold:
    """Money reserved for a call in progress."""

    key_id: str
    amount: int


class Budgets:
    """Lets a call begin while the key has money left that is not reserved for other calls.

    A call's cost is known only when it ends. While it runs, its estimated cost is reserved, so that
    many calls at once cannot all spend the same last cent: a budget is overrun by at most what the
    calls in progress cost above their estimates.

    Args:
        spent: key id, first day of the period → millionths of a millionth spent since.
        status: of HTTP, for a spent budget. 429 is what OpenAI itself answers to an exhausted
            quota, so SDKs raise their error for limits; 400 would blame the request and 402 is
            known to none of them. `x-should-retry` keeps SDKs from trying again at once.
    """

    def __init__(self, spent: Callable[[str, int], int], *, status: int = 429) -> None:
        self._spent = spent
        self._status = status
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def hold(self, caller: ApiCaller, amount: int, now: float) -> Hold | ErrorResponse | None:
        """Reserve money for a call; None for a key without a budget."""
        if caller.budget is None:
            return None
        start = period_start(caller.created, caller.budget_period, now)
        with self._lock:
            spent = self._spent(caller.key_id, start)
            held = self._held.get(caller.key_id, 0)
            # The estimate itself is not part of the sum: a budget smaller than one estimate could
            # not be used at all, and estimates are often too high.
            if spent + held < caller.budget:
                self._held[caller.key_id] = held + amount
                return Hold(caller.key_id, amount)
        return self._refuse(caller, spent, held, now)

    def release(self, hold: Hold) -> None:
        """Release a reservation, after the call's cost was recorded."""
        with self._lock:
            left = self._held.get(hold.key_id, 0) - hold.amount
            if left > 0:
                self._held[hold.key_id] = left
            else:
                self._held.pop(hold.key_id, None)

    def _refuse(self, caller: ApiCaller, spent: int, held: int, now: float) -> ErrorResponse:
        assert caller.budget is not None
        wait = None
        if caller.budget_period is not None:
            wait = period_end(caller.created, caller.budget_period, now) - now
        reserved = f", and calls in progress hold {show_dollars(held, 6)}" if held else ""
        return error_response(
            self._status,
            f"This API key's budget of {show_dollars(caller.budget)} USD is spent: "
            f"{show_dollars(spent, 6)} USD used{reserved}.",
            type="budget_exceeded",
            code="budget_exceeded",
            # What running calls hold may be free in a moment; a spent budget is not.
            retry_after=1.0 if held and spent < caller.budget else wait,
            headers={} if held and spent < caller.budget else {"x-should-retry": "false"},
        )
