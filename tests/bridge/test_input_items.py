"""The input of a request as items with ids."""

from itertools import count
from typing import Any

import pytest

from azure_responses.bridge.input_items import read_input
from azure_responses.errors import BadRequestError


def _read(**parameters: Any) -> list[dict[str, Any]]:
    numbers = count(1)
    return read_input(parameters, lambda prefix: f"{prefix}{next(numbers)}")


def test_text_becomes_a_message() -> None:
    assert _read(input="Hi") == [
        {
            "id": "msg_1",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": "Hi"}],
        }
    ]


def test_a_follow_up_may_have_no_input() -> None:
    assert _read(previous_response_id="resp_1") == []
    with pytest.raises(BadRequestError, match="Missing required parameter: 'input'"):
        _read()


def test_items_keep_what_they_have() -> None:
    given = [
        {"role": "assistant", "content": "Hi", "id": "mine", "status": "incomplete"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": None},
        {"type": "of_tomorrow", "x": 1},
    ]
    message, call, other = _read(input=given)
    assert (message["id"], message["status"]) == ("mine", "incomplete")
    assert message["content"] == [{"type": "output_text", "text": "Hi"}]
    assert (call["id"], call["call_id"]) == ("fc_1", "c")
    assert other == {"type": "of_tomorrow", "x": 1, "id": "item_2"}


@pytest.mark.parametrize(
    ("given", "message", "param"),
    [
        (3, "expected one of a string or an array of input items, but got a number", "input"),
        ({"a": 1}, "but got an object instead", "input"),
        (["a"], r"expected an input item, but got a string", "input[0]"),
        ([None], "but got null", "input[0]"),
        ([{"role": "user", "content": True}], "but got a boolean", "input[0].content"),
        ([{"role": "user", "content": [[]]}], "got an array", "input[0].content[0]"),
        ([{"role": "user"}], "Missing required parameter", "input[0].content"),
        ([{"role": "tool", "content": "a"}], "Invalid value: 'tool'", "input[0].role"),
        ([{"type": "message", "content": "a"}], "Invalid value: 'None'", "input[0].role"),
        ([{"type": "item_reference"}], "Missing required parameter", "input[0].id"),
        ([{}], "Missing required parameter", "input[0].id"),
    ],
)
def test_invalid_input_is_refused_in_the_words_of_the_service(
    given: Any, message: str, param: str
) -> None:
    with pytest.raises(BadRequestError, match=message) as caught:
        _read(input=given)
    assert caught.value.param == param
