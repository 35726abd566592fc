from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.messages_over_responses import MessagesOverResponses
from azure_responses.errors import AzureResponsesError, RateLimitError
from tests.recordings import exchanges

from ..anthropic_sdk import (
    check_events,
    context,
    events,
    in_pieces,
    read_message,
    stream_message,
    write_events,
)

_THINKS = {"type": "adaptive"}


def _conversion(**parameters: Any) -> MessagesOverResponses:
    messages = [{"role": "user", "content": "Hi"}]
    request = {"model": "claude", "max_tokens": 100, "messages": messages, **parameters}
    conversion = MessagesOverResponses(request, context())
    conversion.write()
    return conversion


def _response(*output: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-5",
        "output": list(output),
        **fields,
    }


def _message(text: str, **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], **fields}
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}


_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"a":1}',
}
_REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "encrypted_content": "gAAA",
    "summary": [
        {"type": "summary_text", "text": "One"},
        {"type": "summary_text", "text": "Two"},
    ],
}


def _stream(conversion: MessagesOverResponses, *sent: Any) -> bytes:
    stream = conversion.stream()
    body = in_pieces(stream, write_events(sent))
    check_events(body)
    if stream.final is not None:
        assert stream_message(body) == read_message(stream.final) == stream.final
    return body


def _created(**fields: Any) -> dict[str, Any]:
    return {"type": "response.created", "response": _response(status="in_progress", **fields)}


def _delta(kind: str, text: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": index, "delta": text, **fields}


def _completed(*output: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": _response(*output, **fields)}


def test_a_whole_response_becomes_a_message() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 8},
    }
    conversion = _conversion(thinking=_THINKS)
    message = conversion.read(_response(_REASONING, _message("Hi"), _CALL, usage=usage))
    signature = message["content"][0].pop("signature")
    assert signature.startswith("arsealed1.")
    assert message == {
        "id": "msg_resp_1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-5",
        "content": [
            {"type": "thinking", "thinking": "One\n\nTwo"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 30,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 60,
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 8},
        },
    }


@pytest.mark.parametrize("field", ["summary", "content"])
def test_the_next_turn_restores_a_reasoning_item_exactly(field: str) -> None:
    kind = "summary_text" if field == "summary" else "reasoning_text"
    parts = [{"type": kind, "text": text} for text in ("One", "Two")]
    item: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "g",
        "summary": [],
    }
    item[field] = parts
    message = _conversion(thinking=_THINKS).read(_response(item, _message("Hi")))
    turns: list[dict[str, Any]] = [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    assert _conversion(messages=turns).write()["input"][0] == item


def test_a_changed_thinking_text_is_one_summary() -> None:
    message = _conversion(thinking=_THINKS).read(_response(_REASONING, _message("Hi")))
    message["content"][0]["thinking"] = "Changed"
    turns: list[dict[str, Any]] = [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    restored = _conversion(messages=turns).write()["input"][0]
    assert restored["summary"] == [{"type": "summary_text", "text": "Changed"}]


def test_reasoning_that_nothing_follows_is_not_sent_again() -> None:
    message = _conversion(thinking=_THINKS).read(_response(_REASONING, status="incomplete"))
    turns: list[dict[str, Any]] = [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    assert [item["type"] for item in _conversion(messages=turns).write()["input"]] == ["message"]


def test_reasoning_without_an_id_or_encrypted_content() -> None:
    bare = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "One"}]}
    message = _conversion(thinking=_THINKS).read(_response(bare, _message("Hi")))
    turns: list[dict[str, Any]] = [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    assert len(_conversion(messages=turns).write()["input"]) == 2
    sealed = {**bare, "encrypted_content": "g", "summary": []}
    message = _conversion(thinking=_THINKS).read(_response(sealed, _message("Hi")))
    turns[0]["content"] = message["content"]
    assert _conversion(messages=turns).write()["input"][0] == sealed


def test_thinking_is_shown_only_to_callers_who_asked_for_it() -> None:
    assert len(_conversion().read(_response(_REASONING, _message("Hi")))["content"]) == 1
    silent = {"type": "reasoning", "id": "rs_1", "summary": []}
    message = _conversion(thinking=_THINKS).read(_response(silent, _message("Hi")))
    assert [block["type"] for block in message["content"]] == ["text"]


def test_omitted_thinking_has_a_signature_alone() -> None:
    omitted = {"type": "adaptive", "display": "omitted"}
    conversion = _conversion(thinking=omitted)
    block = conversion.read(_response(_REASONING, _message("Hi")))["content"][0]
    assert block["thinking"] == ""
    assert block["signature"]
    body = _stream(
        conversion,
        _created(),
        _delta("reasoning_summary_text", "One", summary_index=0),
        {"type": "response.output_item.done", "output_index": 0, "item": _REASONING},
        _completed(_REASONING),
    )
    assert b"thinking_delta" not in body
    assert b"signature_delta" in body


def test_a_stream_follows_anthropics_order() -> None:
    reasoning_done = {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": _REASONING,
    }
    place = {"output_index": 1, "content_index": 0}
    annotation = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0}
    body = _stream(
        _conversion(thinking=_THINKS),
        _created(),
        {"type": "response.in_progress", "response": {}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
        _delta("reasoning_summary_text", "One", summary_index=0),
        _delta("reasoning_summary_text", "Two", summary_index=1),
        reasoning_done,
        _delta("output_text", "Hi", 1, content_index=0),
        {
            "type": "response.output_text.annotation.added",
            **place,
            "annotation_index": 0,
            "annotation": annotation,
        },
        {"type": "response.output_text.done", **place, "text": "Hi!"},
        {"type": "response.output_item.added", "output_index": 2, "item": _CALL},
        _delta("function_call_arguments", '{"a"', 2),
        {"type": "response.output_item.done", "output_index": 2, "item": _CALL},
        _completed(_REASONING, _message("Hi!", annotations=[annotation]), _CALL),
    )
    kinds = [
        event["delta"]["type"] if event["type"] == "content_block_delta" else event["type"]
        for event in events(body)
    ]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "thinking_delta",
        "thinking_delta",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "content_block_start",
        "text_delta",
        "citations_delta",
        "text_delta",
        "content_block_stop",
        "content_block_start",
        "input_json_delta",
        "input_json_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_stream_that_begins_in_the_middle_is_a_message_all_the_same() -> None:
    body = _stream(_conversion(), _delta("output_text", "Hi", content_index=0), _completed())
    assert stream_message(body)["content"] == [{"type": "text", "text": "Hi"}]
    assert events(body)[0]["message"]["id"] == "msg_0"


def test_output_that_only_the_last_event_has_is_in_the_stream() -> None:
    body = _stream(_conversion(), _created(), _completed(_message("Hi"), _CALL))
    assert [block["type"] for block in stream_message(body)["content"]] == ["text", "tool_use"]


def test_text_after_a_closed_block_opens_another() -> None:
    body = _stream(
        _conversion(),
        _created(),
        _delta("output_text", "One", 0, content_index=0),
        {"type": "response.output_item.added", "output_index": 1, "item": _CALL},
        {"type": "response.output_item.done", "output_index": 1, "item": _CALL},
        _delta("function_call_arguments", "late", 1),
        _delta("output_text", "Two", 0, content_index=0),
        _completed(_message("OneTwo"), _CALL),
    )
    texts = [block.get("text") for block in stream_message(body)["content"]]
    assert texts == ["One", None, "Two"]


def test_a_stop_sequence_ends_the_message_in_whole_and_in_stream() -> None:
    conversion = _conversion(stop_sequences=["##"], thinking=_THINKS)
    output = (_message("One ## two"), _REASONING, _CALL, _SEARCH)
    whole = conversion.read(_response(*output))
    assert whole["content"] == [{"type": "text", "text": "One "}]
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "##")
    body = _stream(
        conversion,
        _created(),
        _delta("output_text", "One #", content_index=0),
        _delta("output_text", "# two", content_index=0),
        {"type": "response.output_item.added", "output_index": 2, "item": _CALL},
        _completed(*output),
    )
    assert stream_message(body) == whole
    kept = conversion.read(_response(_message("One #")))
    assert kept["content"] == [{"type": "text", "text": "One #"}]
    assert kept["stop_reason"] == "end_turn"


_SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {
        "type": "search",
        "query": "q",
        "sources": [{"type": "url", "url": "https://a"}, 1],
    },
}


def test_a_search_becomes_a_server_tool_call_with_its_result() -> None:
    opened = {"type": "web_search_call", "action": {"type": "open_page", "url": "https://a"}}
    odd = {"type": "web_search_call", "id": "ws_2", "action": None}
    many = {"type": "web_search_call", "id": "ws_3", "action": {"queries": ["a", "b"]}}
    conversion = _conversion()
    message = conversion.read(_response(_SEARCH, opened, odd, many))
    read_message(message)
    use, result = message["content"][:2]
    assert use["id"] == result["tool_use_id"] == "srvtoolu_ws_1"
    assert use["input"] == {"query": "q"}
    assert result["content"][0]["url"] == "https://a"
    inputs = [block["input"]["query"] for block in message["content"][2::2]]
    assert inputs == ["https://a", "a b"]
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_annotations_of_other_kinds_and_repeated_ones_are_passed_over() -> None:
    place = {"output_index": 0, "content_index": 0, "annotation_index": "odd"}
    file = {"type": "file_citation", "file_id": "f"}
    url = {"type": "url_citation"}
    added = {"type": "response.output_text.annotation.added", **place}
    body = _stream(
        _conversion(),
        _created(),
        {**added, "annotation": url},
        _delta("output_text", "Hi", content_index=0),
        {**added, "annotation": url},
        {**added, "annotation": url},
        {**added, "annotation_index": 1, "annotation": file},
        _completed(_message("Hi", annotations=[url, file])),
    )
    (block,) = stream_message(body)["content"]
    assert len(block["citations"]) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "end_turn"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "max_tokens",
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "refusal"),
        ({"status": "incomplete", "incomplete_details": "content_filter"}, "refusal"),
        ({"status": "cancelled"}, "max_tokens"),
    ],
)
def test_the_status_says_why_the_message_ended(fields: Any, reason: str) -> None:
    message = _conversion().read(_response(_message("Hi"), **fields))
    assert message["stop_reason"] == reason
    assert (message["stop_details"] is not None) == (reason == "refusal")


def test_a_refusal_is_text_with_its_own_stop_reason() -> None:
    part = {"type": "refusal", "refusal": "I cannot."}
    item = {"type": "message", "content": [part]}
    message = _conversion().read(_response(item))
    body = _stream(
        _conversion(),
        _created(),
        _delta("refusal", "I ", content_index=0),
        _delta("refusal", "cannot.", content_index=0),
        _completed(item),
    )
    assert stream_message(body) == read_message(message)
    assert message["content"] == [{"type": "text", "text": "I cannot."}]
    assert message["stop_details"]["explanation"] == "I cannot."


def test_a_failed_response_raises_and_in_a_stream_is_an_error_event() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    with pytest.raises(RateLimitError):
        _conversion().read(_response(status="failed", error=error))
    with pytest.raises(AzureResponsesError):
        _conversion().read(_response(status="failed"))
    with pytest.raises(ValueError, match="not a response"):
        _conversion().read({"object": "chat.completion"})


_OVERLOADED = {"code": "server_is_overloaded", "message": "Busy"}


@pytest.mark.parametrize(
    ("sent", "kind", "message"),
    [
        (
            [{"type": "response.failed", "response": {"error": _OVERLOADED}}],
            "overloaded_error",
            "Busy",
        ),
        ([{"type": "error", **_OVERLOADED}], "overloaded_error", "Busy"),
        ([{"type": "error", "error": _OVERLOADED}], "overloaded_error", "Busy"),
        ([{"type": "error", "error": "Broken"}], "api_error", "Broken"),
        (
            [
                {"type": "response.failed", "response": {"error": None}},
                {"type": "error", "error": _OVERLOADED},
                {"type": "response.completed", "response": {}},
            ],
            "overloaded_error",
            "Busy",
        ),
        (
            [{"type": "response.failed", "response": None}],
            "api_error",
            "The model could not answer.",
        ),
        ([], "api_error", "The stream ended before the answer did."),
    ],
)
def test_a_stream_that_fails_ends_with_an_error(sent: Any, kind: str, message: str) -> None:
    conversion = _conversion()
    stream = conversion.stream()
    start = [_created(), _delta("output_text", "Hi", content_index=0)]
    body = in_pieces(stream, write_events([*start, *sent]))
    assert events(body)[-1]["error"] == {"type": kind, "message": message}
    assert stream.final is None


def test_data_that_is_no_event_is_passed_over_and_a_last_event_may_lack_its_end() -> None:
    stream = _conversion().stream()
    body = write_events([_created(), {"type": "response.other"}, _completed(_message("Hi"), 1)])
    body = in_pieces(stream, b"data: [DONE]\n\n" + body.rstrip())
    check_events(body)
    assert stream.final is not None


def test_a_call_without_an_id_or_a_name_gets_one() -> None:
    (block,) = _conversion().read(_response({"type": "function_call", "arguments": None}))[
        "content"
    ]
    assert block == {"type": "tool_use", "id": "call_0", "name": "", "input": {}}


def test_long_names_come_back_as_the_caller_knows_them() -> None:
    name = "mcp__" + "x" * 90
    conversion = _conversion(tools=[{"name": name, "input_schema": {"type": "object"}}])
    sent = conversion.write()["tools"][0]["name"]
    assert conversion.read(_response({**_CALL, "name": sent}))["content"][0]["name"] == name


def test_a_caller_of_messages_cannot_ask_for_a_shorter_conversation() -> None:
    assert _conversion().shortened() is None


def _recorded() -> list[tuple[str, list[Any]]]:
    found = []
    for exchange in exchanges():
        sent = [event for event in exchange.event_objects() if "type" in event]
        if sum(event["type"] == "response.created" for event in sent) == 1:
            found.append((exchange.id, sent))
    return found


def test_recorded_streams_become_valid_messages_however_they_are_cut() -> None:
    for name, sent in _recorded():
        body = write_events(sent)
        whole = _stream(_conversion(thinking=_THINKS), *sent)
        cut = in_pieces(_conversion(thinking=_THINKS).stream(), body, 997)
        assert cut == whole, name


@settings(max_examples=60)
@given(st.integers(1, 80), st.booleans(), st.booleans())
def test_pieces_of_any_size_give_the_same_bytes(size: int, thinks: bool, stops: bool) -> None:
    parameters: dict[str, Any] = {"thinking": _THINKS} if thinks else {}
    if stops:
        parameters["stop_sequences"] = ["Hi!"]
    body = write_events(
        [
            _created(),
            _delta("reasoning_summary_text", "Öne", summary_index=0),
            {"type": "response.output_item.done", "output_index": 0, "item": _REASONING},
            *(_delta("output_text", text, 1, content_index=0) for text in "Oh, Hi! é"),
            _completed(_REASONING, _message("Oh, Hi! é"), _CALL),
        ]
    )
    whole = in_pieces(_conversion(**parameters).stream(), body)
    assert in_pieces(_conversion(**parameters).stream(), body, size) == whole
