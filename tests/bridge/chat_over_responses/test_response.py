import json
from typing import Any

import pytest

from azure_responses.bridge import BridgedRequest, ReasoningCache, to_chat_completion
from azure_responses.bridge.chat_over_responses.response import (
    choice_filters,
    finish_reason,
    prompt_filters,
    to_usage,
)
from azure_responses.errors import (
    AzureResponsesError,
    ContentFilterError,
    InternalServerError,
    RateLimitError,
    ResponseFailedError,
)
from azure_responses.types import ContentFilter, Response, Usage

from ..golden import check, names, read
from ..litellm_cases import Case, cases

REQUEST = BridgedRequest({})


def _response(*items: dict[str, Any], **fields: Any) -> Response:
    body = {"id": "resp_1", "created_at": 5, "model": "gpt-5", "status": "completed", **fields}
    return Response.model_validate({**body, "output": list(items)})


def _message(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    content = list(parts)
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **fields}


def _text(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, **fields}


def _call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _reasoning(id: str, *texts: str, **fields: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text} for text in texts]
    return {"type": "reasoning", "id": id, "summary": summary, **fields}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_nulls(member) for name, member in value.items() if member is not None
        }
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _without_indexes(completion: Any) -> Any:
    # Only chunks number their calls.
    for choice in completion["choices"]:
        for call in choice["message"].get("tool_calls", []):
            call.pop("index", None)
    return completion


@pytest.mark.parametrize("case", cases("R"), ids=lambda case: case.name)
def test_responses_convert_as_litellm_does_where_it_is_right(case: Case) -> None:
    body = {"id": "resp_t", "created_at": 1, "model": "gpt-4o", **case.given}
    response = Response.model_validate(body)
    if isinstance(case.expected, str):
        with pytest.raises(AzureResponsesError) as raised:
            to_chat_completion(response, REQUEST)
        assert type(raised.value).__name__ == case.expected
        return
    ours = _without_nulls(to_chat_completion(response, REQUEST).to_dict())
    assert ours == _without_indexes(case.expected)
    if case.reason is not None:
        assert ours != case.peer, "the difference that the reason speaks of is gone"


@pytest.mark.parametrize("case", names("responses.json"))
def test_golden_completions(case: str) -> None:
    response = Response.model_validate(read(case, "responses.json"))
    completion = to_chat_completion(response, BridgedRequest({}, resource_tag="west"))
    check(case, "responses-chat.json", json.loads(completion.to_json()))


def test_a_completion_reads_by_attribute_and_by_name() -> None:
    completion = to_chat_completion(_response(_message(_text("Hi"))), REQUEST)
    assert completion.choices[0].message.content == "Hi"
    assert completion["choices"][0]["message"]["content"] == "Hi"
    assert completion.model_dump()["choices"][0]["finish_reason"] == "stop"


def test_a_reason_without_its_object_is_the_reason_all_the_same() -> None:
    response = _response(status="incomplete", incomplete_details="content_filter")
    assert to_chat_completion(response, REQUEST).choices[0].finish_reason == "content_filter"


def test_id_model_and_time_are_the_responses_own() -> None:
    completion = to_chat_completion(_response(service_tier="priority"), REQUEST, created=9)
    assert (completion.id, completion.model, completion.created) == ("resp_1", "gpt-5", 5)
    assert completion.service_tier == "priority"


def test_a_response_without_a_time_takes_the_callers() -> None:
    assert to_chat_completion(_response(created_at=None), REQUEST, created=9.7).created == 9


def test_headers_and_cost_come_along() -> None:
    from decimal import Decimal

    response = _response(_message(_text("Hi")))
    response.attach({"APIM-Request-Id": "abc"}, lambda result: Decimal(len(result.output)))
    completion = to_chat_completion(response, REQUEST)
    assert completion.request_id == "abc"
    assert completion.cost == 1


@pytest.mark.parametrize(
    ("status", "details", "finish"),
    [
        ("completed", None, "stop"),
        (None, None, "stop"),
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", {"reason": "steered"}, "length"),
        ("incomplete", None, "length"),
        ("cancelled", None, "length"),
        ("queued", None, None),
        ("in_progress", None, None),
        ("a_status_of_tomorrow", None, "stop"),
    ],
)
def test_every_status_becomes_a_completion_marked_so(
    status: str | None, details: Any, finish: str | None
) -> None:
    response = _response(status=status, incomplete_details=details)
    completion = to_chat_completion(response, REQUEST)
    assert completion.choices[0].finish_reason == finish
    assert completion.choices[0].message.content == ""
    assert completion.status == (None if status == "completed" else status)
    assert completion.incomplete_details == details


def test_calls_cut_short_say_length_and_not_tool_calls() -> None:
    response = _response(_call("c1", arguments='{"a'), status="incomplete")
    assert to_chat_completion(response, REQUEST).choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow"}, RateLimitError),
        ({"code": "content_filter", "message": "no"}, ContentFilterError),
        ({"code": "server_error", "message": "boom"}, InternalServerError),
        ({"code": "image_parse_error", "message": "?"}, ResponseFailedError),
        (None, ResponseFailedError),
    ],
)
def test_a_failed_response_raises_what_its_code_stands_for(
    error: dict[str, str] | None, kind: type[AzureResponsesError]
) -> None:
    with pytest.raises(kind):
        to_chat_completion(_response(status="failed", error=error), REQUEST)


def test_text_of_several_messages_is_joined_and_their_citations_move() -> None:
    citation = {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 3}
    response = _response(
        _message(_text("12345"), _text("678", annotations=[citation])),
        _message(_text("90", annotations=[{"type": "file_path", "file_id": "f", "index": 1}])),
    )
    message = to_chat_completion(response, REQUEST).choices[0].message
    assert message.content == "12345678\n\n90"
    assert message.annotations is not None
    first, second = message.annotations
    assert first.url_citation is not None
    assert (first.url_citation.start_index, first.url_citation.end_index) == (6, 8)
    assert second["file_path"]["index"] == 11


def test_every_reasoning_item_is_kept_in_order_with_its_resource() -> None:
    response = _response(
        _reasoning("rs_1", "one", "two", encrypted_content="AAA", status=None),
        _call("c1"),
        _reasoning("rs_2", "three", encrypted_content="BBB"),
        _call("c2"),
    )
    request = BridgedRequest({}, resource_tag="west")
    message = to_chat_completion(response, request).choices[0].message
    assert message.reasoning_content == "one\n\ntwo\n\nthree"
    assert message.reasoning_items is not None
    assert [item["id"] for item in message.reasoning_items] == ["rs_1", "rs_2"]
    assert [item["resource"] for item in message.reasoning_items] == ["west", "west"]
    assert "status" not in message.reasoning_items[0]
    assert message.output_order == [{"type": "reasoning"}, {"type": "tool_call"}] * 2


def test_the_usual_order_is_not_told() -> None:
    response = _response(_reasoning("rs_1"), _message(_text("Hi")), _call("c1"))
    assert to_chat_completion(response, REQUEST).choices[0].message.output_order is None


def test_reasoning_alone_is_an_answer() -> None:
    message = to_chat_completion(_response(_reasoning("rs_1", "hm")), REQUEST).choices[0].message
    assert (message.content, message.reasoning_content) == ("", "hm")


def test_a_refusal_stands_apart_from_the_text() -> None:
    response = _response(_message({"type": "refusal", "refusal": "No."}))
    choice = to_chat_completion(response, REQUEST).choices[0]
    assert (choice.message.content, choice.message.refusal) == (None, "No.")
    assert choice.finish_reason == "stop"


def test_log_probabilities_take_chats_shape() -> None:
    token = {"token": "Hi", "logprob": -0.5, "top_logprobs": [{"token": "Yo", "logprob": -1}]}
    response = _response(_message(_text("Hi", logprobs=[token])))
    logprobs = to_chat_completion(response, REQUEST).choices[0].logprobs
    assert logprobs is not None
    top = {"token": "Yo", "logprob": -1, "bytes": None}
    assert logprobs.content == [
        {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": [top]}
    ]


def test_a_deprecated_caller_gets_a_function_call_and_loses_no_second_one() -> None:
    request = BridgedRequest({}, legacy_functions=True)
    choice = to_chat_completion(_response(_call("c1", "g")), request).choices[0]
    assert choice.finish_reason == "function_call"
    assert choice.message.function_call is not None
    assert choice.message.function_call.name == "g"
    assert choice.message.tool_calls is None
    more = to_chat_completion(_response(_call("c1", "g"), _call("c2", "h")), request)
    assert more.choices[0].message.tool_calls is not None
    assert more.choices[0].message.tool_calls[0].id == "c2"


def test_parts_and_items_of_tomorrow_are_kept() -> None:
    part = {"type": "hologram", "rays": 3}
    item = {"type": "dream", "id": "d_1", "of": "sheep"}
    response = _response(_message(_text("Hi"), part), item)
    message = to_chat_completion(response, REQUEST).choices[0].message
    assert message.hosted_items == [{"type": "output_part", "part": part}, item]


def test_azures_verdicts_take_the_shape_of_its_chat_completions() -> None:
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    offsets = {"start_offset": 0, "end_offset": 9, "check_offset": 0}
    filters = [
        {"blocked": False, "source_type": kind, "content_filter_results": safe}
        | {"content_filter_offsets": offsets}
        for kind in ("prompt", "completion")
    ]
    completion = to_chat_completion(_response(content_filters=filters), REQUEST)
    dumped = json.loads(completion.to_json())
    assert dumped["prompt_filter_results"] == [
        {"prompt_index": 0, "content_filter_results": safe, "content_filter_offsets": offsets}
    ]
    assert dumped["choices"][0]["content_filter_results"] == safe
    assert completion.content_filters is not None
    assert completion.content_filters[1].blocked is False


def test_what_stands_around_the_answer_is_kept() -> None:
    response = _response(
        metadata={"a": "b"},
        conversation={"id": "conv_1"},
        tool_usage={"web_search": {"num_requests": 2}},
        moderation={"flagged": False},
    )
    dumped = to_chat_completion(response, REQUEST).to_dict()
    assert dumped["metadata"] == {"a": "b"}
    assert dumped["conversation"] == {"id": "conv_1"}
    assert dumped["tool_usage"] == {"web_search": {"num_requests": 2}}
    assert dumped["moderation"] == {"flagged": False}


def test_a_settings_surprise_does_not_cost_the_answer() -> None:
    response = _response(
        _message(_text("Hi")),
        model=None,
        usage={"input_tokens": "many"},
        incomplete_details="none",
        content_filters="none",
        conversation="conv_1",
    )
    completion = to_chat_completion(response, REQUEST)
    assert completion.choices[0].message.content == "Hi"
    assert completion.model == ""
    asked = BridgedRequest({"model": "asked"})
    assert to_chat_completion(response, asked).model == "asked"
    assert completion.usage is not None
    assert completion.usage.to_dict() == {"prompt_tokens": "many"}


def test_the_cache_remembers_what_was_answered() -> None:
    cache = ReasoningCache()
    request = BridgedRequest({}, reasoning_cache=cache)
    to_chat_completion(_response(_reasoning("rs_1"), _call("c1")), request, created=100)
    kept = cache.recall(["c1"], 200)
    assert kept is not None
    assert kept.reasoning_items == [{"type": "reasoning", "id": "rs_1", "summary": []}]


@pytest.mark.parametrize(
    ("status", "has_calls", "has_function_call", "expected"),
    [
        ("completed", False, False, "stop"),
        ("completed", True, False, "tool_calls"),
        ("completed", True, True, "function_call"),
        ("incomplete", True, True, "length"),
        ("queued", True, False, None),
        (["completed"], False, False, "stop"),
    ],
)
def test_what_cut_an_answer_short_comes_before_its_calls(
    status: Any, has_calls: bool, has_function_call: bool, expected: str | None
) -> None:
    response = Response.model_validate({"id": "r", "status": status})
    assert finish_reason(response, has_calls, has_function_call) == expected


HATE = {"hate": {"filtered": False, "severity": "safe"}}
SEXUAL = {"sexual": {"filtered": True, "severity": "high"}}


def _verdict(source: str | None, results: dict[str, Any] | None) -> ContentFilter:
    return ContentFilter.model_validate({"source_type": source, "content_filter_results": results})


def test_verdicts_on_one_completion_become_one() -> None:
    filters = [_verdict("completion", HATE), _verdict("completion", SEXUAL)]
    assert choice_filters(filters) == {"content_filter_results": {**HATE, **SEXUAL}}


def test_prompts_are_numbered_and_a_verdict_of_unknown_source_counts_as_one() -> None:
    results = prompt_filters([_verdict("prompt", HATE), _verdict(None, None)])
    assert results is not None
    assert [result.to_dict() for result in results] == [
        {"prompt_index": 0, "content_filter_results": HATE},
        {"prompt_index": 1},
    ]


@pytest.mark.parametrize("filters", [None, [], "in_memory", [{"raw": 1}]])
def test_what_is_no_verdict_says_nothing(filters: Any) -> None:
    assert prompt_filters(filters) is None
    assert choice_filters(filters) == {}


COUNTS = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
RENAMED = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        (
            {"input_tokens_details": {"cached_tokens": 2}},
            {"prompt_tokens_details": {"cached_tokens": 2}},
        ),
        (
            {"input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
            {"prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
        ),
        (
            {"output_tokens_details": {"reasoning_tokens": 1}},
            {"completion_tokens_details": {"reasoning_tokens": 1}},
        ),
        (
            {"output_tokens_details": {"reasoning_tokens": 1, "dreaming_tokens": 8}},
            {"completion_tokens_details": {"reasoning_tokens": 1, "dreaming_tokens": 8}},
        ),
        ({"energy": 3}, {"energy": 3}),
    ],
)
def test_every_count_and_detail_is_renamed(given: dict[str, Any], expected: dict[str, Any]) -> None:
    usage = to_usage(Usage.model_validate({**COUNTS, **given}))
    assert usage is not None
    assert usage.to_dict() == {**RENAMED, **expected}


def test_raw_counts_are_read_too() -> None:
    usage = to_usage({**COUNTS, "output_tokens_details": None})
    assert usage is not None
    assert usage.to_dict() == RENAMED


def test_no_usage_is_none() -> None:
    assert to_usage(None) is None


@pytest.mark.parametrize("odd", [[], "9", 9, True, [[]]])
def test_usage_that_is_no_object_is_none(odd: Any) -> None:
    assert to_usage(odd) is None
