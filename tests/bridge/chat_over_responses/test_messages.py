from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.conversion_state import ConversionState
from azure_responses.bridge.chat_over_responses.messages import read_items, read_messages
from azure_responses.errors import ConfigurationError


def _read(*messages: Any, **history: Any) -> tuple[list[dict[str, Any]], list[str]]:
    state = ConversionState(**history)
    return read_messages(list(messages), state), state.warnings


_CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
_OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "r"}
_SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}


def test_items_may_stand_among_messages() -> None:
    reasoning = {"type": "reasoning", "summary": [], "encrypted_content": "e"}
    items, warnings = _read({"role": "user", "content": "x"}, reasoning, _CALL, _OUTPUT)
    assert items[1:] == [reasoning, _CALL, _OUTPUT]
    assert warnings == []


def test_messages_of_chat_completions_may_stand_among_input_items() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = ConversionState()
    items = read_items(
        [
            _SAID,
            {"role": "user", "content": [{"type": "text", "text": "x"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
            {"role": "assistant", "content": None, "function_call": call["function"]},
            {"role": "function", "name": "f", "content": "r"},
            {"role": "user", "content": "x"},
            _CALL,
        ],
        history,
    )
    assert items[:4] == [_SAID, _SAID, _CALL, _OUTPUT]
    assert [item["type"] for item in items[4:6]] == ["function_call", "function_call_output"]
    assert items[6:] == [{"role": "user", "content": "x"}, _CALL]
    assert history.warnings == []


def test_instructions_stay_where_they_are_one_item_each() -> None:
    items, warnings = _read(
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": ""},
        {"role": "system", "content": "three"},
    )
    assert items == [
        {"type": "message", "role": "system", "content": "one"},
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "two"}],
        },
        {"type": "message", "role": "user", "content": ""},
        {"type": "message", "role": "system", "content": "three"},
    ]
    assert warnings == []


def test_a_name_stands_before_what_was_said() -> None:
    (item,), warnings = _read({"role": "user", "name": "Ann", "content": "Hi"})
    assert [part["text"] for part in item["content"]] == ["Ann: ", "Hi"]
    assert warnings == []


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("Hi", "messages is a str"),
        ({"role": "user", "content": "Hi"}, "messages is a dict"),
        (None, "messages is a NoneType"),
        ([{"role": "robot", "content": "Hi"}], "role is 'robot'"),
        ([{"content": "Hi"}], "role is None"),
        ([{"role": ["user"]}], "role is"),
        (["Hi"], r"messages\[0\] is a str"),
        ([{"role": "user", "content": None}], "content is missing"),
        ([{"role": "tool", "content": "1"}], "tool_call_id is missing"),
        ([{"role": "function", "name": "f", "content": "1"}], "no earlier message"),
    ],
)
def test_what_is_no_chat_is_refused(messages: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_messages(messages, ConversionState())


def test_fields_without_a_place_are_warned_of_and_empty_ones_are_not() -> None:
    _, warnings = _read({"role": "user", "content": "Hi", "mood": "good", "audio": None, "x": []})
    assert warnings == [
        "messages[0].mood was left out: the Responses API has no place for it.",
    ]


def test_results_of_the_deprecated_form_answer_their_calls_in_order() -> None:
    def call(arguments: str, **more: str) -> dict[str, Any]:
        function = {"name": "f", "arguments": arguments, **more}
        return {"role": "assistant", "content": None, "function_call": function}

    items, _ = _read(
        call("1"),
        {"role": "function", "name": "f", "content": "a"},
        call("2", id="call_given"),
        {"role": "function", "name": "f", "content": "b"},
    )
    assert [item["type"] for item in items] == ["function_call", "function_call_output"] * 2
    assert items[0]["call_id"] == items[1]["call_id"] != items[2]["call_id"]
    assert items[2]["call_id"] == items[3]["call_id"] == "call_given"
    assert (items[1]["output"], items[3]["output"]) == ("a", "b")


def test_a_result_may_answer_a_call_that_the_service_has_stored() -> None:
    items, _ = _read({"role": "tool", "tool_call_id": "c1", "content": None})
    assert items == [{"type": "function_call_output", "call_id": "c1", "output": ""}]


def test_messages_may_come_from_a_generator() -> None:
    history = ConversionState()
    messages = ({"role": "user", "content": text} for text in "ab")
    assert len(read_messages(messages, history)) == 2
