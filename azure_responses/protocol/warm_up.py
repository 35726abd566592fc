"""The answer to a warm-up where no WebSocket carries it: there is nothing to prepare.

A `response.create` with `generate: false` makes a response without output, from which the next turn
continues (OpenAI's description of WebSocket mode). Clients wait for its events: codex does not go
on before `response.completed`.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.protocol.request_body import encode_body

__all__ = ["is_warm_up", "warm_up_events", "write_events"]

_REPEATED = ("instructions", "metadata", "model", "previous_response_id", "tools")


def is_warm_up(body: Mapping[str, Any]) -> bool:
    """True for the body of a turn that generates nothing."""
    return body.get("generate") is False


def warm_up_events(body: Mapping[str, Any], response_id: str, now: float) -> list[dict[str, Any]]:
    """The events that answer a warm-up.

    Args:
        body: of the turn.
        response_id: of the response without output.
        now: unix seconds.
    """
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    response = {
        "id": response_id,
        "object": "response",
        "created_at": int(now),
        "status": "in_progress",
        "output": [],
        # Whatever its caller asked for: the next turn has to bring all items.
        "store": False,
        **{name: body[name] for name in _REPEATED if body.get(name) is not None},
    }
    completed = {**response, "status": "completed", "usage": usage}
    return [
        {"type": "response.created", "sequence_number": 0, "response": response},
        {"type": "response.completed", "sequence_number": 1, "response": completed},
    ]


def write_events(events: list[dict[str, Any]]) -> bytes:
    """Events as the bytes of a stream."""
    return b"".join(b"data: %b\n\n" % (encode_body(event) or b"") for event in events)
