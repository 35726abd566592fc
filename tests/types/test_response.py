import json
from typing import Any

import pytest

from azure_responses.types import (
    CompactedResponse,
    CompactionItem,
    ContentFilter,
    InputItemList,
    InputMessage,
    InputTokenCount,
    JsonSchemaFormat,
    OutputMessage,
    Response,
    ResponseError,
)


def _message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": list(parts)}


def _response(*items: dict[str, Any], **fields: Any) -> Response:
    return Response.model_validate({"id": "resp_1", "output": list(items), **fields})


TEXT = {"type": "output_text", "text": "Hello", "annotations": []}
MORE = {"type": "output_text", "text": ", world"}
REFUSAL = {"type": "refusal", "refusal": "I cannot help with that."}


def test_output_text_joins_every_message() -> None:
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "x"}],
    }
    assert _response(reasoning, _message(TEXT), _message(MORE)).output_text == "Hello, world"
    assert _response().output_text == ""


def test_output_text_leaves_out_what_is_not_text() -> None:
    assert _response(_message(REFUSAL, TEXT, {"type": "hologram"})).output_text == "Hello"


def test_a_message_knows_its_own_text() -> None:
    message = _response(_message(TEXT, REFUSAL, MORE)).output[0]
    assert isinstance(message, OutputMessage)
    assert message.text == "Hello, world"


def test_refusal_is_none_unless_the_model_refused() -> None:
    assert _response(_message(TEXT)).refusal is None
    assert _response(_message(REFUSAL)).refusal == "I cannot help with that."


def test_an_output_that_is_not_there_is_empty() -> None:
    response = Response.model_validate({"id": "resp_1"})
    assert response.output == []
    assert response.to_dict() == {"id": "resp_1"}


def test_a_failure_names_its_code() -> None:
    failed = _response(status="failed", error={"code": "server_error", "message": "Sorry"})
    assert isinstance(failed.error, ResponseError)
    assert failed.error.code == "server_error"


def test_filters_of_azure_are_typed_and_partial() -> None:
    verdict = {
        "blocked": False,
        "source_type": "completion",
        "content_filter_raw": [],
        "content_filter_results": {
            "hate": {"filtered": False, "severity": "safe"},
            "protected_material_code": {
                "filtered": False,
                "detected": True,
                "citation": {"license": "MIT", "URL": "https://github.com/a/b"},
            },
            "custom_blocklists": {"filtered": True, "details": [{"id": "b", "filtered": True}]},
            "mind_reading": {"filtered": False},
        },
        "content_filter_offsets": {"start_offset": 0, "end_offset": 1153, "check_offset": 0},
    }
    response = _response(content_filters=[verdict])
    assert response.content_filters is not None
    (entry,) = response.content_filters
    assert isinstance(entry, ContentFilter)
    results = entry.content_filter_results
    assert results is not None
    assert results.hate is not None
    assert results.hate.severity == "safe"
    assert results.jailbreak is None
    assert results.protected_material_code is not None
    assert results.protected_material_code.citation is not None
    assert results.protected_material_code.citation.url == "https://github.com/a/b"
    assert entry.to_dict() == verdict


@pytest.mark.parametrize("value", [None, [], "in_memory"])
def test_filters_may_be_null_or_empty_or_nonsense(value: Any) -> None:
    response = _response(content_filters=value)
    assert response.content_filters == value
    assert response.to_dict()["content_filters"] == value


def test_a_json_schema_is_read_under_its_alias() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    response = _response(text=text)
    assert response.text is not None
    assert isinstance(response.text.format, JsonSchemaFormat)
    assert response.text.format.schema_ == {"type": "object"}
    assert json.loads(response.to_json())["text"] == text


def test_instructions_may_be_items() -> None:
    response = _response(instructions=[{"role": "developer", "content": "Be brief."}])
    assert response.to_dict()["instructions"] == [{"role": "developer", "content": "Be brief."}]


def test_a_compacted_response_keeps_user_messages_beside_the_compaction() -> None:
    user = {
        "type": "message",
        "id": "msg_1",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
        "status": "completed",
    }
    compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
    compacted = CompactedResponse.model_validate({"id": "resp_1", "output": [user, compaction]})
    assert [type(item) for item in compacted.output] == [InputMessage, CompactionItem]


def test_a_page_of_input_items_says_whether_more_follow() -> None:
    page = {
        "object": "list",
        "data": [{"type": "message", "id": "msg_1", "role": "user", "content": []}],
        "first_id": "msg_1",
        "last_id": "msg_1",
        "has_more": True,
    }
    items = InputItemList.model_validate(page)
    assert items.has_more
    assert items.to_dict() == page
    assert not InputItemList.model_validate({"data": []}).has_more


def test_a_token_count_is_a_number() -> None:
    counted = InputTokenCount.model_validate_json('{"input_tokens":11}')
    assert counted.input_tokens == 11


def test_what_stands_before_a_call_for_the_caller_is_no_final_text() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert _response(_message(TEXT), call).final_text is None
    assert _response(_message(TEXT), call, _message(MORE)).final_text == ", world"
