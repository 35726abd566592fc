"""What does not fit its class is read as far as it can be."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from azure_responses.types import (
    FunctionCall,
    Model,
    OutputItem,
    OutputMessage,
    OutputPart,
    OutputText,
    ReasoningItem,
    Refusal,
    Response,
    Usage,
)
from azure_responses.types.mending import mend, type_of

TEXT = {"type": "output_text", "text": "a", "annotations": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": [TEXT]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
ITEM: TypeAdapter[Any] = TypeAdapter(OutputItem)
PART: TypeAdapter[Any] = TypeAdapter(OutputPart)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({**MESSAGE, "id": None}, OutputMessage),
        ({**MESSAGE, "role": 5, "status": [], "phase": {}}, OutputMessage),
        ({**MESSAGE, "type": None}, OutputMessage),
        ({**MESSAGE, "content": "a"}, OutputMessage),
        ({**MESSAGE, "content": TEXT}, OutputMessage),
        ({**MESSAGE, "content": [TEXT, 7]}, OutputMessage),
        ({**CALL, "id": 7, "caller": "x", "async": "perhaps"}, FunctionCall),
        ({**CALL, "arguments": {"a": "ä"}}, FunctionCall),
        ({"type": "reasoning", "id": "rs_1", "summary": None}, ReasoningItem),
        ({"type": "reasoning"}, ReasoningItem),
    ],
)
def test_an_item_is_read_but_for_the_field_that_is_odd(sent: Any, kind: type[Model]) -> None:
    item = ITEM.validate_json(json.dumps(sent))
    assert type(item) is kind
    assert item.to_dict() == sent
    assert json.loads(item.to_json()) == sent
    if isinstance(item, OutputMessage):
        assert item.text == "a"


def test_a_field_that_does_not_fit_has_its_default_and_what_arrived_is_kept_beside_it() -> None:
    message = ITEM.validate_python({**MESSAGE, "status": 5, "id": None})
    assert (message.status, message.id) == (None, "")
    assert message.model_extra == {"status": 5, "id": None}
    assert message.model_dump()["status"] == 5


def test_arguments_that_are_an_object_are_their_json() -> None:
    assert ITEM.validate_python({**CALL, "arguments": {"a": "ä"}}).arguments == '{"a": "ä"}'


@pytest.mark.parametrize(
    "sent",
    [
        {**MESSAGE, "content": None},
        {**CALL, "arguments": None},
        {**CALL, "name": 7},
        {"type": None, "id": "x"},
        {"type": None, "content": [TEXT]},
        {"type": "function_call"},
    ],
)
def test_an_item_that_is_nothing_without_the_field_stays_unknown(sent: Any) -> None:
    item = ITEM.validate_python(sent)
    assert type(item).__name__ == "UnknownItem"
    assert item.to_dict() == sent


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({**TEXT, "annotations": "x", "logprobs": 7}, OutputText),
        ({"text": "a"}, OutputText),
        ({"type": 7, "refusal": "no"}, Refusal),
    ],
)
def test_a_part_is_read_too(sent: Any, kind: type[Model]) -> None:
    part = PART.validate_python(sent)
    assert type(part) is kind
    assert part.to_dict() == sent


def test_lists_are_read_object_by_object() -> None:
    tokens = [{"token": "a", "bytes": "x"}, {"token": "b", "bytes": [98]}, "c"]
    part = PART.validate_python({**TEXT, "logprobs": tokens})
    assert [token.token for token in part.logprobs] == ["a", "b"]
    assert part.to_dict()["logprobs"] == tokens


def test_settings_are_read_field_by_field_or_kept_as_they_came() -> None:
    sent = {"id": "r", "usage": {"input_tokens": None, "total_tokens": 3}, "reasoning": "much"}
    response = Response.model_validate(sent)
    assert isinstance(response.usage, Usage)
    assert (response.usage.input_tokens, response.usage.total_tokens) == (0, 3)
    assert response.model_dump()["reasoning"] == "much"
    assert response.to_dict() == sent


@pytest.mark.parametrize("value", [None, 7, "text", [], ["x"]])
def test_what_is_no_object_is_not_mended(value: Any) -> None:
    assert mend(Response, value) is None


def test_what_cannot_be_put_together_again_is_not_mended() -> None:
    assert mend(OutputText, {"type": "output_text"}) is None
    assert mend(OutputMessage, MESSAGE, {"content": 7}) is not None
    assert mend(OutputMessage, {"type": "message"}, {"content": 7}) is None


def test_a_stand_in_is_for_one_object() -> None:
    assert mend(OutputText, {"type": "output_text"}, {"text": "b"}) == OutputText(
        type="output_text", text="b"
    )


def test_the_type_of_a_class_is_its_word() -> None:
    assert type_of(OutputText) == "output_text"
