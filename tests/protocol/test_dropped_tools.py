"""Tools that a deployment is not sent."""

from typing import Any

import pytest

from azure_responses.protocol.dropped_tools import without_tools
from azure_responses.types import FunctionTool

SEARCH, CODE = {"type": "web_search"}, {"type": "code_interpreter"}
F = {"type": "function", "name": "f"}


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"tools": [SEARCH, F]}, {"tools": [F]}),
        (
            {"tools": [SEARCH, F, SEARCH], "tool_choice": {"type": "web_search"}},
            {"tools": [F]},
        ),
        (
            {"tools": [SEARCH, F], "tool_choice": "auto"},
            {"tools": [F], "tool_choice": "auto"},
        ),
        (
            {"tools": [SEARCH], "tool_choice": "auto", "parallel_tool_calls": True, "input": "x"},
            {"input": "x"},
        ),
    ],
)
def test_tools_of_a_type_are_left_out(body: Any, left: Any) -> None:
    before = repr(body)
    found, (warning,) = without_tools(body, {"web_search"})
    assert found == left
    assert "web_search" in warning
    assert repr(body) == before


@pytest.mark.parametrize(
    "body", [{}, {"tools": None}, {"tools": [F, CODE]}, {"tools": [3, {"type": 4}]}]
)
def test_a_body_without_them_is_the_same(body: Any) -> None:
    found, warnings = without_tools(body, {"web_search"})
    assert found is body
    assert warnings == ()


def test_typed_tools_count_by_their_type() -> None:
    tool = FunctionTool(type="function", name="f", parameters={})
    found, _ = without_tools({"tools": [tool, SEARCH]}, {"function"})
    assert found == {"tools": [SEARCH]}
