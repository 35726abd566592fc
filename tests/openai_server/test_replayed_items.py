"""Items of earlier responses, sent again as they came."""

from typing import Any

import pytest

from azure_responses.openai_server.request_json import drop_status


@pytest.mark.parametrize("kind", ["message", "reasoning"])
def test_the_status_of_messages_and_reasoning_is_taken_off(kind: str) -> None:
    body: Any = {"input": [{"type": kind, "id": "x_1", "status": "completed"}]}
    assert drop_status(body)
    assert body == {"input": [{"type": kind, "id": "x_1"}]}


def test_a_message_may_leave_its_type_out() -> None:
    body: Any = {"input": [{"role": "assistant", "content": "hi", "status": "completed"}]}
    assert drop_status(body)
    assert body == {"input": [{"role": "assistant", "content": "hi"}]}


@pytest.mark.parametrize(
    "given",
    [
        {"type": "function_call", "call_id": "c", "status": "completed"},
        {"type": "function_call_output", "call_id": "c", "output": "x", "status": "completed"},
        {"role": "user", "content": "hi"},
        {"type": ["message"], "status": "completed"},
        "hi",
    ],
)
def test_whatever_else_is_sent_stays(given: Any) -> None:
    body: Any = {"input": [given]}
    assert not drop_status(body)
    assert body == {"input": [given]}


@pytest.mark.parametrize("given", ["hi", None, {"status": "completed"}])
def test_input_that_is_no_list_has_no_items(given: Any) -> None:
    assert not drop_status({"input": given})
