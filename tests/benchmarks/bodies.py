"""What the stub upstream answers: one small response, and streams of any length."""

import json
from collections.abc import Iterator
from typing import Any

__all__ = [
    "EVENT_COUNT",
    "PROMPT",
    "encode_event",
    "make_chunks",
    "make_deltas",
    "make_response",
    "make_stream",
    "small_completion",
    "small_reply",
]

PROMPT = "Tell me a three sentence bedtime story about a unicorn."

_STORY = (
    "In a meadow of soft blue grass a young unicorn counted the stars. Each one she named grew a "
    "little brighter. By the last she was asleep, and the meadow glowed until morning."
)
_WORDS = _STORY.split(" ")
_MESSAGE_ID = "msg_0a1b2c3d4e5f60718293a4b5c6d7e8f9"

EVENT_COUNT = 2008
"""Events of the default stream: 2,000 deltas and the eight around them."""


def make_response(text: str = _STORY, **fields: Any) -> dict[str, Any]:
    """A completed response as Azure sends it, with one message of `text`."""
    return {
        "id": "resp_0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071",
        "object": "response",
        "created_at": 1790000000,
        "status": "completed",
        "background": False,
        "content_filters": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": 100,
        "max_tool_calls": None,
        "metadata": {},
        "model": "gpt-5-mini",
        "output": [
            {"id": "rs_0a1b2c3d4e5f60718293a4b5c6d7e8f9", "type": "reasoning", "summary": []},
            _message(text),
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium", "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 17,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 54,
            "output_tokens_details": {"reasoning_tokens": 10},
            "total_tokens": 71,
        },
        "user": None,
        **fields,
    }


def _message(text: str, status: str = "completed") -> dict[str, Any]:
    return {
        "id": _MESSAGE_ID,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [_part(text)] if status == "completed" else [],
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def small_reply() -> bytes:
    """The small response as a JSON body."""
    return json.dumps(make_response()).encode()


def encode_event(number: int, kind: str, **fields: Any) -> bytes:
    """One server-sent event."""
    event = {"type": kind, "sequence_number": number, **fields}
    return f"event: {kind}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def make_deltas(count: int, first: int) -> Iterator[bytes]:
    """`count` text deltas, numbered from `first`."""
    for number in range(first, first + count):
        yield encode_event(
            number,
            "response.output_text.delta",
            item_id=_MESSAGE_ID,
            output_index=1,
            content_index=0,
            delta=f" {_WORDS[number % len(_WORDS)]}",
            logprobs=[],
            obfuscation="aBcDeFgH",
        )


def make_stream(deltas: int = EVENT_COUNT - 8) -> Iterator[bytes]:
    """A whole stream of `deltas` text deltas, event by event."""
    begun = make_response(status="in_progress", output=[], usage=None)
    item = {"output_index": 1, "item": _message("", "in_progress")}
    place = {"item_id": _MESSAGE_ID, "output_index": 1, "content_index": 0}
    yield encode_event(0, "response.created", response=begun)
    yield encode_event(1, "response.in_progress", response=begun)
    yield encode_event(2, "response.output_item.added", **item)
    yield encode_event(3, "response.content_part.added", **place, part=_part(""))
    yield from make_deltas(deltas, first=4)
    text = "".join(f" {_WORDS[number % len(_WORDS)]}" for number in range(4, 4 + deltas))
    last = 4 + deltas
    yield encode_event(last, "response.output_text.done", **place, text=text, logprobs=[])
    yield encode_event(last + 1, "response.content_part.done", **place, part=_part(text))
    done = {"output_index": 1, "item": _message(text)}
    yield encode_event(last + 2, "response.output_item.done", **done)
    yield encode_event(last + 3, "response.completed", response=make_response(text))


# --- the same as chat completions -----------------------------------------------------------------

_VERDICTS = {
    category: {"filtered": False, "severity": "safe"}
    for category in ("hate", "self_harm", "sexual", "violence")
}
_USAGE = {"prompt_tokens": 17, "completion_tokens": 54, "total_tokens": 71}


def _completion(kind: str, choices: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    about = {"id": "chatcmpl-0a1b2c3d4e5f6071", "object": kind, "created": 1790000000}
    return {**about, "model": "kimi-k2.5", "choices": choices, **fields}


def small_completion() -> bytes:
    """The small response as a chat completion."""
    message = {"role": "assistant", "content": _STORY, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    choice["content_filter_results"] = _VERDICTS
    return json.dumps(_completion("chat.completion", [choice], usage=_USAGE)).encode()


def make_chunks(deltas: int = EVENT_COUNT - 8) -> Iterator[bytes]:
    """The stream as chunks, each with the verdicts that Azure's filter puts into it."""
    for number in range(4, 4 + deltas):
        yield _chunk({"content": f" {_WORDS[number % len(_WORDS)]}"})
    yield _chunk({}, "stop")
    yield _encode_chunk(_completion("chat.completion.chunk", [], usage=_USAGE))
    yield b"data: [DONE]\n\n"


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
    choice["content_filter_results"] = _VERDICTS if delta else {}
    return _encode_chunk(_completion("chat.completion.chunk", [choice]))


def _encode_chunk(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()
