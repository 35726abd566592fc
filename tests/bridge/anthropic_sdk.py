"""The anthropic and openai packages as readers of what the conversions write."""

import json
from collections.abc import Iterable
from typing import Any

import anthropic
import httpx2
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from azure_responses.bridge.sealed_reasoning import ReasoningSealer
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import facts_of

__all__ = [
    "SEALER",
    "check_events",
    "context",
    "events",
    "in_pieces",
    "read_message",
    "stream_message",
    "write_events",
]

# The same nonce each time, so that a stream and a whole reply have equal signatures.
SEALER = ReasoningSealer("secret", lambda count: bytes(count))
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def context(
    deployment: str = "gpt-5", *, drops: bool = False, overrides: Any = None, **fields: Any
) -> ConversionContext:
    """What a conversion is given; ids count up."""
    count = iter(range(1_000_000))
    return ConversionContext(
        deployment=deployment,
        facts=facts_of(deployment, overrides=overrides),
        sealer=SEALER,
        new_id=lambda prefix: f"{prefix}{next(count)}",
        now=1.7e9,
        drops_params=drops,
        **fields,
    )


def write_events(events: Iterable[dict[str, Any]]) -> bytes:
    """Events as a service sends them; those without a type are chunks."""
    written = []
    for event in events:
        name = f"event: {event['type']}\n" if "type" in event else ""
        written.append(f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n")
    return "".join(written).encode()


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each has the name of its type, unless it has none."""
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if lines["data"] == "[DONE]":
            found.append({"done": True})
            continue
        event = json.loads(lines["data"])
        assert lines.get("event", event.get("type")) == event.get("type")
        found.append(event)
    return found


def in_pieces(stream: Any, body: bytes, size: int = 1_000_000) -> bytes:
    """What a stream conversion makes of a body that arrives in pieces of one size."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join([*(stream.receive(piece) for piece in pieces), stream.end()])


def check_events(body: bytes) -> None:
    """The events are valid and stand in Anthropic's order."""
    open_block: int | None = None
    following = 0
    kinds = []
    for event in events(body):
        kinds.append(event["type"])
        if event["type"] in ("ping", "error"):
            continue
        _EVENT.validate_python(event)
        if event["type"] == "content_block_start":
            assert open_block is None
            assert event["index"] == following
            open_block, following = following, following + 1
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_block
        elif event["type"] == "content_block_stop":
            assert event["index"] == open_block
            open_block = None
    assert kinds[0] in ("message_start", "error")
    if kinds[-1] != "error":
        assert kinds[-2:] == ["message_delta", "message_stop"]
        assert open_block is None


def _client(body: bytes, kind: str) -> anthropic.Anthropic:
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": kind})

    transport = httpx2.MockTransport(reply)
    return anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=transport))


_ASKED: dict[str, Any] = {
    "model": "m",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


def stream_message(body: bytes) -> dict[str, Any]:
    """The message that the anthropic package adds up from a stream."""
    with _client(body, "text/event-stream").messages.stream(**_ASKED) as stream:
        message: dict[str, Any] = stream.get_final_message().to_dict()
        return message


def read_message(body: dict[str, Any]) -> dict[str, Any]:
    """The message that the anthropic package reads in a reply."""
    Message.model_validate(body)
    client = _client(json.dumps(body).encode(), "application/json")
    message: dict[str, Any] = client.messages.create(**_ASKED).to_dict()
    return message
