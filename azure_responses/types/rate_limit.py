"""What the `x-ratelimit-*` headers of a reply say."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["RateLimit"]

_PREFIX = "x-ratelimit-"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Limits of a deployment as one reply reported them; None for what it did not report.

    Values are kept as sent: Azure sends -1 for limits that do not apply and negative remainders
    after an overdraft (openai/openai-dotnet issue 838), so ask `requests_known` and
    `tokens_known` before trusting a number. `reset_…` are seconds until the count starts anew:
    Azure sends bare numbers (recorded by traceloop/openllmetry), OpenAI durations like "6m0s".
    """

    limit_requests: float | None = None
    remaining_requests: float | None = None
    reset_requests: float | None = None
    limit_tokens: float | None = None
    remaining_tokens: float | None = None
    reset_tokens: float | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "RateLimit | None":
        """Read lower-case headers; None when they hold nothing about limits."""
        if not any(name.startswith(_PREFIX) for name in headers):
            return None
        return cls(
            **{
                f"{kind}_{unit}": _read(headers.get(f"{_PREFIX}{kind}-{unit}"))
                for kind in ("limit", "remaining", "reset")
                for unit in ("requests", "tokens")
            }
        )

    @property
    def requests_known(self) -> bool:
        """Whether `remaining_requests` says how many requests are left."""
        return _is_known(self.limit_requests, self.remaining_requests)

    @property
    def tokens_known(self) -> bool:
        """Whether `remaining_tokens` says how many tokens are left."""
        return _is_known(self.limit_tokens, self.remaining_tokens)


def _is_known(limit: float | None, remaining: float | None) -> bool:
    if remaining is None or remaining == -1 or limit == -1:
        return False
    # A lone 0 is what Azure sends beside an absent limit; it does not mean "exhausted".
    return limit is not None or remaining != 0


def _read(text: str | None) -> float | None:
    if text is None:
        return None
    text = text.strip().lower()
    try:
        number = float(text)
    except ValueError:
        return _duration(text)
    return _plain(number) if math.isfinite(number) else None


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _duration(text: str) -> float | None:
    parts = _DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        return None
    return _plain(sum(float(amount) * _UNITS[unit] for amount, unit in parts))
