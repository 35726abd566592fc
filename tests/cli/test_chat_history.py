"""What the next call of a conversation sends, and how it is saved."""

import json
from decimal import Decimal
from typing import Any

from azure_responses.cli.chat_history import ChatHistory, ChatTurn
from azure_responses.types.response import Response


def _response(text: str, response_id: str = "resp_1", **reasoning: Any) -> Response:
    message = {
        "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }  # fmt: skip
    thoughts = [{"type": "reasoning", "id": "rs_1", "summary": [], **reasoning}]
    output = [*(thoughts if reasoning else []), message]
    return Response.model_validate(
        {
            "id": response_id,
            "status": "completed",
            "output": output,
            "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        }
    )


def _said(prompt: str) -> dict[str, str]:
    return {"role": "user", "content": prompt}


def test_the_first_call_sends_the_prompt_alone() -> None:
    parameters = ChatHistory("Be brief.", max_output_tokens=20, model="m").parameters("hi")
    assert parameters == {
        "model": "m",
        "instructions": "Be brief.",
        "max_output_tokens": 20,
        "input": [_said("hi")],
        "previous_response_id": None,
    }


def test_a_stored_conversation_names_the_last_response() -> None:
    conversation = ChatHistory()
    conversation.add(ChatTurn("a", "b", response=_response("b", "resp_a")))
    conversation.add(ChatTurn("c", "d", response=_response("d", "resp_c")))
    parameters = conversation.parameters("e")
    assert parameters["previous_response_id"] == "resp_c"
    assert parameters["input"] == [_said("e")]


def test_what_was_stopped_since_is_sent_as_text() -> None:
    conversation = ChatHistory()
    conversation.add(ChatTurn("a", "b", response=_response("b", "resp_a")))
    conversation.add(ChatTurn("c", "half"))
    conversation.add(ChatTurn("d", ""))
    parameters = conversation.parameters("e")
    assert parameters["previous_response_id"] == "resp_a"
    assert parameters["input"] == [
        _said("c"),
        {"role": "assistant", "content": "half"},
        _said("d"),
        _said("e"),
    ]


def test_what_the_service_has_lost_is_sent_as_text_once() -> None:
    conversation = ChatHistory()
    assert not conversation.forget_stored()
    conversation.add(ChatTurn("a", "b", response=_response("b")))
    assert conversation.forget_stored()
    assert not conversation.forget_stored()
    parameters = conversation.parameters("c")
    assert "previous_response_id" not in parameters
    assert [message["content"] for message in parameters["input"]] == ["a", "b", "c"]
    conversation.add(ChatTurn("c", "stopped"))
    assert "previous_response_id" not in conversation.parameters("d")
    conversation.add(ChatTurn("d", "e", response=_response("e", "resp_d")))
    assert conversation.parameters("f")["previous_response_id"] == "resp_d"


def test_without_storing_every_item_is_sent_again() -> None:
    conversation = ChatHistory(is_stored=False)
    response = _response("b", encrypted_content="sealed")
    conversation.add(ChatTurn("a", "b", response=response))
    conversation.add(ChatTurn("c", "half"))
    parameters = conversation.parameters("d")
    assert parameters["store"] is False
    assert parameters["include"] == ["reasoning.encrypted_content"]
    assert parameters["input"] == [
        _said("a"),
        *response.output,
        _said("c"),
        {"role": "assistant", "content": "half"},
        _said("d"),
    ]
    assert not conversation.forget_stored()


def test_reasoning_that_only_its_id_stands_for_is_not_sent_again() -> None:
    conversation = ChatHistory(is_stored=False)
    conversation.encrypts = False
    conversation.add(ChatTurn("a", "b", response=_response("b", encrypted_content=None)))
    parameters = conversation.parameters("c")
    assert parameters["include"] is None
    assert [getattr(item, "type", "user") for item in parameters["input"]] == [
        "user",
        "message",
        "user",
    ]


def test_a_cleared_conversation_begins_anew() -> None:
    conversation = ChatHistory()
    conversation.add(ChatTurn("a", "b", response=_response("b")))
    conversation.clear()
    assert conversation.parameters("c")["previous_response_id"] is None


def test_a_conversation_is_saved_as_json_with_what_it_cost() -> None:
    conversation = ChatHistory("Be brief.")
    response = _response("b")
    response.attach({}, lambda _: Decimal("0.5"))
    conversation.add(ChatTurn("ä", "b", "gpt", response))
    conversation.add(ChatTurn("c", ""))
    bare = Response(id="resp_2")
    conversation.add(ChatTurn("d", "e", None, bare))
    text = conversation.to_json()
    assert "ä" in text
    saved = json.loads(text)
    assert saved["instructions"] == "Be brief."
    assert saved["turns"] == [
        {
            "user": "ä", "assistant": "b", "model": "gpt", "status": "completed",
            "response_id": "resp_1", "cost": "0.5",
            "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        },
        {"user": "c", "assistant": "", "model": None, "status": "stopped"},
        {
            "user": "d", "assistant": "e", "model": None, "status": None,
            "response_id": "resp_2", "usage": None, "cost": None,
        },
    ]  # fmt: skip


def test_a_conversation_is_saved_as_markdown_to_read() -> None:
    conversation = ChatHistory()
    conversation.add(ChatTurn("a", "b", "gpt"))
    conversation.add(ChatTurn("c", ""))
    assert conversation.to_markdown() == (
        "## You\n\na\n\n## gpt\n\nb\n\n## You\n\nc\n\n## Model\n\n(no text)\n"
    )
