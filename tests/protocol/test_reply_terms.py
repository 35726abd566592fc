"""What routing, prices and logs learn of a reply that is not a response."""

from typing import Any

import pytest

from azure_responses.pricing.use import read_use
from azure_responses.protocol.reply_terms import as_response, chat_usage, messages_usage


def completion(reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant"}, "finish_reason": reason}
    return {"id": "chatcmpl-1", "model": "kimi-k2.5", "choices": [choice], **more}


def test_a_response_speaks_for_itself() -> None:
    body = {"id": "resp_1", "usage": None}
    assert as_response("responses", body) is body


def test_a_completion_counts_under_the_names_of_a_response() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 4,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    facts = as_response("chat", completion(usage=usage))
    assert facts["status"] == "completed"
    assert facts["model"] == "kimi-k2.5"
    assert facts["store"] is False
    assert facts["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }


def test_deepseek_names_cached_tokens_in_its_own_way() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "prompt_cache_hit_tokens": 8}
    counted = chat_usage(usage)
    assert counted is not None
    assert counted["input_tokens_details"]["cached_tokens"] == 8


@pytest.mark.parametrize("usage", [None, {}, "10", {"prompt_tokens": None}])
def test_a_completion_without_counts_has_no_usage(usage: Any) -> None:
    assert as_response("chat", completion(usage=usage))["usage"] is None


@pytest.mark.parametrize(
    ("reason", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_a_completion_that_was_cut_is_incomplete(reason: str, why: str) -> None:
    facts = as_response("chat", completion(reason))
    assert facts["status"] == "incomplete"
    assert facts["incomplete_details"] == {"reason": why}


@pytest.mark.parametrize("choices", [None, [], ["x"], [{}]])
def test_a_completion_without_a_reason_counts_as_whole(choices: Any) -> None:
    assert as_response("chat", {"choices": choices})["status"] == "completed"


def test_what_messages_read_from_and_wrote_to_the_cache_is_input() -> None:
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    }
    body = {"id": "msg_1", "model": "claude", "stop_reason": "tool_use", "usage": usage}
    facts = as_response("messages", body)
    assert facts["status"] == "completed"
    assert facts["usage"]["input_tokens"] == 125
    assert facts["usage"]["total_tokens"] == 132
    tokens = read_use(facts).tokens
    assert tokens is not None
    assert (tokens.input, tokens.cached, tokens.cache_write) == (125, 100, 20)
    assert (tokens.output, tokens.reasoning) == (7, 3)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("max_tokens", "max_output_tokens"),
        ("model_context_window_exceeded", "max_output_tokens"),
        ("refusal", "content_filter"),
    ],
)
def test_messages_that_were_cut_are_incomplete(reason: str, why: str) -> None:
    facts = as_response("messages", {"stop_reason": reason})
    assert facts["incomplete_details"] == {"reason": why}
    assert facts["usage"] is None


def test_a_truth_value_is_not_a_count() -> None:
    counted = messages_usage({"input_tokens": 1, "output_tokens": True})
    assert counted is not None
    assert counted["output_tokens"] == 0
