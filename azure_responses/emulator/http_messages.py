"""One request as received and one reply as planned, whatever carries them.

A reply is a plan: the transports (in process, ASGI) walk through it, and they alone wait, write
and break connections.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

from pydantic_core import to_json

from azure_responses.emulator.connection_memory import EmulatedTurn
from azure_responses.emulator.contents import SPOOLED_BYTES, ContentWriter, StoredContent
from azure_responses.emulator.opaque_values import IdentifierMint
from azure_responses.emulator.timing import Clock
from azure_responses.emulator.websocket_mode import WebSocketMode

__all__ = [
    "HOST_PREFIX", "UPGRADE", "Answerer", "BodyReader", "Break", "EmbeddedAnswerer", "Pause",
    "PlannedReply", "ReceivedRequest", "ReplyStep", "chat_headers", "encode_json",
    "gateway_headers", "json_reply", "standard_headers",
]  # fmt: skip

UPGRADE = "GET with Upgrade"
"""Stands for the method of a GET that asks for a WebSocket; no HTTP method has blanks."""
HOST_PREFIX = "/_host/"
"""Below it a served emulator is asked as the host that follows."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Break:
    """The connection fails here.

    `kind` is `refused`, `unresolved`, `reset`, `disconnected` (closed without an answer),
    `incomplete` (closed inside a chunked body) or `stall` (silence for `seconds`, then closed). Of
    WebSockets also `half-open` (a silence in which not even pings are answered) and `close` (a
    close frame with `code`).
    """

    kind: str
    seconds: float = 600.0
    code: int = 1000


ReplyStep = bytes | Pause | Break


@dataclass(slots=True)
class ReceivedRequest:
    """A request: `path` still percent-encoded, header names in lower case.

    `large` is the body of a large form; `body` then holds its beginning alone. `turn` is there for
    a call that came as a frame of a WebSocket.
    """

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    is_loopback: bool = False
    large: StoredContent | None = None
    turn: EmulatedTurn | None = None

    @property
    def content(self) -> StoredContent:
        """The whole body, wherever it is kept."""
        return StoredContent(self.body) if self.large is None else self.large


# What a log shows of a large form: its first fields.
_SHOWN_BYTES = 64 * 1024


class BodyReader:
    """Takes the body of a request piece by piece; large forms go into a temporary file."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        is_form = headers.get("content-type", "").lower().startswith("multipart/")
        # All other bodies are parsed as a whole, so they have to be in memory anyway.
        self._writer = ContentWriter(SPOOLED_BYTES if is_form else None)
        self.write = self._writer.write

    def finish(self, received: ReceivedRequest) -> ReceivedRequest:
        """The request with its body."""
        content = self._writer.finish()
        if content.is_in_memory:
            received.body = content.read()
        else:
            received.body, received.large = content.read(0, _SHOWN_BYTES), content
        return received


@dataclass(slots=True)
class PlannedReply:
    """What to send: `content` at once, or `steps` one after the other.

    `delay` is waited before the headers. `broken` says the connection fails before a status line.
    `region` is where it was served, the resource's own region where None.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    content: bytes = b""
    steps: Iterator[ReplyStep] | None = None
    delay: float = 0.0
    region: str | None = None
    broken: Break | None = None


class Answerer(Protocol):
    """What a transport needs of an emulator."""

    clock: Clock
    websocket: WebSocketMode

    def handle(self, received: ReceivedRequest) -> PlannedReply:
        """The plan of the reply to one request."""


class Located(Protocol):
    """A server, of which only its address counts."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""


class EmbeddedAnswerer(Answerer, Protocol):
    """What the transport in process needs of an emulator."""

    def websocket_server(self) -> Located:
        """The server of its WebSockets."""


def encode_json(value: Any) -> bytes:
    """One line of UTF-8 JSON without blanks between tokens, as the service writes events."""
    # A quarter of the time of the standard library's encoder, and the same bytes.
    return to_json(value)


def json_reply(body: Any, status: int = 200) -> PlannedReply:
    """A reply with a JSON body."""
    return PlannedReply(status, [("content-type", "application/json")], encode_json(body))


_TRANSPORT_SECURITY = ("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
_NO_SNIFFING = ("x-content-type-options", "nosniff")


# All replies of a second share it.
@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def standard_headers(mint: IdentifierMint, region: str, now: float) -> list[tuple[str, str]]:
    """What posit-dev/chatlas recorded on a streamed response in December 2025, and x-request-id.

    Notably no `x-ratelimit-*` and no `retry-after`.
    """
    return [
        ("date", _date(int(now))),
        _TRANSPORT_SECURITY,
        # The id that the gateway gave, and below the one of the service behind it.
        ("apim-request-id", mint.request()),
        _NO_SNIFFING,
        ("x-ms-region", region),
        ("x-request-id", mint.request()),
    ]


def gateway_headers(mint: IdentifierMint, region: str, now: float) -> list[tuple[str, str]]:
    """What traceloop/openllmetry recorded on a 404: no request id but the gateway's own."""
    return [
        ("date", _date(int(now))),
        ("apim-request-id", mint.request()),
        _NO_SNIFFING,
        ("x-ms-region", region),
    ]


def chat_headers(deployment: str, mint: IdentifierMint) -> list[tuple[str, str]]:
    """Beyond the standard: recorded on chat completions by traceloop/openllmetry in March 2026."""
    return [
        ("azureml-model-session", f"d20260330170902-{mint.digits(12)}"),
        ("skip-error-remapping", "true"),
        ("x-accel-buffering", "no"),
        ("x-ms-deployment-name", deployment),
        ("x-ms-is-spilled-over", "false"),
        ("x-ms-rai-invoked", "true"),
        ("x-ratelimit-abusepenalty-active", "False"),
    ]
