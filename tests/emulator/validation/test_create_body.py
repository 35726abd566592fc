"""Create bodies are accepted or refused with the service's words."""

from typing import Any

import pytest

from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation import validate_create


def _error(model: str = "gpt-4.1", surface: str = "v1", **body: Any) -> dict[str, Any] | None:
    try:
        validate_create({"model": model, **body}, find_model(model), surface=surface)
    except ServiceError as refusal:
        return dict(refusal.body["error"])
    return None


_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
_FUNCTION = {"type": "function", "name": "f", "parameters": _SCHEMA, "strict": True}
_TREE = {
    "type": "object",
    "properties": {
        "children": {"type": "array", "items": {"$ref": "#"}},
        "leaf": {"$ref": "#/$defs/leaf"},
        "kind": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "fixed": {"const": 1},
        "maybe": {"type": ["integer", "null"]},
    },
    "required": ["children", "leaf", "kind", "fixed", "maybe"],
    "additionalProperties": False,
    "$defs": {"leaf": {"type": "number"}},
}


def _format(schema: Any, strict: bool = True, **given: Any) -> dict[str, Any]:
    form = {"type": "json_schema", "name": "x", "schema": schema, "strict": strict, **given}
    return {"format": form}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": [{"role": "user", "content": "x"}]},
        {"input": [{"type": "message", "role": "assistant", "content": "x", "id": "msg_1"}]},
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        {"temperature": 0.5, "top_p": 1, "max_output_tokens": 16, "truncation": "auto"},
        {"metadata": {"a": "b"}, "user": "x", "store": None, "service_tier": "priority"},
        {"tools": [_FUNCTION], "tool_choice": {"type": "function", "name": "f"}},
        {"tools": [_FUNCTION], "tool_choice": "required"},
        {"tools": [{"type": "function", "name": "f"}], "tool_choice": "none"},
        {"tools": [{"type": "web_search_preview"}], "tool_choice": {"type": "web_search_preview"}},
        {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
        {
            "tools": [{"type": "mcp", "server_label": "s", "connector_id": "connector_gmail"}],
            "tool_choice": {"type": "mcp", "server_label": "s"},
        },
        {
            "tools": [{"type": "namespace", "name": "n", "description": "", "tools": [_FUNCTION]}],
            "tool_choice": {"type": "function", "name": "f"},
        },
        {
            "tools": [_FUNCTION],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}],
            },
        },
        {"text": _format(_TREE)},
        {"text": _format({"type": "object"}, strict=False)},
        {"text": _format({"$ref": "#/$defs/a", "$defs": {"a": _SCHEMA}}, strict=False)},
        {"text": {"format": {"type": "json_object"}}, "instructions": "Answer in JSON"},
        {"text": {"format": {"type": "json_object"}}, "previous_response_id": "resp_1"},
        {"include": ["message.output_text.logprobs"], "top_logprobs": 3},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"background": True, "store": True},
        {"context_management": [{"type": "compaction", "compact_threshold": 2000}]},
        {"input": [{"id": "msg_1"}]},
    ],
)
def test_good_bodies_are_accepted(body: dict[str, Any]) -> None:
    assert _error(**{"input": "x", **body}) is None


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_input_may_be_left_out_where_there_is_something_to_go_on(name: str) -> None:
    value: Any = {"id": "x"} if name == "prompt" else "resp_1"
    assert _error(**{name: value}) is None


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("gpt-5-mini", {"reasoning": {"effort": "minimal", "summary": "auto"}}),
        ("gpt-5-mini", {"text": {"verbosity": "low"}, "temperature": None}),
        ("gpt-5.1", {"temperature": 0.2}),
        ("gpt-5-mini", {"include": ["reasoning.encrypted_content"], "store": False}),
        ("gpt-5.6-sol", {"service_tier": "flex", "reasoning": {"effort": "max"}}),
        ("gpt-4.1", {"reasoning": {"effort": None}}),
        (
            "computer-use-preview",
            {
                "tools": [
                    {
                        "type": "computer_use_preview",
                        "environment": "browser",
                        "display_width": 1,
                        "display_height": 1,
                    }
                ],
                "tool_choice": {"type": "computer_use_preview"},
            },
        ),
    ],
)
def test_models_take_what_is_theirs(model: str, body: dict[str, Any]) -> None:
    assert _error(model, input="x", **body) is None


@pytest.mark.parametrize("made_by", [None, "user_1"])
@pytest.mark.parametrize(
    "item",
    [
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}},
        {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file"}},
        {"type": "compaction", "encrypted_content": "x"},
    ],
    ids=lambda item: item["type"],
)
def test_an_item_may_say_who_made_it(item: dict[str, Any], made_by: str | None) -> None:
    error = _error("gpt-4.1", input=[{**item, "created_by": made_by}])
    assert error is None or "created_by" not in error["message"]


_MOVED = "In the Responses API, this parameter has moved to"
_REFUSED: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    # Parameters
    ({"foo": 1}, "Unknown parameter: 'foo'.", "foo", "unknown_parameter"),
    ({"messages": []}, f"Unsupported parameter: 'messages'. {_MOVED} 'input'.", None,
     "unsupported_parameter"),
    ({"max_tokens": 5}, f"{_MOVED} 'max_output_tokens'.", None, "unsupported_parameter"),
    ({"response_format": {}}, f"{_MOVED} 'text.format'.", None, "unsupported_parameter"),
    ({"multi_agent": {}}, "Unknown parameter: 'multi_agent'.", "multi_agent", "unknown_parameter"),
    ({"input": 5}, "Invalid type for 'input': expected one of a string or array of objects, but "
     "got an integer instead.", "input", "invalid_type"),
    ({"input": None}, "Missing required parameter: 'input'.", "input",
     "missing_required_parameter"),
    ({"stream": "yes"}, "expected a boolean, but got a string", "stream", "invalid_type"),
    ({"temperature": "hot"}, "expected a decimal, but got a string", "temperature",
     "invalid_type"),
    ({"temperature": True}, "got a boolean", "temperature", "invalid_type"),
    ({"temperature": 2.5}, "Invalid 'temperature': decimal above maximum value. Expected a value "
     "<= 2, but got 2.5 instead.", "temperature", "decimal_above_max_value"),
    ({"top_p": -0.5}, "decimal below minimum value", "top_p", "decimal_below_min_value"),
    ({"max_output_tokens": 15}, "Invalid 'max_output_tokens': integer below minimum value. "
     "Expected a value >= 16, but got 15 instead.", "max_output_tokens",
     "integer_below_min_value"),
    ({"max_output_tokens": 1.5}, "but got a decimal number instead.", "max_output_tokens",
     "invalid_type"),
    ({"max_output_tokens": 10**6}, "above maximum", "max_output_tokens",
     "integer_above_max_value"),
    ({"top_logprobs": 21}, "above maximum", "top_logprobs", "integer_above_max_value"),
    ({"tools": [{"type": "namespace", "name": "", "description": "", "tools": []}]},
     "but got an empty string instead", "tools[0].name", "empty_string"),
    ({"safety_identifier": "x" * 65}, "string too long. Expected a string with maximum length 64, "
     "but got a string with length 65", "safety_identifier", "string_above_max_length"),
    ({"instructions": []}, "expected a string, but got an array", "instructions", "invalid_type"),
    ({"metadata": []}, "expected an object, but got an array", "metadata", "invalid_type"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "at most 16 properties", "metadata",
     "object_above_max_properties"),
    ({"metadata": {"k" * 65: "x"}}, "maximum length 64", "metadata.key",
     "string_above_max_length"),
    ({"metadata": {"k": "x" * 513}}, "maximum length 512", "metadata.k",
     "string_above_max_length"),
    ({"metadata": {"k": 1}}, "expected a string", "metadata.k", "invalid_type"),
    ({"truncation": "some"}, "Invalid value: 'some'. Supported values are: 'auto' and 'disabled'.",
     "truncation", "invalid_value"),
    ({"truncation": 5}, "expected one of 'auto' or 'disabled', but got an integer", "truncation",
     "invalid_type"),
    ({"service_tier": 5}, "'ultrafast', but got", "service_tier", "invalid_type"),
    ({"include": ["everything"]}, "Invalid value: 'everything'.", "include[0]", "invalid_value"),
    ({"previous_response_id": "abc"}, "Expected an ID that begins with 'resp'.",
     "previous_response_id", "invalid_value"),
    ({"reasoning": {"budget": 1}}, "Unknown parameter: 'reasoning.budget'.", "reasoning.budget",
     "unknown_parameter"),
    # Items
    ({"input": ["x"]}, "expected an object, but got a string", "input[0]", "invalid_type"),
    ({"input": [{"role": "tool", "content": "x"}]}, "Invalid value: 'tool'.", "input[0].role",
     "invalid_value"),
    ({"input": [{"content": "x"}]}, "Missing required parameter: 'input[0].role'.",
     "input[0].role", "missing_required_parameter"),
    ({"input": [{"type": "thought"}]}, "Invalid value: 'thought'.", "input[0]", "invalid_value"),
    ({"input": [{"type": 5}]}, "expected a string", "input[0]", "invalid_type"),
    ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
     "Invalid value: 'text'.", "input[0].content[0]", "invalid_value"),
    ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "Missing required",
     "input[0].content[0].type", "missing_required_parameter"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
     "Supported values are: 'output_text' and 'refusal'.", "input[0].content[0]",
     "invalid_value"),
    ({"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
     "Invalid value: 'output_text'.", "input[0].content[0]", "invalid_value"),
    ({"input": [{"type": "reasoning", "summary": [], "status": None}]},
     "Unknown parameter: 'input[0].status'.", "input[0].status", "unknown_parameter"),
    ({"input": [{"type": "reasoning", "id": "rs_1"}]},
     "Missing required parameter: 'input[0].summary'.", "input[0].summary",
     "missing_required_parameter"),
    ({"input": [{"type": "function_call", "id": "call_1", "call_id": "c", "name": "f",
                 "arguments": "{}"}]},
     "Invalid 'input[0].id': 'call_1'. Expected an ID that begins with 'fc'.", "input[0].id",
     "invalid_value"),
    ({"input": [{"type": "function_call_output", "call_id": "", "output": "x"}]},
     "but got an empty string instead", "input[0].call_id", "empty_string"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": 5}]},
     "expected one of a string or array of objects", "input[0].output", "invalid_type"),
    # Tools
    ({"tools": [{"type": "hammer"}]}, "Invalid value: 'hammer'.", "tools[0].type",
     "invalid_value"),
    ({"tools": [{"name": "f"}]}, "Missing required parameter: 'tools[0].type'.", "tools[0].type",
     "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]},
     "Missing required parameter: 'tools[0].name'.", "tools[0].name",
     "missing_required_parameter"),
    ({"tools": [{"type": "function", "name": "no spaces"}]},
     "does not match pattern", "tools[0].name", "invalid_value"),
    ({"tools": [{"type": "function", "name": "f", "extra": 1}]},
     "Unknown parameter: 'tools[0].extra'.", "tools[0].extra", "unknown_parameter"),
    ({"tools": [{"type": "function", "name": f"f{n}"} for n in range(129)]},
     "maximum length 128", "tools", "array_above_max_length"),
    ({"tools": [_FUNCTION, _FUNCTION]}, "must be unique", "tools", None),
    ({"tools": [{"type": "code_interpreter"}]}, "Missing required parameter: 'tools[0].container'.",
     "tools[0].container", "missing_required_parameter"),
    ({"tools": [{"type": "shell", "environment": {"type": "container_auto", "file_ids": [[]]}}]},
     "Invalid type for 'tools[0].environment.file_ids[0]'",
     "tools[0].environment.file_ids[0]", "invalid_type"),
    ({"tools": [{"type": "mcp", "server_label": "s"}]},
     "Missing required parameter: 'tools[0].server_url'.", "tools[0].server_url",
     "missing_required_parameter"),
    ({"tools": [{"type": "computer_use_preview", "environment": "browser", "display_width": 1,
                 "display_height": 1}]},
     "not supported with gpt-4.1", "tools[0]", None),
    ({"tools": [_FUNCTION], "tool_choice": {"type": "function", "name": "g"}},
     "Tool choice 'g' not found in 'tools' parameter.", "tool_choice", None),
    ({"tool_choice": "required"}, "must be specified with 'tools'", "tool_choice", None),
    ({"tool_choice": "maybe"}, "Invalid value: 'maybe'.", "tool_choice", "invalid_value"),
    ({"tool_choice": 5}, "expected one of 'none', 'auto', 'required', or an object",
     "tool_choice", "invalid_type"),
    ({"tools": [_FUNCTION], "tool_choice": {"type": "mcp", "server_label": "s"}},
     "Tool choice 's' not found", "tool_choice", None),
    ({"tool_choice": {"type": "web_search"}}, "Tool choice 'web_search' not found", "tool_choice",
     None),
    # Combinations
    ({"previous_response_id": "resp_1", "conversation": "conv_1"},
     "Mutually exclusive parameters: 'previous_response_id' and 'conversation'.", None,
     "mutually_exclusive_parameters"),
    ({"background": True, "store": False}, "requires 'store' to be true", "background",
     "unsupported_parameter"),
    ({"stream_options": {"include_obfuscation": True}}, "only allowed when 'stream'",
     "stream_options", None),
    ({"top_logprobs": 3}, "requires 'message.output_text.logprobs'", "top_logprobs", None),
    ({"text": {"format": {"type": "json_object"}}}, "must contain the word 'json'", "input", None),
    ({"text": {"format": {"type": "yaml"}}}, "Invalid value: 'yaml'.", "text.format.type",
     "invalid_value"),
    # What the model does not take
    ({"reasoning": {"effort": "low"}},
     "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
     "reasoning.effort", "unsupported_parameter"),
    ({"text": {"verbosity": "low"}},
     "Unsupported value: 'low' is not supported with the 'gpt-4.1' model.", "text.verbosity",
     "unsupported_value"),
    ({"include": ["reasoning.encrypted_content"]},
     "Encrypted content is not supported with this model.", "include", None),
    ({"service_tier": "flex"}, "'flex' is not supported", "service_tier", None),
    ({"service_tier": "scale"}, "'scale' is not supported", "service_tier", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message", "param", "code"), _REFUSED)
def test_bad_bodies_are_refused(
    body: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    error = _error(**{"input": "x", **body})
    assert error is not None
    assert message in error["message"]
    assert (error["param"], error["code"]) == (param, code)
    assert list(error) == ["message", "type", "param", "code"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        ("gpt-5", {"temperature": 0.1}, "'temperature' is not supported with this model."),
        ("o4-mini", {"top_p": 0.1}, "'top_p' is not supported with this model."),
        ("gpt-5-mini", {"reasoning": {"effort": "none"}}, "'minimal', 'low', 'medium', and 'high'"),
        ("gpt-5", {"include": ["message.output_text.logprobs"]}, "logprobs are not supported"),
        ("gpt-5-codex", {"tools": [{"type": "file_search", "vector_store_ids": []}]}, "Hosted"),
    ],
)
def test_models_refuse_what_is_not_theirs(model: str, body: dict[str, Any], message: str) -> None:
    error = _error(model, input="x", **body)
    assert error is not None
    assert message in error["message"]


def test_missing_parameters_are_named() -> None:
    error = _error()
    assert error is not None
    assert error["message"] == "Missing required parameter: 'input'."
    with pytest.raises(ServiceError, match="'model'"):
        validate_create({"input": "x"}, find_model("x"), surface="v1")
    with pytest.raises(ServiceError, match="JSON object"):
        validate_create([], find_model("x"), surface="v1")


def test_multi_agent_is_of_the_preview_alone() -> None:
    assert _error(surface="preview", input="x", multi_agent={"enabled": True}) is None


def test_the_dated_surface_has_no_background_mode() -> None:
    error = _error(surface="dated", input="x", background=True)
    assert error is not None
    assert error["param"] == "background"


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {
            "type": "object",
            "properties": {"a": schema},
            "required": ["a"],
            "additionalProperties": False,
        }
    return schema


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "array", "items": {"type": "string"}},
         "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
        ({}, "got 'type: \"None\"'."),
        ({"type": "object", "properties": {}},
         "In context=(), 'additionalProperties' is required to be supplied and to be false."),
        ({**_SCHEMA, "required": []},
         "In context=(), 'required' is required to be supplied and to be an array including every "
         "key in properties. Missing 'a'."),
        ({**_SCHEMA, "required": ["a", "b"]}, "In context=(), Extra required key 'b' supplied."),
        ({**_SCHEMA, "properties": {"a": {}}},
         "In context=('properties', 'a'), schema must have a 'type' key."),
        ({**_SCHEMA, "properties": {"a": {"type": "array"}}},
         "In context=('properties', 'a'), array schema missing items."),
        ({**_SCHEMA, "properties": {"a": {"oneOf": []}}},
         "In context=('properties', 'a'), 'oneOf' is not permitted."),
        ({**_SCHEMA, "properties": {"a": {"type": "string", "format": "uri"}}},
         "'uri' is not a valid format."),
        ({**_SCHEMA, "properties": {"a": {"type": "text"}}}, "'text' is not valid"),
        ({**_SCHEMA, "properties": {"a": {"anyOf": [{"type": "array"}]}}},
         "In context=('properties', 'a', 'anyOf', '0'), array schema missing items."),
        ({**_SCHEMA, "properties": {"a": 5}}, "5 is not of type 'object'."),
        ({**_SCHEMA, "properties": {"a": {"$ref": "other.json"}}}, "reference can only point"),
        ({**_SCHEMA, "properties": {"a": {"$ref": "#/$defs/none"}}}, "reference can only point"),
        ({**_SCHEMA, "properties": {"a": {"type": "string", "enum": ["x"] * 1001}}},
         "Expected at most 1000 enum values in total within a single schema when using structured "
         "outputs, but received 1001."),
        ({**_SCHEMA, "properties": {"a": {"type": "string", "enum": ["x" * 60] * 251}}},
         "In context=('properties', 'a'), enum of more than 250 values has more than 15000"),
        ({**_SCHEMA, "properties": {"a": {"const": "x" * 120_001}}}, "120002 characters"),
        (_nested(12), "levels of nesting"),
        ({**_SCHEMA, "properties": {str(n): {"type": "null"} for n in range(5001)},
          "required": [str(n) for n in range(5001)]}, "5001 properties"),
    ],
)  # fmt: skip
def test_schemas_that_are_not_strict_enough_are_refused(schema: Any, fault: str) -> None:
    error = _error(input="x", text=_format(schema))
    assert error is not None
    assert error["message"].startswith("Invalid schema for response_format 'x': ")
    assert fault in error["message"]
    assert (error["param"], error["code"]) == ("text.format.schema", "invalid_json_schema")
    tool = {"type": "function", "name": "f", "parameters": schema, "strict": True}
    error = _error(input="x", tools=[tool])
    assert error is not None
    assert error["message"].startswith("Invalid schema for function 'f': ")
    assert error["param"] == "tools[0].parameters"
    assert error["code"] == "invalid_function_parameters"


@pytest.mark.parametrize("pattern", ["^(?!a)b$", "a(?=b)", "(?<=a)b", "(a|(b(?<!c)))+"])
def test_look_around_in_a_strict_pattern_is_refused_by_its_place(pattern: str) -> None:
    part = {"anyOf": [{"type": "null"}, {"type": "string", "pattern": pattern}]}
    schema = {**_SCHEMA, "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/B c"}}},
              "$defs": {"B c": part}}  # fmt: skip
    error = _error(input="x", text=_format(schema))
    assert error is not None
    assert error["code"] == "invalid_json_schema"
    assert error["message"] == (
        "Invalid JSON schema: regex lookaround is not supported. "
        "Found at $['$defs']['B c'].anyOf[1].pattern."
    )
    assert _error(input="x", text=_format(schema, strict=False)) is None


def test_a_strict_schema_may_have_bounds_formats_and_patterns() -> None:
    parts = [
        {"type": "integer", "minimum": -9007199254740991, "exclusiveMaximum": 9007199254740991},
        {"type": "number", "multipleOf": 0.5, "maximum": 1.7976931348623157e308},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        {"type": "string", "pattern": r"^\(\?=[(?!]+(?:a|b)$"},
        *({"type": "string", "format": name} for name in ("date-time", "uuid", "ipv6", "hostname")),
    ]
    for part in parts:
        assert _error(input="x", text=_format({**_SCHEMA, "properties": {"a": part}})) is None


def test_a_strict_function_needs_parameters() -> None:
    error = _error(input="x", tools=[{"type": "function", "name": "f", "strict": True}])
    assert error is not None
    assert error["code"] == "invalid_function_parameters"


def test_a_nested_reference_is_followed() -> None:
    schema = {**_SCHEMA, "properties": {"a": {"$ref": "#"}}}
    assert _error(input="x", text=_format(schema)) is None
