"""Streams that begin with 200 and then say that they failed, in the recorded orders."""

from collections.abc import Iterator
from typing import Any

from azure_responses.emulator.engine import Answer
from azure_responses.emulator.faults import OVERLOADED, Fault
from azure_responses.emulator.framing import frame
from azure_responses.emulator.limits import limit_error
from azure_responses.emulator.resources import Deployment

__all__ = ["failing_frames", "failing_order"]


def failing_order(limit_reply: str) -> str:
    """A deployment's `limit_reply` → the fault of the same shape."""
    return "stream-429-" + limit_reply.removeprefix("stream-")


def failing_frames(
    order: str, answer: Answer, deployment: Deployment, region: str, fault: Fault | None
) -> Iterator[bytes]:
    """The frames of a stream that fails the way `order` names.

    `stream-429-A`: created, error, failed with the error (August 2026, with Retry-After).
    `stream-429-B`: created, failed without an error, then the error (earendil-works/pi #7983).
    `stream-429-C`: a failed event alone (earendil-works/pi pull request 1458).
    `stream-500`: the answer's events until `after_events`, then a server error.
    `stream-uncoded`: failed with an error that has neither code nor type (sozercan/vekil #266).
    """
    error = limit_error(deployment, region)
    if order == "stream-500":
        after = fault.after_events if fault else 1
        events = _cut(answer, after, OVERLOADED)
    else:
        opened = answer.events[0]["response"]
        events = _ORDERS[order](opened, error)
    return iter([frame(event) for event in events])


def _created(opened: dict[str, Any]) -> dict[str, Any]:
    response = {**opened, "status": "in_progress"}
    return {"type": "response.created", "response": response, "sequence_number": 0}


def _error(error: dict[str, Any], number: int) -> dict[str, Any]:
    return {"type": "error", "error": error, "sequence_number": number}


def _failed(opened: dict[str, Any], error: Any, number: int) -> dict[str, Any]:
    response = {**opened, "status": "failed", "error": error, "output": [], "usage": None}
    return {"type": "response.failed", "response": response, "sequence_number": number}


def _order_a(opened: dict[str, Any], error: dict[str, Any]) -> list[dict[str, Any]]:
    brief = {"code": error["code"], "message": error["message"]}
    return [_created(opened), _error(error, 1), _failed(opened, brief, 2)]


def _order_b(opened: dict[str, Any], error: dict[str, Any]) -> list[dict[str, Any]]:
    return [_created(opened), _failed(opened, None, 1), _error(error, 2)]


def _order_c(opened: dict[str, Any], error: dict[str, Any]) -> list[dict[str, Any]]:
    return [_failed(opened, {"code": error["code"], "message": error["message"]}, 0)]


def _uncoded(opened: dict[str, Any], _error: dict[str, Any]) -> list[dict[str, Any]]:
    return [_created(opened), _failed(opened, {"code": None, "message": "Too Many Requests"}, 1)]


_ORDERS = {
    "stream-429-A": _order_a,
    "stream-429-B": _order_b,
    "stream-429-C": _order_c,
    "stream-uncoded": _uncoded,
}


def _cut(answer: Answer, after: int, error: dict[str, Any]) -> list[dict[str, Any]]:
    events = answer.events[: min(after, len(answer.events) - 1)]
    return [*events, _error(error, len(events))]
