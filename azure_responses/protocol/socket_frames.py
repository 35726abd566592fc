"""The frames of a WebSocket of the Responses API: what is sent, and what comes back.

A request is the body of `POST /responses` with a type; what comes back are the events of a stream,
one in each text frame, and `error` frames, which stand for the HTTP reply of a refused request
(Microsoft's page "WebSocket mode" of 2026-07-24; the types of openai 3.57). So a frame becomes the
bytes of a server-sent event, or a `Reply`, and everything behind it reads what it knows.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from azure_responses.errors import APIConnectionError, ConfigurationError
from azure_responses.protocol.error_body import read_error_object
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.sse import ENDING

__all__ = [
    "LIMIT_REACHED",
    "NOT_OFFERED",
    "ServerFrame",
    "SocketSettings",
    "create_frame",
    "handshake_headers",
    "is_lane",
    "merge_query",
    "no_successor",
    "read_server_frame",
    "reply_of",
    "sse_of",
    "steer_frame",
]

LIMIT_REACHED = "websocket_connection_limit_reached"
"""The code of the error that ends a WebSocket after 60 minutes."""

NOT_OFFERED = frozenset({404, 405, 426, 501})
"""What the handshake is answered with where there is no WebSocket."""

# The API has them; a WebSocket streams always, and never in the background.
_NOT_SENT = frozenset({"stream", "background", "stream_options"})
# Of the request for a stream, not of the handshake; and what the handshake itself says.
_NOT_OF_HANDSHAKE = frozenset(
    {"accept", "accept-encoding", "connection", "content-type", "host", "keep-alive", "upgrade"}
)
_STEER = "response.steer."
_LANE = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_NAME = re.compile(r"[a-z0-9_.]+")
_ENDED = ENDING | {"response.failed"}
# A delta whose type comes first. Most frames are such, and nothing but the reader needs their data.
_DELTA = re.compile(r'\{"type": ?"(response\.[a-z0-9_.]+\.delta)",[^\r\n]*\}')


@dataclass(frozen=True)
class SocketSettings:
    """The limits of one WebSocket; times in seconds.

    Attributes:
        rotate_after: the age at which another WebSocket takes over between two turns. The service
            ends one after 60 minutes.
        connect_timeout: for connecting and the handshake.
        ping_interval: between two pings, and how long an answer to one may take.
        close_timeout: how long the other side's goodbye is waited for.
        most_failures: WebSockets lost or refused in a row before everything goes over HTTP.
        largest_frame: bytes of a request at most.
        most_queued: frames that are read ahead of their reader.
    """

    rotate_after: float = 55 * 60.0
    connect_timeout: float = 15.0
    ping_interval: float = 20.0
    close_timeout: float = 1.0
    most_failures: int = 5
    largest_frame: int = 16 * 2**20
    most_queued: int = 256


class ServerFrame:
    """One frame of the service.

    Attributes:
        type: of the event; "" where it has none.
        text: the frame as it came.
    """

    __slots__ = ("_data", "text", "type")

    def __init__(self, kind: str, data: Mapping[str, Any] | None, text: str) -> None:
        self.type = kind
        self.text = text
        self._data = data

    @property
    def data(self) -> Mapping[str, Any]:
        """The event; that of a delta is parsed when it is first asked for.

        Raises:
            APIConnectionError: it is not a JSON object.
        """
        if self._data is None:
            self._data = _parse_frame(self.text)
        return self._data

    @property
    def is_error(self) -> bool:
        """It refuses a request, or reports a failure."""
        return self.type == "error"

    @property
    def is_terminal(self) -> bool:
        """It is the last event of a response."""
        return self.type in _ENDED

    @property
    def is_steer(self) -> bool:
        """It says what became of a steer, not what a response brings."""
        return self.type.startswith(_STEER)

    @property
    def response(self) -> Mapping[str, Any]:
        """The response in it; empty where it has none."""
        found = self.data.get("response")
        return found if isinstance(found, Mapping) else {}

    @property
    def response_id(self) -> str | None:
        """The id of the response in it."""
        found = self.response.get("id")
        return found if isinstance(found, str) else None

    @property
    def stream_id(self) -> str | None:
        """The lane that it belongs to."""
        found = self.data.get("stream_id")
        return found if isinstance(found, str) else None

    @property
    def code(self) -> str | None:
        """The code of the error in it."""
        return read_error_object(self.data).code if self.is_error else None


def is_lane(name: Any) -> TypeGuard[str]:
    """True for what `stream_id` may be (OpenAI's rule)."""
    return isinstance(name, str) and _LANE.fullmatch(name) is not None


def create_frame(content: bytes | Mapping[str, Any], *, stream_id: str | None = None) -> str:
    """The frame that asks for a response.

    Args:
        content: the body of `POST /responses`, as JSON or parsed.
        stream_id: the lane; None for the only one.

    Raises:
        ConfigurationError: the body is not a JSON object.
    """
    body = _parse_body(content) if isinstance(content, bytes) else content
    kept = {name: value for name, value in body.items() if name not in _NOT_SENT}
    lane = {} if stream_id is None else {"stream_id": stream_id}
    return _write({**kept, **lane, "type": "response.create"})


def _parse_body(content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ConfigurationError("The body of a response.create is not a JSON object.")
    return body


def steer_frame(previous_response_id: str, steered: Any) -> str:
    """The frame that steers the response that is being made, by text or by user messages."""
    return _write(
        {
            "type": "response.steer",
            "previous_response_id": previous_response_id,
            "input": steered,
        }
    )


def _write(frame: Mapping[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def read_server_frame(text: str | bytes) -> ServerFrame:
    """One frame as it came.

    Raises:
        APIConnectionError: it is not a JSON object. A delta is not parsed here.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if (delta := _DELTA.fullmatch(text)) is not None:
        return ServerFrame(delta[1], None, text)
    data = _parse_frame(text)
    kind = data.get("type")
    return ServerFrame(kind if isinstance(kind, str) else "", data, text)


def _parse_frame(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise APIConnectionError("The WebSocket carried a frame that is not a JSON object.")
    return data


def sse_of(frame: ServerFrame) -> bytes:
    """The frame as a server-sent event, with the name that HTTP gives it.

    By their names the router passes deltas on without parsing them.
    """
    text = frame.text
    if "\n" in text or "\r" in text:
        # A line break between two values, which would end the event's line.
        text = _write(frame.data)
    data = text.encode("utf-8", "surrogatepass")
    # Any other type could end its line.
    if _NAME.fullmatch(frame.type) is None:
        return b"data: %b\n\n" % data
    return b"event: %b\ndata: %b\n\n" % (frame.type.encode(), data)


def reply_of(frame: ServerFrame, headers: Mapping[str, str]) -> Reply:
    """The HTTP reply that an error frame stands for.

    Args:
        frame: the error.
        headers: of the handshake; the frame's own, such as `retry-after`, come first.
    """
    data = frame.data
    status = data.get("status", data.get("status_code"))
    if not isinstance(status, int) or not 400 <= status < 600:
        status = read_error_object(data).status or 500
    error = data.get("error")
    body = {"error": error} if isinstance(error, dict) else dict(data)
    own = {**_texts(data.get("headers")), **_retry_after(error)}
    # Those of the handshake say nothing of this request's limits.
    kept = {k: v for k, v in headers.items() if not k.startswith(("retry-after", "x-ratelimit"))}
    content = {**kept, "content-type": "application/json", **own}
    return Reply(status, content, _write(body).encode("utf-8", "surrogatepass"))


def no_successor(frame: ServerFrame, headers: Mapping[str, str]) -> Reply:
    """The reply that a steer event stands for where the response was awaited that a steer begins.

    Its status is one that is not tried again.
    """
    if isinstance(frame.data.get("error"), dict):
        return reply_of(frame, headers)._replace(status=400)
    message = "No response begins by itself: the steered one waits for the outputs of its tools."
    error = {"code": "steer_pending", "message": message, "type": "invalid_request_error"}
    return Reply(400, headers, _write({"error": error}).encode())


def _texts(headers: object) -> dict[str, str]:
    given = headers if isinstance(headers, dict) else {}
    kinds = (str, int, float)
    return {name.lower(): str(value) for name, value in given.items() if isinstance(value, kinds)}


def _retry_after(error: object) -> dict[str, str]:
    seconds = error.get("retry_after") if isinstance(error, dict) else None
    return {"retry-after": str(seconds)} if isinstance(seconds, int | float) else {}


def handshake_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request as those of a handshake: the key, too, travels as a bearer token."""
    kept = {
        name: value
        for name, value in headers.items()
        if name not in _NOT_OF_HANDSHAKE and not name.startswith("sec-websocket-")
    }
    key = kept.pop("api-key", None)
    if key is not None:
        kept.setdefault("authorization", f"Bearer {key}")
    return kept


def merge_query(url: str, request_url: str) -> str:
    """The WebSocket's URL with what the call's URL has in its query besides `api-version`."""
    parts = urlsplit(url)
    own = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, _ in own} | {"api-version"}
    given = parse_qsl(urlsplit(request_url).query, keep_blank_values=True)
    more = [(name, value) for name, value in given if name not in names]
    return urlunsplit(parts._replace(query=urlencode([*own, *more])))
