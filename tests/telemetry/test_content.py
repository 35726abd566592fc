"""Content in the form of OpenTelemetry's messages."""

import json
from typing import Any

import pytest

from azure_responses.telemetry.attributes import request_content, response_content
from tests.telemetry.samples import make_call, make_response


def _messages(given: Any) -> Any:
    return json.loads(request_content(make_call(input=given))["gen_ai.input.messages"])


def _part(item: dict[str, Any]) -> Any:
    ((part,),) = [message["parts"] for message in _messages([item])]
    return part


def test_text_is_one_message_of_the_user() -> None:
    assert _messages("hi") == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def test_instructions_and_tools_have_attributes_of_their_own() -> None:
    content = request_content(make_call(instructions="be nice", tools=[{"type": "web_search"}]))
    assert json.loads(content["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "be nice"}
    ]
    assert json.loads(content["gen_ai.tool.definitions"]) == [{"type": "web_search"}]
    assert "gen_ai.input.messages" not in content


def test_a_request_without_a_body_has_no_content() -> None:
    assert request_content(make_call("retrieve")) == {}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"role": "user", "content": "hi"}, {"type": "text", "content": "hi"}),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "text", "content": "hi"},
        ),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "refusal", "content": "no"},
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://i"}]},
            {"type": "uri", "modality": "image", "uri": "https://i"},
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]},
            {"type": "file", "modality": "image", "file_id": "f"},
        ),
        (
            {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]},
            {"type": "file", "modality": "file", "file_id": "f"},
        ),
        ({"role": "user", "content": ["hi"]}, {"type": "text", "content": "hi"}),
        ({"role": "user", "content": [7]}, {"type": "unknown", "content": 7}),
        ({"role": "user", "content": [{"type": "new"}]}, {"type": "new"}),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "tool_call", "id": "c", "name": "f", "arguments": "{}"},
        ),
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
            {"type": "tool_call", "id": "c", "name": "f", "arguments": "x"},
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": "42"},
            {"type": "tool_call_response", "id": "c", "response": "42"},
        ),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}]},
            {"type": "reasoning", "content": "so"},
        ),
        (
            {"type": "compaction", "id": "cmp", "encrypted_content": "x" * 1000},
            {"type": "compaction", "id": "cmp"},
        ),
    ],
)
def test_items_become_parts(item: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _part(item) == expected


def test_what_is_no_item_is_kept_as_it_is() -> None:
    assert _messages([7])[0]["parts"] == [{"type": "unknown", "content": 7}]


def test_roles_are_kept_or_follow_from_the_kind() -> None:
    items = [
        {"role": "developer", "content": "x"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
    ]
    assert [message["role"] for message in _messages(items)] == ["developer", "assistant", "tool"]


def test_the_output_is_one_message_of_the_assistant() -> None:
    output = [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "so"}]},
        {
            "type": "message",
            "id": "msg",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "42", "annotations": []}],
        },
    ]
    content = response_content(make_response(output=output), "stop")
    assert json.loads(content["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "so"},
                {"type": "text", "content": "42"},
            ],
            "finish_reason": "stop",
        }
    ]


@pytest.mark.parametrize("response", [None, make_response(), {"output": [1]}])
def test_no_output_is_no_content(response: Any) -> None:
    assert response_content(response) == {}
