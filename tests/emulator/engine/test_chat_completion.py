"""Chat completions: the same answers in chat's shapes."""

from typing import Any

import pytest

from azure_responses.emulator.engine import compact, create_chat_completion
from azure_responses.emulator.service_errors import ServiceError
from tests.emulator.engine.generations import make_generation, said

_WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def _chat(prompt: Any, **given: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return create_chat_completion(make_generation(messages=messages, **given))


def _message(prompt: Any, **given: Any) -> dict[str, Any]:
    message: dict[str, Any] = _chat(prompt, **given)[0]["choices"][0]["message"]
    return message


def _streamed(chunks: list[dict[str, Any]], field: str = "content") -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


def test_a_completion_answers_as_the_responses_api_does() -> None:
    completion, chunks = _chat("what is 2+3")
    message = completion["choices"][0]["message"]
    assert message == {
        "annotations": [],
        "content": "2 + 3 = 5",
        "refusal": None,
        "role": "assistant",
    }
    assert completion["model"] == "gpt-4.1-2025-04-14"
    assert completion["usage"]["total_tokens"] > completion["usage"]["prompt_tokens"] > 0
    assert _streamed(chunks) == "2 + 3 = 5"


def test_the_first_chunk_holds_the_prompts_filters_alone() -> None:
    first = _chat("Hello")[1][0]
    assert (first["id"], first["model"], first["choices"]) == ("", "", [])
    results = first["prompt_filter_results"][0]["content_filter_results"]
    assert results["jailbreak"] == {"detected": False, "filtered": False}


def test_usage_is_streamed_where_asked() -> None:
    _, chunks = _chat("Hello", stream_options={"include_usage": True})
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert chunks[1]["usage"] is None
    assert "usage" not in _chat("Hello")[1][-1]


def test_obfuscation_can_be_declined() -> None:
    _, chunks = _chat("Hello", stream_options={"include_obfuscation": False})
    assert not any("obfuscation" in chunk for chunk in chunks)
    assert all("obfuscation" in chunk for chunk in _chat("Hello")[1][1:])


def test_calls_are_streamed_in_pieces() -> None:
    completion, chunks = _chat("weather in Rome", tools=[_WEATHER])
    choice = completion["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    call = choice["message"]["tool_calls"][0]
    assert call["function"] == {"arguments": '{"city":"Rome"}', "name": "get_weather"}
    parts = [
        part
        for chunk in chunks
        for one in chunk["choices"]
        for part in one["delta"].get("tool_calls", [])
    ]
    assert parts[0]["id"] == call["id"]
    assert "".join(part["function"]["arguments"] for part in parts) == '{"city":"Rome"}'


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ({"tools": [_WEATHER], "tool_choice": "none"}, False),
        ({"tools": [_WEATHER], "tool_choice": "required"}, True),
        (
            {
                "tools": [_WEATHER],
                "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            },
            True,
        ),
        (
            {
                "tools": [_WEATHER],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "required", "tools": [
                        {"type": "function", "function": {"name": "get_weather"}}]},
                },
            },
            True,
        ),
        ({"functions": [{"name": "get_weather"}], "tool_choice": "required"}, True),
    ],
)  # fmt: skip
def test_tool_choice_decides(given: dict[str, Any], called: bool) -> None:
    assert ("tool_calls" in _message("Hello", **given)) is called


def test_custom_tools_are_called_with_text() -> None:
    grammar = {"syntax": "regex", "definition": "[a-z]+"}
    custom = {"name": "exec", "format": {"type": "grammar", "grammar": grammar}}
    given = {"tools": [{"type": "custom", "custom": custom}], "tool_choice": "required"}
    completion, chunks = _chat("go", **given)
    call = completion["choices"][0]["message"]["tool_calls"][0]
    assert (call["type"], call["custom"]["input"]) == ("custom", "go")
    assert chunks[2]["choices"][0]["delta"]["tool_calls"][0]["custom"]["name"] == "exec"


def test_tool_messages_are_answered() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "40 C"}]},
    ]
    assert _message(messages)["content"] == "get_weather returned: 40 C"


def test_older_function_messages_are_read() -> None:
    call = {"id": "f", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "f?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "function", "name": "f", "content": "done"},
    ]
    assert _message(messages)["content"] == "f returned: done"


def test_content_parts_are_read() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://e/x.png", "detail": "low"}}
    text = {"type": "text", "text": "What is this?"}
    assert "low detail" in _message([{"role": "user", "content": [text, image]}])["content"]
    file = {"type": "file", "file": {"filename": "a.txt", "file_data": "AAAA"}}
    assert "a.txt" in _message([{"role": "user", "content": [text, file]}])["content"]
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert "wav" in _message([{"role": "user", "content": [text, audio]}])["content"]
    earlier = [
        {"role": "system", "content": "Reply in all caps."},
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "text", "text": "It is so."}]},
        {"role": "user", "content": "What did you say?"},
    ]
    assert _message(earlier)["content"] == 'I SAID: "IT IS SO."'


def test_parameters_of_chat_do_as_their_counterparts() -> None:
    cut = _chat("Tell me a story", max_completion_tokens=16)[0]["choices"][0]
    assert cut["finish_reason"] == "length"
    assert _chat("Tell me a story", max_tokens=16)[0]["choices"][0]["finish_reason"] == "length"
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert _message("I am Ada", response_format=form)["content"] == '{"name":"Ada"}'
    bare = {"type": "json_schema", "json_schema": {"name": "x"}}
    assert _message("I am Ada", response_format=bare)["content"] == "{}"
    usage = _chat("Hello", model="gpt-5-mini", reasoning_effort="high")[0]["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 256
    several = _chat("Hello", n=3)[0]
    assert [choice["index"] for choice in several["choices"]] == [0, 1, 2]


def test_logprobs_come_with_the_text() -> None:
    completion, chunks = _chat("Hello", logprobs=True, top_logprobs=1)
    content = completion["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in content) == _streamed(chunks)
    assert chunks[2]["choices"][0]["logprobs"]["content"] == content


def test_refusals_and_filters() -> None:
    completion, chunks = _chat("[[azure:refuse]]")
    refusal = completion["choices"][0]["message"]["refusal"]
    assert completion["choices"][0]["message"]["content"] is None
    assert _streamed(chunks, "refusal") == refusal
    blocked, chunks = _chat("[[azure:block-output]] Tell me a story")
    assert blocked["choices"][0]["finish_reason"] == "content_filter"
    assert blocked["choices"][0]["content_filter_results"]["violence"]["filtered"] is True
    assert chunks[-1]["choices"][0]["content_filter_results"]["violence"]["filtered"] is True
    with pytest.raises(ServiceError) as caught:
        _chat("[[azure:block-prompt]]")
    error = caught.value.body["error"]
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert (error["status"], error["type"], error["code"]) == (400, None, "content_filter")


def test_a_failure_is_an_empty_completion() -> None:
    completion, _ = _chat("[[azure:fail:server_error]]")
    assert completion["choices"][0]["message"]["content"] is None
    assert completion["usage"]["total_tokens"] == 0


def test_a_compacted_conversation_is_still_known() -> None:
    turns = [{"role": "user", "content": "my name is Ada"}, {"role": "assistant", "content": "ok"}]
    compacted = compact(make_generation(input=turns))
    assert compacted["object"] == "response.compaction"
    assert [item["type"] for item in compacted["output"]] == ["message", "compaction"]
    usage = compacted["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    only = compacted["output"][1:]
    assert said([*only, {"role": "user", "content": "What is my name?"}]) == "Your name is Ada."


def test_compaction_keeps_parts_and_ids() -> None:
    part = {"type": "input_text", "text": "x"}
    items = [{"role": "user", "content": [part], "id": "msg_1"}]
    kept = compact(make_generation(input=items))["output"][0]
    assert (kept["id"], kept["content"]) == ("msg_1", [part])
