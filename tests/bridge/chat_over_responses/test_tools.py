from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.tools import (
    read_function,
    read_function_choice,
    read_tool,
    read_tool_choice,
    read_web,
)
from azure_responses.errors import ConfigurationError
from azure_responses.types import FunctionTool

EMPTY = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (
            {"type": "function", "function": {"name": "f", "description": "", "strict": None}},
            {"type": "function", "name": "f", "parameters": EMPTY, "strict": False},
        ),
        (
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            },
            {
                "type": "function",
                "name": "f",
                "description": "d",
                "parameters": {"type": "object"},
                "strict": True,
            },
        ),
        (
            {
                "type": "custom",
                "custom": {
                    "name": "g",
                    "description": None,
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "lark", "definition": "start: WORD"},
                    },
                },
            },
            {
                "type": "custom",
                "name": "g",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: WORD"},
            },
        ),
        (
            {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}},
            {"type": "custom", "name": "g", "format": {"type": "text"}},
        ),
        (
            {"type": "file_search", "vector_store_ids": ["vs_1"], "filters": None},
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
        ),
        (
            {"type": "function", "name": "flat", "strict": True, "parameters": {}},
            {"type": "function", "name": "flat", "strict": True, "parameters": {}},
        ),
        (
            FunctionTool(type="function", name="f", strict=False),
            {
                "type": "function",
                "name": "f",
                "strict": False,
                "parameters": {"type": "object", "properties": {}},
            },
        ),
    ],
)
def test_every_kind_of_tool_is_offered(tool: Any, expected: dict[str, Any]) -> None:
    assert read_tool(tool, "tools[0]") == expected


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {}},
        {"type": "custom", "custom": {"name": ""}},
        {"name": "f"},
        {"type": "function", "function": "f"},
        "f",
    ],
)
def test_a_tool_without_type_or_name_is_refused_by_its_place(tool: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"tools\[3\]"):
        read_tool(tool, "tools[3]")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "g"}}, {"type": "custom", "name": "g"}),
        ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "mcp"}],
                },
            },
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}],
            },
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": []},
            {"type": "allowed_tools", "mode": "auto", "tools": []},
        ),
        ({"type": "web_search"}, {"type": "web_search"}),
        ({"type": "mcp", "server_label": "s"}, {"type": "mcp", "server_label": "s"}),
    ],
)
def test_every_form_of_tool_choice(choice: Any, expected: Any) -> None:
    assert read_tool_choice(choice) == expected


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'any'"):
        read_tool_choice("any")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("auto", "auto"), ("none", "none"), ({"name": "f"}, {"type": "function", "name": "f"})],
)
def test_the_deprecated_choice(choice: Any, expected: Any) -> None:
    assert read_function_choice(choice) == expected


def test_the_users_location_is_flattened() -> None:
    options = {
        "search_context_size": "high",
        "user_location": {"type": "approximate", "approximate": {"country": "GB"}},
    }
    assert read_web(options) == {
        "type": "web_search",
        "search_context_size": "high",
        "user_location": {"type": "approximate", "country": "GB"},
    }
    flat = {"user_location": {"type": "approximate", "country": "GB"}}
    assert read_web(flat) == {"type": "web_search", **flat}


def test_a_function_may_say_more() -> None:
    assert read_function({"name": "f", "defer_loading": True}, "functions[0]")["defer_loading"]
