"""The output and error files of a batch, line by line.

An answer of the service is a line with `response`, also one with an error status, which goes into
the error file. A request that got no answer is a line with `error`. The fields are those of
OpenAI's reference, which Azure's files have too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

__all__ = ["CANCELLED", "EXPIRED", "BatchResult", "BatchTokens", "read_result"]

EXPIRED = (
    "batch_expired",
    "This request could not be executed before the completion window expired.",
)
CANCELLED = ("batch_cancelled", "This request was not executed: the batch was cancelled before.")
"""Code and message of requests that were not made."""


@dataclass(frozen=True, slots=True)
class BatchTokens:
    """Tokens of one answer, or of many."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The usage as a batch shows it."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one request.

    Attributes:
        id: names the request at the service, `batch_req_…`.
        custom_id: names it in the file.
        status: of HTTP; None where there was no answer.
        request_id: of the answer, for the service's support.
        body: of the answer.
        error: code and message where there was no answer.
    """

    id: str
    custom_id: str
    status: int | None = None
    request_id: str | None = None
    body: Any = None
    error: tuple[str, str] | None = None

    @property
    def is_failed(self) -> bool:
        """True for a line of the error file."""
        return self.status is None or self.status >= 400

    def to_line(self) -> bytes:
        """The line, with its end."""
        response = None
        if self.status is not None:
            response = {
                "status_code": self.status,
                "request_id": self.request_id or "",
                "body": self.body,
            }
        error = None
        if self.error is not None:
            error = {"code": self.error[0], "message": self.error[1]}
        line = {
            "id": self.id,
            "custom_id": self.custom_id,
            "response": response,
            "error": error,
        }
        return to_json(line) + b"\n"

    def usage(self) -> BatchTokens:
        """The tokens that the answer says it used, of a response or a chat completion."""
        given = self.body.get("usage") if isinstance(self.body, Mapping) else None
        if not isinstance(given, Mapping):
            return BatchTokens()
        return BatchTokens(
            _count(given, "input_tokens", "prompt_tokens"),
            _detail(given, ("input_tokens_details", "prompt_tokens_details"), "cached_tokens"),
            _count(given, "output_tokens", "completion_tokens"),
            _detail(
                given, ("output_tokens_details", "completion_tokens_details"), "reasoning_tokens"
            ),
        )


def read_result(text: bytes) -> BatchResult | None:
    """A line of an output or error file; None for a line that is cut off or invalid."""
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("custom_id"), str):
        return None
    response, error = value.get("response"), value.get("error")
    identity = str(value.get("id") or ""), value["custom_id"]
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        request_id = response.get("request_id")
        return BatchResult(
            *identity,
            status=response["status_code"],
            request_id=request_id if isinstance(request_id, str) else None,
            body=response.get("body"),
        )
    if isinstance(error, dict):
        return BatchResult(*identity, error=(str(error.get("code")), str(error.get("message"))))
    return None


def _count(usage: Mapping[str, Any], *names: str) -> int:
    return next((usage[name] for name in names if type(usage.get(name)) is int), 0)


def _detail(usage: Mapping[str, Any], parts: tuple[str, ...], name: str) -> int:
    found = next((usage[part] for part in parts if isinstance(usage.get(part), Mapping)), None)
    return 0 if found is None else _count(found, name)
