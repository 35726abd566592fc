from typing import Any

from azure_responses.bridge.chat_over_responses.message_draft import (
    MessageDraft,
    reasoning_texts,
    to_logprobs,
)
from azure_responses.types import ReasoningItem, Response, TokenLogprob


def _draft(*output: dict[str, Any]) -> MessageDraft:
    draft = MessageDraft()
    for item in Response.model_validate({"id": "r", "output": list(output)}).output:
        draft.add(item)
    return draft


def test_an_empty_draft_is_an_empty_answer() -> None:
    draft = _draft()
    assert draft.build().to_dict() == {"role": "assistant", "content": "", "refusal": None}
    assert draft.logprobs_object is None


def test_raw_reasoning_comes_before_its_summary_and_empty_parts_do_not_count() -> None:
    item = ReasoningItem.model_validate(
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "s"}, {"type": "hologram"}],
            "content": [
                {"type": "reasoning_text", "text": "raw"},
                {"type": "reasoning_text", "text": ""},
            ],
        }
    )
    assert reasoning_texts(item) == ["raw", "s"]


def test_phases_make_an_order_worth_telling() -> None:
    part = {"type": "output_text", "text": "Hi"}
    message = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    assert _draft(message).build().output_order is None
    told = _draft({**message, "phase": "final_answer"}).build().output_order
    assert told == [{"type": "message", "text": 2, "refusal": 0, "phase": "final_answer"}]


def test_log_probabilities_leave_no_field_out() -> None:
    assert to_logprobs([TokenLogprob()]) == [
        {"token": "", "logprob": None, "bytes": None, "top_logprobs": []}
    ]
