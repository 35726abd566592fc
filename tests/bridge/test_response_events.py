"""The builder of items, responses and events."""

import gc
import json
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.response_events import (
    CallItemWriter,
    MessageItemWriter,
    ReasoningItemWriter,
    ResponseEventBuilder,
)
from azure_responses.bridge.response_object import begin_response, usage_of
from azure_responses.protocol.partial_response import PartialResponse
from azure_responses.protocol.sse import SSEDecoder
from azure_responses.types import parse_event
from azure_responses.types.model import UnknownEvent


def _builder(
    parameters: dict[str, Any] | None = None, *, streams: bool = True
) -> ResponseEventBuilder:
    numbers = count(1)
    response = begin_response(
        parameters or {}, response_id="resp_1", model="kimi", created_at=1700000000.5
    )
    return ResponseEventBuilder(
        response, lambda prefix: f"{prefix}{next(numbers)}", streams=streams
    )


def _events(data: bytes) -> list[dict[str, Any]]:
    events = []
    for event in SSEDecoder().feed(data):
        value = json.loads(event.data)
        assert value["type"] == event.name
        # Every event fits the type that our own client and the openai package read.
        assert not isinstance(parse_event(event.data, event.name), UnknownEvent)
        events.append(value)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def _types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_text_comes_in_the_order_of_the_api() -> None:
    builder = _builder()
    builder.start()
    message = builder.begin_message()
    message.add_text("Hel")
    message.add_text("lo")
    message.annotate({"type": "url_citation", "url": "https://a", "start_index": 0, "end_index": 2})
    message.close()
    final = builder.finish("completed", usage=usage_of(3, 2))
    events = _events(builder.take())
    assert _types(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events[0]["response"]["output"] == []
    assert events[4] == {
        "type": "response.output_text.delta",
        "delta": "Hel",
        "logprobs": [],
        "content_index": 0,
        "item_id": "msg_1",
        "output_index": 0,
        "sequence_number": 4,
    }
    assert events[7]["text"] == "Hello"
    assert events[-1]["response"] == final
    assert final["usage"]["total_tokens"] == 5
    assert final["output"][0]["content"][0]["annotations"][0]["url"] == "https://a"


def test_reasoning_comes_in_the_order_of_the_api_and_the_cipher_with_its_end() -> None:
    builder = _builder()
    reasoning = builder.begin_reasoning()
    reasoning.add_text("Hm")
    reasoning.add_text("m.")
    assert reasoning.text == "Hmm."
    reasoning.close(encrypted_content="sealed")
    events = _events(builder.take())
    assert _types(events) == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert events[-1]["item"] == {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hmm."}],
        "encrypted_content": "sealed",
    }


def test_a_summary_that_was_asked_for_is_streamed_beside_the_reasoning() -> None:
    builder = _builder()
    reasoning = builder.begin_reasoning(with_summary=True)
    reasoning.add_text("Hm")
    reasoning.close()
    events = _events(builder.take())
    assert _types(events)[1:-1] == [
        "content_part.added",
        "reasoning_summary_part.added",
        "reasoning_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    assert events[-1]["item"]["summary"] == [{"type": "summary_text", "text": "Hm"}]


def test_reasoning_without_text_has_only_its_cipher() -> None:
    builder = _builder()
    first, second = builder.begin_reasoning(), builder.begin_reasoning()
    assert first.text == ""
    first.close(encrypted_content="one")
    second.close(encrypted_content="two")
    second.close(encrypted_content="three")
    assert [item["encrypted_content"] for item in builder.finish("completed")["output"]] == [
        "one",
        "two",
    ]


def test_a_refusal_is_a_part_of_its_own() -> None:
    builder = _builder()
    message = builder.begin_message()
    message.add_text("Well, ")
    message.add_refusal("no")
    message.add_refusal(".")
    final = builder.finish("incomplete", incomplete_reason="content_filter")
    events = _events(builder.take())
    assert _types(events)[4:10] == [
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
    ]
    assert events[-4]["content_index"] == 1
    assert final["incomplete_details"] == {"reason": "content_filter"}
    assert final["output"][0]["status"] == "incomplete"
    assert final["output"][0]["content"][1] == {"type": "refusal", "refusal": "no."}


def test_an_annotation_may_come_before_the_text() -> None:
    builder = _builder()
    message = builder.begin_message()
    message.annotate({"type": "url_citation", "url": "u"})
    message.add_text("Hi")
    (item,) = builder.finish("completed")["output"]
    assert item["content"][0]["text"] == "Hi"
    assert item["content"][0]["annotations"] == [{"type": "url_citation", "url": "u"}]


def test_log_probabilities_are_in_the_delta_and_gathered_in_the_part() -> None:
    builder = _builder()
    message = builder.begin_message()
    one, two = {"token": "a", "logprob": -1.0}, {"token": "b", "logprob": float("-inf")}
    message.add_text("a", [one])
    message.add_text("b", [two])
    message.close()
    events = _events(builder.take())
    assert [event["logprobs"] for event in events if event["type"].endswith("text.delta")] == [
        [one],
        [{"token": "b", "logprob": None}],
    ]
    assert len(events[-1]["item"]["content"][0]["logprobs"]) == 2


def test_parallel_calls_may_alternate() -> None:
    builder = _builder()
    first = builder.begin_call({"type": "function_call", "call_id": "c1", "name": "f"})
    second = builder.begin_call({"type": "custom_tool_call", "call_id": "c2", "name": "g"})
    first.add("{")
    second.add("ra")
    first.add("}")
    second.add("w")
    assert (first.text, second.text) == ("{}", "raw")
    final = builder.finish("completed")
    events = _events(builder.take())
    assert [event["output_index"] for event in events[:-1]] == [0, 1, 0, 1, 0, 1, 0, 0, 1, 1]
    assert events[6] == {
        "type": "response.function_call_arguments.done",
        "arguments": "{}",
        "name": "f",
        "item_id": "fc_1",
        "output_index": 0,
        "sequence_number": 6,
    }
    assert final["output"][1] == {
        "id": "ctc_2",
        "type": "custom_tool_call",
        "call_id": "c2",
        "name": "g",
        "input": "raw",
        "status": "completed",
    }


def test_a_call_of_another_kind_gets_its_fields_at_its_end() -> None:
    builder = _builder()
    opening = {"type": "shell_call", "call_id": "c1", "action": {"commands": []}}
    call = builder.begin_call(opening)
    call.close(fields={"action": {"commands": ["ls"]}})
    call.close(fields={"action": {"commands": ["rm"]}})
    events = _events(builder.take())
    assert _types(events) == ["output_item.added", "output_item.done"]
    assert events[0]["item"]["action"] == {"commands": []}
    assert events[1]["item"]["action"] == {"commands": ["ls"]}
    assert events[1]["item"]["id"] == "sh_1"


def test_a_failed_response_ends_no_item() -> None:
    builder = _builder()
    builder.start()
    builder.begin_message().add_text("Hi")
    final = builder.finish("failed", error={"code": "server_error", "message": "Broken off."})
    events = _events(builder.take())
    assert _types(events)[-2:] == ["output_text.delta", "failed"]
    assert final["error"]["code"] == "server_error"
    assert final["output"][0]["status"] == "incomplete"
    assert final["output"][0]["content"][0]["text"] == "Hi"


def test_a_reserved_place_is_taken_later_or_stays_empty() -> None:
    builder = _builder()
    place, _ = builder.reserve(), builder.reserve()
    builder.begin_message().add_text("Hi")
    builder.begin_call({"type": "shell_call", "call_id": "c", "action": {}}, place=place)
    final = builder.finish("failed", error={"code": "server_error", "message": "Broken off."})
    added = [event for event in _events(builder.take()) if "item" in event]
    assert [event["output_index"] for event in added] == [2, 0]
    assert [item["type"] for item in final["output"]] == ["shell_call", "message"]


@pytest.mark.parametrize("streams", [True, False])
def test_a_finished_response_leaves_no_circle_in_memory(streams: bool) -> None:
    builder = _builder(streams=streams)
    builder.start()
    builder.begin_reasoning().add_text("Hm")
    message = builder.begin_message()
    message.add_text("Hi")
    builder.finish("completed")
    freed = weakref.ref(message)
    del message
    gc.disable()
    try:
        del builder
        assert freed() is None
    finally:
        gc.enable()


def test_filters_and_the_tier_stand_in_the_last_response_only() -> None:
    builder = _builder({"service_tier": "auto"})
    builder.start()
    final = builder.finish("completed", content_filters=[{"blocked": False}], service_tier="flex")
    events = _events(builder.take())
    assert events[0]["response"]["content_filters"] is None
    assert events[0]["response"]["service_tier"] == "auto"
    assert (final["content_filters"], final["service_tier"]) == ([{"blocked": False}], "flex")


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "😀", '"\\\n\x00', "\u2028"])
def test_any_text_of_a_deployment_is_valid_json_in_the_stream(text: str) -> None:
    builder = _builder()
    message = builder.begin_message()
    message.add_text(text)
    message.close()
    events = [json.loads(event.data) for event in SSEDecoder().feed(builder.take())]
    assert events[2]["delta"] == text
    assert events[-1]["item"]["content"][0]["text"] == text


_Act = Callable[[Any], None]


def _acts(item: Any) -> st.SearchStrategy[_Act]:
    text = st.text(max_size=8)
    if isinstance(item, ReasoningItemWriter):
        return text.map(lambda t: lambda i: i.add_text(t))
    if isinstance(item, CallItemWriter):
        return text.map(lambda t: lambda i: i.add(t))
    return text.flatmap(
        lambda t: st.sampled_from(
            [
                lambda i: i.add_text(t),
                lambda i: i.add_refusal(t),
                lambda i: i.annotate({"type": "url_citation", "url": t}),
            ]
        )
    )


@given(st.data())
def test_the_events_add_up_to_the_response_and_without_them_it_is_the_same(data: Any) -> None:
    builders = [_builder(), _builder(streams=False)]
    call = {"type": "function_call", "call_id": "c", "name": "f"}
    begins: list[Callable[[ResponseEventBuilder], Any]] = [
        lambda builder: builder.begin_reasoning(with_summary=True),
        lambda builder: builder.begin_message(),
        lambda builder: builder.begin_call(call),
    ]
    for builder in builders:
        builder.start()
    for begin in data.draw(st.lists(st.sampled_from(begins), max_size=4)):
        items = [begin(builder) for builder in builders]
        assert isinstance(items[0], ReasoningItemWriter | MessageItemWriter | CallItemWriter)
        for act in data.draw(st.lists(_acts(items[0]), max_size=4)):
            for item in items:
                act(item)
        if data.draw(st.booleans()):
            for item in items:
                item.close()
    streamed, whole = (builder.finish("completed") for builder in builders)
    assert streamed == whole
    assert builders[1].take() == b""
    partial = PartialResponse()
    events = SSEDecoder().feed(builders[0].take())
    for event in events[:-1]:
        partial.add(parse_event(event.data, event.name))
    built = partial.build()
    assert built is not None
    assert built.to_dict()["output"] == streamed["output"]


def test_a_message_ends_once() -> None:
    builder = _builder()
    builder.start()
    message = builder.begin_message()
    message.add_text("Hi")
    message.close()
    before = builder.take()
    message.close()
    assert before
    assert builder.take() == b""
