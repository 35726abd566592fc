"""Any JSON in the place of anything is answered or refused, and never ends in another error."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError, ConfigurationError
from tests.bridge.responses_over_messages.cases import (
    ADAPTIVE,
    BUDGET,
    SEALER,
    make,
    message,
    streamed,
)

_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_TOOLS: list[Any] = [
    {"type": "function", "name": "f", "parameters": _SCHEMA},
    {"type": "custom", "name": "c", "format": {"type": "grammar", "definition": "x"}},
    {"type": "shell", "environment": {"type": "local"}},
    {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
    {"type": "tool_search", "execution": "client", "parameters": {}},
]
_THOUGHT = {"type": "thinking", "thinking": "x", "signature": "y"}
_SEALED = SEALER.seal("claude", {"block": _THOUGHT})
_INPUT: list[Any] = [
    {"role": "developer", "content": "d"},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "t"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA"},
            {"type": "input_file", "file_data": "data:text/plain;base64,YQ==", "filename": "a"},
        ],
    },
    {"type": "reasoning", "summary": [], "encrypted_content": _SEALED},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    {
        "type": "function_call_output",
        "call_id": "1",
        "output": [{"type": "input_text", "text": "x"}],
    },
    {"type": "shell_call", "call_id": "2", "action": {"commands": ["ls"]}, "environment": None},
    {"type": "shell_call_output", "call_id": "2", "output": [{"stdout": "x"}]},
    {"type": "computer_call", "call_id": "3", "actions": [{"type": "wait"}]},
    {"type": "computer_call_output", "call_id": "3", "output": {"image_url": "https://x"}},
    {"type": "tool_search_call", "call_id": "4", "execution": "client", "arguments": {}},
    {"type": "tool_search_output", "call_id": "4", "execution": "client", "tools": [_TOOLS[0]]},
    {"type": "additional_tools", "tools": [{"type": "function", "name": "y"}]},
    {"type": "web_search_call", "action": {"query": "q"}},
    {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
    {"role": "user", "content": "end"},
]
_REQUEST: dict[str, Any] = {
    "model": "m",
    "instructions": "i",
    "input": _INPUT,
    "tools": _TOOLS,
    "tool_choice": {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}]},
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": _SCHEMA}},
    "metadata": {"a": "b"},
    "temperature": 1,
    "top_p": 1,
    "max_output_tokens": 2_000,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "k",
    "prompt_cache_options": {"ttl": "1h"},
    "cache_control": {"type": "ephemeral"},
    "user": "u",
    "truncation": "auto",
    "stop": ["x"],
    "parallel_tool_calls": False,
    "service_tier": "auto",
}
_REPLY = message(
    _THOUGHT,
    {"type": "text", "text": "a", "citations": [{"type": "page_location", "title": "t"}]},
    {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
    {"type": "tool_use", "id": "2", "name": "c", "input": {"input": "a"}},
    {"type": "tool_use", "id": "3", "name": "shell", "input": {"commands": ["a"]}},
    {"type": "server_tool_use", "id": "4", "name": "web_search", "input": {}},
    stop_details={"explanation": "x"},
)
_ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "none", "\ud800"),
    *([], {}, [1], ["x"], [None], [[]], {"a": 1}, {"type": "x"}, {"type": None}),
]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield (*place, key)
        yield from _places(value[key], (*place, key))


def _with(whole: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """The same with something odd in a place; `...` takes out what stands there."""
    changed = copy.deepcopy(whole)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    if odd is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = odd
    return changed


def _changed(whole: Any) -> st.SearchStrategy[Any]:
    places = st.sampled_from(list(_places(whole)))
    return st.builds(
        lambda place, odd: _with(whole, place, odd), places, st.sampled_from([..., *_ODD])
    )


@settings(max_examples=400)
@given(_changed(_REQUEST), st.sampled_from([ADAPTIVE, BUDGET, "unknown"]), st.booleans())
def test_any_request_is_written_or_refused(request: Any, deployment: str, drops: bool) -> None:
    conversion = make(request, deployment, drops_params=drops, hosted_history="text")
    try:
        json.dumps(conversion.write())
    except (BadRequestError, ConfigurationError):
        return
    conversion.shortened()
    assert conversion.read(message("x"))["status"] == "completed"


@settings(max_examples=300)
@given(_changed(_REPLY))
def test_any_reply_is_read_or_refused(reply: Any) -> None:
    conversion = make({"tools": _TOOLS})
    conversion.write()
    try:
        json.dumps(conversion.read(reply))
    except ValueError as error:
        assert "content" in str(error)  # noqa: PT017 - most replies are read.


@settings(max_examples=300)
@given(_changed(streamed(_REPLY, 100)))
def test_any_stream_ends(events: list[Any]) -> None:
    conversion = make({"tools": _TOOLS})
    conversion.write()
    state = conversion.stream()
    data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    state.receive(data)
    state.end()
    assert state.final is not None


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"metadata": "x"}, "metadata"),
        ({"stop": 5}, "stop"),
        ({"include": "logprobs"}, "include"),
        ({"input": [{"type": 5}]}, "input[0].type"),
        ({"tool_choice": {"type": "allowed_tools", "tools": "f"}}, "tool_choice.tools"),
    ],
)
def test_a_wrong_type_is_named(parameters: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        make(parameters).write()
    assert caught.value.param == param
