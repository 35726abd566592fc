"""Reasoning that cannot be read is left out, and what is left is still a request."""

import copy
from typing import Any

import pytest

from azure_responses.protocol.reasoning_filter import Stripper


def _strip(body: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    before = copy.deepcopy(body)
    stripper = Stripper(lambda text: text.startswith("bad"))
    stripped = stripper.strip(body)
    assert body == before
    return stripped, stripper.warnings


def _reasoning(encrypted: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "encrypted_content": encrypted, **fields}


def test_readable_reasoning_stays() -> None:
    body = {"input": [_reasoning("good"), _reasoning(None), "odd"], "messages": "odd"}
    stripped, warnings = _strip(body)
    assert stripped is body
    assert warnings == ()


def test_unreadable_reasoning_goes_with_one_warning() -> None:
    user = {"role": "user", "content": "Hi"}
    stripped, warnings = _strip({"input": [user, _reasoning("bad"), user, _reasoning("bad")]})
    assert stripped == {"input": [user, user]}
    assert warnings == (
        "Encrypted reasoning was left out (2×): only the Azure resource that encrypted it can "
        "read it.",
    )


def test_reasoning_in_the_clear_stays_without_ciphertext_and_id() -> None:
    content = [{"type": "reasoning_text", "text": "So …"}]
    stripped, _ = _strip({"input": (_reasoning("bad", content=content),)})
    assert stripped == {"input": [{"type": "reasoning", "content": content}]}


def test_items_that_followed_lost_reasoning_lose_the_ids_that_ask_for_it() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1"}
    search = {"type": "web_search_call", "id": "ws_1"}
    answer = {"type": "function_call_output", "call_id": "call_1"}
    items = [_reasoning("bad"), call, search, answer, _reasoning("good"), call, "odd"]
    stripped, _ = _strip({"input": items})
    bare = {"type": "function_call", "call_id": "call_1"}
    assert stripped == {"input": [bare, search, answer, _reasoning("good"), call, "odd"]}


@pytest.mark.parametrize("name", ["reasoning_items", "thinking_blocks"])
def test_entries_of_chat_messages_stay_but_cannot_be_taken_for_readable(name: str) -> None:
    bad = {"id": "rs_1", "encrypted_content": "bad", "resource": "https://x", "summary": []}
    good = {"id": "rs_2", "encrypted_content": "good"}
    plain = {"role": "user", "content": "Hi"}
    message = {"role": "assistant", name: [bad, good, "odd"]}
    body = {"model": "m", "messages": [plain, message, "odd"]}
    stripped, warnings = _strip(body)
    assert stripped == {
        "model": "m",
        "messages": [plain, {"role": "assistant", name: [{"summary": []}, good, "odd"]}, "odd"],
    }
    assert len(warnings) == 1


def test_extra_body_is_stripped_too() -> None:
    stripped, _ = _strip({"extra_body": {"input": [_reasoning("bad")]}, "input": []})
    assert stripped == {"extra_body": {"input": []}, "input": []}
