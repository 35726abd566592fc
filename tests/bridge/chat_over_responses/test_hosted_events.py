import json
from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.hosted_events import to_hosted_event
from azure_responses.types import parse_event


def _news(event: dict[str, Any]) -> dict[str, Any] | None:
    return to_hosted_event(parse_event(json.dumps(event)))


def _added(item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": 0, "item": item}


def test_an_event_is_passed_on_without_what_only_streams_need() -> None:
    event = {"type": "response.code_interpreter_call_code.delta", "delta": "x"}
    place = {"item_id": "ci", "output_index": 0}
    noise = {"sequence_number": 3, "obfuscation": "abc"}
    assert _news({**event, **place, **noise}) == {**event, **place}


def test_an_item_is_told_by_its_head() -> None:
    news = _news(_added({"type": "web_search_call", "id": "ws", "action": {"type": "search"}}))
    assert news is not None
    assert news["item"] == {"type": "web_search_call", "id": "ws"}
    assert _news(_added(7)) == {"type": "response.output_item.added", "output_index": 0, "item": {}}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "keepalive"},
        _added({"type": "message", "id": "m", "role": "assistant", "content": []}),
        _added({"type": "message"}),
        _added({"type": "reasoning", "summary": []}),
        _added({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}),
        _added({"type": "local_shell_call", "call_id": "c"})
        | {
            "item": {
                "type": "local_shell_call",
                "call_id": "c",
                "action": {"type": "exec", "command": []},
            }
        },
    ],
)
def test_what_the_message_says_itself_is_no_news(event: dict[str, Any]) -> None:
    assert _news(event) is None


def test_an_item_whose_type_is_no_text_is_news_like_any_other() -> None:
    event = parse_event(
        b'{"type": "response.output_item.added", "output_index": 0, "item": {"type": ["x"]}}'
    )
    assert to_hosted_event(event) == {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": ["x"]},
    }
