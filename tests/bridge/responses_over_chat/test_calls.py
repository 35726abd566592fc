"""Tool calls of chat replies as call items, Codex's kinds among them."""

import json
from typing import Any

import pytest

from .cases import chunk, completion, read, stream

_FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
_GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
_TOOLS = [
    _FUNCTION,
    {"type": "custom", "name": "apply", "format": _GRAMMAR},
    {"type": "namespace", "name": "crm", "tools": [_FUNCTION]},
    {"type": "shell"},
    {"type": "local_shell"},
    {"type": "apply_patch"},
    {"type": "computer"},
    {"type": "tool_search", "execution": "client"},
]
_ASKED: dict[str, Any] = {"tools": _TOOLS}


def _piece(index: int, text: str, name: str | None = None, call_id: str | None = None) -> Any:
    function = {"arguments": text} if name is None else {"name": name, "arguments": text}
    piece = {"index": index, "function": function}
    return piece if call_id is None else {**piece, "id": call_id, "type": "function"}


def _calls(*pieces: Any, reason: str = "tool_calls", **how: Any) -> list[dict[str, Any]]:
    chunks = [chunk(tool_calls=[piece]) for piece in pieces]
    return stream([*chunks, chunk(reason)], how.pop("parameters", _ASKED), **how)


def _output(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = events[-1]["response"]["output"]
    return output


def _kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events[2:-1]]


def test_a_function_call_comes_in_the_order_of_the_api() -> None:
    events = _calls(_piece(0, "", "f", "c1"), _piece(0, '{"a"'), _piece(0, ":1}"))
    assert _kinds(events) == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert events[2]["item"] == {
        "id": "fc_3",
        "type": "function_call",
        "call_id": "c1",
        "name": "f",
        "arguments": "",
        "status": "in_progress",
    }
    assert events[5]["arguments"] == '{"a":1}'
    assert events[6]["item"] == {
        **events[2]["item"],
        "arguments": '{"a":1}',
        "status": "completed",
    }


def test_parallel_calls_may_alternate_and_keep_their_places() -> None:
    events = _calls(
        _piece(0, '{"a"', "f", "c1"),
        _piece(1, '{"b"', "f", "c2"),
        _piece(0, ":1}"),
        _piece(1, ":2}"),
    )
    first, second = _output(events)
    assert (first["call_id"], first["arguments"]) == ("c1", '{"a":1}')
    assert (second["call_id"], second["arguments"]) == ("c2", '{"b":2}')
    deltas = [event for event in events if event["type"].endswith("arguments.delta")]
    assert [event["output_index"] for event in deltas] == [0, 1, 0, 1]


def test_a_call_that_is_complete_is_closed_when_the_next_one_begins() -> None:
    events = _calls(_piece(0, "{}", "f", "c1"), _piece(1, "{}", "f", "c2"), _piece(0, " "))
    done = [event["output_index"] for event in events if event["type"].endswith("item.done")]
    added = [event["type"] for event in events].index("response.output_item.done")
    assert done == [0, 1]
    assert events[added + 1]["type"] == "response.output_item.added"


def test_text_after_a_call_is_a_second_message() -> None:
    chunks = [
        chunk(content="One"),
        chunk(tool_calls=[_piece(0, "{}", "f", "c1")]),
        chunk(content="Two"),
        chunk(reasoning_content="Hm"),
        chunk("stop"),
    ]
    output = _output(stream(chunks, _ASKED))
    assert [item["type"] for item in output] == [
        "message",
        "function_call",
        "message",
        "reasoning",
    ]
    assert output[2]["content"][0]["text"] == "Two"


def test_a_missing_id_is_made_and_stays_the_same() -> None:
    events = _calls(_piece(0, "{", "f"), _piece(0, "}"), _piece(1, "{}", "f"))
    ids = [event["item"]["call_id"] for event in events if "item" in event]
    assert [call_id.startswith("call_") for call_id in ids] == [True] * 4
    assert len(set(ids)) == 2
    (item,) = read(completion({"tool_calls": [{"function": {"name": "f"}}]}), _ASKED)["output"]
    assert item["call_id"].startswith("call_")
    assert item["arguments"] == "{}"


@pytest.mark.parametrize("index", [0, None])
def test_calls_that_are_not_numbered_are_told_apart_by_their_ids(index: int | None) -> None:
    pieces = [_piece(0, "{", "f", "c1"), _piece(0, "}"), _piece(0, "{}", "f", "c2")]
    if index is None:
        pieces = [{name: piece[name] for name in piece if name != "index"} for piece in pieces]
    assert [(item["call_id"], item["arguments"]) for item in _output(_calls(*pieces))] == [
        ("c1", "{}"),
        ("c2", "{}"),
    ]


def test_a_server_that_repeats_id_and_name_makes_one_call() -> None:
    pieces = [_piece(0, "{", "f", "c1"), _piece(0, "}", "f", "c1"), _piece(0, "", None, "other")]
    (item,) = _output(_calls(*pieces))
    assert item["arguments"] == "{}"


def test_arguments_may_come_before_the_name_and_as_an_object() -> None:
    late = [{"index": 0, "id": "c1", "function": {"arguments": "{"}}, _piece(0, "}", "f")]
    assert _output(_calls(*late))[0]["arguments"] == "{}"
    call = {"id": "c1", "function": {"name": "f", "arguments": {"a": "ä"}}}
    (item,) = read(completion({"tool_calls": [call]}), _ASKED)["output"]
    assert item["arguments"] == '{"a":"ä"}'


def test_a_call_without_a_name_is_not_lost() -> None:
    (item,) = _output(_calls({"index": 0, "id": "c1", "function": {"arguments": "{}"}}))
    assert (item["name"], item["arguments"]) == ("", "{}")


def test_the_deprecated_function_call_is_read() -> None:
    chunks = [
        chunk(function_call={"name": "f", "arguments": '{"a"'}),
        chunk("function_call", function_call={"arguments": ":1}"}),
    ]
    streamed = _output(stream(chunks, _ASKED))
    message = {"function_call": {"name": "f", "arguments": '{"a":1}'}}
    assert read(completion(message, "function_call"), _ASKED)["output"] == streamed
    assert streamed[0]["call_id"].startswith("call_")


def test_a_namespace_is_restored() -> None:
    (item,) = _output(_calls(_piece(0, "{}", "crm__f", "c1")))
    assert (item["name"], item["namespace"]) == ("f", "crm")


@pytest.mark.parametrize("text", ['*** Begin Patch\n+"ä😀"\\ \t/\n*** End Patch', "", "\\u00"])
def test_the_input_of_a_custom_tool_streams_out_of_its_json(text: str) -> None:
    arguments = json.dumps({"input": text})
    pieces = [_piece(0, "", "apply", "c1"), *(_piece(0, character) for character in arguments)]
    events = _calls(*pieces)
    deltas = [event["delta"] for event in events if event["type"].endswith("input.delta")]
    assert "".join(deltas) == text
    # Piece by piece, and not all at the end.
    assert len(deltas) > len(text) - 2
    assert events[-3]["type"] == "response.custom_tool_call_input.done"
    (item,) = _output(events)
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply", text)
    call = {"id": "c1", "function": {"name": "apply", "arguments": arguments}}
    assert read(completion({"tool_calls": [call]}), _ASKED)["output"] == [item]


def test_arguments_that_are_no_json_are_the_input_themselves() -> None:
    (item,) = _output(_calls(_piece(0, "*** Begin", "apply", "c1"), _piece(0, " Patch")))
    assert item["input"] == "*** Begin Patch"


def test_a_custom_call_is_closed_when_its_text_ends() -> None:
    events = _calls(_piece(0, '{"input":"x"}', "apply", "c1"), _piece(1, "{}", "f", "c2"))
    assert _kinds(events)[3:5] == ["output_item.done", "output_item.added"]


def test_native_custom_calls_are_read() -> None:
    pieces = [
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "apply", "input": "{"}},
        {"index": 1, "id": "c2", "type": "custom", "custom": {"name": "apply", "input": ""}},
        {"index": 0, "custom": {"input": "}"}},
    ]
    first, second = _output(_calls(*pieces, deployment="gpt-5"))
    assert (first["type"], first["input"], second["input"]) == ("custom_tool_call", "{}", "")


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        (
            "shell",
            {"commands": ["ls"], "timeout_ms": 5},
            {
                "type": "shell_call",
                "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
                "environment": {"type": "local"},
            },
        ),
        (
            "apply_patch",
            {"type": "delete_file", "path": "a"},
            {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
        ),
        (
            "local_shell",
            {"command": ["ls"]},
            {
                "type": "local_shell_call",
                "action": {"type": "exec", "env": {}, "command": ["ls"]},
            },
        ),
        (
            "tool_search",
            {"query": "crm"},
            {
                "type": "tool_search_call",
                "arguments": {"query": "crm"},
                "execution": "client",
            },
        ),
    ],
)
def test_codexs_tools_come_back_as_their_own_items(
    name: str, arguments: Any, expected: dict[str, Any]
) -> None:
    text = json.dumps(arguments)
    events = _calls(_piece(0, text[:9], name, "c1"), _piece(0, text[9:]))
    assert _kinds(events) == ["output_item.added", "output_item.done"]
    (item,) = _output(events)
    assert item == {"id": item["id"], "call_id": "c1", "status": "completed", **expected}
    call = {"id": "c1", "function": {"name": name, "arguments": text}}
    assert read(completion({"tool_calls": [call]}), _ASKED)["output"] == [item]


def test_a_shell_call_that_cannot_be_read_stays_the_call_of_a_function() -> None:
    events = _calls(_piece(0, '{"commands":', "shell", "c1"), reason="length")
    (item,) = _output(events)
    assert (item["type"], item["arguments"]) == ("function_call", '{"commands":')
    assert item["status"] == "incomplete"
    assert _kinds(events)[0] == "output_item.added"


def test_a_shell_call_keeps_its_place_among_parallel_calls() -> None:
    events = _calls(
        _piece(0, '{"comm', "shell", "c1"),
        _piece(1, "{}", "f", "c2"),
        _piece(0, 'ands":["ls"]}'),
    )
    assert [item["type"] for item in _output(events)] == ["shell_call", "function_call"]
    added = [event["output_index"] for event in events if event["type"].endswith("item.added")]
    assert added == [1, 0]


def test_a_call_that_was_cut_is_incomplete() -> None:
    first, second = _output(
        _calls(_piece(0, "{}", "f", "c1"), _piece(1, '{"a', "f", "c2"), reason="length")
    )
    assert (first["status"], second["status"]) == ("completed", "incomplete")
