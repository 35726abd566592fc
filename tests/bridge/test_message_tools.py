from typing import Any

import pytest

from azure_responses.bridge.message_tools import (
    ClientTool,
    ServerWebSearch,
    ToolNames,
    fits_strict,
    read_tools,
)
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import BadRequestError, ConfigurationError

_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def _read(tool: Any) -> Any:
    return read_tools([tool], Unsupported())[0]


def test_a_custom_tool_is_a_function() -> None:
    tool = {
        "type": "custom",
        "name": "f",
        "description": "Does it.",
        "input_schema": _SCHEMA,
        "strict": True,
        "cache_control": {"type": "ephemeral"},
        "eager_input_streaming": True,
    }
    assert _read(tool) == ClientTool("f", "Does it.", _SCHEMA, True)


def test_examples_of_input_go_into_the_description() -> None:
    tool = {"name": "f", "input_schema": _SCHEMA, "input_examples": [{"a": "ä"}]}
    assert _read(tool).description == 'Examples of input:\n{"a": "ä"}'


@pytest.mark.parametrize(
    ("kind", "name", "argument"),
    [
        ("bash_20250124", "bash", "command"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "view_range"),
        ("text_editor_20250124", "str_replace_editor", "insert_line"),
        ("memory_20250818", "memory", "old_path"),
        ("computer_20251124", "computer", "coordinate"),
    ],
)
def test_anthropics_client_tools_are_functions_with_a_schema(
    kind: str, name: str, argument: str
) -> None:
    size = {"display_width_px": 1024, "display_height_px": 768}
    tool = _read({"type": kind, "name": name, **size})
    assert tool.name == name
    assert argument in tool.schema["properties"]
    assert ("1024 × 768" in tool.description) == (name == "computer")


def test_a_search_on_the_web_keeps_what_azure_has() -> None:
    tool = {
        "type": "web_search_20250305",
        "name": "web_search",
        "allowed_domains": ["a.org"],
        "max_uses": 2,
        "user_location": {"type": "approximate", "country": "DE"},
    }
    assert _read(tool) == ServerWebSearch("web_search", ["a.org"], tool["user_location"], 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        ({"type": "code_execution_20250825", "name": "code_execution"}, "tools.0"),
        ({"type": "web_fetch_20250910", "name": "web_fetch"}, "tools.0"),
        (
            {"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["a"]},
            "tools.0.blocked_domains",
        ),
        (
            {"name": "f", "input_schema": _SCHEMA, "allowed_callers": ["code_execution_20250825"]},
            "tools.0.allowed_callers",
        ),
        ({"name": "f", "input_schema": _SCHEMA, "color": "red"}, "tools.0.color"),
    ],
)
def test_tools_of_anthropics_servers_are_refused_by_name(tool: Any, param: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_tools([tool], Unsupported())
    assert refused.value.param == param
    assert refused.value.hint
    unsupported = Unsupported(drops_params=True)
    read_tools([tool], unsupported)
    assert unsupported.warnings[0].startswith(param)


def test_deferred_tools_are_offered_at_once() -> None:
    unsupported = Unsupported()
    tool = {"name": "f", "input_schema": _SCHEMA, "defer_loading": True}
    assert len(read_tools([tool], unsupported)) == 1
    assert unsupported.warnings[0].startswith("defer_loading")


@pytest.mark.parametrize("tools", [{}, [1], [{"input_schema": _SCHEMA}], [{"name": "f"}]])
def test_tools_without_a_name_or_a_schema_are_invalid(tools: Any) -> None:
    with pytest.raises(BadRequestError):
        read_tools(tools, Unsupported())


def test_long_names_are_shortened_and_restored() -> None:
    names = ToolNames()
    long = "mcp__server__" + "x" * 80
    assert len(names.send(long)) <= 64
    assert names.restore(names.send(long)) == long
    assert names.restore(names.send("f")) == "f"


_CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "string"}}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        (_CLOSED, True),
        ({**_CLOSED, "required": []}, False),
        ({**_CLOSED, "additionalProperties": True}, False),
        ({**_CLOSED, "properties": []}, False),
        ({**_CLOSED, "$defs": {"b": {"type": "object"}}}, False),
        ({"anyOf": [_CLOSED, {"type": "object"}]}, False),
        ({"items": True}, True),
    ],
)
def test_only_closed_schemas_are_strict_for_openai(schema: Any, fits: bool) -> None:
    assert fits_strict(schema) is fits


def test_a_schema_that_is_nested_too_deeply_is_not_strict() -> None:
    schema: dict[str, Any] = _CLOSED
    for _ in range(3000):
        schema = {"items": schema}
    assert fits_strict(schema) is False
