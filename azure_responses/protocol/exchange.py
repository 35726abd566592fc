"""One HTTP exchange as two plain values, so that nothing below the shells needs an HTTP library."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LARGEST_REPLY", "Reply", "Request"]

LARGEST_REPLY = 128 * 2**20
"""The bytes of a whole body, or of a stream between two events, that are read at most.

The service sends nothing of the kind; what comes from elsewhere must not fill the memory.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What to send: `url` is complete, `headers` hold everything except the credential."""

    method: str
    # Neither is in the repr: a gateway's URL, and headers the caller adds, may hold a key.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: header names in lower case, `body` decompressed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
