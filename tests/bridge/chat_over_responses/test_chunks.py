from typing import Any

import pytest

from azure_responses.bridge import accumulate_chunks
from azure_responses.bridge.chat_over_responses.chunks import ChunkFactory
from azure_responses.types import ChatCompletionChunk


def test_no_chunks_are_no_completion() -> None:
    with pytest.raises(ValueError, match="no chunks"):
        accumulate_chunks([])


def test_chunks_of_any_maker_add_up() -> None:
    chunks = [
        {"id": "a", "created": 1, "model": "m", "choices": [], "prompt_filter_results": []},
        {"id": "a", "choices": [{"delta": {"role": "assistant", "content": None}}]},
        {"id": "a", "choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": None}}]},
        {"id": "a", "choices": [{"delta": {"tool_calls": [{"index": 1, "id": "c2"}]}}]},
        {"id": "a", "choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1"}]}}]},
        {"id": "a", "choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        {"id": "a", "choices": [], "usage": {"prompt_tokens": 1}},
    ]
    completion = accumulate_chunks(ChatCompletionChunk.model_validate(chunk) for chunk in chunks)
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("Hi", "tool_calls")
    assert [call.id for call in choice.message.tool_calls or ()] == ["c1", "c2"]
    assert completion.usage is not None
    assert completion.model == "m"


def test_an_answer_of_nothing_is_empty_text() -> None:
    chunk = ChatCompletionChunk.model_validate({"id": "a", "choices": [{"delta": {}}]})
    message = accumulate_chunks([chunk]).choices[0].message
    assert message.to_dict() == {"role": "assistant", "content": "", "refusal": None}


def test_a_deprecated_call_adds_up() -> None:
    deltas = [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    chunks = [
        ChatCompletionChunk.model_validate({"id": "a", "choices": [{"delta": delta}]})
        for delta in deltas
    ]
    call = accumulate_chunks(chunks).choices[0].message.function_call
    assert call is not None
    assert (call.name, call.arguments) == ("f", "{}")


ENVELOPE: dict[str, Any] = {"id": "r", "created": 1, "model": "m"}


def test_the_quick_way_makes_the_same_chunk_as_the_careful_one() -> None:
    for has_usage in (False, True):
        maker = ChunkFactory(ENVELOPE, has_usage)
        quick, careful = maker.content("Hi"), maker.delta({"content": "Hi"})
        assert quick == careful == ChatCompletionChunk.model_validate(careful.to_dict())
        assert quick.to_json() == careful.to_json()
        assert ("usage" in quick.to_dict()) is has_usage


def test_chunks_share_nothing_that_can_change() -> None:
    maker = ChunkFactory(ENVELOPE, False)
    first = maker.content("a")
    first.usage = None
    first.choices[0].delta.role = "assistant"
    first.choices[0].logprobs = None
    assert maker.content("b").to_dict() == maker.delta({"content": "b"}).to_dict()
    assert "usage" not in maker.content("b").to_dict()


def test_a_new_address_holds_from_then_on() -> None:
    maker = ChunkFactory(ENVELOPE, False)
    maker.readdress({"id": "s", "created": 2, "model": "n"})
    assert maker.content("a").id == maker.delta({}).id == maker.last({}, {}).id == "s"


def test_logprobs_and_closing_chunks() -> None:
    maker = ChunkFactory(ENVELOPE, False)
    logprobs = maker.delta({}, [{"token": "a"}]).choices[0].logprobs
    assert logprobs is not None
    assert logprobs.to_dict() == {"content": [{"token": "a"}], "refusal": None}
    last = maker.last({"finish_reason": "stop"}, {"status": "cancelled"})
    assert (last.choices[0].finish_reason, last.status) == ("stop", "cancelled")
    assert maker.usage(None, {}).choices == []
