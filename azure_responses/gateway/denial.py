"""Why a call is refused, as the reply to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

__all__ = ["Denial", "deny", "deny_limit"]


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal in OpenAI's shape.

    Attributes:
        status: of HTTP.
        body: `{"error": {"message", "type", "param", "code"}}`.
        headers: to send with it, names in lower case.
        retry_after: seconds after which the call may succeed, or None.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None

    @property
    def code(self) -> str:
        """The error's code, such as "invalid_api_key"."""
        code: str = self.body["error"]["code"]
        return code


def deny(
    status: int,
    message: str,
    *,
    code: str,
    type: str = "invalid_request_error",
    param: str | None = None,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> Denial:
    """Put a refusal together; `retry_after` also goes into the headers SDKs read."""
    error = {"message": message, "type": type, "param": param, "code": code}
    return Denial(status, {"error": error}, {**_hints(retry_after), **(headers or {})}, retry_after)


def deny_limit(kind: str, limits: str, wait: float) -> Denial:
    """The 429 of a key's limits a minute: `kind` is "requests" or "tokens", `limits` in words."""
    return deny(
        429,
        f"This API key may use {limits} per minute. Try again in {wait:.1f} s.",
        type=kind,
        code="rate_limit_exceeded",
        retry_after=wait,
    )


def _hints(seconds: float | None) -> dict[str, str]:
    if seconds is None:
        return {}
    # Whole seconds are rounded up: a caller who comes back early is refused again.
    whole = max(1, ceil(seconds))
    return {"retry-after": str(whole), "retry-after-ms": str(max(1, ceil(seconds * 1000)))}
