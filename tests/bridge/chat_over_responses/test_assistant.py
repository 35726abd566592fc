from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.assistant import (
    blocks_to_items,
    read_assistant,
    read_reasoning_item,
)
from azure_responses.bridge.chat_over_responses.conversion_state import ConversionState
from azure_responses.errors import ConfigurationError

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAA"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": None}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _read(state: ConversionState | None = None, /, **message: Any) -> list[dict[str, Any]]:
    return read_assistant(
        {"role": "assistant", **message}, state or ConversionState(), "messages[0]"
    )


def _kinds(**message: Any) -> list[str]:
    return [item["type"] for item in _read(**message)]


def _said(content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": content, **more}


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": "Hi"}, "Hi"),
        ({"content": ""}, ""),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "H"}, "i"]}, "Hi"),
        ({"content": {"type": "output_text", "text": "Hi"}}, "Hi"),
        ({"refusal": "No"}, [{"type": "refusal", "refusal": "No"}]),
        (
            {"content": [{"type": "refusal", "refusal": "No"}]},
            [{"type": "refusal", "refusal": "No"}],
        ),
        (
            {"content": "Hi", "refusal": "No"},
            [{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "No"}],
        ),
    ],
)
def test_what_was_said_goes_back(message: dict[str, Any], content: Any) -> None:
    assert _read(**message) == [_said(content)]


def test_calls_alone_need_no_empty_message() -> None:
    assert _kinds(content="", tool_calls=[CALL]) == ["function_call"]
    assert _kinds(content=None, reasoning_items=[REASONING]) == ["reasoning"]


def test_the_usual_order_is_reasoning_hosted_text_calls() -> None:
    extensions = {"reasoning_items": [REASONING], "hosted_items": [SEARCH]}
    kinds = _kinds(content="Hi", tool_calls=[CALL], **extensions)
    assert kinds == ["reasoning", "web_search_call", "message", "function_call"]


ORDER = [
    {"type": "message", "text": 2, "refusal": 0, "phase": "commentary"},
    {"type": "tool_call"},
    {"type": "reasoning"},
    {"type": "message", "text": 3, "refusal": 2},
]
ANSWER = {
    "content": "the",
    "commentary": "Hi",
    "refusal": "No",
    "tool_calls": [CALL],
    "reasoning_items": [REASONING],
    "output_order": ORDER,
}


def test_the_order_that_is_told_is_restored_with_messages_and_phases() -> None:
    first, call, reasoning, second = _read(**ANSWER)
    assert first == _said("Hi", phase="commentary")
    assert (call["type"], reasoning) == ("function_call", REASONING)
    assert [part.get("text", part.get("refusal")) for part in second["content"]] == ["the", "No"]


@pytest.mark.parametrize(
    "changed",
    [
        {"content": "changed"},
        {"refusal": None},
        {"tool_calls": []},
        {"reasoning_items": [REASONING, REASONING]},
        {"hosted_items": [SEARCH]},
        {"output_order": [*ORDER, {"type": "of tomorrow"}]},
    ],
)
def test_a_message_changed_since_falls_back_to_the_usual_order(changed: dict[str, Any]) -> None:
    kinds = _kinds(**{**ANSWER, **changed})
    ranks = {"reasoning": 0, "web_search_call": 1, "message": 2, "function_call": 3}
    assert kinds == sorted(kinds, key=ranks.__getitem__)
    assert kinds.count("message") == 2


def test_commentary_goes_back_with_its_phase_though_its_order_was_lost() -> None:
    first, second, call = _read(content="the", commentary="Hi", tool_calls=[CALL])
    assert first == _said("Hi", phase="commentary")
    assert second == _said("the")
    assert call["type"] == "function_call"
    assert _kinds(content=None, commentary="Hi", tool_calls=[CALL]) == ["message", "function_call"]


def test_messages_that_a_blank_line_keeps_apart_go_back_each_for_itself() -> None:
    order = [
        {"type": "message", "text": 2, "refusal": 0},
        {"type": "message", "text": 0, "refusal": 0},
        {"type": "message", "text": 3, "refusal": 0},
    ]
    assert _read(content="Hi\n\nthe", output_order=order) == [
        _said("Hi"),
        _said(""),
        _said("the"),
    ]
    # Without the blank line it was written by somebody else.
    assert _read(content="Hi, the", output_order=order) == [_said("Hi, the")]


def test_commentary_keeps_its_citations() -> None:
    citation = {"type": "url_citation", "url": "u", "start_index": 0, "end_index": 1}
    entry = {"type": "message", "text": 2, "phase": "commentary", "annotations": [citation]}
    (item,) = _read(content=None, commentary="Hi", output_order=[entry])
    assert item["content"] == [{"type": "output_text", "text": "Hi", "annotations": [citation]}]


def test_citations_go_back_flat_to_their_message() -> None:
    citation = {"url": "u", "title": "t", "start_index": 1, "end_index": 2}
    nested = [{"type": "url_citation", "url_citation": citation}]
    first, _, _, second = _read(**ANSWER, annotations=nested)
    assert first["content"] == "Hi"
    assert second["content"][0]["annotations"] == [{"type": "url_citation", **citation}]


def test_a_part_of_an_unknown_kind_is_left_out_with_a_warning() -> None:
    state = ConversionState()
    assert _read(state, content="Hi", hosted_items=[{"type": "output_part", "part": {}}]) == [
        _said("Hi")
    ]
    assert "unknown kind" in state.warnings[0]


def test_a_name_is_left_out_with_a_warning() -> None:
    state = ConversionState()
    assert _read(state, content="Hi", name="bot") == [_said("Hi")]
    assert state.warnings[0].startswith("messages[0].name was left out")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"audio": {"id": "audio_1"}}, "audio"),
        ({"content": [{"type": "image_url"}]}, "image_url"),
        ({"content": [{"type": "text"}]}, r"content\[0\]"),
        ({"content": [7]}, r"content\[0\]"),
    ],
)
def test_what_an_assistant_cannot_have_said_is_refused(message: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        _read(**message)


ENCRYPTED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAA"}
RAW = {**ENCRYPTED, "content": [{"type": "reasoning_text", "text": "hm"}]}
BARE = {"type": "reasoning", "id": "rs_1", "summary": []}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({**ENCRYPTED, "status": "completed", "content": None}, ENCRYPTED),
        ({**ENCRYPTED, "resource": "west"}, ENCRYPTED),
        ({"encrypted_content": "AAA"}, {**BARE, "encrypted_content": "AAA", "id": None}),
        ({**RAW, "encrypted_content": None}, {"type": "reasoning", "summary": [], "content": RAW}),
        (BARE, None),
        ({"type": "reasoning", "summary": []}, None),
    ],
)
def test_an_item_goes_back_if_it_can_be_read(item: Any, expected: Any) -> None:
    state = ConversionState(resource_tag="west")
    read = read_reasoning_item(item, state, "p")
    if expected is not None:
        expected = {name: value for name, value in expected.items() if value is not None}
        if "content" in expected:
            expected["content"] = RAW["content"]
    assert read == expected
    assert state.unreadable_items == (expected is None)
    assert state.has_encrypted_reasoning == bool(item.get("encrypted_content"))


def test_an_item_that_is_stored_goes_back_by_its_id() -> None:
    state = ConversionState(is_stored=True)
    assert read_reasoning_item(BARE, state, "p") == BARE
    assert read_reasoning_item({"summary": []}, state, "p") is None


def test_a_foreign_item_is_left_out_but_for_what_it_says_in_the_clear() -> None:
    state = ConversionState(resource_tag="north")
    assert read_reasoning_item({**ENCRYPTED, "resource": "west"}, state, "p") is None
    assert read_reasoning_item({**RAW, "resource": "west"}, state, "p") == {
        "type": "reasoning",
        "summary": [],
        "content": RAW["content"],
    }
    assert state.foreign_items == 2


def test_thinking_blocks_become_items() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "encrypted_content": "AAA", "id": "rs_1"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    first, second = blocks_to_items(blocks)
    assert first["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert first["encrypted_content"] == "AAA"
    assert (second["summary"], second["encrypted_content"]) == ([], None)
    assert blocks_to_items(None) == []
