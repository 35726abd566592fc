"""One request as received and one reply as planned, whatever carries them.

A reply is a plan: the transports (in process, ASGI) walk through it, and they alone wait, write
and break connections.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic_core import to_json

from azure_responses.emulator.clock import Clock

__all__ = ["Answerer", "Break", "Pause", "Received", "Reply", "Step", "encode_json", "json_reply"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Break:
    """The connection fails here.

    `kind` is `refused`, `unresolved`, `reset`, `disconnected` (closed without an answer),
    `incomplete` (closed inside a chunked body) or `stall` (silence for `seconds`, then closed).
    """

    kind: str
    seconds: float = 600.0


Step = bytes | Pause | Break


@dataclass(slots=True)
class Received:
    """A request: `path` still percent-encoded, header names in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    is_loopback: bool = False


@dataclass(slots=True)
class Reply:
    """What to send: `content` at once, or `steps` one after the other.

    `delay` is waited before the headers. `broken` says the connection fails before a status line.
    `region` is where it was served, the resource's own region where None.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    content: bytes = b""
    steps: Iterator[Step] | None = None
    delay: float = 0.0
    region: str | None = None
    broken: Break | None = None


class Answerer(Protocol):
    """What a transport needs of an emulator."""

    clock: Clock

    def handle(self, received: Received) -> Reply:
        """The plan of the reply to one request."""


def encode_json(value: Any) -> bytes:
    """One line of UTF-8 JSON without blanks between tokens, as the service writes events."""
    # A quarter of the time of the standard library's encoder, and the same bytes.
    return to_json(value)


def json_reply(body: Any, status: int = 200) -> Reply:
    """A reply with a JSON body."""
    return Reply(status, [("content-type", "application/json")], encode_json(body))
