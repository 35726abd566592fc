"""Tokens and requests a minute: what is left, and how the service says that nothing is."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import ServiceError, gateway_error

__all__ = [
    "Shortage", "UsageWindow", "rate_limit_error", "rate_limit_headers", "retry_headers",
    "stream_limit_error",
]  # fmt: skip

# Azure counts in windows of a minute; this one slides.
_MINUTE = 60.0
# Adding and subtracting unix times loses digits: a call is over a microsecond early, never late.
_ROUNDING = 1e-6
# Shown where a deployment has no limit but its replies carry the headers.
_ROOMY_TOKENS = 1_000_000
_ROOMY_REQUESTS = 1_000
_OPERATIONS = {
    "create": "Responses_Create",
    "chat": "ChatCompletions_Create",
    "embeddings": "Embeddings_Create",
    "images.generations": "ImageGenerations_Create",
    "images.edits": "ImageEdits_Create",
    "images.variations": "ImageVariations_Create",
    "audio.speech": "Audio_Speech",
    "audio.transcriptions": "Audio_Transcription",
    "audio.translations": "Audio_Translation",
}


@dataclass(frozen=True)
class Shortage:
    """What ran out (`token` or `call`), and in how many seconds there is room again."""

    kind: str
    retry_after: int


class UsageWindow:
    """What one deployment served within the last 60 seconds."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, int]] = deque()
        self._tokens = 0

    # Every question forgets first: nothing runs in the background of an emulator.
    def _forget(self, now: float) -> None:
        while self._spent and now - self._spent[0][0] >= _MINUTE - _ROUNDING:
            self._tokens -= self._spent.popleft()[1]

    def tokens(self, now: float) -> int:
        """How many tokens the last minute took."""
        self._forget(now)
        return self._tokens

    def requests(self, now: float) -> int:
        """How many requests the last minute took."""
        self._forget(now)
        return len(self._spent)

    def spend(self, now: float, tokens: int) -> None:
        """Count one request and its tokens."""
        self._spent.append((now, tokens))
        self._tokens += tokens

    def shortage(self, deployment: EmulatedDeployment, now: float, tokens: int) -> Shortage | None:
        """What keeps a call of so many tokens from being served now."""
        self._forget(now)
        limit = deployment.requests_per_minute
        if limit is not None and len(self._spent) >= limit:
            return Shortage("call", self._frees_request(limit, now))
        limit = deployment.tokens_per_minute
        if limit is not None and self._tokens + tokens > limit:
            return Shortage("token", self._frees_tokens(limit - tokens, now))
        return None

    def _frees_request(self, limit: int, now: float) -> int:
        if limit <= 0:
            return int(_MINUTE)
        return _seconds_until(self._spent[len(self._spent) - limit][0], now)

    def _frees_tokens(self, room: int, now: float) -> int:
        left = self._tokens
        # The oldest calls leave the window first; the one that makes room decides.
        for at, tokens in self._spent:
            left -= tokens
            if left <= room:
                return _seconds_until(at, now)
        return int(_MINUTE)

    def reset_seconds(self, now: float) -> int:
        """Until the oldest call counts no more."""
        self._forget(now)
        return _seconds_until(self._spent[0][0], now) if self._spent else 0


def _seconds_until(spent_at: float, now: float) -> int:
    # Retry-After of 0 would be an invitation to ask again at once.
    return max(1, math.ceil(spent_at + _MINUTE - now - _ROUNDING))


def rate_limit_headers(
    deployment: EmulatedDeployment, window: UsageWindow, now: float, mode: str | None = None
) -> list[tuple[str, str]]:
    """`x-ratelimit-*` in the deployment's mode, numbers bare as recorded on chat completions.

    `minus-one` is what openai-dotnet #838 saw on Responses: limit and remaining -1, reset 0.
    """
    mode = mode or deployment.rate_limit_headers
    if mode == "absent":
        return []
    if mode == "minus-one":
        return [
            ("x-ratelimit-limit-tokens", "-1"),
            ("x-ratelimit-remaining-tokens", "-1"),
            ("x-ratelimit-reset-tokens", "0"),
        ]
    tokens = deployment.tokens_per_minute or _ROOMY_TOKENS
    requests = deployment.requests_per_minute or _ROOMY_REQUESTS
    left = tokens - window.tokens(now)
    # Recorded in August 2026: a call may take more than was left.
    if mode == "negative":
        left = min(left, -1)
    reset = window.reset_seconds(now)
    return [
        ("x-ratelimit-limit-requests", str(requests)),
        ("x-ratelimit-limit-tokens", str(tokens)),
        ("x-ratelimit-remaining-requests", str(requests - window.requests(now))),
        ("x-ratelimit-remaining-tokens", str(left)),
        ("x-ratelimit-renewalperiod-requests", "60"),
        ("x-ratelimit-renewalperiod-tokens", "60"),
        ("x-ratelimit-reset-requests", str(reset)),
        ("x-ratelimit-reset-tokens", str(reset)),
    ]


def retry_headers(retry_after: float | None) -> dict[str, str]:
    """Seconds rounded up in one header, milliseconds in the other; no headers for None."""
    if retry_after is None:
        return {}
    return {
        "retry-after": str(math.ceil(retry_after)),
        "retry-after-ms": str(round(retry_after * 1000)),
    }


def rate_limit_error(
    deployment: EmulatedDeployment,
    region: str,
    shortage: Shortage,
    operation: str,
    dated_version: str | None,
) -> ServiceError:
    """HTTP 429 in the wording of the dated surface or of the newer one.

    The dated wording is the one quoted for chat completions of 2024; the newer one names the
    deployment, the model and the region.
    """
    # Only the text differs between the surfaces; code and status are the same.
    wait = f"Please retry after {shortage.retry_after} seconds."
    if dated_version:
        message = (
            f"Requests to the {_OPERATIONS[operation]} Operation under Azure OpenAI API version "
            f"{dated_version} have exceeded {shortage.kind} rate limit of your current OpenAI S0 "
            f"pricing tier. {wait} Please go here: https://aka.ms/oai/quotaincrease if you would "
            "like to further increase the default rate limit."
        )
    else:
        message = (
            f"Your requests to {deployment.name} for {deployment.model_name} in {region} have "
            f"exceeded the {shortage.kind} rate limit for your current AIServices S0 pricing "
            f"tier. {wait}"
        )
    headers = retry_headers(shortage.retry_after if deployment.sends_retry_after else None)
    return gateway_error(429, "429", message, headers)


def stream_limit_error(
    deployment: EmulatedDeployment, region: str, kind: str = "token"
) -> dict[str, Any]:
    """The nested `error` of a 200 stream that is a 429, recorded in August 2026."""
    return {
        "type": "too_many_requests",
        "code": "rate_limit_exceeded",
        "headers": {"x-ms-fe-error": "true"},
        "message": (
            f"Your requests to {deployment.name} for {deployment.model_name} in {region} have "
            "exceeded token rate limit."
        ),
        "param": None,
    }
