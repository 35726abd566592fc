"""The frames of a caller's WebSocket: what they ask for, and the frames of a reply.

Each turn is answered by the same code as a POST. So a frame of the caller becomes the body of
`POST /responses`, and the reply to that, with its server-sent events, becomes frames again.

The rules are those of OpenAI's WebSocket mode and of Microsoft's page on it (2026-07-24): one event
in each text frame, `stream_id` in the frames of a named lane, and errors as
`{"type": "error", "status", "stream_id"?, "error": {"type", "code", "message", "param"}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json, to_json

from azure_responses.errors import AzureResponsesError, BadRequestError
from azure_responses.openai_server.error_body import describe_error
from azure_responses.openai_server.request_json import invalid_request
from azure_responses.protocol.socket_frames import is_lane

__all__ = [
    "ClientFrame",
    "NOT_FOUND",
    "FrameError",
    "check_steer",
    "create_body",
    "error_frame",
    "event_frame",
    "frame_error",
    "frame_of_error",
    "not_found_frame",
    "read_client_frame",
    "refusal_frame",
    "steer_failure",
    "time_over_frame",
    "waiting_frame",
    "write_body",
]

NOT_FOUND = "previous_response_not_found"
"""The code of a turn that continues a response which is not known."""

FrameType = Literal["response.create", "response.steer"]

_CREATE: FrameType = "response.create"
_STEER: FrameType = "response.steer"
# A WebSocket streams always, and its responses live no longer than itself.
_NOT_USED = frozenset({"type", "stream_id", "generate", "stream", "background"})
_STEER_FIELDS = frozenset({"type", "previous_response_id", "input"})
_MESSAGE_FIELDS = frozenset({"type", "role", "content"})
_STEER_PARTS = frozenset({"input_text", "input_image", "input_file"})
# What a POST of the same body begins with, for a frame that begins like those of most clients.
_BEGINNING = re.compile(rb'\{\s*"type"\s*:\s*"response\.create"\s*,')
_STREAM = b'{"stream":true,'
# Headers of a refusal that say when to come back.
_PASSED = frozenset({"retry-after", "retry-after-ms"})


class FrameError(BadRequestError):
    """A frame that asks for nothing that can be answered; `lane` is where its error belongs."""

    lane: str | None = None


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """One frame of a caller.

    Attributes:
        type: `response.create` or `response.steer`.
        lane: its `stream_id`; None is the lane without a name.
        body: of the response to create, or the steer's fields.
        generates: False for a warm-up: the response has no output.
        content: the frame as it came.
        is_plain: the frame holds the body as it is, behind its type.
    """

    type: FrameType
    lane: str | None
    body: Mapping[str, Any]
    generates: bool = True
    content: bytes = b""
    is_plain: bool = False


def read_client_frame(frame: Mapping[str, Any], content: bytes = b"") -> ClientFrame:
    """What a frame asks for.

    Args:
        frame: the JSON object in it.
        content: its bytes.

    Raises:
        FrameError: it asks for nothing that can be answered.
    """
    kind = frame.get("type")
    if kind == _STEER:
        return ClientFrame(_STEER, None, frame, content=content)
    if kind != _CREATE:
        shown = f"{kind!r:.100} is not a type" if kind is not None else "The frame has no type"
        raise frame_error(f"{shown} of a frame: use {_CREATE} or {_STEER}.", "type")
    nested = frame.get("response")
    if nested is not None and not isinstance(nested, dict):
        raise frame_error("response is not an object.", "response")
    fields = {**frame, **nested} if isinstance(nested, dict) else frame
    lane = _read_lane(frame.get("stream_id", fields.get("stream_id")))
    generates = fields.get("generate")
    if generates is not None and not isinstance(generates, bool):
        raise frame_error("generate is neither true nor false.", "generate", lane=lane)
    if fields.get("background"):
        message = "A WebSocket makes no background responses: send background over HTTP (POST)."
        raise frame_error(message, "background", lane=lane)
    is_nested = fields is not frame
    unused = _NOT_USED | {"response"} if is_nested else _NOT_USED
    body = {name: value for name, value in fields.items() if name not in unused}
    is_plain = not is_nested and len(body) + 1 == len(frame)
    return ClientFrame(_CREATE, lane, body, generates is not False, content, is_plain)


def _read_lane(given: Any) -> str | None:
    if given is None:
        return None
    if not is_lane(given):
        message = "stream_id has 1 to 256 characters, letters, digits, '_', '-' and '.'."
        raise frame_error(message, "stream_id", code="invalid_stream_id")
    return given


def frame_error(
    message: str, param: str, *, code: str = "invalid_value", lane: str | None = None
) -> FrameError:
    """The error of a frame; `lane` is where it belongs."""
    kind = "invalid_request_error"
    error = FrameError(message, status_code=400, code=code, type=kind, param=param)
    error.lane = lane
    return error


def create_body(frame: ClientFrame, body: Mapping[str, Any], *, warms_up: bool = False) -> bytes:
    """The body of the POST that answers a frame.

    Args:
        frame: that asks.
        body: what to send: the frame's own body, or what a router made of it.
        warms_up: `generate: false` goes to the service.
    """
    if body is frame.body and frame.is_plain and not warms_up:
        # The bytes as they came: a number stays as its caller wrote it.
        begin = _BEGINNING.match(frame.content)
        if begin is not None:
            return _STREAM + frame.content[begin.end() :]
    return write_body({**body, "generate": False} if warms_up else body)


def write_body(body: Mapping[str, Any]) -> bytes:
    """A body of the POST for a stream."""
    return to_json({**body, "stream": True})


def check_steer(body: Mapping[str, Any]) -> tuple[str, Any]:
    """The response that a steer names, and its input.

    Raises:
        BadRequestError: the steer is invalid.
    """
    unknown = next((name for name in body if name not in _STEER_FIELDS), None)
    if unknown is not None:
        raise _invalid_input(f"response.steer has no field {unknown!r:.100}.", unknown)
    response_id, steered = body.get("previous_response_id"), body.get("input")
    if not isinstance(response_id, str) or not response_id:
        raise _invalid_input("previous_response_id names no response.", "previous_response_id")
    if isinstance(steered, str):
        is_valid = bool(steered)
    else:
        is_valid = isinstance(steered, list) and bool(steered) and all(map(_steers, steered))
    if not is_valid:
        raise _invalid_input("input is neither a text nor a list of user messages.", "input")
    return response_id, steered


def _steers(message: Any) -> bool:
    """True for a message that may steer."""
    if not isinstance(message, dict) or not _MESSAGE_FIELDS.issuperset(message):
        return False
    if message.get("role") != "user" or message.get("type", "message") != "message":
        return False
    content = message.get("content")
    if isinstance(content, list):
        return bool(content) and all(
            isinstance(part, dict) and part.get("type") in _STEER_PARTS for part in content
        )
    return isinstance(content, str)


def _invalid_input(message: str, param: str) -> BadRequestError:
    return invalid_request(message, param=param, code="invalid_input")


def steer_failure(
    body: Mapping[str, Any], error: AzureResponsesError, lane: str | None = None
) -> str:
    """The event of a steer that failed; its input is given back."""
    _, fields = describe_error(error)
    event = {
        "type": "response.steer.failed",
        "sequence_number": 0,
        "steer": {
            "previous_response_id": body.get("previous_response_id"),
            "input": body.get("input"),
        },
        "error": {name: fields[name] for name in ("type", "code", "message")},
    }
    return _write(event, lane)


def event_frame(event: Mapping[str, Any], lane: str | None = None) -> str:
    """An event as a frame of its lane."""
    return _write(dict(event), lane)


def error_frame(
    status: int,
    error: Mapping[str, Any],
    lane: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """An error as a frame; `error` is OpenAI's error object."""
    frame: dict[str, Any] = {"type": "error", "status": status, "error": dict(error)}
    if headers:
        frame["headers"] = dict(headers)
    return _write(frame, lane)


def not_found_frame(response_id: Any, lane: str | None = None) -> str:
    """The error of a turn that continues a response which is not known."""
    error = {
        "type": "invalid_request_error",
        "code": NOT_FOUND,
        "message": f"Previous response with id {str(response_id)!r:.300} not found.",
        "param": "previous_response_id",
    }
    return error_frame(400, error, lane)


def time_over_frame(seconds: float, lane: str | None = None) -> str:
    """The error at the end of a connection's time, which was so many seconds."""
    error = {
        "type": "invalid_request_error",
        "code": "websocket_connection_limit_reached",
        "message": (
            f"Responses websocket connection limit reached ({seconds / 60:g} minutes). "
            "Create a new websocket connection to continue."
        ),
    }
    return error_frame(400, error, lane)


def waiting_frame(lane: str | None = None) -> str:
    """The error of a turn that there is no room for while others are made."""
    error = {
        "type": "requests",
        "code": "rate_limit_exceeded",
        "message": "Too many turns of this connection wait for their lanes.",
        "param": "stream_id",
    }
    return error_frame(429, error, lane)


def refusal_frame(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    lane: str | None = None,
    *,
    previous_id: Any = None,
) -> str:
    """The frame of a reply that refuses a turn.

    Args:
        status: of the HTTP reply.
        headers: of the reply, names in lower case.
        content: of the reply: an error as JSON.
        lane: of the turn.
        previous_id: what the turn continues.
    """
    error = _error_in(content)
    is_unknown = status == 404 and error.get("param") == "previous_response_id"
    if is_unknown or error.get("code") == NOT_FOUND:
        # It has the same words everywhere: clients send the whole input again after it.
        return not_found_frame(previous_id, lane)
    if not 400 <= status < 600:
        status = 502
    passed = {name: value for name, value in headers.items() if name in _PASSED}
    return error_frame(status, error, lane, passed)


def _error_in(content: bytes) -> Mapping[str, Any]:
    try:
        found = from_json(content)
    except ValueError:
        found = None
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, dict):
        return error
    message = "The reply could not be read as a response."
    return {"type": "server_error", "code": "server_error", "message": message, "param": None}


def frame_of_error(error: BaseException, lane: str | None = None) -> str:
    """An exception as a frame."""
    return error_frame(*describe_error(error), lane)


def _write(frame: dict[str, Any], lane: str | None) -> str:
    if lane is not None:
        frame["stream_id"] = lane
    return to_json(frame, inf_nan_mode="null").decode()
