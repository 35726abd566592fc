from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.messages_over_chat import MessagesOverChat
from azure_responses.errors import AzureResponsesError

from ..anthropic_sdk import (
    SEALER,
    check_events,
    context,
    events,
    in_pieces,
    read_message,
    stream_message,
    write_events,
)

_THINKS = {"type": "adaptive"}


def _conversion(deployment: str = "kimi-k2.5", **parameters: Any) -> MessagesOverChat:
    messages = [{"role": "user", "content": "Hi"}]
    request = {"model": "claude", "max_tokens": 100, "messages": messages, **parameters}
    conversion = MessagesOverChat(request, context(deployment))
    conversion.write()
    return conversion


def _completion(finish: str = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": None, **message},
    }
    return {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage}


def _chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "delta": delta}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}


def _call(index: int = 0, **function: Any) -> dict[str, Any]:
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 8},
}


def _stream(conversion: MessagesOverChat, *chunks: Any) -> bytes:
    stream = conversion.stream()
    body = in_pieces(stream, write_events(chunks) + b"data: [DONE]\n\n")
    check_events(body)
    if stream.final is not None:
        assert stream_message(body) == read_message(stream.final) == stream.final
    return body


def test_a_whole_completion_becomes_a_message() -> None:
    message = _conversion(thinking=_THINKS).read(
        _completion(
            "tool_calls",
            _USAGE,
            reasoning_content="Hm",
            content="Hi",
            tool_calls=[_call(name="f", arguments='{"a":1}')],
        )
    )
    signature = message["content"][0].pop("signature")
    assert SEALER.open("kimi", signature) == {"text": "Hm"}
    assert message == {
        "id": "msg_0",
        "type": "message",
        "role": "assistant",
        "model": "kimi-k2.5",
        "content": [
            {"type": "thinking", "thinking": "Hm"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "call_0", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 40,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 60,
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 8},
        },
    }


def test_a_stream_says_the_same_as_the_whole() -> None:
    parameters: dict[str, Any] = {"thinking": _THINKS}
    calls = [_call(0, name="f", arguments='{"a":1}'), _call(1, name="g", arguments="{}")]
    whole = _conversion(**parameters).read(
        _completion("tool_calls", _USAGE, reasoning_content="Hm", content="Hi", tool_calls=calls)
    )
    body = _stream(
        _conversion(**parameters),
        _chunk(role="assistant", content=""),
        _chunk(reasoning_content="H"),
        _chunk(reasoning_content="m"),
        _chunk(content="H"),
        _chunk(content="i"),
        _chunk(tool_calls=[_call(0, name="f", arguments="")]),
        _chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
        _chunk(tool_calls=[_call(1, name="g", arguments="{")]),
        _chunk(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}]),
        _chunk(tool_calls=[{"index": 1, "function": {"arguments": "}"}}]),
        _chunk("tool_calls"),
        {"choices": [], "usage": _USAGE},
    )
    assert stream_message(body) == whole


def test_thinking_is_shown_only_to_callers_who_asked_for_it() -> None:
    completion = _completion(reasoning_content="Hm", content="Hi")
    assert _conversion().read(completion)["content"] == [{"type": "text", "text": "Hi"}]
    omitted = _conversion(thinking={"type": "adaptive", "display": "omitted"})
    block = omitted.read(completion)["content"][0]
    assert block["thinking"] == ""
    assert SEALER.open("kimi", block["signature"]) == {"text": "Hm"}


def test_the_next_turn_gives_the_reasoning_back() -> None:
    completion = _completion(reasoning_content="Hm", content="Hi")
    message = _conversion(thinking=_THINKS).read(completion)
    turns = [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    conversion = MessagesOverChat({"max_tokens": 9, "messages": turns}, context("kimi-k2.5"))
    assert conversion.write()["messages"][0]["reasoning_content"] == "Hm"


def test_a_model_gets_the_reasoning_of_its_calls_back_although_it_was_not_shown() -> None:
    whole = _completion(
        "tool_calls",
        reasoning_content="Hm",
        content="Hi",
        tool_calls=[_call(name="f", arguments="{}")],
    )
    message = _conversion().read(whole)
    assert [block["type"] for block in message["content"]] == [
        "text",
        "tool_use",
        "redacted_thinking",
    ]
    body = _stream(
        _conversion(),
        _chunk(reasoning_content="Hm"),
        _chunk(content="Hi"),
        _chunk(tool_calls=[_call(name="f", arguments="{}")]),
        _chunk("tool_calls"),
    )
    assert stream_message(body)["content"] == message["content"]
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": message["content"]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "call_0", "content": "1"}],
        },
    ]
    conversion = MessagesOverChat({"max_tokens": 9, "messages": turns}, context("kimi-k2.5"))
    assert conversion.write()["messages"][1]["reasoning_content"] == "Hm"
    mistral = _conversion("mistral-large-3").read(whole)
    assert [block["type"] for block in mistral["content"]] == ["text", "tool_use"]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")],
)
def test_the_finish_reason_becomes_a_stop_reason(finish: str, reason: str) -> None:
    assert _conversion().read(_completion(finish, content="Hi"))["stop_reason"] == reason


def test_a_refusal_is_text_with_its_own_stop_reason() -> None:
    message = _conversion().read(_completion(refusal="No."))
    assert message["content"] == [{"type": "text", "text": "No."}]
    assert (message["stop_reason"], message["stop_details"]["explanation"]) == ("refusal", "No.")


def test_sources_become_citations() -> None:
    source = {"type": "url_citation", "url_citation": {"url": "https://a", "title": "A"}}
    message = _conversion().read(_completion(content="Hi", annotations=[source, source]))
    assert [found["url"] for found in message["content"][0]["citations"]] == ["https://a"] * 2


def test_a_stop_sequence_that_the_model_does_not_take_ends_the_message() -> None:
    body = _stream(
        _conversion("grok-4", stop_sequences=["##"]),
        _chunk(content="One #"),
        _chunk(content="# two"),
        _chunk(tool_calls=[_call(name="f", arguments="{}")]),
        _chunk("tool_calls"),
    )
    message = stream_message(body)
    assert message["content"] == [{"type": "text", "text": "One "}]
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "##")


def test_long_names_come_back_as_the_caller_knows_them() -> None:
    name = "mcp__" + "x" * 90
    conversion = _conversion(tools=[{"name": name, "input_schema": {"type": "object"}}])
    sent = conversion.write()["tools"][0]["function"]["name"]
    assert len(sent) <= 64
    message = conversion.read(_completion(tool_calls=[_call(name=sent, arguments="{}")]))
    assert message["content"][0]["name"] == name


def test_a_stream_that_fails_ends_with_an_error_and_nothing_after_it() -> None:
    conversion = _conversion()
    stream = conversion.stream()
    error = {"error": {"code": "429", "message": "Slow down"}}
    body = in_pieces(stream, write_events([_chunk(content="Hi"), error, _chunk("stop")]))
    assert events(body)[-1] == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slow down"},
    }
    assert stream.final is None


def test_a_stream_that_breaks_off_has_no_last_event() -> None:
    stream = _conversion().stream()
    cut = events(in_pieces(stream, write_events([_chunk(content="Hi")])))
    assert cut[-1]["type"] == "content_block_delta"
    assert stream.final is None


def test_a_reply_that_is_none_raises() -> None:
    conversion = _conversion()
    with pytest.raises(ValueError, match="no message"):
        conversion.read({})
    with pytest.raises(ValueError, match="not a chat completion"):
        conversion.read({"choices": [{"message": {"tool_calls": [1]}}]})
    with pytest.raises(AzureResponsesError):
        conversion.read(_completion("error"))
    assert conversion.shortened() is None


@settings(max_examples=60)
@given(st.integers(1, 60), st.booleans(), st.sampled_from(["kimi-k2.5", "grok-4"]))
def test_pieces_of_any_size_give_the_same_bytes(size: int, thinks: bool, deployment: str) -> None:
    parameters: dict[str, Any] = {"thinking": _THINKS} if thinks else {}
    parameters["stop_sequences"] = ["!"]
    body = write_events(
        [
            _chunk(reasoning_content="Hé"),
            *(_chunk(content=text) for text in "Oh, é! no"),
            _chunk("stop"),
            {"choices": [], "usage": _USAGE},
        ]
    )
    whole = in_pieces(_conversion(deployment, **parameters).stream(), body)
    assert in_pieces(_conversion(deployment, **parameters).stream(), body, size) == whole
