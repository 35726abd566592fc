import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    accumulate_chunks,
    to_chat_completion,
)
from azure_responses.bridge.chat_over_responses.stream import to_hosted_event
from azure_responses.errors import (
    AzureResponsesError,
    InternalServerError,
    RateLimitError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.types import ChatCompletionChunk, Response, parse_event

from ..golden import check, names, read
from ..litellm_cases import Case, cases

REQUEST = BridgedRequest({})
_Event = dict[str, Any]


def _feed(stream: ChatStream, events: Iterable[_Event]) -> list[ChatCompletionChunk]:
    return [chunk for event in events for chunk in stream.feed(parse_event(json.dumps(event)))]


def _deltas(chunks: list[ChatCompletionChunk]) -> list[dict[str, Any]]:
    return [choice.delta.to_dict() for chunk in chunks for choice in chunk.choices]


def _created(**fields: Any) -> _Event:
    response = {"id": "resp_1", "created_at": 5, "model": "gpt-5", "status": "in_progress"}
    return {"type": "response.created", "response": {**response, **fields}}


def _ended(*output: dict[str, Any], status: str = "completed", **fields: Any) -> _Event:
    response = {"id": "resp_1", "created_at": 5, "model": "gpt-5", "status": status, **fields}
    return {"type": f"response.{status}", "response": {**response, "output": list(output)}}


def _about(kind: str, index: int = 0, part: int = 0, **fields: Any) -> _Event:
    about = {"item_id": "i", "output_index": index, "content_index": part, "summary_index": part}
    return {"type": f"response.{kind}", **about, **fields}


def _text(delta: str, index: int = 0, part: int = 0, **fields: Any) -> _Event:
    return _about("output_text.delta", index, part, delta=delta, **fields)


def _message(text: str, **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, **fields}
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _added(index: int, item: Any) -> _Event:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(index: int, item: dict[str, Any]) -> _Event:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _digest(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """What chunks say, whoever made them and however they cut it."""
    texts: dict[str, str] = {}
    calls: dict[str, list[str]] = {}
    said: dict[str, Any] = {"finish": [], "news": []}
    for chunk in chunks:
        if chunk.get("usage"):
            said["usage"] = chunk["usage"]
        for choice in chunk.get("choices") or []:
            delta = choice["delta"]
            for name in ("content", "refusal", "reasoning_content"):
                texts[name] = texts.get(name, "") + (delta.get(name) or "")
            for call in delta.get("tool_calls") or []:
                so_far = calls.setdefault(str(call["index"]), ["", "", ""])
                function = call["function"]
                told = (call.get("id"), function.get("name"), function.get("arguments"))
                calls[str(call["index"])] = [
                    old + (new or "") for old, new in zip(so_far, told, strict=True)
                ]
            said["news"] += [event["type"] for event in delta.get("hosted_events") or []]
            if choice.get("finish_reason"):
                said["finish"].append(choice["finish_reason"])
    return {name: value for name, value in {**texts, **said, "calls": calls}.items() if value}


@pytest.mark.parametrize("case", cases("S"), ids=lambda case: case.name)
def test_streams_convert_as_litellm_does_where_it_is_right(case: Case) -> None:
    stream = ChatStream(BridgedRequest({}, include_usage=True))
    if isinstance(case.expected, str):
        with pytest.raises(AzureResponsesError) as raised:
            _feed(stream, case.given)
        assert type(raised.value).__name__ == case.expected
        return
    ours = _digest([chunk.to_dict() for chunk in _feed(stream, case.given)])
    assert ours == (_digest(case.expected) if case.reason is None else case.expected)
    if case.reason is not None:
        assert ours != _digest(case.peer), "the difference that the reason speaks of is gone"


@pytest.mark.parametrize("case", names("events.jsonl"))
def test_golden_streams(case: str) -> None:
    request = BridgedRequest({}, include_usage=True, resource_tag="west")
    chunks = _feed(ChatStream(request), read(case, "events.jsonl"))
    check(case, "events-chunks.jsonl", [json.loads(chunk.to_json()) for chunk in chunks])


def test_the_role_goes_out_as_soon_as_the_response_exists() -> None:
    stream = ChatStream(REQUEST)
    (chunk,) = _feed(stream, [_created()])
    assert (chunk.id, chunk.model, chunk.created) == ("resp_1", "gpt-5", 5)
    assert _deltas([chunk]) == [{"role": "assistant", "content": "", "refusal": None}]
    assert _feed(stream, [_created()]) == []


def test_chunks_before_the_response_is_known_carry_the_callers_id() -> None:
    chunks = _feed(ChatStream(REQUEST, created=7, id="mine"), [_text("Hi")])
    assert {(chunk.id, chunk.created) for chunk in chunks} == {("mine", 7)}


def test_text_of_a_later_part_waits_for_the_one_before_it() -> None:
    stream = ChatStream(REQUEST)
    chunks = _feed(
        stream,
        [_created(), _text("one", 0), _text("tw", 1), _about("output_text.done", text="one!")],
    )
    assert [delta["content"] for delta in _deltas(chunks)] == ["", "one", "!\n\ntw"]


def test_empty_deltas_make_no_chunks() -> None:
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _text("Hi"),
        _text(""),
        _added(1, _call("c1", "f", "")),
        _about("function_call_arguments.delta", 1, delta=""),
    ]
    assert len(_feed(stream, events)) == 3


def test_parallel_calls_that_interleave_keep_their_indexes() -> None:
    stream = ChatStream(REQUEST)
    first, second = _call("c1", "f", "[1]"), _call("c2", "g", "[2]")
    events = [
        _created(),
        _added(1, {**first, "arguments": ""}),
        _added(2, {**second, "arguments": ""}),
        _about("function_call_arguments.delta", 2, delta="[2"),
        _about("function_call_arguments.delta", 1, delta="[1"),
        _about("function_call_arguments.done", 1, arguments="[1]"),
        _done(2, second),
        _ended({"type": "reasoning", "id": "rs", "summary": []}, first, second),
    ]
    chunks = _feed(stream, events)
    message = accumulate_chunks(chunks).choices[0].message
    assert [call.to_dict() for call in message.tool_calls or ()] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "[1]"}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "[2]"}},
    ]


@pytest.mark.parametrize("teller", ["arguments", "item", "end"])
def test_arguments_that_only_come_whole_are_not_lost(teller: str) -> None:
    call = _call("c1", "f", '{"a": 1}')
    told = {
        "arguments": [_about("function_call_arguments.done", arguments='{"a": 1}')],
        "item": [_done(0, call)],
        "end": [],
    }[teller]
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, [_created(), _added(0, {**call, "arguments": ""}), *told, _ended(call)])
    message = accumulate_chunks(chunks).choices[0].message
    assert message.tool_calls is not None
    assert message.tool_calls[0].function is not None
    assert message.tool_calls[0].function.arguments == '{"a": 1}'


def test_custom_calls_stream_as_custom() -> None:
    item = {"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": ""}
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _added(0, item),
        _about("custom_tool_call_input.delta", delta="SELECT"),
        _about("custom_tool_call_input.done", input="SELECT 1"),
        _ended({**item, "input": "SELECT 1"}),
    ]
    calls = [
        call for delta in _deltas(_feed(stream, events)) for call in delta.get("tool_calls", [])
    ]
    assert calls == [
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "sql", "input": ""}},
        {"index": 0, "custom": {"input": "SELECT"}},
        {"index": 0, "custom": {"input": " 1"}},
    ]


def test_calls_of_other_kinds_come_whole_at_the_end_under_the_index_they_began_with() -> None:
    patch = {
        "type": "apply_patch_call",
        "call_id": "c1",
        "operation": {"type": "delete_file", "path": "x"},
    }
    call = _call("c2", "f", "{}")
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, [_created(), _added(0, patch), _added(1, call), _ended(patch, call)])
    calls = [call for delta in _deltas(chunks) for call in delta.get("tool_calls", [])]
    begun = [call for call in calls if "id" in call]
    assert [(call["index"], call["id"]) for call in begun] == [(1, "c2"), (0, "c1")]
    assert begun[1]["item"] == patch


def test_deprecated_callers_get_function_call_deltas() -> None:
    stream = ChatStream(BridgedRequest({}, legacy_functions=True))
    call = _call("c1", "f", "")
    events = [
        _created(),
        _added(0, call),
        _about("function_call_arguments.delta", delta="{}"),
        _ended({**call, "arguments": "{}"}),
    ]
    chunks = _feed(stream, events)
    assert _deltas(chunks)[1:3] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    assert chunks[-1].choices[0].finish_reason == "function_call"


def test_reasoning_is_readable_as_it_comes_and_whole_at_the_end() -> None:
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "final",
        "summary": [{"type": "summary_text", "text": text} for text in ("one", "two")],
    }
    stream = ChatStream(BridgedRequest({}, resource_tag="west"))
    events = [
        _created(),
        _about("reasoning_summary_text.delta", part=0, delta="one"),
        _about("reasoning_summary_text.done", part=0, text="one"),
        _about("reasoning_summary_text.delta", part=1, delta="two"),
        _done(0, {**item, "encrypted_content": "another ciphertext of the same"}),
        _ended(item),
    ]
    deltas = _deltas(_feed(stream, events))
    texts = [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta]
    assert texts == ["one", "\n\ntwo"]
    items = [delta["reasoning_items"] for delta in deltas if "reasoning_items" in delta]
    assert items == [[{**item, "resource": "west"}]]


def test_raw_reasoning_is_readable_too() -> None:
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _about("reasoning_text.delta", delta="h"),
        _about("reasoning_text.done", text="hm"),
    ]
    texts = [delta.get("reasoning_content") for delta in _deltas(_feed(stream, events))]
    assert texts == [None, "h", "m"]


def test_refusals_stream_apart_from_text() -> None:
    stream = ChatStream(REQUEST)
    events = [_created(), _about("refusal.delta", delta="N"), _about("refusal.done", refusal="No")]
    assert [delta["refusal"] for delta in _deltas(_feed(stream, events))] == [None, "N", "o"]


CITATION = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}


def test_citations_move_with_the_text_before_them_and_late_ones_are_told_at_the_end() -> None:
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _text("12345", 0),
        _about("output_text.done", 0, text="12345"),
        _text("ab", 1),
        _about("output_text.annotation.added", 1, annotation_index=0, annotation=CITATION),
        _ended(_message("12345"), _message("ab", annotations=[CITATION, CITATION])),
    ]
    told = [
        delta["annotations"] for delta in _deltas(_feed(stream, events)) if "annotations" in delta
    ]
    assert [len(annotations) for annotations in told] == [1, 1]
    assert {entry["url_citation"]["start_index"] for entries in told for entry in entries} == {7}


def test_a_citation_of_text_that_was_not_handed_on_waits() -> None:
    stream = ChatStream(REQUEST)
    early = _about("output_text.annotation.added", annotation_index=0, annotation=CITATION)
    assert _feed(stream, [early]) == []
    chunks = _feed(stream, [_ended(_message("ab", annotations=[CITATION]))])
    assert len(accumulate_chunks(chunks).choices[0].message.annotations or ()) == 1


def test_log_probabilities_come_with_their_text_and_late_ones_at_the_end() -> None:
    tokens = [{"token": text, "logprob": -1, "bytes": [65], "top_logprobs": []} for text in "ab"]
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _text("a", logprobs=tokens[:1]),
        _text("b"),
        _ended(_message("ab", logprobs=tokens)),
    ]
    told = [
        choice.logprobs.content
        for chunk in _feed(stream, events)
        for choice in chunk.choices
        if choice.logprobs is not None
    ]
    assert told == [tokens[:1], tokens[1:]]


def test_hosted_tools_send_news_and_their_items_at_the_end() -> None:
    item = {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": "iVBORw0KGgo=",
    }
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _added(0, {**item, "status": "in_progress", "result": None}),
        _about("image_generation_call.generating", sequence_number=4),
        _about(
            "image_generation_call.partial_image", partial_image_index=0, partial_image_b64="iV"
        ),
        _done(0, item),
        _ended(item),
    ]
    deltas = _deltas(_feed(stream, events))
    news = [event for delta in deltas for event in delta.get("hosted_events", [])]
    assert [event["type"].rpartition(".")[2] for event in news] == [
        "added",
        "generating",
        "partial_image",
        "done",
    ]
    assert news[3]["item"] == {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
    }
    assert "sequence_number" not in news[1]
    assert [delta["hosted_items"] for delta in deltas if "hosted_items" in delta] == [[item]]


def test_an_event_beyond_mending_is_passed_on_like_one_of_tomorrow() -> None:
    broken = {"type": "response.output_text.delta", "delta": 7}
    (_, chunk) = _feed(ChatStream(REQUEST), [broken])
    assert _deltas([chunk]) == [{"hosted_events": [broken]}]


def test_events_of_tomorrow_are_passed_on_and_heartbeats_are_not() -> None:
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, [{"type": "response.dream.begun", "of": "sheep"}, {"type": "keepalive"}])
    assert _deltas(chunks)[1:] == [
        {"hosted_events": [{"type": "response.dream.begun", "of": "sheep"}]}
    ]


def test_the_last_chunks_say_why_it_ended_what_it_cost_and_what_the_filters_found() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    verdict = {"source_type": "prompt", "content_filter_results": {"hate": {"filtered": False}}}
    said = {**verdict, "source_type": "completion"}
    stream = ChatStream(BridgedRequest({}, include_usage=True))
    end = _ended(
        _message("Hi"),
        status="incomplete",
        incomplete_details={"reason": "content_filter"},
        usage=usage,
        service_tier="default",
        content_filters=[verdict, said],
    )
    chunks = [chunk.to_dict() for chunk in _feed(stream, [_created(), _text("Hi"), end])]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["usage"]["total_tokens"] == 3
    assert chunks[-1]["choices"] == []
    last = chunks[-2]
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["content_filter_results"] == {"hate": {"filtered": False}}
    assert last["prompt_filter_results"][0]["prompt_index"] == 0
    assert (last["service_tier"], last["status"]) == ("default", "incomplete")
    assert last["incomplete_details"] == {"reason": "content_filter"}


def test_usage_is_sent_only_when_asked_for_and_there() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    for asked, counts, count in ((False, usage, 2), (True, None, 2), (True, usage, 3)):
        stream = ChatStream(BridgedRequest({}, include_usage=asked))
        assert len(_feed(stream, [_created(), _ended(usage=counts)])) == count


def test_a_cancelled_stream_ends_with_what_there_is() -> None:
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, [_created(), _text("Hi"), _ended(_message("Hi"), status="cancelled")])
    assert chunks[-1].choices[0].finish_reason == "length"
    assert chunks[-1].status == "cancelled"


FAILED = _ended(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"})
ERROR = {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "slow"}}
SILENT = _ended(status="failed", error=None)


@pytest.mark.parametrize("events", [[FAILED], [ERROR], [SILENT, ERROR]])
def test_a_failure_before_any_output_is_the_error_itself(events: list[_Event]) -> None:
    stream = ChatStream(REQUEST)
    with pytest.raises(RateLimitError):
        _feed(stream, [_created(), {**_created(), "type": "response.in_progress"}, *events])


def test_a_failure_that_never_says_why_is_raised_at_the_end() -> None:
    stream = ChatStream(REQUEST)
    _feed(stream, [_created(), SILENT])
    with pytest.raises(ResponseFailedError):
        stream.finish()


@pytest.mark.parametrize("events", [[FAILED], [ERROR], [SILENT, ERROR]])
def test_a_failure_after_output_says_what_arrived(events: list[_Event]) -> None:
    stream = ChatStream(REQUEST)
    had_output = [stream.has_output]
    for event in (_created(), _text("Hel"), _added(1, _call("c1", "f", ""))):
        _feed(stream, [event])
        had_output.append(stream.has_output)
    assert had_output == [False, False, True, True]
    _feed(stream, [_about("reasoning_text.delta", 3, delta="hm")])
    with pytest.raises(RateLimitError, match="slow") as raised:
        _feed(stream, events)
    message = raised.value.partial.choices[0].message
    assert (message.content, message.reasoning_content) == ("Hel", "hm")
    assert message.tool_calls[0].id == "c1"
    assert raised.value.partial.status == "in_progress"


def test_a_stream_that_breaks_off_is_interrupted_and_never_a_short_answer() -> None:
    stream = ChatStream(BridgedRequest({}, legacy_functions=True))
    _feed(stream, [_created(), _added(0, _call("c1", "f", "{"))])
    with pytest.raises(StreamInterruptedError) as raised:
        stream.finish()
    message = raised.value.partial.choices[0].message
    assert message.function_call.arguments == "{"
    assert message.tool_calls is None


def test_a_server_error_keeps_its_kind() -> None:
    stream = ChatStream(REQUEST)
    with pytest.raises(InternalServerError):
        _feed(stream, [{"type": "error", "code": "server_error", "message": "boom"}])


def test_the_completion_is_there_when_the_stream_has_ended() -> None:
    stream = ChatStream(REQUEST)
    _feed(stream, [_created(), _text("Hi"), _ended(_message("Hi"))])
    assert stream.finish() == []
    assert stream.final is not None
    assert stream.final.choices[0].message.content == "Hi"
    assert stream.so_far() is stream.final


def test_the_cache_remembers_what_was_streamed() -> None:
    cache = ReasoningCache()
    stream = ChatStream(BridgedRequest({}, reasoning_cache=cache), created=10)
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAA"}
    _feed(stream, [_created(), _ended(item, _call("c1", "f", "{}"))])
    assert cache.recall(["c1"], 20) is not None


def test_an_end_without_output_is_filled_from_the_stream() -> None:
    call = _call("c1", "f", "{}")
    stream = ChatStream(REQUEST)
    events = [
        _created(),
        _text("Hi", 0),
        _added(1, {**call, "arguments": ""}),
        _about("function_call_arguments.delta", 1, delta="{}"),
        _added(2, {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"}),
        _added(3, {"type": "local_shell_call", "call_id": "c3", "action": {}}),
        _ended(),
    ]
    chunks = _feed(stream, events)
    assert stream.final is not None
    message = stream.final.choices[0].message
    assert message.content == "Hi"
    assert [call.id for call in message.tool_calls or ()] == ["c1", "c2"]
    assert accumulate_chunks(chunks).to_dict() == stream.final.to_dict()


# Answers and every way of cutting them into a stream.
_pieces = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4)


@st.composite
def _streams(draw: st.DrawFn) -> tuple[list[_Event], Response]:
    events, output = [_created()], []
    for index in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["message", "call", "reasoning", "search"]))
        pieces = draw(_pieces)
        told = pieces[: draw(st.integers(1, len(pieces)))]
        whole = "".join(pieces)
        if kind == "message":
            item: dict[str, Any] = _message(whole)
            begun = {**item, "content": []}
            deltas = [_text(piece, index) for piece in told]
            ends = [_about("output_text.done", index, text=whole)]
        elif kind == "call":
            item = _call(f"c{index}", "f", whole)
            begun = {**item, "arguments": ""}
            deltas = [_about("function_call_arguments.delta", index, delta=p) for p in told]
            ends = [_about("function_call_arguments.done", index, arguments=whole)]
        elif kind == "reasoning":
            item = {
                "type": "reasoning",
                "id": f"rs_{index}",
                "summary": [{"type": "summary_text", "text": whole}],
            }
            begun = {**item, "summary": []}
            deltas = [_about("reasoning_summary_text.delta", index, delta=p) for p in told]
            ends = [_about("reasoning_summary_text.done", index, text=whole)]
        else:
            item = begun = {"type": "web_search_call", "id": f"ws_{index}", "status": "completed"}
            deltas, ends = [_about("web_search_call.searching", index)], []
        closing = ends if draw(st.booleans()) else []
        if draw(st.booleans()):
            closing = [*closing, _done(index, item)]
        events += [_added(index, begun), *deltas, *closing]
        output.append(item)
    end = _ended(*output)
    return [*events, end], Response.model_validate(end["response"])


@settings(deadline=None)
@given(_streams())
def test_however_an_answer_is_cut_its_chunks_add_up_to_it(
    made: tuple[list[_Event], Response],
) -> None:
    events, response = made
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, events)
    whole = to_chat_completion(response, REQUEST)
    assert stream.final == whole
    assert accumulate_chunks(chunks).to_dict() == whole.to_dict()


@pytest.mark.parametrize("kind", [None, 5, ["response.completed"], {"a": 1}])
def test_an_event_whose_type_is_no_text_is_passed_over(kind: Any) -> None:
    stream = ChatStream(REQUEST)
    chunks = _feed(stream, [_created(), {"type": kind}, _text("a"), _ended(_message("a"))])
    assert accumulate_chunks(chunks).choices[0].message.content == "a"
    assert stream.final is not None


def _news(event: dict[str, Any]) -> dict[str, Any] | None:
    return to_hosted_event(parse_event(json.dumps(event)))


def test_a_broken_stream_keeps_what_was_passed_on() -> None:
    stream = ChatStream(BridgedRequest({}))
    _feed(stream, [_created(), _text("Hel")])
    error = stream.failure(StreamInterruptedError("Gone.", partial=None, resumable=True))
    assert isinstance(error, StreamInterruptedError)
    assert (error.message, error.resumable) == ("The completion broke off: Gone.", True)
    assert error.partial.choices[0].message.content == "Hel"


def test_an_event_is_passed_on_without_what_only_streams_need() -> None:
    event = {"type": "response.code_interpreter_call_code.delta", "delta": "x"}
    place = {"item_id": "ci", "output_index": 0}
    noise = {"sequence_number": 3, "obfuscation": "abc"}
    assert _news({**event, **place, **noise}) == {**event, **place}


def test_an_item_is_told_by_its_head() -> None:
    news = _news(_added(0, {"type": "web_search_call", "id": "ws", "action": {"type": "search"}}))
    assert news is not None
    assert news["item"] == {"type": "web_search_call", "id": "ws"}
    assert _news(_added(0, 7)) == {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {},
    }


@pytest.mark.parametrize(
    "event",
    [
        {"type": "keepalive"},
        _added(0, {"type": "message", "id": "m", "role": "assistant", "content": []}),
        _added(0, {"type": "message"}),
        _added(0, {"type": "reasoning", "summary": []}),
        _added(0, {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}),
        _added(0, {"type": "local_shell_call", "call_id": "c"})
        | {
            "item": {
                "type": "local_shell_call",
                "call_id": "c",
                "action": {"type": "exec", "command": []},
            }
        },
    ],
)
def test_what_the_message_says_itself_is_no_news(event: dict[str, Any]) -> None:
    assert _news(event) is None


def test_an_item_whose_type_is_no_text_is_news_like_any_other() -> None:
    event = parse_event(
        b'{"type": "response.output_item.added", "output_index": 0, "item": {"type": ["x"]}}'
    )
    assert to_hosted_event(event) == {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": ["x"]},
    }
