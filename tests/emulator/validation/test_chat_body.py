"""Chat bodies and compact bodies are accepted or refused with the service's words."""

from typing import Any

import pytest

from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation import validate_chat, validate_compact

_HELLO = [{"role": "user", "content": "Hello"}]
_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_CALLING = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
_RESULT = {"role": "tool", "tool_call_id": "c", "content": "x"}


def _refused(model: str = "gpt-4.1", **body: Any) -> dict[str, Any] | None:
    try:
        validate_chat({"model": model, "messages": _HELLO, **body}, find_model(model))
    except ServiceError as refusal:
        error: dict[str, Any] = refusal.body["error"]
        return error
    return None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"temperature": 0.5, "max_tokens": 5, "n": 2, "stop": ["x"], "logprobs": True},
        {"tools": [_TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [_TOOL], "tool_choice": "auto"},
        {"tools": [{"type": "custom", "custom": {"name": "c"}}]},
        {"messages": [*_HELLO, _CALLING, _RESULT]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"model": "gpt-5-mini", "temperature": 1, "max_completion_tokens": 5},
        {"model": "gpt-5.1", "temperature": 0.2},
        {"stream": True, "stream_options": {"include_usage": True}},
    ],
)
def test_good_bodies_are_accepted(body: dict[str, Any]) -> None:
    assert _refused(**body) is None


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"foo": 1}, "Unknown parameter: 'foo'.", "foo", "unknown_parameter"),
        ({"input": "x"}, "Unrecognized request argument supplied: input", None, None),
        ({"messages": []}, "[] is too short - 'messages'", "messages", None),
        ({"messages": "x"}, "expected an array", "messages", "invalid_type"),
        ({"messages": [{"content": "x"}]}, "'messages[0].role'", "messages[0].role",
         "missing_required_parameter"),
        ({"messages": [_CALLING]}, "did not have response messages: c", "messages.[0].role",
         None),
        ({"messages": [_CALLING, *_HELLO]}, "did not have response messages: c",
         "messages.[1].role", None),
        ({"messages": [_RESULT]}, "must be a response to a preceeding", "messages.[0].role",
         None),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id",
         "messages[0].tool_call_id", "missing_required_parameter"),
        ({"tool_choice": "auto"}, "only allowed when 'tools'", "tool_choice", None),
        ({"tools": [_TOOL], "tool_choice": 5}, "expected an object", "tool_choice",
         "invalid_type"),
        ({"tools": [_TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
         "Tool choice 'g' not found", "tool_choice", None),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": True,
                                                      "parameters": {"type": "object"}}}]},
         "additionalProperties", "tools[0].function.parameters", "invalid_function_parameters"),
        ({"temperature": 3}, "above maximum", "temperature", "integer_above_max_value"),
    ],
)  # fmt: skip
def test_bad_bodies_are_refused(
    body: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    error = _refused(**body)
    assert error is not None
    assert message in error["message"]
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            {"max_tokens": 5},
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "unsupported_parameter",
        ),
        (
            {"temperature": 0.1},
            "Unsupported value: 'temperature' does not support 0.1 with this model. "
            "Only the default (1) value is supported.",
            "unsupported_value",
        ),
        ({"logprobs": True}, "'logprobs' is not supported", "unsupported_parameter"),
    ],
)
def test_reasoning_models_refuse_what_is_not_theirs(
    body: dict[str, Any], message: str, code: str
) -> None:
    error = _refused("gpt-5-mini", **body)
    assert error is not None
    assert message in error["message"]
    assert error["code"] == code


def test_messages_are_required() -> None:
    with pytest.raises(ServiceError, match="'messages'"):
        validate_chat({"model": "x"}, find_model("x"))


@pytest.mark.parametrize("body", [{"input": "x"}, {"previous_response_id": "resp_1"}])
def test_good_compact_bodies_are_accepted(body: dict[str, Any]) -> None:
    validate_compact({"model": "gpt-5.4", **body})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "x"}, "'input'"),
        ({"input": "x"}, "'model'"),
        ({"model": "x", "input": "x", "tools": []}, "Unknown parameter: 'tools'"),
        ({"model": "x", "input": 5}, "Invalid type for 'input'"),
        ("text", "JSON object"),
    ],
)
def test_bad_compact_bodies_are_refused(body: Any, message: str) -> None:
    with pytest.raises(ServiceError, match=message.replace("'", "['\"]")):
        validate_compact(body)
