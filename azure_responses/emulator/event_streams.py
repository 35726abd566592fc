"""Events as bytes: whole streams, and those that fail after their 200, in the recorded orders."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from azure_responses.emulator.engine import GeneratedResponse
from azure_responses.emulator.faults import Fault
from azure_responses.emulator.http_messages import Pause, ReplyStep, encode_json
from azure_responses.emulator.limits import stream_limit_error
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.response_store import EmulatedResponse
from azure_responses.emulator.service_errors import NO_MATCHING_DEPLOYMENT, OVERLOADED
from azure_responses.emulator.timing import Clock

__all__ = [
    "STREAM_LIMIT_SECONDS", "STREAM_TYPE", "chat_frames", "failing_chat_frames", "failing_frames",
    "failing_order", "frame", "stream_record",
]  # fmt: skip

STREAM_TYPE = ("content-type", "text/event-stream; charset=utf-8")
# A background response's stream is closed after five minutes; the response itself goes on.
STREAM_LIMIT_SECONDS = 300.0


def frame(event: dict[str, Any]) -> bytes:
    """`event: <type>`, `data: <one line>`, blank line, as charmbracelet/fantasy recorded."""
    kind: str = event["type"]
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode_json(event))


def chat_frames(chunks: Iterable[dict[str, Any]], gaps: Iterable[float]) -> Iterator[ReplyStep]:
    """`data:` lines alone and a last `[DONE]`, which no Responses stream has.

    `gaps` are the seconds before each chunk.
    """
    for chunk, gap in zip(chunks, gaps, strict=True):
        if gap:
            yield Pause(gap)
        yield b"data: " + encode_json(chunk) + b"\n\n"
    yield b"data: [DONE]\n\n"


def stream_record(
    record: EmulatedResponse, clock: Clock, after: int | None = None, obfuscated: bool = True
) -> Iterator[ReplyStep]:
    """The events of a response as they fall due, from the one after sequence number `after`.

    `obfuscated=False` leaves the padding out that hides the length of deltas.

    A cancelled background response's stream ends where it was; any background stream ends after
    five minutes.
    """
    start = 0 if after is None else after + 1
    closes_at = clock.now() + STREAM_LIMIT_SECONDS if record.is_background else None
    index = start
    # Steering shortens the events while they are sent.
    while index < len(record.events):
        if record.due is not None:
            yield from _wait(record, record.due[index], clock, closes_at)
            # Events that were due before the cancellation are still sent.
            was_cancelled = (
                record.cancelled_at is not None and record.due[index] > record.cancelled_at
            )
            if was_cancelled or (closes_at is not None and clock.now() >= closes_at):
                return
        event = record.events[index]
        yield frame(event if obfuscated else _without_padding(event))
        index += 1


def _without_padding(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "obfuscation"}


def _wait(
    record: EmulatedResponse, due: float, clock: Clock, closes_at: float | None
) -> Iterator[ReplyStep]:
    until = due if closes_at is None else min(due, closes_at)
    # In slices, so that a cancellation or a moved clock is noticed while waiting.
    while (left := until - clock.now()) > 0 and record.cancelled_at is None:
        yield Pause(min(left, 0.25) if record.is_background else left)


_CONTEXT_LENGTH: dict[str, Any] = {
    "type": "invalid_request_error",
    "code": "context_length_exceeded",
    "message": (
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again."
    ),
    "param": "input",
}
Event = dict[str, Any]


def failing_order(limit_reply: str) -> str:
    """A deployment's `limit_reply` → the fault of the same shape."""
    return "stream-429-" + limit_reply.removeprefix("stream-")


def failing_frames(
    order: str,
    answer: GeneratedResponse,
    deployment: EmulatedDeployment,
    region: str,
    fault: Fault | None,
) -> Iterator[bytes]:
    """The frames of a stream that fails the way `order` names.

    `stream-429-A`: created, error, failed with the error (August 2026, with Retry-After).
    `stream-429-B`: created, failed without an error, then the error (earendil-works/pi #7983).
    `stream-429-C`: a failed event alone (earendil-works/pi pull request 1458).
    `stream-too-many-requests`: the same with that code.
    `stream-uncoded`: failed with an error without a code (sozercan/vekil #266).
    `stream-500`: the answer's events until `after_events`, then a server error, nested.
    `stream-500-flat`: the same as the specification has it, flat.
    `stream-context-length`: created, then the nested error (dyad #1672).
    `stream-no-deployment`: an error event alone.
    """
    if order in _ORDERS:
        error = stream_limit_error(deployment, region)
        events = _ORDERS[order](answer.events[0]["response"], error)
    else:
        events = _cut(answer, fault.after_events if fault else 1, order == "stream-500-flat")
    return iter([frame(event) for event in events])


def failing_chat_frames(
    fault: Fault, chunks: list[Event], deployment: EmulatedDeployment, region: str
) -> Iterator[bytes]:
    """Chat chunks until `after_events`, then `data: {"error": …}`, and no `[DONE]`.

    That form was reported for overload by scalaone/azure-openai-proxy #22.
    """
    errors: dict[str, Event] = {
        "stream-context-length": _CONTEXT_LENGTH,
        "stream-no-deployment": NO_MATCHING_DEPLOYMENT,
    }
    if fault.kind.startswith("stream-5"):
        error: Event = OVERLOADED
    else:
        error = errors.get(fault.kind) or stream_limit_error(deployment, region)
    sent = [*chunks[: fault.after_events], {"error": error}]
    return iter([b"data: " + encode_json(chunk) + b"\n\n" for chunk in sent])


def _created(opened: Event) -> Event:
    response = {**opened, "status": "in_progress"}
    return {"type": "response.created", "response": response, "sequence_number": 0}


def _error(error: Event, number: int) -> Event:
    return {"type": "error", "error": error, "sequence_number": number}


def _failed(opened: Event, error: Event | None, number: int) -> Event:
    response = {**opened, "status": "failed", "error": error, "output": [], "usage": None}
    return {"type": "response.failed", "response": response, "sequence_number": number}


def _brief(error: Event) -> Event:
    return {"code": error["code"], "message": error["message"]}


_TOO_MANY: Event = {"code": "too_many_requests", "message": "Too Many Requests"}
# Of each kind of failure, the events: from the response as it was opened, and the limit's error.
_ORDERS: dict[str, Callable[[Event, Event], list[Event]]] = {
    "stream-429-A": lambda opened, error: [
        _created(opened), _error(error, 1), _failed(opened, _brief(error), 2)
    ],
    "stream-429-B": lambda opened, error: [
        _created(opened), _failed(opened, None, 1), _error(error, 2)
    ],
    "stream-429-C": lambda opened, error: [_failed(opened, _brief(error), 0)],
    "stream-too-many-requests": lambda opened, _: [_failed(opened, _TOO_MANY, 0)],
    "stream-uncoded": lambda opened, _: [
        _created(opened), _failed(opened, {**_TOO_MANY, "code": None}, 1)
    ],
    "stream-context-length": lambda opened, _: [_created(opened), _error(_CONTEXT_LENGTH, 1)],
    "stream-no-deployment": lambda _, __: [_error(NO_MATCHING_DEPLOYMENT, 0)],
}  # fmt: skip


def _cut(answer: GeneratedResponse, after: int, is_flat: bool) -> list[Event]:
    # Never the last event: a stream that completed cannot fail.
    events = answer.events[: min(after, len(answer.events) - 1)]
    number = len(events)
    # The nested form is what Azure sends, the flat one what the specification says.
    if is_flat:
        flat = {"code": "server_error", "message": OVERLOADED["message"], "param": None}
        return [*events, {"type": "error", **flat, "sequence_number": number}]
    return [*events, _error(OVERLOADED, number)]
