from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.finish import finish_reason
from azure_responses.types import Response


@pytest.mark.parametrize(
    ("status", "has_calls", "has_function_call", "expected"),
    [
        ("completed", False, False, "stop"),
        ("completed", True, False, "tool_calls"),
        ("completed", True, True, "function_call"),
        ("incomplete", True, True, "length"),
        ("queued", True, False, None),
        (["completed"], False, False, "stop"),
    ],
)
def test_what_cut_an_answer_short_comes_before_its_calls(
    status: Any, has_calls: bool, has_function_call: bool, expected: str | None
) -> None:
    response = Response.model_validate({"id": "r", "status": status})
    assert finish_reason(response, has_calls, has_function_call) == expected
