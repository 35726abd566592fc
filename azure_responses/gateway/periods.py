"""Durations as people write them, and the days over which a budget runs."""

import re
from datetime import UTC, datetime
from math import isfinite

__all__ = ["DAY", "day_of", "period_end", "period_start", "read_expiry", "read_period"]

DAY = 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY, "mo": 30 * DAY, "y": 365 * DAY}
_NAMES = {"daily": 1, "day": 1, "weekly": 7, "week": 7, "monthly": 30, "month": 30, "yearly": 365}
_DURATION = re.compile(r"(\d{1,9})\s*(s|m|h|d|w|mo|y)", re.ASCII)
_LATEST = 253_402_300_799  # The last second that has a year of four digits.


def day_of(now: float) -> int:
    """The day of unix seconds, counted from 1970-01-01 in UTC."""
    return int(now // DAY)


def period_start(created: float, period: int | None, now: float) -> int:
    """The first day of the period that `now` is in; periods count from the day of `created`."""
    first = day_of(created)
    if period is None:
        # Whatever was spent, even before a clock was set right.
        return 0
    return first + (day_of(now) - first) // period * period


def period_end(created: float, period: int, now: float) -> float:
    """Unix seconds at which the period that `now` is in ends."""
    return float((period_start(created, period, now) + period) * DAY)


def read_period(text: str) -> int:
    """Days of a budget's period: `daily`, `weekly`, `monthly` (30 days), `7d`, `24h`, `1mo`…

    Raises:
        ValueError: it is none, or no whole number of days, by which spend is kept.
    """
    name = text.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    seconds = _read_duration(name)
    if seconds is None or seconds % DAY or not 0 < seconds <= 3660 * DAY:
        raise ValueError("is no number of days such as 1d, 7d or 30d")
    return seconds // DAY


def read_expiry(text: str, now: float | None) -> float:
    """Unix seconds at which a key expires: `30d` from `now`, or a date or time such as 2027-01-31.

    A date without a time means its first moment in UTC. Without `now`, for a text that is read
    again and again, only a date will do, and it may have passed.

    Raises:
        ValueError: it is neither, or has passed.
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
