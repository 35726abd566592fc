"""A conversation of several turns keeps everything that Claude needs to see again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.input_items import COMPACTED
from azure_responses.errors import BadRequestError
from tests.bridge.responses_over_messages.cases import (
    ADAPTIVE,
    BUDGET,
    SEALER,
    check,
    events_of,
    make,
    message,
    sse,
    streamed,
    told,
    written,
)

_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}},
    {"type": "custom", "name": "patch"},
    {"type": "shell"},
    {"type": "local_shell"},
    {"type": "apply_patch"},
    {"type": "computer"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
]


def _own_calls(number: int) -> list[dict[str, Any]]:
    """Calls of the tools that are functions with fixed schemas."""
    given: dict[str, dict[str, Any]] = {
        "shell": {"timeout_ms": 5, "commands": ["ls"]},
        "local_shell": {"working_directory": "/", "command": ["ls", "-l"]},
        "apply_patch": {"path": "a.py", "type": "update_file", "diff": "@@\n-1\n+2"},
        "computer": {"actions": [{"type": "click", "x": 1, "y": 2}]},
    }
    return [
        {"type": "tool_use", "id": f"toolu_{number}{name}", "name": name, "input": given[name]}
        for name in given
    ]


def _turn(number: int) -> dict[str, Any]:
    """A reply that thinks between its parallel calls."""
    return message(
        {"type": "thinking", "thinking": f"first {number}", "signature": f"sig-{number}-a"},
        {"type": "redacted_thinking", "data": f"data-{number}"},
        f"Turn {number}.",
        {"type": "tool_use", "id": f"toolu_{number}a", "name": "weather", "input": {"n": number}},
        {"type": "thinking", "thinking": "", "signature": f"sig-{number}-b"},
        {"type": "tool_use", "id": f"toolu_{number}b", "name": "patch", "input": {"input": "+é"}},
        {"type": "tool_use", "id": f"toolu_{number}c", "name": "crm__find", "input": {}},
        *_own_calls(number),
        reason="tool_use",
    )


def _answers(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    calls = [item for item in output if item["type"].endswith("_call")]
    said = {"shell_call": [{"stdout": "ok"}], "computer_call": {"image_url": "https://x.example"}}
    return [
        {
            "type": f"{call['type']}_output",
            "call_id": call["call_id"],
            "output": said.get(call["type"], "ok"),
        }
        for call in reversed(calls)
    ]


@pytest.mark.parametrize("deployment", [ADAPTIVE, BUDGET])
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_five_turns_of_parallel_calls_keep_every_block_in_its_place(
    deployment: str, streams: bool, stored: bool
) -> None:
    items: list[dict[str, Any]] = [{"role": "user", "content": "Go."}]
    history: list[dict[str, Any]] = []
    for number in range(5):
        parameters = {"input": items, "tools": _TOOLS, "reasoning": {"effort": "high"}}
        conversion = make(parameters, deployment)
        body = conversion.write(history)
        check(body)
        assert conversion.warnings == ()
        assert body["thinking"]["type"] in ("adaptive", "enabled")
        turns = [one["content"] for one in body["messages"] if one["role"] == "assistant"]
        # As text: in another order of fields Claude would not find it in its cache.
        expected = [_turn(earlier)["content"] for earlier in range(number)]
        assert json.dumps(turns) == json.dumps(expected)
        if streams:
            state = conversion.stream()
            state.receive(sse(streamed(_turn(number))))
            assert state.final is not None
            output = state.final["output"]
        else:
            output = conversion.read(_turn(number))["output"]
        if stored:
            history += [*conversion.input_items, *output]
            items = _answers(output)
        else:
            items = [*items, *output, *_answers(output)]


def test_what_the_caller_sent_is_listed_with_ids() -> None:
    conversion = make({"input": "Hello"})
    conversion.write()
    assert [(item["type"], item["role"]) for item in conversion.input_items] == [
        ("message", "user")
    ]
    assert conversion.input_items[0]["id"].startswith("msg_")


def test_a_compaction_is_what_it_stands_for() -> None:
    hidden = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "old"}]}
    ]
    sealed = SEALER.seal(COMPACTED, {"items": hidden})
    items = [
        {"type": "compaction", "encrypted_content": sealed},
        {"role": "user", "content": "new"},
    ]
    assert [block["text"] for block in told(items)[0]["content"]] == ["old", "new"]
    with pytest.raises(BadRequestError, match="could not be verified"):
        told([{"type": "compaction", "encrypted_content": "gAAAA"}])


def _exchange(number: int) -> list[dict[str, Any]]:
    call = {"call_id": f"c{number}", "name": "weather", "arguments": "{}"}
    return [
        {"role": "user", "content": f"question {number}"},
        {"type": "function_call", **call},
        {"type": "function_call_output", "call_id": call["call_id"], "output": "18"},
        {"role": "assistant", "content": f"answer {number}"},
    ]


def test_a_request_that_was_too_long_loses_its_oldest_turns() -> None:
    items = [item for number in range(4) for item in _exchange(number)]
    items.append({"role": "user", "content": "last"})
    conversion = make({"input": items, "truncation": "auto", "instructions": "Be brief."})
    body = conversion.write()
    shortened = conversion.shortened("prompt is too long: 200000 tokens > 100000 maximum")
    assert shortened is not None
    assert shortened["system"] == body["system"]
    assert 1 <= len(shortened["messages"]) < len(body["messages"])
    assert shortened["messages"][0]["content"][0]["text"].startswith("question")
    check(shortened)
    while (shorter := conversion.shortened()) is not None:
        shortened = shorter
    assert [block["text"] for block in shortened["messages"][0]["content"]] == ["last"]


def test_nothing_is_shortened_that_the_caller_wants_whole() -> None:
    for parameters in ({}, {"truncation": "disabled"}, {"truncation": "auto"}):
        conversion = make(parameters)
        conversion.write()
        assert conversion.shortened() is None


_ITEM = st.one_of(
    st.sampled_from(
        [
            {"role": "user", "content": "u"},
            {"role": "assistant", "content": "a"},
            {"role": "developer", "content": "d"},
            {"role": "user", "content": ""},
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "web_search_call", "action": {"query": "q"}},
        ]
    ),
    st.integers(0, 4).map(lambda number: {"type": "function_call", "number": number}),
    st.integers(0, 4).map(
        lambda number: {
            "type": "reasoning",
            "summary": [],
            "encrypted_content": SEALER.seal(
                "claude",
                {"block": {"type": "thinking", "thinking": str(number), "signature": "s"}},
            ),
        }
    ),
)


def _with_outputs(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each call with an id and an output, which comes some items later."""
    made: list[dict[str, Any]] = []
    due: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        if item.get("type") == "function_call":
            call_id = f"call_{place}"
            made.append({"type": "function_call", "call_id": call_id, "name": "f", "arguments": ""})
            due.append({"type": "function_call_output", "call_id": call_id, "output": "o"})
        else:
            made.append(item)
        if place % 3 == 2:
            made += due
            due = []
    return [*made, *due]


@given(st.lists(_ITEM, max_size=14))
def test_every_conversation_alternates_and_answers_its_calls(items: list[dict[str, Any]]) -> None:
    conversion = make({"input": [*_with_outputs(items), {"role": "user", "content": "end"}]})
    body = conversion.write()
    check(body)
    roles = [one["role"] for one in body["messages"]]
    assert roles == [("user", "assistant")[place % 2] for place in range(len(roles))]
    calls: list[str] = []
    for one in body["messages"]:
        assert one["content"]
        results = [
            block["tool_use_id"] for block in one["content"] if block["type"] == "tool_result"
        ]
        assert results == calls
        kinds = [block["type"] == "tool_result" for block in one["content"]]
        assert kinds == sorted(kinds, reverse=True)
        calls = [block["id"] for block in one["content"] if block["type"] == "tool_use"]
    assert calls == []


def test_the_response_repeats_the_request() -> None:
    parameters = {"model": "claude", "tools": _TOOLS, "temperature": 0.5, "store": False}
    conversion = make(parameters)
    conversion.write()
    events = events_of(conversion.stream().receive(sse(streamed(message("Hi")))))
    for response in (events[0]["response"], events[-1]["response"], conversion.read(message("Hi"))):
        assert response["temperature"] == 0.5
        assert response["store"] is False
        assert [tool["type"] for tool in response["tools"]] == [tool["type"] for tool in _TOOLS]


def test_a_namespace_is_restored_from_what_is_sent() -> None:
    body = written({"tools": _TOOLS})
    assert [tool["name"] for tool in body["tools"]] == [
        "weather",
        "patch",
        "shell",
        "local_shell",
        "apply_patch",
        "computer",
        "crm__find",
    ]
