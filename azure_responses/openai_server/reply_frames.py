"""The reply to one turn → the frames of a caller's WebSocket, as its bytes arrive.

An event is not changed, except that `stream_id` is added after its last field. Only failures are
parsed. A turn ends with exactly one terminal frame, and its caller may then send the next turn. A
stream reports a failure as `error`, as `response.failed`, or as both in either order, so a failure
is sent only when the reply has ended.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from azure_responses.bridge.response_object import begin_response, usage_of
from azure_responses.openai_server.connection_frames import (
    NOT_FOUND,
    error_frame,
    not_found_frame,
    refusal_frame,
)
from azure_responses.openai_server.request_json import invalid_request
from azure_responses.protocol.error_body import read_error_object
from azure_responses.protocol.sse import ENDING, ServerSentEvent, SSEDecoder

__all__ = ["Frame", "ReplyFrames", "warm_up_frames"]

_FAILED = "response.failed"
_ERROR = "error"
_STEER = "response.steer."
_ENDS = ENDING | {_FAILED, _ERROR}
_TYPE = re.compile(rb'\s*\{\s*"type"\s*:\s*"([A-Za-z0-9_.]+)"')
# In a string its quotes would have backslashes: this can only be a key, or a value, in full.
_LANE_KEY = b'"stream_id"'
_NO_END: Mapping[str, Any] = {
    "type": "server_error",
    "code": "stream_interrupted",
    "message": "The response ended before its terminal event.",
    "param": None,
}


class Frame(NamedTuple):
    """One frame.

    Attributes:
        text: of the frame.
        type: of its event.
    """

    text: str
    type: str

    @property
    def is_terminal(self) -> bool:
        """It ends the turn."""
        return self.type in _ENDS

    @property
    def has_failed(self) -> bool:
        """It ends the turn, which has no result."""
        return self.type in (_FAILED, _ERROR)

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The response in it; it is read anew each time."""
        event = _parse(self.text.encode())
        found = None if event is None else event.get("response")
        return found if isinstance(found, dict) else None


class ReplyFrames:
    """The frames of one reply.

    Args:
        lane: of the turn.
        previous_id: what the turn continues.

    Attributes:
        has_ended: the terminal frame has been made.
    """

    def __init__(self, lane: str | None = None, previous_id: Any = None) -> None:
        self.has_ended = False
        self._lane = lane
        self._previous_id = previous_id
        self._status = 200
        self._headers: Mapping[str, str] = {}
        self._is_stream = True
        self._content: list[bytes] = []
        self._decoder = SSEDecoder()
        self._failures: dict[str, dict[str, Any]] = {}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the reply; names of headers in lower case."""
        self._status, self._headers = status, headers
        self._is_stream = headers.get("content-type", "").startswith("text/event-stream")

    def feed(self, content: bytes) -> list[Frame]:
        """The frames that some bytes of the body complete."""
        if not self._is_stream:
            self._content.append(content)
            return []
        return self._read(self._decoder.feed(content))

    def end(self) -> list[Frame]:
        """The last frames, once the reply has ended or was cut."""
        # What was cut in the middle of an event is not sent on as one.
        rest = [event for event in self._decoder.flush() if _parse(event.data) is not None]
        frames = self._read(rest)
        if not self.has_ended:
            self.has_ended = True
            frames.append(self._last())
        return frames

    def _last(self) -> Frame:
        """The terminal frame of a reply that brought none, or that brought a failure."""
        if not self._is_stream:
            body = b"".join(self._content)
            text = refusal_frame(
                self._status, self._headers, body, self._lane, previous_id=self._previous_id
            )
            return Frame(text, _ERROR)
        error = self._failures.get(_ERROR)
        failed = self._failures.get(_FAILED)
        if failed is not None:
            return Frame(self._write(_with_reason(failed, error)), _FAILED)
        if error is not None:
            return Frame(self._error_text(error), _ERROR)
        return Frame(error_frame(502, _NO_END, self._lane), _ERROR)

    def _read(self, events: list[ServerSentEvent]) -> list[Frame]:
        frames = []
        for _, data in events:
            frame = self._read_event(data)
            if frame is not None:
                frames.append(frame)
        return frames

    def _read_event(self, data: bytes) -> Frame | None:
        """The frame of an event; None where it is kept back, or where the data is not an event."""
        found = _TYPE.match(data)
        kind = "" if found is None else found[1].decode()
        # Most are read nowhere: their bytes pass.
        if kind and kind not in (_FAILED, _ERROR):
            return self._pass(data, kind)
        event = _parse(data)
        if event is None:
            return None
        kind = str(event.get("type") or "")
        if kind in (_FAILED, _ERROR):
            self._failures.setdefault(kind, event)
            return None
        return self._pass(data, kind)

    def _pass(self, data: bytes, kind: str) -> Frame | None:
        # After its end, what a turn brings is about its steers alone.
        if (self.has_ended or self._failures) and not kind.startswith(_STEER):
            return None
        self.has_ended = self.has_ended or kind in ENDING
        return Frame(_in_lane(data, self._lane).decode("utf-8", "replace"), kind)

    def _error_text(self, event: Mapping[str, Any]) -> str:
        """An `error` event of a stream as the frame of an error: its object is nested there."""
        problem = read_error_object(event)
        if problem.code == NOT_FOUND:
            return not_found_frame(self._previous_id, self._lane)
        status = event.get("status")
        if not isinstance(status, int) or not 400 <= status < 600:
            status = problem.status or 500
        nested = event.get("error")
        error = {
            # The type of a flat event is that of the event.
            "type": "server_error" if status >= 500 else "invalid_request_error",
            "code": problem.code,
            "message": problem.message,
            "param": problem.param,
            **(nested if isinstance(nested, dict) else {}),
        }
        return error_frame(status, error, self._lane)

    def _write(self, event: Mapping[str, Any]) -> str:
        return _in_lane(to_json(event, inf_nan_mode="null"), self._lane).decode()


def warm_up_frames(
    body: Mapping[str, Any], lane: str | None, *, response_id: str, now: float
) -> list[Frame]:
    """The reply to a turn without output, for a service that has no such turns.

    Args:
        body: of the turn.
        lane: of the turn.
        response_id: the response's own id.
        now: unix seconds.

    Raises:
        BadRequestError: a parameter has the wrong type.
    """
    model = str(body.get("model") or "")
    try:
        begun = begin_response(body, response_id=response_id, model=model, created_at=now)
    except (AttributeError, TypeError, ValueError) as error:
        raise invalid_request("A parameter has the wrong type.", code="invalid_type") from error
    # It is kept by the connection alone, whatever its caller asked for.
    begun["store"] = False
    usage = usage_of(0, 0)
    ended = {**begun, "status": "completed", "completed_at": int(now), "usage": usage}
    frames = []
    for number, response in enumerate((begun, ended)):
        kind = ("response.created", "response.completed")[number]
        event = {"type": kind, "sequence_number": number, "response": response}
        text = _in_lane(to_json(event, inf_nan_mode="null"), lane).decode()
        frames.append(Frame(text, kind))
    return frames


def _with_reason(failed: dict[str, Any], error: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A failed response with the reason that another event gave."""
    response = failed.get("response")
    if error is None or not isinstance(response, dict) or response.get("error"):
        return failed
    problem = read_error_object(error)
    reason = {"code": problem.code or "server_error", "message": problem.message}
    response["error"] = reason
    return failed


def _in_lane(data: bytes, lane: str | None) -> bytes:
    """An event with the `stream_id` of its lane, and with no other one."""
    if _LANE_KEY in data:
        event = _parse(data)
        if event is not None and event.pop("stream_id", None) is not None:
            data = to_json(event, inf_nan_mode="null")
    if lane is None:
        return data
    begin = data.rstrip().removesuffix(b"}")
    comma = b"" if begin.rstrip().endswith(b"{") else b","
    return b'%b%b"stream_id":"%b"}' % (begin, comma, lane.encode())


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        event = from_json(data)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
