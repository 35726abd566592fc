from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.call_items import (
    answer_id,
    drop_nulls,
    read_calls,
)
from azure_responses.bridge.chat_over_responses.history import History
from azure_responses.errors import ConfigurationError

FUNCTION = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _read(*calls: Any, **history: Any) -> tuple[list[dict[str, Any]], History]:
    state = History(**history)
    return read_calls({"tool_calls": list(calls)}, state, "messages[1]"), state


def test_function_and_custom_calls_go_back_as_what_they_were() -> None:
    custom = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
    items, history = _read({**FUNCTION, "namespace": "crm"}, custom)
    assert items == [
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "f",
            "arguments": "{}",
            "namespace": "crm",
        },
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
    ]
    answers = [history.calls[id].answer(history.calls[id].item, {}, "p") for id in ("c1", "c2")]
    assert [answer["type"] for answer in answers] == [
        "function_call_output",
        "custom_tool_call_output",
    ]


def test_an_answer_repeats_who_called() -> None:
    caller = {"type": "program", "caller_id": "p1"}
    _, history = _read({**FUNCTION, "caller": caller})
    call = history.calls["c1"]
    assert call.answer(call.item, {"content": "1"}, "p")["caller"] == caller


def test_a_call_that_carries_its_item_goes_back_as_that_item() -> None:
    item: Any = {"type": "apply_patch_call", "id": None, "call_id": "c1", "operation": {}}
    items, _ = _read({**FUNCTION, "item": item})
    assert items == [{"type": "apply_patch_call", "call_id": "c1", "operation": {}}]
    items, _ = _read({**FUNCTION, "item": {"type": "of tomorrow"}})
    assert items[0]["type"] == "function_call"


def test_a_call_without_its_item_is_rebuilt_if_its_tool_is_declared() -> None:
    shell = {"id": "c1", "function": {"name": "shell", "arguments": '{"commands": []}'}}
    assert _read(shell, stand_ins=frozenset({"shell"}))[0][0]["action"] == {"commands": []}
    assert _read(shell)[0][0]["type"] == "function_call"
    broken = {"id": "c1", "function": {"name": "shell", "arguments": "{"}}
    assert _read(broken, stand_ins=frozenset({"shell"}))[0][0]["action"] is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"type": "function", "function": {}}, "no id"),
        ({**FUNCTION, "id": ""}, "no id"),
        ({**FUNCTION, "type": "spell"}, "'spell'"),
        ({"id": "c1", "type": "function"}, "function is a NoneType"),
        ({"id": "c1", "type": "custom"}, "custom is a NoneType"),
    ],
)
def test_a_call_that_cannot_be_told_is_refused_by_its_place(call: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=r"messages\[1\]\.tool_calls\[0\]") as refused:
        _read(call)
    assert words in str(refused.value)


def test_missing_texts_are_empty() -> None:
    items, _ = _read({"id": "c1", "function": {}}, {"id": "c2", "type": "custom", "custom": {}})
    assert (items[0]["arguments"], items[1]["input"]) == ("", "")


def test_the_deprecated_call_gets_an_id_of_its_place() -> None:
    history = History()
    message = {"function_call": {"name": "f", "arguments": "{}"}}
    (item,) = read_calls(message, history, "messages[12]")
    assert item["call_id"] == "call_messages_12"
    assert history.open_functions == {"f": ["call_messages_12"]}


def test_nulls_go_where_they_mean_nothing() -> None:
    item = {"type": "image_generation_call", "result": None, "size": None}
    assert drop_nulls(item) == {"type": "image_generation_call", "result": None}


def test_an_answer_names_the_call_or_else_the_item() -> None:
    assert answer_id({"id": "i", "call_id": "c"}) == "c"
    assert answer_id({"id": "i"}) == "i"
