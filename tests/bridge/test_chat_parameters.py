"""What a typed chat completion sends to a deployment that does not speak Responses."""

import pytest
from pydantic import BaseModel

from azure_responses.bridge.native_chat import chat_parameters
from azure_responses.errors import ConfigurationError


class Answer(BaseModel):
    """A typed answer."""

    number: int


def test_a_generator_of_messages_is_read_once_and_none_is_left_out() -> None:
    messages = ({"role": "user", "content": text} for text in ("a", "b"))
    chat, warnings = chat_parameters(
        {"model": "kimi", "messages": messages, "tools": None, "seed": 1}, drops_params=False
    )
    assert chat["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    assert chat.keys() == {"model", "messages", "seed"}
    assert warnings == ()


def test_a_class_becomes_its_strict_schema() -> None:
    chat, _ = chat_parameters({"response_format": Answer}, drops_params=False)
    made = chat["response_format"]
    assert made["type"] == "json_schema"
    assert made["json_schema"]["name"] == "Answer"
    assert made["json_schema"]["strict"] is True
    assert made["json_schema"]["schema"]["properties"].keys() == {"number"}


def test_what_only_responses_have_is_refused_or_left_out() -> None:
    given = {"messages": [], "previous_response_id": "resp_1", "background": False}
    with pytest.raises(ConfigurationError, match="previous_response_id") as caught:
        chat_parameters(given, drops_params=False)
    assert caught.value.param == "previous_response_id"
    chat, warnings = chat_parameters(given, drops_params=True)
    assert chat == {"messages": []}
    assert len(warnings) == 1
