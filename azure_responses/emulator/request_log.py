"""What the emulator was sent, without the secrets."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.exchange import Received

__all__ = ["LoggedRequest", "RequestLog"]

_SECRET_HEADERS = ("api-key", "authorization", "cookie", "ocp-apim-subscription-key")
_SECRET_QUERY = re.compile(r"((?:api-key|key|token|sig|code)=)[^&]*", re.IGNORECASE)
_REDACTED = "REDACTED"


@dataclass(slots=True)
class LoggedRequest:
    """One request. `status` is 0 where the connection was broken instead of answered.

    `resource` and `operation` are None where the request led nowhere.
    """

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0
    resource: str | None = None
    operation: str | None = None
    deployment: str | None = None
    faults: list[str] = field(default_factory=list)

    def json(self) -> Any:
        """The body's JSON; raises ValueError where it is none."""
        return json.loads(self.body)

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control API shows it, its body as text."""
        return {
            "method": self.method,
            "host": self.host,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": self.body.decode("utf-8", "replace"),
            "status": self.status,
            "resource": self.resource,
            "operation": self.operation,
            "deployment": self.deployment,
            "faults": self.faults,
        }


class RequestLog:
    """The last requests, oldest first, at most `size`."""

    def __init__(self, size: int = 1000) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=size)

    def add(self, received: Received) -> LoggedRequest:
        """Note a request, its secrets struck out; the status follows with the answer."""
        headers = {
            name: _redact(name, value) if name in _SECRET_HEADERS else value
            for name, value in received.headers.items()
        }
        query = _SECRET_QUERY.sub(rf"\1{_REDACTED}", received.query) if received.query else ""
        entry = LoggedRequest(
            received.method, received.host, received.path, query, headers, received.body
        )
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self._entries)

    def __getitem__(self, index: int) -> LoggedRequest:
        return self._entries[index]


def _redact(name: str, value: str) -> str:
    """The scheme of `Authorization` stays, as tests ask which one was used."""
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {_REDACTED}" if name == "authorization" and blank else _REDACTED
