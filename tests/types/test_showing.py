import copy
import pickle
from typing import Any

import pytest

from azure_responses.types import ChatCompletion, Response

_USAGE = {"input_tokens": 11, "output_tokens": 31, "total_tokens": 42}
_CHAT_USAGE = {"prompt_tokens": 11, "completion_tokens": 31, "total_tokens": 42}


def _response(*parts: dict[str, Any], **fields: Any) -> Response:
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": list(parts)}
    body = {"id": "resp_1", "model": "gpt-5", "status": "completed", "output": [message]}
    return Response.model_validate(
        {**body, "usage": _USAGE, "instructions": "Long " * 900, **fields}
    )


def _completion(**message: Any) -> ChatCompletion:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    body = {"id": "resp_1", "model": "gpt-5", "choices": [choice], "usage": _CHAT_USAGE}
    return ChatCompletion.model_validate(body)


_TEXT = {"type": "output_text", "text": "Hello,\nworld."}


def test_a_response_shows_itself_on_one_short_line() -> None:
    assert repr(_response(_TEXT)) == (
        "Response(id='resp_1', model='gpt-5', status='completed', text='Hello, world.', "
        "total_tokens=42)"
    )


def test_a_completion_shows_itself_on_one_short_line() -> None:
    assert repr(_completion(content="Hello,\nworld.")) == (
        "ChatCompletion(id='resp_1', model='gpt-5', finish_reason='stop', text='Hello, world.', "
        "total_tokens=42)"
    )


def test_a_long_text_is_cut_after_eighty_characters() -> None:
    shown = repr(_response({"type": "output_text", "text": "word " * 5000}))
    assert len(shown) < 200
    assert shown.count("word") == 16
    assert "…" in shown


def test_a_response_without_text_shows_what_its_output_is() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    assert "output=['function_call']" in repr(_response(output=[call]))


@pytest.mark.parametrize("usage", [None, "many", 7])
def test_a_response_of_any_shape_can_be_shown(usage: Any) -> None:
    response = Response.model_validate({"id": "resp_1", "usage": usage})
    assert repr(response).startswith("Response(id='resp_1'")
    assert response._repr_markdown_() == "`resp_1`"


def test_a_refusal_is_shown_in_place_of_a_text() -> None:
    refusal = {"type": "refusal", "refusal": "I cannot help with that."}
    assert "I cannot help with that." in repr(_response(refusal))
    assert "I cannot help with that." in repr(_completion(refusal="I cannot help with that."))


def test_a_notebook_shows_the_answer_and_what_it_took() -> None:
    facts = "`resp_1` · gpt-5 · completed · 11 + 31 tokens"
    assert _response(_TEXT)._repr_markdown_() == f"Hello,\nworld.\n\n---\n\n{facts}"
    completion = _completion(content="**Hello**")
    assert completion._repr_markdown_() == "**Hello**\n\n---\n\n`resp_1` · gpt-5 · 11 + 31 tokens"


def test_a_completion_without_choices_can_be_shown() -> None:
    completion = ChatCompletion(id="resp_1")
    assert repr(completion).startswith("ChatCompletion(id='resp_1'")
    assert completion._repr_markdown_() == "`resp_1`"


def test_showing_changes_neither_dumps_nor_equality_nor_pickling() -> None:
    response = _response(_TEXT)
    assert response.model_dump()["instructions"] == "Long " * 900
    assert copy.deepcopy(response) == response == pickle.loads(pickle.dumps(response))
    assert response != _response(_TEXT, instructions="Short")


def test_print_still_shows_every_field() -> None:
    assert "instructions='Long Long" in str(_response(_TEXT))
    assert "object='chat.completion'" in str(_completion(content="Hello"))
