from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.history import History
from azure_responses.bridge.chat_over_responses.reasoning import (
    blocks_to_items,
    read_reasoning_item,
)

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
    history = History(resource_tag="west")
    read = read_reasoning_item(item, history, "p")
    if expected is not None:
        expected = {name: value for name, value in expected.items() if value is not None}
        if "content" in expected:
            expected["content"] = RAW["content"]
    assert read == expected
    assert history.unreadable_items == (expected is None)
    assert history.has_encrypted_reasoning == bool(item.get("encrypted_content"))


def test_an_item_that_is_stored_goes_back_by_its_id() -> None:
    history = History(is_stored=True)
    assert read_reasoning_item(BARE, history, "p") == BARE
    assert read_reasoning_item({"summary": []}, history, "p") is None


def test_a_foreign_item_is_left_out_but_for_what_it_says_in_the_clear() -> None:
    history = History(resource_tag="north")
    assert read_reasoning_item({**ENCRYPTED, "resource": "west"}, history, "p") is None
    assert read_reasoning_item({**RAW, "resource": "west"}, history, "p") == {
        "type": "reasoning",
        "summary": [],
        "content": RAW["content"],
    }
    assert history.foreign_items == 2


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
