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
    """The last requests, oldest first: at most `size`, with bodies of `most_bytes` in all."""

    def __init__(self, size: int = 1000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._entries: deque[LoggedRequest] = deque()
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0

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
        self._bytes += len(entry.body)
        while len(self._entries) > max(1, self._size) or self._is_too_large():
            self._bytes -= len(self._entries.popleft().body)
        return entry

    def _is_too_large(self) -> bool:
        return self._bytes > self._most_bytes and len(self._entries) > 1

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()
        self._bytes = 0

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
