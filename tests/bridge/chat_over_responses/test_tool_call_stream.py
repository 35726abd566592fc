from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.tool_call_stream import ToolCallStream
from azure_responses.types import Response


def _item(**fields: Any) -> Any:
    return Response.model_validate({"id": "r", "output": [fields]}).output[0]


def _function(call_id: str = "c1", arguments: str = "") -> Any:
    return _item(type="function_call", call_id=call_id, name="f", arguments=arguments)


def _custom() -> Any:
    return _item(type="custom_tool_call", call_id="c1", name="g", input="")


SEARCH = _item(type="web_search_call", id="ws")


def test_what_is_no_call_or_has_begun_says_nothing() -> None:
    calls = ToolCallStream(False)
    assert calls.begin(0, SEARCH) == {}
    assert calls.begin(1, _function())
    assert calls.begin(1, _function()) == {}
    assert calls.add(5, "x") == {}
    assert calls.complete(5, "x") == {}
    assert len(calls) == 1


def test_an_end_that_contradicts_the_deltas_adds_nothing() -> None:
    calls = ToolCallStream(False)
    calls.begin(0, _function(arguments="abc"))
    assert calls.complete(0, "xyz") == {}
    assert calls.complete(0, "abc") == {}


def test_the_whole_arguments_may_come_with_the_call() -> None:
    calls = ToolCallStream(False)
    begun = calls.begin(0, _function(arguments='{"a":1}'))
    assert begun["tool_calls"][0].function.arguments == ""
    assert calls.so_far()[0].function.arguments == '{"a":1}'  # type: ignore[union-attr]
    rest = calls.finish(0, _function(arguments='{"a":1}'))
    assert rest["tool_calls"][0].function.arguments == '{"a":1}'


@pytest.mark.parametrize("given", ['{"a":1}', "{}", "null"])
def test_arguments_that_come_with_the_call_and_then_in_deltas_are_told_once(given: str) -> None:
    calls = ToolCallStream(False)
    calls.begin(0, _function(arguments=given))
    told = [calls.add(0, '{"a"'), calls.add(0, ":1}")]
    assert [each["tool_calls"][0].function.arguments for each in told] == ['{"a"', ":1}"]
    assert calls.finish(0, _function(arguments='{"a":1}')) == {}
    assert calls.so_far()[0].function.arguments == '{"a":1}'  # type: ignore[union-attr]


def test_a_call_of_another_kind_is_told_once_and_whole() -> None:
    item = _item(type="mcp_approval_request", id="m", server_label="s", name="n", arguments="{}")
    calls = ToolCallStream(False)
    assert calls.begin(0, item) == {}
    assert calls.complete(0, "{}") == {}
    assert calls.so_far() == []
    (told,) = calls.finish(0, item)["tool_calls"]
    assert (told.index, told.item["id"]) == (0, "m")
    assert calls.finish(0, item) == {}


def test_the_deprecated_call_has_no_index_and_the_rest_count_from_zero() -> None:
    calls = ToolCallStream(True)
    assert calls.begin(0, _function("c1")).keys() == {"function_call"}
    (second,) = calls.begin(1, _function("c2"))["tool_calls"]
    (third,) = calls.begin(2, _function("c3"))["tool_calls"]
    assert (second.index, third.index) == (0, 1)


def test_a_custom_call_cannot_be_a_deprecated_one() -> None:
    calls = ToolCallStream(True)
    (first,) = calls.begin(0, _custom())["tool_calls"]
    assert (first.index, first.type) == (0, "custom")
    (more,) = calls.add(0, "x")["tool_calls"]
    assert more.custom.input == "x"
    assert [call.custom["input"] for call in calls.so_far() if call.custom] == ["x"]
    assert not calls.has_function_call


def test_items_so_far_are_whole_items() -> None:
    shell = {"type": "exec", "command": ["ls"]}
    calls = ToolCallStream(False)
    calls.begin(0, _function("c1", arguments="{"))
    calls.begin(1, _item(type="local_shell_call", call_id="c2", action=shell))
    calls.add(0, "}")
    items = calls.items_so_far()
    assert items[0].arguments == "{}"
    assert items[1].action.command == ["ls"]
