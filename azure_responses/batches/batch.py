"""The batch object: its statuses, and the times, counts and files of each.

| status | event | next |
|---|---|---|
| validating | the file is right | in_progress |
| validating | the file has errors | failed |
| validating, in_progress | a caller cancels | cancelling |
| in_progress | every request has a result | finalizing |
| in_progress | the completion window is over | finalizing, then expired |
| in_progress | the key is revoked | finalizing, then failed |
| cancelling | no request runs any more | cancelled |
| finalizing | the files are there | completed, expired or failed |
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from azure_responses.batches.lines import ENDPOINTS, LineError
from azure_responses.batches.results import BatchTokens

__all__ = ["ENDED", "STATUSES", "BatchRecord", "read_request", "read_window"]

STATUSES = (
    "validating",
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)
"""All of them."""

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""The final statuses."""

_STAMPED = (
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)
_WINDOW = re.compile(r"([1-9]\d{0,3})\s*([mhd])", re.ASCII)
_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST_WINDOW = 14 * 86_400
# What Azure allows for files of batches: 14 to 30 days.
_FILE_SECONDS = range(3600, 30 * 86_400 + 1)
_MOST_METADATA, _LONGEST_NAME, _LONGEST_VALUE = 16, 64, 512


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch; a change makes another.

    Attributes:
        id: `batch_…`; input_file_id: `file-…`.
        endpoint: as the caller spelled it.
        window: as the caller spelled it, such as "24h".
        created, expires: unix seconds.
        metadata: of the caller.
        file_seconds: after which output files expire; None keeps them.
        status: one of `STATUSES`; ending: what `finalizing` ends in.
        times: unix seconds at which statuses began.
        total, completed, failed: counts of requests.
        errors: of the input file.
        model: of its lines.
        output_file_id, error_file_id: None while, and where, there is none.
    """

    id: str
    input_file_id: str
    endpoint: str
    window: str
    created: int
    expires: int
    metadata: Mapping[str, str] | None = None
    file_seconds: int | None = None
    status: str = "validating"
    ending: str = "completed"
    times: Mapping[str, int] | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    errors: tuple[Mapping[str, Any], ...] = ()
    model: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None

    @property
    def has_ended(self) -> bool:
        """True once nothing changes any more."""
        return self.status in ENDED

    def moved(self, status: str, now: float, **changes: Any) -> "BatchRecord":
        """The batch in another status from `now`, in unix seconds."""
        times = {**(self.times or {}), status: int(now)}
        return replace(self, status=status, times=times, **changes)

    def refused(self, errors: Iterable[LineError], now: float) -> "BatchRecord":
        """The batch whose input file has errors."""
        found = tuple(error.to_dict() for error in errors)
        return self.moved("failed", now, errors=found)

    def to_dict(self, usage: BatchTokens | None = None) -> dict[str, Any]:
        """The object as callers see it."""
        times = self.times or {}
        errors = {"object": "list", "data": list(self.errors)} if self.errors else None
        shown: dict[str, Any] = {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": errors,
            "input_file_id": self.input_file_id,
            "completion_window": self.window,
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": self.created,
            "expires_at": self.expires,
            **{f"{status}_at": times.get(status) for status in _STAMPED},
            "request_counts": {
                "total": self.total,
                "completed": self.completed,
                "failed": self.failed,
            },
            "metadata": None if self.metadata is None else dict(self.metadata),
        }
        if self.model is not None:
            shown["model"] = self.model
        if usage is not None:
            shown["usage"] = usage.to_dict()
        return shown


def read_window(text: Any) -> int:
    """The seconds of a completion window: "24h", as Azure takes it, or "90m", "2d", up to 14 days.

    Raises:
        LineError: it is another thing.
    """
    match = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST_WINDOW:
        raise _refuse("completion_window", "is not a time such as 24h, of 14 days at most")
    return seconds


def read_request(body: Mapping[str, Any], batch_id: str, now: float) -> BatchRecord:
    """The batch that the body of `POST /batches` asks for.

    Raises:
        LineError: the body is invalid; `param` names the field.
    """
    file_id = body.get("input_file_id")
    if not isinstance(file_id, str) or not file_id:
        raise _refuse("input_file_id", "is not the id of a file")
    endpoint = body.get("endpoint")
    if not isinstance(endpoint, str) or endpoint not in ENDPOINTS:
        raise _refuse("endpoint", f"is not one of {', '.join(ENDPOINTS)}")
    window = read_window(body.get("completion_window", "24h"))
    return BatchRecord(
        batch_id,
        file_id,
        endpoint,
        str(body.get("completion_window", "24h")),
        int(now),
        int(now) + window,
        _read_metadata(body.get("metadata")),
        _read_expiry(body.get("output_expires_after")),
    )


def _read_metadata(given: Any) -> Mapping[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or len(given) > _MOST_METADATA:
        raise _refuse("metadata", f"is not an object of at most {_MOST_METADATA} texts")
    for name, value in given.items():
        is_short = len(name) <= _LONGEST_NAME and isinstance(value, str)
        if not is_short or len(value) > _LONGEST_VALUE:
            raise _refuse(
                "metadata",
                f"has a name of more than {_LONGEST_NAME} characters, or a value that is not "
                f"a text of at most {_LONGEST_VALUE}",
            )
    return dict(given)


def _read_expiry(given: Any) -> int | None:
    if given is None:
        return None
    seconds = given.get("seconds") if isinstance(given, Mapping) else None
    if type(seconds) is not int or seconds not in _FILE_SECONDS:
        raise _refuse(
            "output_expires_after",
            "is not an object whose seconds are from 3600 to 2592000",
        )
    return int(seconds)


def _refuse(param: str, problem: str) -> LineError:
    return LineError("invalid_request", f"{param} {problem}.", param=param)
