"""The recorded Responses streams, one response each, as bytes the way Azure frames them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.protocol.samples import stream_bytes
from tests.recordings import Exchange, exchanges

__all__ = ["RecordedStream", "recorded_streams"]

_ENDINGS = frozenset({"response.completed", "response.incomplete"})


@dataclass(frozen=True)
class RecordedStream:
    """One response, as events and as bytes; `id` names the recording."""

    id: str
    events: list[dict[str, Any]]
    raw: bytes

    @property
    def final(self) -> dict[str, Any]:
        """The response of the terminal event."""
        response: dict[str, Any] = self.events[-1]["response"]
        return response


@cache
def recorded_streams() -> tuple[RecordedStream, ...]:
    """Every recorded stream that came to its end, split where one holds several responses."""
    return tuple(
        stream for exchange in exchanges() for stream in _responses(exchange) if _is_whole(stream)
    )


def _responses(exchange: Exchange) -> Iterator[RecordedStream]:
    groups: list[list[dict[str, Any]]] = []
    for event in exchange.event_objects():
        if event.get("type") == "response.created":
            groups.append([])
        if groups:
            groups[-1].append(event)
    for number, events in enumerate(groups):
        is_raw = exchange.sse is not None and len(groups) == 1
        raw = (exchange.sse or "").encode() if is_raw else stream_bytes(*events)
        yield RecordedStream(f"{exchange.id}/{number}", events, raw)


def _is_whole(stream: RecordedStream) -> bool:
    # One hand-made recording has lines that are no JSON.
    data = (line[5:] for line in stream.raw.split(b"\n") if line.startswith(b"data:"))
    return stream.events[-1]["type"] in _ENDINGS and all(map(_is_json, data))


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
