"""Frames of WebSocket mode: what a caller's frame asks for, and the frames of errors.

After Microsoft's page on WebSockets with Azure OpenAI, July 2026, and OpenAI's guide.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from azure_responses.emulator.http_messages import PlannedReply
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_json,
    invalid_request,
    invalid_type,
    invalid_value,
    unknown_parameter,
)

__all__ = [
    "CreateFrame", "connection_expired", "error_frame", "read_create", "read_frame",
    "read_refusal", "read_step", "response_in_progress", "stamp", "too_many_lanes",
]  # fmt: skip

Frame = dict[str, Any]

_KINDS = ("response.create", "response.steer")
_LANE = re.compile(r"[A-Za-z0-9_.-]{1,256}")
# They belong to the frame; `stream` and `background` have no meaning over a WebSocket.
_NOT_OF_THE_BODY = ("type", "stream_id", "generate", "stream", "background")


def read_frame(text: str) -> Frame:
    """The JSON object of a frame; raises ServiceError for anything else."""
    try:
        frame = json.loads(text)
        # What no reply could repeat: half a surrogate pair, or too many levels.
        to_json([[[[[[[[frame]]]]]]]])
    except (ValueError, RecursionError):
        raise invalid_json() from None
    if not isinstance(frame, dict):
        raise invalid_json()
    kind = frame.get("type")
    if kind not in _KINDS:
        raise invalid_value("type", kind, _KINDS)
    return frame


@dataclass(frozen=True)
class CreateFrame:
    """A `response.create`: its lane, whether it only warms up, and the body of the call."""

    lane: str | None
    is_warm_up: bool
    body: Frame


def read_create(frame: Frame, has_lanes: bool) -> CreateFrame:
    """Read a `response.create`; raises ServiceError for what concerns the frame alone."""
    lane, generate = frame.get("stream_id"), frame.get("generate", True)
    if lane is not None:
        if not has_lanes:
            # Azure's page says that there is no multiplexing; its error is an assumption.
            raise unknown_parameter("stream_id")
        if not isinstance(lane, str) or not _LANE.fullmatch(lane):
            message = (
                "Invalid 'stream_id': expected 1 to 256 characters of A-Z, a-z, 0-9, _, - or ."
            )
            raise invalid_request(message, "stream_id", "invalid_stream_id")
    if not isinstance(generate, bool):
        raise invalid_type("generate", "a boolean", generate)
    body = {name: value for name, value in frame.items() if name not in _NOT_OF_THE_BODY}
    return CreateFrame(lane, not generate, body)


def response_in_progress() -> ServiceError:
    """A second create while a response is being made; what Azure answers is an assumption."""
    return invalid_request(
        "A response is already in progress on this connection. Wait for it to end, or open "
        "another connection.",
        code="response_in_progress",
    )


def too_many_lanes(most: int) -> ServiceError:
    """A name beyond those that one connection may use."""
    message = f"A connection can use at most {most} different values of 'stream_id'."
    return invalid_request(message, "stream_id", "websocket_stream_limit_reached")


def connection_expired(seconds: float) -> ServiceError:
    """The end of a connection's time."""
    return invalid_request(
        f"Responses websocket connection limit reached ({seconds / 60:g} minutes). Create a new "
        "websocket connection to continue.",
        code="websocket_connection_limit_reached",
    )


def error_frame(error: ServiceError) -> Frame:
    """What answers a frame in place of a reply with a status."""
    return _write_error(error.status, error.body)


def read_refusal(reply: PlannedReply) -> Frame:
    """The error frame of a reply that would have been an error over HTTP."""
    try:
        body = json.loads(reply.content)
    except ValueError:
        # A page of HTML, which has no place in a frame.
        body = {}
    frame = _write_error(reply.status, body if isinstance(body, dict) else {})
    # Not in Microsoft's page: Codex reads the headers of a refusal here.
    headers = {name: value for name, value in reply.headers if name.startswith("retry-after")}
    return {**frame, "headers": headers} if headers else frame


def _write_error(status: int, body: Frame) -> Frame:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    given = body.get("error")
    if not isinstance(given, dict):
        given = {"message": "The request could not be served.", "code": str(status)}
    error = {"type": kind, "code": None, "message": None, "param": None, **given}
    return {"type": "error", "status": status, "error": error}


def read_step(step: bytes) -> tuple[str, str]:
    """Type and JSON text of a piece of an event stream."""
    head, _, data = step.partition(b"\n")
    kind = head.removeprefix(b"event: ").decode()
    return kind, data.removeprefix(b"data: ").rstrip(b"\n").decode()


def stamp(text: str, lane: str | None, extra: int) -> str:
    """An event with its lane, and counted behind `extra` events of steering."""
    if lane is None and not extra:
        return text
    try:
        event = json.loads(text)
    except ValueError:
        # Broken on purpose.
        return text
    event["sequence_number"] += extra
    if lane is not None:
        event["stream_id"] = lane
    return to_json(event).decode()
