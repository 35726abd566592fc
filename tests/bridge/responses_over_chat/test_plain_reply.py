"""A reply that is one text is read at once, into what the reader of any reply makes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.response_events import ResponseEventBuilder
from azure_responses.bridge.responses_over_chat.plain_reply import end_plain, find_plain
from azure_responses.bridge.responses_over_chat.reply import ChatReplyReader, ReplyForm

from .cases import completion

_ODD: st.SearchStrategy[Any] = st.sampled_from([None, "", "x", 0, 3, [], {}, [1], {"a": 1}])
_VERDICTS = st.dictionaries(
    st.sampled_from(["hate", "jailbreak"]),
    st.fixed_dictionaries({"filtered": st.booleans()}),
)
_CHOICES = st.fixed_dictionaries(
    {"message": st.fixed_dictionaries({"content": st.text()}, optional={"role": st.text()})},
    optional={
        "finish_reason": st.sampled_from(["stop", "length", None]),
        "logprobs": st.none(),
        "content_filter_results": _ODD | _VERDICTS,
        "content_filter_offsets": _ODD,
    },
)
_COMPLETIONS = st.fixed_dictionaries(
    {"choices": st.lists(_CHOICES, min_size=1, max_size=2)},
    optional={
        "usage": _ODD | st.fixed_dictionaries({"prompt_tokens": _ODD, "completion_tokens": _ODD}),
        "service_tier": _ODD,
        "prompt_filter_results": _ODD
        | st.lists(st.fixed_dictionaries({"content_filter_results": _VERDICTS})),
    },
)


def _begun() -> dict[str, Any]:
    return {"id": "resp_1", "status": "in_progress", "output": [], "usage": None} | {
        "error": None,
        "incomplete_details": None,
        "content_filters": None,
    }


def _new_id(prefix: str) -> str:
    return f"{prefix}2"


@given(_COMPLETIONS)
def test_it_says_what_the_reader_of_any_reply_says(reply: dict[str, Any]) -> None:
    choice = find_plain(reply)
    if choice is None:
        return
    builder = ResponseEventBuilder(_begun(), _new_id, streams=False)
    reader = ChatReplyReader(builder, ReplyForm(FunctionTools({})), _new_id)
    reader.add_completion(reply)
    reader.finish()
    made = end_plain(_begun(), reply, choice, _new_id)
    assert made == builder.final
    assert list(made["output"][0]) == list((builder.final or {})["output"][0])


@pytest.mark.parametrize(
    "message",
    [
        {"content": ""},
        {"content": None, "refusal": "No."},
        {"content": [{"type": "text", "text": "Hi"}]},
        {"content": "Hi", "refusal": "No."},
        {"content": "Hi", "reasoning_content": "Hm."},
        {"content": "Hi", "annotations": [{"type": "url_citation"}]},
        {"content": "Hi", "tool_calls": [{"id": "call_1", "function": {"name": "add"}}]},
    ],
)
def test_a_message_that_is_more_than_a_text_is_left_to_the_reader(message: Any) -> None:
    assert find_plain(completion(message)) is None


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"choices": []},
        {"choices": ["x"]},
        {"choices": [{"message": None, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]},
        {
            "choices": [
                {
                    "message": {"content": "Hi"},
                    "finish_reason": "stop",
                    "logprobs": {"content": [{}]},
                }
            ]
        },
    ],
)
def test_a_reply_without_such_a_choice_is_left_to_the_reader(reply: dict[str, Any]) -> None:
    assert find_plain(reply) is None
