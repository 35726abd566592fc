"""Answers as a whole: reasoning, limits, triggers, echoes and refusals."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.engine import TRIGGERS, PrefixMemory, create_response
from azure_responses.emulator.engine.output_items import list_logprobs
from azure_responses.emulator.engine.service_tools import paint
from azure_responses.emulator.engine.transcript import read_text
from azure_responses.emulator.service_errors import ServiceError
from tests.emulator.engine.generations import NOW, ask, make_generation, said

_PNG = "data:image/png;base64," + paint("x")


def _refused(prompt: Any, **given: Any) -> dict[str, Any]:
    with pytest.raises(ServiceError) as caught:
        ask(prompt, **given)
    assert caught.value.status == 400
    error: dict[str, Any] = caught.value.body["error"]
    return error


# Reasoning


def test_a_reasoning_model_reasons_first() -> None:
    response = ask("Hello", model="gpt-5-mini").response
    assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
    assert list(response["output"][0]) == ["id", "type", "summary"]
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 64


@pytest.mark.parametrize(
    ("model", "effort", "tokens"),
    [
        ("gpt-5-mini", "minimal", 0),
        ("gpt-5-mini", "low", 64),
        ("gpt-5-mini", "high", 256),
        ("gpt-5.6-sol", "max", 1024),
    ],
)
def test_effort_decides_how_long_it_reasons(model: str, effort: str, tokens: int) -> None:
    usage = ask("Hello", model=model, reasoning={"effort": effort}).response["usage"]
    assert usage["output_tokens_details"]["reasoning_tokens"] == tokens


@pytest.mark.parametrize(
    ("model", "effort"), [("gpt-4.1", None), ("gpt-5.1", None), ("gpt-5.2", "none")]
)
def test_some_do_not_reason(model: str, effort: str | None) -> None:
    output = ask("Hello", model=model, reasoning={"effort": effort}).response["output"]
    assert [item["type"] for item in output] == ["message"]


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ({}, 0),
        ({"summary": "auto"}, 1),
        ({"generate_summary": "concise"}, 1),
        ({"summary": "detailed", "effort": "high"}, 2),
        ({"summary": "auto", "effort": "minimal"}, 0),
    ],
)
def test_summaries_are_written_where_asked(asked: dict[str, str], parts: int) -> None:
    summary = ask("Hello", model="gpt-5", reasoning=asked).response["output"][0]["summary"]
    assert len(summary) == parts
    assert all(part["text"].startswith("**") for part in summary)


def _tool_round(model: str) -> list[str]:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "40"}
    output = ask([{"role": "user", "content": "f"}, call, result], model=model).response["output"]
    return [item["type"] for item in output]


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("gpt-5-mini", ["reasoning", "message"]),
        ("o4-mini", ["message"]),
        ("gpt-5-codex", ["message"]),
    ],
)
def test_some_models_answer_a_tools_output_without_reasoning(model: str, kinds: list[str]) -> None:
    assert _tool_round(model) == kinds


def test_reasoning_names_the_tools_it_leads_to() -> None:
    tool = {"type": "function", "name": "get_weather"}
    given = {"model": "gpt-5", "reasoning": {"summary": "auto"}}
    output = ask("get_weather please", tools=[tool], **given).response["output"]
    assert "get_weather" in output[0]["summary"][0]["text"]


def test_encrypted_reasoning_is_opened_when_replayed() -> None:
    given = {
        "model": "gpt-5-mini",
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    first = ask("Hello", **given).response["output"]
    assert list(first[0]) == ["id", "type", "encrypted_content", "summary"]
    user = {"role": "user", "content": "Hello"}
    again = ask([user, *first, user], **given)
    assert again.response["status"] == "completed"
    assert again.response["id"][5:21] == first[0]["id"][3:19]


@pytest.mark.parametrize("change", ["foreign", "changed"])
def test_encrypted_reasoning_of_others_is_refused(change: str) -> None:
    include = ["reasoning.encrypted_content"]
    item = ask("Hello", model="gpt-5-mini", include=include).response["output"][0]
    key = b"other" if change == "foreign" else b"key"
    if change == "changed":
        item["encrypted_content"] = item["encrypted_content"][:-8] + "AAAAAAA="
    sealed = item["encrypted_content"]
    error = _refused([item], model="gpt-5-mini", key=key)
    assert error == {
        "message": f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. "
        "Reason: Encrypted content could not be decrypted or parsed.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }


_REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}


def test_reasoning_needs_what_followed_it() -> None:
    assert ask("x", model="gpt-5", history=[_REASONING]).response["status"] == "completed"
    message = "Item 'rs_1' of type 'reasoning' was provided without its required following item."
    assert _refused([_REASONING], model="gpt-5")["message"] == message
    items = [_REASONING, {"role": "user", "content": "x"}]
    assert _refused(items, model="gpt-5")["message"] == message


def test_no_items_are_no_mistake_of_the_order() -> None:
    assert ask([], model="gpt-5").response["status"] == "completed"


def test_an_output_needs_its_call_and_a_call_its_output() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    message = "No tool call found for function call output with call_id c."
    assert _refused([output])["message"] == message
    message = "No tool output found for function call c."
    assert _refused([call, {"role": "user", "content": "x"}])["message"] == message
    assert _refused("x", history=[call])["message"] == message
    assert ask([output], history=[call]).response["status"] == "completed"


# Limits


@pytest.mark.parametrize("limit", [16, 20, 30])
def test_output_stops_at_its_limit(limit: int) -> None:
    whole = said("Tell me a story about a fox")
    response = ask("Tell me a story about a fox", max_output_tokens=limit).response
    assert (response["status"], response["incomplete_details"]) == (
        "incomplete",
        {"reason": "max_output_tokens"},
    )
    assert response["output"][0]["status"] == "incomplete"
    assert whole.startswith(response["output"][0]["content"][0]["text"])
    assert response["usage"]["output_tokens"] == limit
    assert response["completed_at"] is None


def test_reasoning_can_use_the_limit_up() -> None:
    response = ask("Hello", model="gpt-5", max_output_tokens=16).response
    assert [item["type"] for item in response["output"]] == ["reasoning"]
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 16


def test_a_message_that_does_not_begin_is_left_out() -> None:
    response = ask("Hello", model="gpt-5", max_output_tokens=66).response
    assert [item["type"] for item in response["output"]] == ["reasoning"]
    assert response["status"] == "incomplete"


def test_arguments_and_refusals_are_cut_too() -> None:
    tool = {"type": "custom", "name": "exec"}
    reply = ask("exec " + "word " * 60, tools=[tool], max_output_tokens=20).response
    assert reply["output"][0]["status"] == "incomplete"
    assert len(reply["output"][0]["input"]) < 100
    refusal = ask("[[azure:refuse]]", max_output_tokens=16)
    assert refusal.response["status"] == "completed"
    blocked = said("[[azure:refuse]] [[azure:incomplete]]")
    assert blocked == "I'm sorry, but"


def test_annotations_beyond_the_cut_are_dropped() -> None:
    reply = ask("search for cats", tools=[{"type": "web_search"}], max_output_tokens=60).response
    part = reply["output"][1]["content"][0]
    assert all(note["end_index"] <= len(part["text"]) for note in part["annotations"])


def test_logprobs_are_cut_with_the_text() -> None:
    reply = ask(
        "Tell me a story",
        max_output_tokens=16,
        include=["message.output_text.logprobs"],
        top_logprobs=3,
    ).response
    part = reply["output"][0]["content"][0]
    assert "".join(entry["token"] for entry in part["logprobs"]) == part["text"]
    for entry in part["logprobs"]:
        assert len(entry["top_logprobs"]) == 3
        total = sum(2.718281828459045 ** other["logprob"] for other in entry["top_logprobs"])
        assert total <= 1.000001
        assert entry["logprob"] == max(other["logprob"] for other in entry["top_logprobs"])
        assert bytes(entry["bytes"]).decode() == entry["token"]


def test_input_beyond_the_window_is_refused_or_cut() -> None:
    items = [{"role": "user", "content": "word " * 130_000}, {"role": "user", "content": "Hello"}]
    error = _refused(items, model="gpt-4o")
    assert (error["code"], error["param"]) == ("context_length_exceeded", "input")
    reply = ask(items, model="gpt-4o", truncation="auto").response
    assert reply["usage"]["input_tokens"] <= 128_000
    assert reply["truncation"] == "auto"


# Triggers


def test_every_trigger_is_explained() -> None:
    assert all(phrase and effect for phrase, effect in TRIGGERS.items())


@pytest.mark.parametrize("phrase", ["[[azure:refuse]]", "emulator: refuse", "Emulator:refuse it"])
def test_a_refusal_is_a_part_of_its_own(phrase: str) -> None:
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}}
    for options in ({}, {"text": {"format": form}}):
        part = ask(phrase, **options).response["output"][0]["content"][0]
        assert list(part) == ["type", "refusal"]


def test_the_instructions_trigger_too() -> None:
    assert said(
        "Hello", instructions="[[azure:refuse]]"
    ) == "I'm sorry, but I can't assist with " + ("that request.")
    items = [{"role": "system", "content": "[[azure:length:3]]"}, {"role": "user", "content": "x"}]
    assert said(items) == "word word word"
    assert said([*items, items[-1]], instructions="[[azure:length:1]]") == "word"


def test_a_blocked_prompt_is_refused_with_its_filters() -> None:
    error = _refused("[[azure:block-prompt]]")
    assert (error["code"], error["param"]) == ("content_filter", "prompt")
    assert error["type"] == "invalid_request_error"
    assert "OpenAI’s content management policy" in error["message"]
    assert error["innererror"] == {"code": "ContentFiltered"}
    entry = error["content_filters"][0]
    assert (entry["blocked"], entry["source_type"]) == (True, "prompt")
    assert entry["content_filter_results"]["jailbreak"] == {"detected": True, "filtered": True}


def test_a_blocked_output_is_incomplete_with_its_filters() -> None:
    response = ask("[[azure:block-output]] Tell me a story").response
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    entry = response["content_filters"][1]
    assert (entry["blocked"], entry["source_type"]) == (True, "completion")
    assert entry["content_filter_results"]["violence"]["filtered"] is True


@pytest.mark.parametrize(
    ("code", "expected"), [("invalid_prompt", "invalid_prompt"), ("nonsense", "server_error")]
)
def test_a_response_can_fail(code: str, expected: str) -> None:
    response = ask(f"[[azure:fail:{code}]]").response
    assert response["status"] == "failed"
    assert response["error"]["code"] == expected
    assert response["usage"] is None
    assert response["output"] == []


def test_length_and_thought_can_be_told() -> None:
    assert said("[[azure:length:50]]").split() == ["word"] * 50
    given = {"model": "gpt-5", "reasoning": {"summary": "auto"}}
    item = ask("[[azure:reason:I wonder]]", **given).response["output"][0]
    assert item["summary"][0]["text"].endswith("I wonder")
    assert "[[azure:length:x]]" in said("[[azure:length:x]]")


# Structured output


def test_structured_output_fits_its_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "person", "strict": True, "schema": schema}
    text = {"format": form}
    assert json.loads(said("My name is Ada", text=text)) == {"name": "Ada"}
    echoed = ask("x", text=text).response["text"]["format"]
    assert list(echoed) == ["type", "description", "name", "schema", "strict"]


def test_a_json_object_has_the_keys_that_are_named() -> None:
    text = {"format": {"type": "json_object"}}
    assert json.loads(said("Add 1 + 1, in JSON", text=text)) == {"answer": "1 + 1 = 2"}
    named = json.loads(said('JSON with keys "city" and "name": I am Ada in Rome', text=text))
    assert set(named) == {"city", "name"}


# Attachments


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "input_image", "image_url": _PNG, "detail": "low"}, "image/png of 1 by 1 pixels"),
        ({"type": "input_image", "image_url": "https://e/x.png"}, "https://e/x.png, seen at auto"),
        ({"type": "input_image", "file_id": "assistant-1"}, "image a.txt has 12 bytes"),
        ({"type": "input_file", "file_id": "assistant-1"}, "file a.txt has 12 bytes"),
        ({"type": "input_file", "file_url": "https://e/x.pdf"}, "at https://e/x.pdf"),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,AAAA",
            },
            "a.pdf has 3 bytes",
        ),
        ({"type": "input_file", "file_data": "AAAA"}, "without a name has 3 bytes"),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            "wav of 3 bytes",
        ),
        (
            {
                "type": "input_image",
                "image_url": "data:image/gif;base64,"
                + base64.b64encode(b"GIF89a\x02\x00\x03\x00").decode(),
            },
            "2 by 3",
        ),
        ({"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA"}, "image/jpeg, 3"),
    ],
)
def test_attachments_are_described(part: dict[str, Any], expected: str) -> None:
    files = {"assistant-1": {"id": "assistant-1", "filename": "a.txt", "bytes": 12}}
    content = [{"type": "input_text", "text": "What is this?"}, part]
    assert expected in said([{"role": "user", "content": content}], find_file=files.get)


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"type": "input_image", "image_url": "data:image/png;base64,?"}, "invalid_base64_image"),
        ({"type": "input_image", "image_url": "data:image/png;base64,"}, "empty_image_file"),
        (
            {"type": "input_image", "image_url": "data:image/tiff;base64,AAAA"},
            "unsupported_image_media_type",
        ),
        ({"type": "input_image", "image_url": "AAAA"}, "invalid_image_url"),
        ({"type": "input_file", "file_data": "?"}, "invalid_value"),
        ({"type": "input_file", "file_id": "assistant-9"}, None),
    ],
)
def test_bad_attachments_are_refused(part: dict[str, Any], code: str | None) -> None:
    assert _refused([{"role": "user", "content": [part]}])["code"] == code


# Echoes


def test_the_response_echoes_what_was_asked() -> None:
    given = {
        "metadata": {"a": "b"},
        "instructions": "Be brief.",
        "temperature": 0,
        "top_p": 0.5,
        "user": "ada",
        "store": False,
        "parallel_tool_calls": False,
        "prompt_cache_retention": "in-memory",
        "conversation": "conv_1",
        "prompt": {"id": "pmpt_1"},
        "context_management": [{"type": "compaction"}],
    }
    response = create_response(make_generation({"input": "Hello", **given})).response
    for name in ("metadata", "instructions", "user", "store", "parallel_tool_calls", "prompt"):
        assert response[name] == given[name]
    assert (response["temperature"], response["top_p"]) == (0.0, 0.5)
    assert response["prompt_cache_retention"] == "in_memory"
    assert response["conversation"] == {"id": "conv_1"}
    assert ask("Hello", conversation={"id": "conv_2"}).response["conversation"] == {"id": "conv_2"}
    assert response["context_management"] == [{"type": "compaction"}]


@pytest.mark.parametrize(
    ("asked", "created", "completed"),
    [(None, "auto", "default"), ("auto", "auto", "default"), ("priority", "priority", "priority")],
)
def test_service_tiers(asked: str | None, created: str, completed: str) -> None:
    reply = ask("Hello", service_tier=asked)
    assert reply.events[0]["response"]["service_tier"] == created
    assert reply.response["service_tier"] == completed


def test_reasoning_is_echoed_as_on_its_surface() -> None:
    asked = {"effort": "high", "summary": "auto", "context": "auto"}
    modern = ask("Hello", model="gpt-5", reasoning=asked).response["reasoning"]
    dated = ask("Hello", model="gpt-5", reasoning=asked, dated=True).response["reasoning"]
    assert modern == {
        "context": "current_turn",
        "effort": "high",
        "mode": "standard",
        "summary": "detailed",
    }
    assert dated == {"effort": "high", "summary": "detailed"}


def test_the_router_says_what_served() -> None:
    assert ask("Hello", model="model-router").response["model"] == "gpt-4.1-nano-2025-04-14"


def test_newer_models_say_which_phase_a_message_is() -> None:
    assert ask("Hello", model="gpt-5.4").response["output"][0]["phase"] == "final_answer"
    assert "phase" not in ask("Hello", model="gpt-5.4", dated=True).response["output"][0]


def test_the_dated_surface_leaves_out_what_is_newer() -> None:
    modern, dated = ask("Hello").response, ask("Hello", dated=True).response
    assert set(modern) - set(dated) == {
        "completed_at",
        "frequency_penalty",
        "moderation",
        "presence_penalty",
        "tool_usage",
    }
    assert modern["completed_at"] > NOW


def test_ids_continue_the_conversation() -> None:
    first = ask("Hello").response["id"]
    later = ask("Hello", previous_response_id=first, seed="other").response["id"]
    assert first[5:21] == later[5:21]
    assert first != later


def test_the_variables_of_a_stored_prompt_are_answered() -> None:
    template = {"id": "pmpt_1", "variables": {"sum": "what is 1+1", "image": {"type": "x"}}}
    for prompt, expected in ((template, "1 + 1 = 2"), ({"id": "pmpt_1"}, "There is nothing")):
        response = create_response(make_generation({"prompt": prompt})).response
        assert expected in response["output"][0]["content"][0]["text"]


def test_instructions_may_be_items() -> None:
    items = [{"role": "developer", "content": "Reply in all caps."}]
    assert said("hello", instructions=items) == "HELLO! HOW CAN I HELP YOU TODAY?"


# Usage and caching


def test_usage_adds_up() -> None:
    usage = ask("Hello", model="gpt-5").response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"] == {"cache_write_tokens": 0, "cached_tokens": 0}
    dated = ask("Hello", dated=True).response["usage"]
    assert dated["input_tokens_details"] == {"cached_tokens": 0}


def _cached(prompt: Any, memory: PrefixMemory, **given: Any) -> int:
    usage = ask(prompt, prefixes=memory, **given).response["usage"]
    return int(usage["input_tokens_details"]["cached_tokens"])


def test_a_long_beginning_is_cached_the_second_time() -> None:
    memory = PrefixMemory()
    text = "word " * 1500
    assert _cached(text, memory) == 0
    assert _cached(text, memory) >= 1408
    assert _cached(text + "and more", memory) >= 1408
    assert _cached("other " + text, memory) == 0
    assert _cached(text, memory, prompt_cache_key="mine") == 0
    assert _cached(text, memory, model="gpt-4o") == 0
    assert _cached("short", memory) == 0
    assert _cached([{"role": "user", "content": text}], memory) >= 1408


def test_the_memory_of_prefixes_is_bounded() -> None:
    memory = PrefixMemory(limit=2)
    tokens = [str(number) for number in range(1024)]
    for scope in "abc":
        assert memory.match(scope, tokens, 0.0) == 0
    assert memory.match("c", tokens, 0.0) == 1024
    assert memory.match("a", tokens, 0.0) == 0


def test_a_cache_is_cleared_ten_minutes_after_its_last_use() -> None:
    memory, tokens = PrefixMemory(), [str(number) for number in range(1024)]
    found = [memory.match("a", tokens, now) for now in (0.0, 599.0, 1198.0, 1798.0)]
    assert found == [0, 1024, 1024, 0]


def test_extended_retention_keeps_a_cache_for_a_day() -> None:
    memory, tokens = PrefixMemory(), [str(number) for number in range(1024)]
    assert memory.match("a", tokens, 0.0, "24h") == 0
    assert memory.match("a", tokens, 86_399.0) == 1024
    # A later request without it shortens nothing, and prolongs it as its own policy says.
    assert memory.match("a", tokens, 86_900.0) == 1024


def test_compaction_happens_beyond_its_threshold() -> None:
    rule = {"type": "compaction", "compact_threshold": 1000}
    long = [{"role": "user", "content": "my name is Ada. " + "word " * 1200}]
    reply = ask(long, context_management=[rule])
    assert reply.response["output"][0]["type"] == "compaction"
    later = ask("What is my name?", history=reply.response["output"])
    assert "Ada" in later.response["output"][0]["content"][0]["text"]
    assert ask("Hello", context_management=[{"type": "compaction"}]).response["output"]


def test_a_compaction_of_others_is_refused() -> None:
    item = {"type": "compaction", "encrypted_content": "gAAAAA=="}
    assert _refused([item])["code"] == "invalid_encrypted_content"


def test_events_are_written_when_first_read() -> None:
    reply = create_response(make_generation(input="Hello"))
    assert "events" not in vars(reply)
    assert reply.events is reply.events


@given(st.text(min_size=1), st.integers(0, 20))
def test_probabilities_add_up_to_at_most_one(text: str, top: int) -> None:
    for entry in list_logprobs(text, top):
        assert len(entry["top_logprobs"]) == top
        assert sum(2.718281828 ** one["logprob"] for one in entry["top_logprobs"]) <= 1.00001


def test_text_is_read_from_any_content() -> None:
    assert read_text(None) == ""
    assert read_text({"a": 1}) == '{"a": 1}'
    assert read_text([{"type": "input_text", "text": "a"}, {"type": "input_image"}]) == "a"
