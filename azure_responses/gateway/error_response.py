"""Why a call is refused, as the reply to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

__all__ = ["ErrorResponse", "error_response", "limit_error"]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
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


def error_response(
    status: int,
    message: str,
    *,
    code: str,
    type: str = "invalid_request_error",
    param: str | None = None,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> ErrorResponse:
    """Put a refusal together; `retry_after` also goes into the headers SDKs read."""
    error = {"message": message, "type": type, "param": param, "code": code}
    return ErrorResponse(
        status, {"error": error}, {**_hints(retry_after), **(headers or {})}, retry_after
    )


def limit_error(kind: str, limits: str, wait: float) -> ErrorResponse:
    """The 429 of a key's limits a minute: `kind` is "requests" or "tokens", `limits` in words."""
    return error_response(
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
