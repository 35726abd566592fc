"""What the tests of Responses over Messages make and read."""

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from azure_responses.bridge.responses_over_messages import ResponsesOverMessages
from azure_responses.bridge.sealed_reasoning import ReasoningSealer
from azure_responses.protocol.conversion import Conversion, ConversionContext
from azure_responses.protocol.families import facts_of
from azure_responses.protocol.sse import SSEDecoder

__all__ = [
    "ADAPTIVE",
    "BUDGET",
    "SEALER",
    "convert",
    "events_of",
    "make",
    "message",
    "read",
    "sse",
    "stream",
    "streamed",
    "told",
    "written",
]

ADAPTIVE, BUDGET = "claude-opus-4-6", "claude-sonnet-4-5"
SEALER = ReasoningSealer("the secret of the tests", os.urandom)

_Fields = dict[str, Any]


def make(
    parameters: Mapping[str, Any],
    deployment: str = ADAPTIVE,
    *,
    facts: Mapping[str, Any] | None = None,
    **context: Any,
) -> ResponsesOverMessages:
    """The conversion of a request; `facts` correct those of the family."""
    numbers = itertools.count(1)
    about = ConversionContext(
        deployment,
        facts_of(deployment, overrides=facts),
        SEALER,
        lambda prefix: f"{prefix}{next(numbers)}",
        1_700_000_000.0,
        **context,
    )
    conversion = ResponsesOverMessages({"input": "Hello", **parameters}, about)
    _as_protocol: Conversion = conversion
    return conversion


def convert(
    parameters: Mapping[str, Any],
    deployment: str = ADAPTIVE,
    history: Sequence[Mapping[str, Any]] = (),
    **how: Any,
) -> tuple[_Fields, tuple[str, ...]]:
    """The body that is sent, and the warnings; the types of the anthropic package take the body."""
    conversion = make(parameters, deployment, **how)
    body = conversion.write(history)
    check(body)
    return body, conversion.warnings


def written(parameters: Mapping[str, Any], deployment: str = ADAPTIVE, **how: Any) -> _Fields:
    """The body that is sent; nothing may be left out of it."""
    body, warnings = convert(parameters, deployment, **how)
    assert warnings == ()
    return body


def told(items: Any, deployment: str = ADAPTIVE, **how: Any) -> list[_Fields]:
    """The messages that input items make."""
    messages: list[_Fields] = written({"input": items}, deployment, **how)["messages"]
    return messages


@cache
def _adapter() -> TypeAdapter[Any]:
    from anthropic.types import message_create_params

    return TypeAdapter(message_create_params.MessageCreateParams)


def check(body: Mapping[str, Any]) -> None:
    """Raises where the types of the anthropic package do not take a body."""
    _walk(_adapter().validate_python(body))


def _walk(value: Any) -> None:
    # Pydantic checks what is declared as an Iterable only while it is gone through.
    if isinstance(value, Mapping):
        for part in value.values():
            _walk(part)
    elif isinstance(value, Iterator | list):
        for part in value:
            _walk(part)


def message(*blocks: Any, reason: str = "end_turn", **around: Any) -> _Fields:
    """A whole reply; text stands for a block of text."""
    content = [{"type": "text", "text": one} if isinstance(one, str) else one for one in blocks]
    usage = around.pop("usage", {"input_tokens": 5, "output_tokens": 7})
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
        **around,
    }


def streamed(whole: Mapping[str, Any], size: int = 5) -> list[_Fields]:
    """The events that stream a whole reply, its texts in pieces of `size` characters."""
    usage = whole["usage"]
    start = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[_Fields] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _take_apart(block, size)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    delta = {name: whole[name] for name in ("stop_reason", "stop_details") if name in whole}
    events.append({"type": "message_delta", "delta": delta, "usage": usage})
    return [*events, {"type": "message_stop"}]


def _take_apart(block: _Fields, size: int) -> tuple[_Fields, list[_Fields]]:
    kind = block["type"]
    if kind == "text":
        cited = [
            {"type": "citations_delta", "citation": one} for one in block.get("citations") or ()
        ]
        pieces = [{"type": "text_delta", "text": one} for one in _cut(block["text"], size)]
        return {"type": "text", "text": ""}, [*pieces, *cited]
    if kind == "thinking":
        pieces = [
            {"type": "thinking_delta", "thinking": one} for one in _cut(block["thinking"], size)
        ]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [*pieces, signed]
    if kind == "tool_use":
        text = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
        pieces = [{"type": "input_json_delta", "partial_json": one} for one in _cut(text, size)]
        return {**block, "input": {}}, pieces
    return block, []


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def sse(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Events as a deployment sends them."""
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


def events_of(data: bytes) -> list[_Fields]:
    """The events that a caller reads."""
    return [json.loads(event.data) for event in SSEDecoder().feed(data)]


def read(
    body: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    deployment: str = ADAPTIVE,
    **how: Any,
) -> _Fields:
    """The response that a whole reply makes."""
    conversion = make(parameters or {}, deployment, **how)
    conversion.write()
    return conversion.read(body)


def stream(
    events: Iterable[Mapping[str, Any]],
    parameters: Mapping[str, Any] | None = None,
    deployment: str = ADAPTIVE,
    **how: Any,
) -> list[_Fields]:
    """The events that a stream makes."""
    conversion = make(parameters or {}, deployment, **how)
    conversion.write()
    state = conversion.stream()
    return events_of(state.receive(sse(events)) + state.end())
