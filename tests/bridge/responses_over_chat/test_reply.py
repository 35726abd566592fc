"""What a chat deployment replies, as items of a response."""

from typing import Any

import pytest

from .cases import SEALER, chunk, completion, read, stream

_JSON = {"text": {"format": {"type": "json_object"}}}


def _types(response: dict[str, Any]) -> list[str]:
    return [item["type"] for item in response["output"]]


def _both(
    message: dict[str, Any], parameters: dict[str, Any] | None = None, *args: Any, **how: Any
) -> dict[str, Any]:
    """The response that a message makes, the same whole and as a stream of one delta."""
    whole = read(completion(message), parameters, *args, **how)
    delta = {**message}
    if "tool_calls" in delta:
        calls = enumerate(delta["tool_calls"])
        delta["tool_calls"] = [{"index": index, **call} for index, call in calls]
    last = stream([chunk("stop", **delta)], parameters, *args, **how)[-1]
    assert _unsealed(last["response"]) == _unsealed(whole)
    return whole


def _unsealed(response: dict[str, Any]) -> dict[str, Any]:
    """Sealing the same text twice makes two ciphertexts."""
    items = [
        {**item, "encrypted_content": bool(item.get("encrypted_content"))}
        for item in response["output"]
    ]
    return {**response, "output": items}


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("eos", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("model_length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_the_reason_to_finish_is_the_status(
    reason: str, status: str, details: dict[str, str] | None
) -> None:
    whole = read(completion({"content": "Hi"}, reason))
    assert (whole["status"], whole["incomplete_details"]) == (status, details)
    assert whole["output"][0]["status"] == status
    events = stream([chunk(content="Hi"), chunk(reason)])
    assert events[-1]["type"] == f"response.{status}"
    assert events[-1]["response"] == whole


def test_an_error_without_a_reason_is_a_failure() -> None:
    whole = read(completion({"content": "Hi"}, "error"))
    assert (whole["status"], whole["error"]["code"]) == ("failed", "server_error")


def test_a_reply_without_a_reason_to_finish_is_complete() -> None:
    body = completion({"content": "Hi"})
    del body["choices"][0]["finish_reason"]
    assert read(body)["status"] == "completed"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_an_item_with_text_and_no_summary(field: str) -> None:
    first, second = _both({field: "Hm.", "content": "Hi"})["output"]
    assert first == {
        "id": "rs_3",
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }
    assert second["content"][0]["text"] == "Hi"


@pytest.mark.parametrize("asked", ["summary", "generate_summary"])
def test_a_summary_that_was_asked_for_repeats_the_reasoning(asked: str) -> None:
    parameters = {"reasoning": {asked: "auto"}}
    (item,) = _both({"reasoning_content": "Hm."}, parameters)["output"]
    assert item["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert item["content"] == [{"type": "reasoning_text", "text": "Hm."}]


@pytest.mark.parametrize(("deployment", "family"), [("kimi-k2.5", "kimi"), ("mine", "mine")])
def test_reasoning_is_sealed_where_the_caller_asks_for_it(deployment: str, family: str) -> None:
    parameters = {"include": ["reasoning.encrypted_content"]}
    (item,) = _both({"reasoning_content": "Hm."}, parameters, deployment)["output"]
    assert SEALER.open(family, item["encrypted_content"]) == {"text": "Hm."}
    assert SEALER.open("another", item["encrypted_content"]) is None


def test_think_tags_are_read_for_the_families_that_write_them() -> None:
    message = {"content": "<think>\nHm.\n</think>\n\nHi"}
    assert _types(_both(message, None, "DeepSeek-R1")) == ["reasoning", "message"]
    assert _types(_both(message, None, "kimi")) == ["message"]


def test_what_was_held_back_for_a_tag_is_not_lost() -> None:
    (item,) = _both({"content": "<thi"}, None, "DeepSeek-R1")["output"]
    assert item["content"][0]["text"] == "<thi"


def test_json_that_stands_in_the_reasoning_is_the_answer() -> None:
    message = {"reasoning_content": '{"a":1}', "content": ""}
    whole = _both(message, _JSON, "deepseek-v3.2")
    assert _types(whole) == ["reasoning", "message"]
    assert whole["output"][1]["content"][0]["text"] == '{"a":1}'
    # With a text, or where no JSON was asked for, reasoning is only that.
    assert _types(_both({**message, "content": "{}"}, _JSON, "deepseek-v3.2")) == [
        "reasoning",
        "message",
    ]
    assert _types(_both(message, None, "deepseek-v3.2")) == ["reasoning"]


def test_parts_of_reasoning_and_text_are_told_apart() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}, {"type": "ref"}]},
        {"type": "thinking", "thinking": "More."},
        {"type": "text", "text": "Hi"},
        {"type": "reference"},
        3,
    ]
    first, second = _both({"content": content})["output"]
    assert first["content"][0]["text"] == "Hm.More."
    assert second["content"][0]["text"] == "Hi"
    assert _types(_both({"content": 3})) == []


def test_a_refusal_is_a_part_of_the_message() -> None:
    (item,) = _both({"content": None, "refusal": "No."})["output"]
    assert item["content"] == [{"type": "refusal", "refusal": "No."}]


def test_citations_lose_their_wrapping() -> None:
    inner = {"url": "https://a", "title": "A", "start_index": 0, "end_index": 2}
    annotations = [
        {"type": "url_citation", "url_citation": inner},
        {"type": "file_citation", "file_id": "f"},
    ]
    (item,) = _both({"content": "Hi", "annotations": annotations})["output"]
    assert item["content"][0]["annotations"] == [
        {"type": "url_citation", **inner},
        {"type": "file_citation", "file_id": "f"},
    ]


def test_citations_may_come_before_or_after_the_text_of_a_stream() -> None:
    inner = {"url": "https://a", "start_index": 0, "end_index": 2}
    annotation = {"type": "url_citation", "url_citation": inner}
    for chunks in (
        [chunk(annotations=[annotation]), chunk("stop", content="Hi")],
        [chunk(content="Hi"), chunk("stop", annotations=[annotation])],
    ):
        (item,) = stream(chunks)[-1]["response"]["output"]
        assert item["content"][0]["annotations"] == [{"type": "url_citation", **inner}]


def test_log_probabilities_are_in_the_part() -> None:
    entry = {"token": "Hi", "bytes": [72, 105], "logprob": -0.1, "top_logprobs": []}
    body = completion({"content": "Hi"})
    body["choices"][0]["logprobs"] = {"content": [entry], "refusal": None}
    (item,) = read(body)["output"]
    assert item["content"][0]["logprobs"] == [entry]
    first, late = chunk(content="Hi"), chunk("stop")
    for one in (first, late):
        one["choices"][0]["logprobs"] = {"content": [entry]}
    events = stream([first, late])
    assert events[4]["logprobs"] == [entry]
    (item,) = events[-1]["response"]["output"]
    assert item["content"][0]["logprobs"] == [entry, entry]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            (10, 4, 5, 3, 15),
        ),
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 6}, (10, 6, 0, 0, 10)),
        ({"prompt_tokens_details": None, "completion_tokens": "many"}, (0, 0, 0, 0, 0)),
        ({"prompt_tokens": float("inf"), "completion_tokens_details": [1]}, (0, 0, 0, 0, 0)),
        (
            # xAI counts the reasoning only in the total.
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 18,
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            (10, 0, 8, 3, 18),
        ),
    ],
)
def test_usage_is_counted_in_full(given: dict[str, Any], counts: tuple[int, ...]) -> None:
    usage = read(completion({"content": "Hi"}, usage=given))["usage"]
    details, written = usage["input_tokens_details"], usage["output_tokens_details"]
    assert counts == (
        usage["input_tokens"],
        details["cached_tokens"],
        usage["output_tokens"],
        written["reasoning_tokens"],
        usage["total_tokens"],
    )
    write = (given.get("prompt_tokens_details") or {}).get("cache_write_tokens", 0)
    assert details["cache_write_tokens"] == write


def test_a_reply_without_usage_has_none() -> None:
    assert read(completion({"content": "Hi"}))["usage"] is None


def test_only_the_first_choice_is_read() -> None:
    other = {"index": 1, "delta": {"content": "No"}, "finish_reason": "length"}
    first = chunk(content="Yes")
    first["choices"].append(other)
    last = stream([first, chunk("stop")])[-1]["response"]
    assert last["status"] == "completed"
    assert last["output"][0]["content"][0]["text"] == "Yes"


def test_the_response_repeats_what_was_asked_and_not_what_was_sent() -> None:
    tool = {"type": "custom", "name": "c", "format": {"type": "text"}}
    space = {"type": "namespace", "name": "n", "tools": [tool]}
    asked: dict[str, Any] = {
        "model": "group",
        "instructions": "Be brief.",
        "tools": [space],
        "tool_choice": "required",
        "temperature": 0.5,
        "top_p": 0.9,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "truncation": "auto",
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "store": False,
        "previous_response_id": "resp_bridged_0",
        "service_tier": "auto",
        "max_output_tokens": 99,
        "safety_identifier": "s",
    }
    whole = read(completion({"content": "{}"}, service_tier="flex"), asked)
    assert {name: whole[name] for name in asked} == {**asked, "service_tier": "flex"}
    assert whole["id"] == "resp_2"


def test_nothing_is_announced_that_turns_out_empty() -> None:
    chunks = [chunk(role="assistant", content=""), chunk(content=None), chunk("stop", content="")]
    assert [event["type"] for event in stream(chunks)] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


def test_the_tier_that_served_is_shown() -> None:
    tool_call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for message in ({"content": "Hi"}, {"tool_calls": [tool_call]}):
        assert read(completion(message, service_tier="flex"))["service_tier"] == "flex"
