import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.chat_over_messages import ChatOverMessages

from ..anthropic_sdk import context, events, in_pieces, write_events
from ..openai_sdk import read_completion, stream_completion


def _conversion(**parameters: Any) -> ChatOverMessages:
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **parameters}
    conversion = ChatOverMessages(request, context("claude-sonnet-5"))
    conversion.write()
    return conversion


_USAGE = {
    "input_tokens": 30,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 10,
    "output_tokens": 20,
    "output_tokens_details": {"thinking_tokens": 8},
    "service_tier": "standard",
}


def _message(*content: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": list(content),
        "stop_reason": "end_turn",
        "usage": _USAGE,
        **fields,
    }


_THINKING = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
_TEXT = {"type": "text", "text": "Hi"}
_USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}


def _started(**usage: Any) -> dict[str, Any]:
    message = _message(usage={**_USAGE, "output_tokens": 1, **usage}, stop_reason=None)
    return {"type": "message_start", "message": message}


def _block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    place = {"index": index}
    return [
        {"type": "content_block_start", **place, "content_block": start},
        {"type": "ping"},
        *({"type": "content_block_delta", **place, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", **place},
    ]


def _ended(reason: str, **fields: Any) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None, **fields}
    usage = {"output_tokens": 20, "input_tokens": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": usage},
        {"type": "message_stop"},
    ]


def _text_delta(text: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": text}


def _json_delta(text: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": text}


_STREAM = [
    _started(),
    *_block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "H"},
        {"type": "thinking_delta", "thinking": "m"},
        {"type": "signature_delta", "signature": "sig"},
    ),
    *_block(1, {"type": "text", "text": ""}, _text_delta("H"), _text_delta("i")),
    *_block(2, {**_USE, "input": {}}, _json_delta(""), _json_delta('{"a":'), _json_delta("1}")),
    *_ended("tool_use"),
]


def _stream(conversion: ChatOverMessages, *sent: Any) -> bytes:
    stream = conversion.stream()
    body = in_pieces(stream, write_events(sent))
    if stream.final is not None:
        assert read_completion(stream.final) == stream.final
    return body


def test_a_whole_message_becomes_a_completion() -> None:
    completion = _conversion().read(_message(_THINKING, _TEXT, _USE, stop_reason="tool_use"))
    assert read_completion(completion) == completion
    function = {"name": "f", "arguments": '{"a":1}'}
    assert completion == {
        "id": "chatcmpl-msg_1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "claude-sonnet-5",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "reasoning_content": "Hm",
                    "tool_calls": [{"id": "toolu_1", "type": "function", "function": function}],
                    "thinking_blocks": [_THINKING],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 8},
        },
    }


def test_a_stream_says_the_same_as_the_whole() -> None:
    conversion = _conversion()
    whole = conversion.read(_message(_THINKING, _TEXT, _USE, stop_reason="tool_use"))
    stream = conversion.stream()
    body = in_pieces(stream, write_events(_STREAM))
    assert stream.final == whole
    (choice,) = stream_completion(body)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["message"]["content"] == "Hi"
    assert (call["id"], call["function"]["arguments"]) == ("toolu_1", '{"a":1}')
    assert choice["finish_reason"] == "tool_calls"


def test_the_first_chunk_has_the_role_and_usage_comes_only_when_asked_for() -> None:
    plain = events(_stream(_conversion(stream=True), *_STREAM))
    assert plain[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert plain[-1] == {"done": True}
    assert not any("usage" in chunk for chunk in plain)
    asked = events(_stream(_conversion(stream_options={"include_usage": True}), *_STREAM))
    assert [chunk["usage"] for chunk in asked[:-2]] == [None] * (len(asked) - 2)
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["total_tokens"] == 120


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
    ],
)
def test_the_stop_reason_becomes_a_finish_reason(stop: str, finish: str) -> None:
    completion = _conversion().read(_message(_TEXT, stop_reason=stop))
    assert completion["choices"][0]["finish_reason"] == finish


def test_a_refusal_has_its_explanation() -> None:
    details = {"type": "refusal", "explanation": "No."}
    read = _conversion().read
    (choice,) = read(_message(stop_reason="refusal", stop_details=details))["choices"]
    assert (choice["finish_reason"], choice["message"]["refusal"]) == ("content_filter", "No.")
    assert choice["message"]["content"] is None
    (choice,) = read(_message(stop_reason="refusal"))["choices"]
    assert choice["message"]["refusal"] == "Claude refused to answer."


def test_each_thinking_block_keeps_its_signature_in_order() -> None:
    hidden = {"type": "redacted_thinking", "data": "d"}
    second = {**_THINKING, "thinking": "So", "signature": "other"}
    (choice,) = _conversion().read(_message(_THINKING, hidden, second, _TEXT))["choices"]
    assert choice["message"]["thinking_blocks"] == [_THINKING, hidden, second]
    assert choice["message"]["reasoning_content"] == "Hm\n\nSo"


def test_texts_around_a_call_are_two_paragraphs_and_neighbours_are_one() -> None:
    other = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    blocks = [_TEXT, _TEXT, other, _USE, _TEXT]
    (choice,) = _conversion().read(_message(*blocks))["choices"]
    assert choice["message"]["content"] == "HiHi\n\nHi"


def test_citations_become_annotations_with_places_in_the_text() -> None:
    citation = {"type": "web_search_result_location", "url": "https://a", "title": "A"}
    cited = {**_TEXT, "citations": [citation]}
    page = {"type": "page_location", "document_title": "Plan", "document_index": 1}
    conversion = _conversion()
    completion = conversion.read(_message(_TEXT, cited, {**_TEXT, "citations": [page]}))
    (choice,) = completion["choices"]
    url, file = choice["message"]["annotations"]
    place = {"start_index": 2, "end_index": 4}
    assert url == {
        "type": "url_citation",
        "url_citation": {"url": "https://a", "title": "A", **place},
    }
    assert file["file_citation"]["filename"] == "Plan"
    delta = {"type": "citations_delta", "citation": citation}
    start = {"type": "text", "text": ""}
    body = _stream(
        conversion,
        _started(),
        *_block(0, start, delta, _text_delta("Hi")),
        *_ended("end_turn"),
    )
    assert len(stream_completion(body)["choices"][0]["message"]["annotations"]) == 1


_CUSTOM = {"type": "custom", "custom": {"name": "f"}}


def test_a_custom_tool_gets_its_text_back_in_whole_and_in_stream() -> None:
    conversion = _conversion(tools=[_CUSTOM])
    use = {**_USE, "input": {"input": 'a"b'}}
    whole = conversion.read(_message(use, stop_reason="tool_use"))
    (call,) = whole["choices"][0]["message"]["tool_calls"]
    assert call == {"id": "toolu_1", "type": "custom", "custom": {"name": "f", "input": 'a"b'}}
    stream = conversion.stream()
    deltas = map(_json_delta, ['{"inp', 'ut": "a\\', '"b"}'])
    sent = [_started(), *_block(0, {**_USE, "input": {}}, *deltas), *_ended("tool_use")]
    in_pieces(stream, write_events(sent))
    assert stream.final == whole


def test_a_call_without_arguments_has_an_empty_object() -> None:
    conversion = _conversion()
    use = {"type": "tool_use", "name": "f", "input": {}}
    (choice,) = conversion.read(_message(use))["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (call["id"], call["function"]["arguments"]) == ("call_0", "{}")


def test_callers_of_functions_get_a_function_call() -> None:
    conversion = _conversion(functions=[{"name": "f"}])
    second = {**_USE, "id": "toolu_2"}
    completion = conversion.read(_message(_USE, second, stop_reason="tool_use"))
    (choice,) = completion["choices"]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert [call["id"] for call in choice["message"]["tool_calls"]] == ["toolu_2"]
    assert choice["finish_reason"] == "function_call"
    chunks = events(_stream(conversion, *_STREAM))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    calls = [delta["function_call"] for delta in deltas if "function_call" in delta]
    assert calls[0] == {"name": "f", "arguments": ""}
    assert "".join(call["arguments"] for call in calls) == '{"a":1}'


def test_a_custom_call_among_functions_is_a_tool_call() -> None:
    conversion = _conversion(functions=[{"name": "g"}], tools=[_CUSTOM])
    use = {**_USE, "input": {"input": "a"}}
    (choice,) = conversion.read(_message(use, stop_reason="tool_use"))["choices"]
    assert "function_call" not in choice["message"]
    assert choice["finish_reason"] == "tool_calls"


def test_a_stream_that_fails_ends_with_an_error_and_nothing_after_it() -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}
    stream = _conversion().stream()
    sent = [_started(), *_block(0, _TEXT), error, *_ended("end_turn")]
    chunks = events(in_pieces(stream, write_events(sent)))
    assert chunks[-1]["error"] == {
        "message": "Slow down",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert stream.final is None
    chunks = events(in_pieces(_conversion().stream(), write_events([{"type": "error"}])))
    assert chunks[-1]["error"]["message"] == "Claude failed."


def test_a_stream_that_breaks_off_is_an_error_unless_claude_had_stopped() -> None:
    sent = [_started(), *_block(0, _TEXT)]
    chunks = events(in_pieces(_conversion().stream(), write_events(sent)))
    assert chunks[-1]["error"]["message"] == "The stream ended before the answer did."
    stream = _conversion().stream()
    in_pieces(stream, write_events([*sent, _ended("end_turn")[0]]).rstrip())
    assert stream.final is not None


def test_odd_events_are_passed_over() -> None:
    odd: list[dict[str, Any]] = [
        {"type": "message_delta"},
        {"type": "content_block_delta", "index": 9, "delta": _text_delta("x")},
        {"type": "content_block_stop", "index": 9},
        {"type": "tomorrow"},
        *_block(0, {"type": "text"}, {"type": "tomorrow_delta"}),
        {"type": "content_block_start", "index": 1, "content_block": _TEXT},
    ]
    stream = _conversion().stream()
    body = in_pieces(stream, b"data: odd\n\n" + write_events([*odd, {"type": "message_stop"}]))
    assert stream.final is not None
    assert stream.final["choices"][0]["message"]["content"] == "Hi"
    assert "usage" not in stream.final
    assert stream_completion(body)["model"] == "claude-sonnet-5"


def test_a_reply_that_is_no_message_raises() -> None:
    with pytest.raises(ValueError, match="not a message"):
        _conversion().read({"object": "response"})
    assert _conversion().shortened() is None


@settings(max_examples=60)
@given(st.integers(1, 70))
def test_pieces_of_any_size_give_the_same_bytes(size: int) -> None:
    body = write_events(_STREAM)
    whole = in_pieces(_conversion().stream(), body)
    assert in_pieces(_conversion().stream(), body, size) == whole


_BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, st.text(min_size=1, max_size=9)),
        st.builds(
            lambda value: {**_USE, "input": {"a": value}},
            st.one_of(st.integers(), st.text(max_size=5)),
        ),
        st.just(_THINKING),
    ),
    max_size=6,
)


@settings(max_examples=80)
@given(_BLOCKS)
def test_whatever_claude_says_the_stream_equals_the_whole(blocks: list[dict[str, Any]]) -> None:
    conversion = _conversion()
    whole = conversion.read(_message(*blocks))
    sent = [_started()]
    for index, block in enumerate(blocks):
        sent += _block(index, *_as_stream(block))
    stream = conversion.stream()
    in_pieces(stream, write_events([*sent, *_ended("end_turn")]), 50)
    assert stream.final == whole


def _as_stream(block: dict[str, Any]) -> list[dict[str, Any]]:
    if block["type"] == "text":
        return [{"type": "text", "text": ""}, *map(_text_delta, block["text"])]
    if block["type"] == "thinking":
        return [
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    text = json.dumps(block["input"], ensure_ascii=False, separators=(",", ":"))
    return [{**block, "input": {}}, *map(_json_delta, text)]
