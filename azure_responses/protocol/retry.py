"""Which failures are tried again, and after how long; the caller passes time and jitter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    CredentialError,
)

__all__ = ["RetryPolicy", "backoff", "is_transient", "poll_hint", "retry_hint"]

# What openai-python retries as well; 409 is Azure's answer to a resource that is being changed.
_TRANSIENT_STATUSES = frozenset({408, 409, 429})

_SENTENCE = re.compile(
    r"retry after (\d+(?:\.\d+)?)\s*(?:(ms|millisecond|s|second|minute|hour|day)s?\b)?", re.I
)
_UNITS = {"ms": 0.001, "millisecond": 0.001, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_LIMITS = ("requests", "tokens")
_POLL_HEADERS = {
    "openai-poll-after-ms": 0.001,
    "retry-after-ms": 0.001,
    "x-ms-retry-after-ms": 0.001,
    "retry-after": 1.0,
}
_LEAST_RESUMPTIONS = 2
# The longest wait that the service is known to ask for is a day.
_LONGEST_HINT = 7 * 86_400.0


@dataclass(frozen=True)
class RetryPolicy:
    """How hard to try.

    Attributes:
        max_retries: further attempts after the first; 0 turns every retry off (a token that the
            service refuses is still exchanged for a new one, once).
        awaits_writes: wait for a response this client just made to become readable; None does
            unless `max_retries` is 0. True is for a router, which retries at another deployment,
            where the response is not known. Dropped background streams are then resumed too.
        patience: seconds the caller is prepared to wait for one hint; None is for ever.
        first_delay, longest_delay: seconds between which the backoff doubles.
        fresh_window: seconds for which a response this client just made may not be readable yet.
            79 measured samples became readable within 32.7 s (dotnet/extensions #7704).
    """

    max_retries: int = 2
    awaits_writes: bool | None = None
    patience: float | None = 600.0
    first_delay: float = 0.5
    longest_delay: float = 8.0
    fresh_window: float = 40.0

    @property
    def waits_for_writes(self) -> bool:
        """True when what was just made is asked for until it can be read."""
        return self.max_retries > 0 if self.awaits_writes is None else self.awaits_writes

    @property
    def resumptions(self) -> int:
        """How often in a row a background stream is resumed without a further event."""
        return max(self.max_retries, _LEAST_RESUMPTIONS) if self.awaits_writes else self.max_retries


def is_transient(error: AzureResponsesError) -> bool:
    """True for failures that the same request may not meet again."""
    if isinstance(error, CredentialError):
        # One that timed out is a connection error too; the next wait would be as long.
        return False
    if isinstance(error, APIConnectionError):
        return True
    if not isinstance(error, APIStatusError):
        return False
    return error.status_code in _TRANSIENT_STATUSES or error.status_code >= 500


def backoff(policy: RetryPolicy, retries: int, jitter: float) -> float:
    """Seconds before retry number `retries` + 1: capped exponential with full jitter.

    `jitter` is uniform in [0, 1).
    """
    # Full jitter: clients that failed together must not come back together. The exponent is bounded
    # because 2.0 ** 1024 overflows.
    ceiling = min(policy.longest_delay, policy.first_delay * 2.0 ** min(retries, 60))
    return ceiling * jitter


def retry_hint(headers: Mapping[str, str], message: str, now: float) -> float | None:
    """Seconds the service asked to wait, from the most to the least exact of its hints.

    In order: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` (seconds or a date), the
    larger of the reset headers of the limits that are used up, and the sentence "Please retry
    after N seconds". `now` is unix seconds. Never negative; None also for more than a week, which
    is a time of another kind (a proxy's unix time) and no wait.
    """
    hint = _hint(headers, message, now)
    return None if hint is None or hint > _LONGEST_HINT else max(0.0, hint)


def poll_hint(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the service wants to be asked again how far something is; None without.

    In order: `openai-poll-after-ms`, which the openai package knows, `retry-after-ms`,
    `x-ms-retry-after-ms` and `retry-after` in seconds. Never negative.
    """
    for name, unit in _POLL_HEADERS.items():
        number = _number(headers.get(name))
        if number is not None and number * unit <= _LONGEST_HINT:
            return max(0.0, number * unit)
    return None


def _hint(headers: Mapping[str, str], message: str, now: float) -> float | None:
    # Milliseconds first: where a service sends both, its seconds are rounded.
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    seconds = _retry_after(headers.get("retry-after"), now)
    if seconds is not None:
        return seconds
    reset = _reset(headers)
    return reset if reset is not None else _from_sentence(message)


def _retry_after(value: str | None, now: float) -> float | None:
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        return None
    # A date without a zone is taken for UTC, as HTTP dates are; datetime would take it for local.
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now


def _reset(headers: Mapping[str, str]) -> float | None:
    """The reset time of the limits that are used up; a limit with room left says nothing."""
    waits = [_reset_of(limit, headers) for limit in _LIMITS]
    return max((wait for wait in waits if wait is not None), default=None)


def _reset_of(limit: str, headers: Mapping[str, str]) -> float | None:
    remaining = _number(headers.get(f"x-ratelimit-remaining-{limit}"))
    wait = _duration(headers.get(f"x-ratelimit-reset-{limit}"))
    # Azure sends -1 for "unknown", with a reset of 0 (openai-dotnet #838).
    if wait is None or wait <= 0 or remaining is None or remaining > 0:
        return None
    # A recorded reply says reset 500 beside a renewal period of 60: no wait outlasts the period.
    period = _number(headers.get(f"x-ratelimit-renewalperiod-{limit}"))
    return min(wait, period) if period and period > 0 else wait


def _duration(value: str | None) -> float | None:
    """Seconds in Azure's bare number or OpenAI's "6m0s"."""
    plain = _number(value)
    if plain is not None or not value:
        return plain
    match = _DURATION.fullmatch(value.strip())
    if not match:
        return None
    hours, minutes, seconds, milliseconds = (_number(part) or 0.0 for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _from_sentence(message: str) -> float | None:
    match = _SENTENCE.search(message)
    if not match:
        return None
    amount = _number(match.group(1))
    return None if amount is None else amount * _UNITS.get((match.group(2) or "").lower(), 1.0)


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None
