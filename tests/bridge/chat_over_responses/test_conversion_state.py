"""Long ids of calls: both ends of a pair under one short id, and back."""

import json
from typing import Any

import pytest

from azure_responses.bridge import ChatStream, to_chat_completion, to_responses_request
from azure_responses.bridge.chat_over_responses.conversion_state import (
    LONGEST_ID,
    CallIds,
    ConversionState,
    shorten,
)
from azure_responses.errors import BadRequestError
from azure_responses.types import Response, parse_event
from tests.canned import response, stream_of

LONG = "toolu_" + "x" * 300
OTHER = LONG + "y"


def _pair(call_id: str, **call: Any) -> list[dict[str, Any]]:
    function = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    made = {"id": call_id, **(call or function)}
    return [
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": call_id, "content": "ok"},
    ]


def _sent(*messages: dict[str, Any]) -> list[str]:
    request = to_responses_request({"model": "m", "messages": list(messages)})
    return [item["call_id"] for item in request.parameters["input"]]


def test_both_ends_of_a_pair_have_the_same_short_id_every_time() -> None:
    first = _sent(*_pair(LONG))
    assert first[0] == first[1]
    assert len(first[0]) <= LONGEST_ID
    assert _sent(*_pair(LONG)) == first
    # The call may be in a stored response, with its answer alone in this request.
    assert _sent(_pair(LONG)[1]) == first[:1]


def test_ids_with_a_common_beginning_stay_apart() -> None:
    assert len(set(_sent(*_pair(LONG), *_pair(OTHER)))) == 2


def test_an_id_that_fits_is_sent_as_it_is() -> None:
    call_id = "c" * LONGEST_ID
    assert _sent(*_pair(call_id)) == [call_id, call_id]


@pytest.mark.parametrize(
    "call",
    [
        {"type": "custom", "custom": {"name": "f", "input": "x"}},
        {
            "type": "function",
            "function": {"name": "shell", "arguments": "{}"},
            "item": {"type": "shell_call", "call_id": LONG, "action": {"commands": []}},
        },
    ],
)
def test_calls_of_other_kinds_are_shortened_too(call: dict[str, Any]) -> None:
    assert _sent(*_pair(LONG, **call)) == [shorten(LONG)] * 2


def test_the_deprecated_call_and_input_items_are_shortened_too() -> None:
    called = {"name": "f", "arguments": "{}", "id": LONG}
    legacy: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "function_call": called},
        {"role": "function", "name": "f", "content": "ok"},
    ]
    assert _sent(*legacy) == [shorten(LONG)] * 2
    item = {"type": "function_call_output", "call_id": LONG, "output": "ok"}
    request = to_responses_request({"model": "m", "input": [item]})
    assert request.parameters["input"] == [{**item, "call_id": shorten(LONG)}]


def test_what_comes_back_names_the_call_as_the_caller_does() -> None:
    request = to_responses_request({"model": "m", "messages": _pair(LONG)})
    call = {"type": "function_call", "call_id": shorten(LONG), "name": "f", "arguments": "{}"}
    made = to_chat_completion(Response.model_validate(response(call)), request)
    assert made.choices[0].message.tool_calls[0].id == LONG  # type: ignore[index]
    stream = ChatStream(request)
    chunks = [
        chunk
        for event in stream_of(response(call))
        for chunk in stream.feed(parse_event(json.dumps(event)))
    ]
    told = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert told[0].id == LONG


def test_an_error_names_the_call_as_the_caller_does() -> None:
    ids = CallIds()
    error = BadRequestError(f"No output for {ids.send(LONG)}.", status_code=400)
    ids.restore_error(error)
    assert error.message == f"No output for {LONG}."
    assert ids.restore(None) is None


@pytest.mark.parametrize("name", ["user", "safety_identifier", "prompt_cache_key"])
def test_other_names_that_are_bounded_are_sent_as_a_hash(name: str) -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "x"}], name: LONG}
    request = to_responses_request(chat)
    assert len(request.parameters[name]) <= LONGEST_ID
    assert name in request.warnings[0]
    assert to_responses_request(chat).parameters[name] == request.parameters[name]
    assert to_responses_request({**chat, name: "short"}).parameters[name] == "short"


def test_what_was_left_out_is_told_once() -> None:
    state = ConversionState(foreign_items=2, unreadable_items=3)
    state.summarize()
    assert [warning.split(" ")[0] for warning in state.warnings] == ["2", "3"]


def test_nothing_left_out_is_nothing_told() -> None:
    state = ConversionState()
    state.summarize()
    state.warn_of_unknown({"role": "user", "x": None, "y": [], "z": {}}, frozenset({"role"}), "p")
    assert state.warnings == []
