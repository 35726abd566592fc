"""The recorded responses and streams, as the bridge meets them."""

import json
from functools import cache
from typing import Any

from azure_responses.types import Response, StreamEvent, parse_event

from ..recordings import exchanges

__all__ = ["TRIMMED", "bodies", "streams"]

# Its recorder cut deltas out and shortened the final text by hand, so the two contradict.
TRIMMED = "openai-shell-container.1.chunks.txt"


def _is_response(body: Any) -> bool:
    if not isinstance(body, dict) or body.get("object") == "response.compaction":
        return False
    return body.get("object") == "response" or {"id", "output"} <= body.keys()


@cache
def bodies() -> tuple[tuple[str, Response], ...]:
    """Every recorded response that was not streamed, with its source."""
    return tuple(
        (exchange.id, Response.model_validate(exchange.body))
        for exchange in exchanges()
        if _is_response(exchange.body)
    )


@cache
def streams() -> tuple[tuple[str, tuple[StreamEvent, ...]], ...]:
    """Every recorded stream; files that hold several are split where a response begins."""
    found: list[tuple[str, tuple[StreamEvent, ...]]] = []
    for exchange in exchanges():
        events: list[StreamEvent] = []
        for value in exchange.event_objects():
            if "type" not in value:
                continue
            if value["type"] == "response.created" and events:
                found.append((exchange.id, tuple(events)))
                events = []
            events.append(parse_event(json.dumps(value)))
        if events:
            found.append((exchange.id, tuple(events)))
    return tuple(found)
