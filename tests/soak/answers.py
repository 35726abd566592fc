"""Streams of both kinds, read to their ends: what was said, by whom, and how it ended."""

from collections.abc import AsyncIterator
from typing import Any

from tests.soak.client import Event, Reply, Wrong, is_honest

__all__ = ["Streamed", "read_chat_stream", "read_native_stream", "text_of"]

_ENDINGS = {"response.completed", "response.incomplete", "response.failed", "error"}


class Streamed:
    """What came of a streamed call.

    Attributes:
        refusal: the reply where there was no stream.
        text: what the deltas said.
        id: of the response or completion.
        final: the last response, or the chunk with the usage.
        error: what the stream ended with, or None.
        is_whole: it came to its end.
    """

    def __init__(self) -> None:
        self.refusal: Reply | None = None
        self.text = ""
        self.id: str | None = None
        self.final: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.is_whole = False

    def name(self, given: Any) -> None:
        """Every event of one stream names the same response."""
        if not isinstance(given, str) or self.id not in (None, given):
            raise Wrong(f"a stream of {self.id} speaks of {given}")
        self.id = given


def text_of(response: dict[str, Any]) -> str:
    """The text of a response."""
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text"
    )


async def read_native_stream(events: AsyncIterator[Event | Reply]) -> Streamed:
    """Read a stream of Responses.

    Raises:
        Wrong: events out of order, of another response, or after the end.
    """
    found, number = Streamed(), -1
    async for event in events:
        if isinstance(event, Reply):
            found.refusal = event
            return found
        data = event.data
        if data is None or found.is_whole:
            raise Wrong(f"after the end of a stream came {event}")
        if event.name != data.get("type"):
            raise Wrong(f"an event called {event.name} is a {data.get('type')}")
        if data.get("sequence_number") != number + 1:
            raise Wrong(f"after event {number} came {data}")
        number += 1
        _take_native(found, data)
    return found


def _take_native(found: Streamed, data: dict[str, Any]) -> None:
    kind, response = data["type"], data.get("response")
    if isinstance(response, dict):
        found.name(response.get("id"))
        found.final = response
    if kind == "response.output_text.delta":
        found.text += data["delta"]
    if kind in _ENDINGS:
        found.is_whole = True
        if kind == "error":
            found.error = {name: data.get(name) for name in ("message", "type", "code")}
        elif kind == "response.failed":
            found.error = (response or {}).get("error") or {}


async def read_chat_stream(events: AsyncIterator[Event | Reply]) -> Streamed:
    """Read a stream of chat completion chunks.

    Raises:
        Wrong: chunks of another completion, or anything after the end.
    """
    found = Streamed()
    async for event in events:
        if isinstance(event, Reply):
            found.refusal = event
            return found
        if found.is_whole or event.name is not None:
            raise Wrong(f"not in a stream of chunks: {event}")
        if event.data is None:
            found.is_whole = True
        elif "error" in event.data:
            if not is_honest(500, event.data):
                raise Wrong(f"this is no error: {event.data}")
            found.error = event.data["error"]
        else:
            _take_chunk(found, event.data)
    return found


def _take_chunk(found: Streamed, chunk: dict[str, Any]) -> None:
    found.name(chunk.get("id"))
    for choice in chunk["choices"]:
        found.text += choice["delta"].get("content") or ""
    if chunk.get("usage"):
        found.final = {**chunk, "object": "chat.completion"}
