from typing import Any

from azure_responses.bridge import ReasoningCache
from azure_responses.types import ChatCompletionMessage


def _message(*call_ids: str, text: str = "AAA", **fields: Any) -> ChatCompletionMessage:
    values = {
        "tool_calls": [{"id": call_id, "type": "function"} for call_id in call_ids],
        "reasoning_items": [{"type": "reasoning", "encrypted_content": text}],
    }
    return ChatCompletionMessage.model_validate({**values, **fields})


def test_any_call_of_a_message_leads_back_to_its_reasoning() -> None:
    cache = ReasoningCache()
    cache.remember(_message("c1", "c2", output_order=[{"type": "reasoning"}]), 0)
    kept = cache.recall(["unknown", "c2"], 10)
    assert kept is not None
    assert kept.reasoning_items == [{"type": "reasoning", "encrypted_content": "AAA"}]
    assert kept.output_order == [{"type": "reasoning"}]
    assert cache.recall(["c3"], 10) is None


def test_messages_without_calls_or_without_reasoning_are_not_kept() -> None:
    cache = ReasoningCache()
    cache.remember(_message(), 0)
    cache.remember(_message("c1", reasoning_items=None), 0)
    assert len(cache) == 0


def test_entries_expire_after_their_time() -> None:
    cache = ReasoningCache(ttl=60)
    cache.remember(_message("c1"), 100)
    assert cache.recall(["c1"], 159.9) is not None
    assert cache.recall(["c1"], 160) is None
    assert len(cache) == 0


def test_the_oldest_goes_first_when_it_is_full() -> None:
    cache = ReasoningCache(capacity=2)
    for number in range(3):
        cache.remember(_message(f"c{number}"), number)
    assert [cache.recall([f"c{number}"], 3) is not None for number in range(3)] == [
        False,
        True,
        True,
    ]


def test_it_is_bounded_by_size_too() -> None:
    cache = ReasoningCache(max_characters=50)
    cache.remember(_message("c1", text="A" * 30), 0)
    cache.remember(_message("c2", text="B" * 30), 0)
    assert cache.recall(["c1"], 0) is None
    assert cache.recall(["c2"], 0) is not None


def test_a_message_remembered_twice_is_there_once() -> None:
    cache = ReasoningCache(max_characters=50)
    for _ in range(5):
        cache.remember(_message("c1", text="A" * 30), 0)
    assert len(cache) == 1
    assert cache.recall(["c1"], 0) is not None


def test_a_call_id_belongs_to_the_message_that_used_it_last() -> None:
    cache = ReasoningCache(capacity=2)
    cache.remember(_message("c1", "c2", text="old"), 0)
    cache.remember(_message("c2", text="new"), 1)
    cache.remember(_message("c3"), 2)
    kept = cache.recall(["c2"], 3)
    assert kept is not None
    assert kept.reasoning_items == [{"type": "reasoning", "encrypted_content": "new"}]
    assert cache.recall(["c1"], 3) is None
