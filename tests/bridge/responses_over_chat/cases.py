"""What the tests of Responses over chat completions make and read."""

import itertools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure_responses.bridge.responses_over_chat import ResponsesOverChat
from azure_responses.bridge.sealed_reasoning import ReasoningSealer
from azure_responses.protocol.conversion import Conversion, ConversionContext
from azure_responses.protocol.families import facts_of
from azure_responses.protocol.sse import SSEDecoder

__all__ = [
    "SEALER",
    "chunk",
    "completion",
    "convert",
    "events_of",
    "make",
    "read",
    "sse",
    "stream",
    "told",
    "written",
]

SEALER = ReasoningSealer("the secret of the tests", os.urandom)

_Fields = dict[str, Any]


def make(
    parameters: Mapping[str, Any],
    deployment: str = "some-model",
    *,
    facts: Mapping[str, Any] | None = None,
    **context: Any,
) -> Conversion:
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
    return ResponsesOverChat({"input": "Hello", **parameters}, about)


def convert(
    parameters: Mapping[str, Any],
    deployment: str = "some-model",
    history: Sequence[Mapping[str, Any]] = (),
    **how: Any,
) -> tuple[_Fields, tuple[str, ...]]:
    """The body that is sent, and the warnings."""
    conversion = make(parameters, deployment, **how)
    return conversion.write(history), conversion.warnings


def written(parameters: Mapping[str, Any], deployment: str = "some-model", **how: Any) -> _Fields:
    """The body that is sent; nothing may be left out of it."""
    body, warnings = convert(parameters, deployment, **how)
    assert warnings == ()
    return body


def told(items: Any, deployment: str = "some-model", **how: Any) -> list[_Fields]:
    """The messages that input items make."""
    messages: list[_Fields] = written({"input": items}, deployment, **how)["messages"]
    return messages


def completion(message: Mapping[str, Any], reason: str = "stop", **around: Any) -> _Fields:
    """A whole reply."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], **around}


def chunk(reason: str | None = None, /, **delta: Any) -> _Fields:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}


def sse(chunks: Iterable[Any], *, done: bool = True) -> bytes:
    """Chunks as a deployment sends them."""
    data = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks)
    return f"{data}data: [DONE]\n\n".encode() if done else data.encode()


def events_of(data: bytes) -> list[_Fields]:
    """The events that a caller reads."""
    return [json.loads(event.data) for event in SSEDecoder().feed(data)]


def read(
    body: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    deployment: str = "some-model",
    **how: Any,
) -> _Fields:
    """The response that a whole reply makes."""
    conversion = make(parameters or {}, deployment, **how)
    conversion.write()
    return conversion.read(body)


def stream(
    chunks: Iterable[Any],
    parameters: Mapping[str, Any] | None = None,
    deployment: str = "some-model",
    *,
    done: bool = True,
    **how: Any,
) -> list[_Fields]:
    """The events that a streamed reply makes."""
    conversion = make(parameters or {}, deployment, **how)
    conversion.write()
    state = conversion.stream()
    events = events_of(state.receive(sse(chunks, done=done)) + state.end())
    assert state.final == events[-1]["response"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events
