import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.types import (
    ChatCompletion,
    ChatCompletionAnnotation,
    ChatCompletionMessage,
    Response,
)

BODY: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "of_tomorrow": 1},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def test_a_completion_comes_back_unchanged() -> None:
    assert ChatCompletion.model_validate(BODY).to_dict() == BODY


def test_fields_read_by_name_known_and_unknown() -> None:
    message = ChatCompletion.model_validate(BODY)["choices"][0]["message"]
    assert (message["content"], message["of_tomorrow"], message["refusal"]) == ("Hi", 1, None)
    assert message.get("content") == "Hi"
    assert message.get("refusal", "none") == message.get("nonsense", "none") == "none"
    assert "of_tomorrow" in message
    assert "nonsense" not in message
    with pytest.raises(KeyError):
        message["nonsense"]


def test_a_message_spreads_like_a_dict() -> None:
    message = ChatCompletionMessage.model_validate(BODY["choices"][0]["message"])
    assert {**message}["of_tomorrow"] == 1
    assert dict(message)["role"] == "assistant"


def test_an_assembled_object_equals_a_validated_one() -> None:
    assembled = ChatCompletionMessage.assemble({"role": "assistant", "content": "Hi"})
    validated = ChatCompletionMessage.model_validate({"role": "assistant", "content": "Hi"})
    assert assembled == validated
    assert assembled.to_json() == validated.to_json()
    assert assembled.model_dump() == validated.model_dump()
    assembled.content = "changed"
    assert ChatCompletionMessage.assemble({}).content is None


def test_assembled_completions_copy_and_pickle() -> None:
    response = Response.model_validate({"id": "r"})
    response.attach({"X-Request-Id": "abc"}, lambda _: Decimal(2))
    completion = ChatCompletion.assemble({"id": "r", "choices": []})
    assert completion.request_id is None
    completion.take_headers(response)
    for twin in (pickle.loads(pickle.dumps(completion)), copy.deepcopy(completion), completion):
        assert (twin.request_id, twin.cost, twin.content_filters) == ("abc", 2, None)
        assert twin == completion


def test_headers_of_a_result_without_any_stay_empty() -> None:
    completion = ChatCompletion.assemble({"id": "r"})
    completion.take_headers(Response.model_validate({"id": "r"}))
    assert completion.headers == {}


def test_an_annotation_of_any_kind_parses() -> None:
    annotation = ChatCompletionAnnotation.model_validate({"type": "song", "song": {"bars": 3}})
    assert annotation["song"]["bars"] == 3
