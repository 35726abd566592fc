from typing import Any

import pytest

from azure_responses.bridge.messages_over_responses import MessagesOverResponses
from azure_responses.errors import ConfigurationError

from ..anthropic_sdk import context

_HI = [{"role": "user", "content": "Hi"}]
_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_CLOSED = {**_SCHEMA, "required": ["a"], "additionalProperties": False}


def _convert(
    deployment: str = "gpt-5", *, drops: bool = False, hosted: str = "omit", **parameters: Any
) -> MessagesOverResponses:
    request = {"model": "claude", "max_tokens": 100, "messages": _HI, **parameters}
    known: dict[str, Any] = {"hosted_history": hosted}
    return MessagesOverResponses(request, context(deployment, drops=drops, **known))


def _write(**parameters: Any) -> dict[str, Any]:
    return _convert(**parameters).write()


def _input(*messages: tuple[str, Any], **options: Any) -> list[Any]:
    written = [{"role": role, "content": content} for role, content in messages]
    items: list[Any] = _write(messages=written, **options)["input"]
    return items


def test_a_plain_request_is_stored_nowhere() -> None:
    assert _write() == {
        "model": "gpt-5",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Hi"}],
            }
        ],
        "store": False,
        "max_output_tokens": 100,
    }


def test_each_parameter_has_its_place() -> None:
    body = _write(
        stream=True,
        system="Be brief.",
        temperature=0.5,
        top_p=0.9,
        thinking={"type": "adaptive"},
        output_config={
            "effort": "high",
            "format": {"type": "json_schema", "schema": _CLOSED},
        },
        metadata={"user_id": "u"},
        cache_control={"type": "ephemeral"},
        service_tier="standard_only",
    )
    body.pop("input")
    assert body == {
        "model": "gpt-5",
        "store": False,
        "stream": True,
        "instructions": "Be brief.",
        "max_output_tokens": 100,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high", "summary": "auto"},
        "temperature": 0.5,
        "top_p": 0.9,
        "text": {
            "format": {
                "type": "json_schema",
                "name": "output",
                "schema": _CLOSED,
                "strict": True,
            }
        },
        "safety_identifier": "u",
        "prompt_cache_key": "u",
        "service_tier": "default",
    }


def test_a_user_without_a_cache_has_no_cache_key_and_long_ids_are_hashed() -> None:
    body = _write(metadata={"user_id": "u" * 100})
    assert len(body["safety_identifier"]) == 48
    assert "prompt_cache_key" not in body


def test_omitted_thinking_asks_for_no_summary() -> None:
    body = _write(thinking={"type": "adaptive", "display": "omitted"})
    assert body["include"] == ["reasoning.encrypted_content"]
    assert "reasoning" not in body


def test_a_model_without_reasoning_is_asked_for_none() -> None:
    conversion = _convert("gpt-4.1", thinking={"type": "enabled", "budget_tokens": 2000})
    body = conversion.write()
    assert not {"reasoning", "include"} & body.keys()
    assert "'low' was left out" in conversion.warnings[0]


def test_a_model_that_cannot_encrypt_its_reasoning_is_not_asked_to() -> None:
    body = _write(deployment="deepseek-v3.2", thinking={"type": "adaptive"})
    assert "include" not in body
    assert body["reasoning"] == {"summary": "auto"}


def test_what_a_family_refuses_is_refused_before_it_is_sent() -> None:
    asked: dict[str, Any] = {"deployment": "deepseek-v3.2", "output_config": {"effort": "low"}}
    with pytest.raises(ConfigurationError) as refused:
        _write(**asked)
    assert refused.value.param == "thinking"
    conversion = _convert(drops=True, **asked)
    assert "reasoning" not in conversion.write()
    assert conversion.warnings == ("thinking was left out. The model refuses it.",)


def test_a_refused_parameter_of_the_body_is_left_out_with_drop_params() -> None:
    conversion = MessagesOverResponses(
        {"max_tokens": 100, "messages": _HI, "temperature": 0.5},
        context("x", drops=True, overrides={"refused_by_responses": ["temperature"]}),
    )
    assert "temperature" not in conversion.write()


def test_the_default_temperature_is_not_sent() -> None:
    assert not {"temperature", "top_p"} & _write(temperature=1, top_p=1.0).keys()


def test_drop_params_spares_a_reasoning_model_what_it_refuses() -> None:
    conversion = _convert(drops=True, temperature=0.5)
    assert "temperature" not in conversion.write()
    assert conversion.warnings
    assert "temperature" in conversion.warnings[0]
    assert "temperature" in _write(drops=True, deployment="gpt-4o", temperature=0.5)


def test_few_tokens_become_the_fewest_that_the_service_takes() -> None:
    conversion = _convert(max_tokens=1)
    assert conversion.write()["max_output_tokens"] == 16
    assert conversion.warnings[0].startswith("max_tokens was raised from 1 to 16")


def test_more_tokens_than_the_model_writes_become_the_most_that_it_writes() -> None:
    conversion = _convert("gpt-4o", max_tokens=32_000)
    assert conversion.write()["max_output_tokens"] == 16_384
    assert conversion.warnings[0].startswith("max_tokens was lowered from 32000 to 16384")


def test_stop_sequences_are_applied_to_the_reply_with_a_warning() -> None:
    conversion = _convert(stop_sequences=["###"])
    assert "stop" not in conversion.write()
    assert conversion.warnings[0].startswith("stop_sequences end the text")


def test_tools_and_their_choice_are_sent() -> None:
    search = {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 3,
        "allowed_domains": ["a.org"],
        "user_location": {"type": "approximate", "country": "DE"},
    }
    body = _write(
        tools=[{"name": "f", "description": "Does it.", "input_schema": _SCHEMA}, search],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    )
    assert body["tools"] == [
        {
            "type": "function",
            "name": "f",
            "description": "Does it.",
            "parameters": _SCHEMA,
            "strict": False,
        },
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.org"]},
            "user_location": {"type": "approximate", "country": "DE"},
        },
    ]
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert body["parallel_tool_calls"] is False
    assert body["include"] == ["web_search_call.action.sources"]
    assert body["max_tool_calls"] == 3


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "web_search"}, {"type": "web_search"}),
    ],
)
def test_a_choice_names_the_tool_or_the_kind(choice: Any, written: Any) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = _write(tools=[search], tool_choice=choice)
    assert body["tool_choice"] == written
    assert "max_tool_calls" not in body
    assert body["tools"] == [{"type": "web_search"}]


@pytest.mark.parametrize(("schema", "strict"), [(_CLOSED, True), (_SCHEMA, False)])
def test_strict_is_kept_where_openai_takes_the_schema(schema: Any, strict: bool) -> None:
    conversion = _convert(tools=[{"name": "f", "input_schema": schema, "strict": True}])
    assert conversion.write()["tools"][0]["strict"] is strict
    assert bool(conversion.warnings) is not strict


def test_the_messages_become_items_in_order() -> None:
    use = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": "ä"}}
    image = {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AA"}
    items = _input(
        ("user", [image, {"type": "document", "source": pdf, "title": "Plan.pdf"}]),
        ("system", "Be brief."),
        ("assistant", [{"type": "text", "text": "One."}, use, {**use, "id": "call_2"}]),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [image]},
                {"type": "tool_result", "tool_use_id": "call_2"},
                {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
                {"type": "document", "source": pdf},
            ],
        ),
    )
    picture = {"type": "input_image", "detail": "auto", "image_url": "https://a/b.png"}
    document = {"type": "input_file", "file_data": "data:application/pdf;base64,AA"}
    call = {"type": "function_call", "name": "f", "arguments": '{"a":"ä"}'}
    assert items == [
        {
            "type": "message",
            "role": "user",
            "content": [picture, {**document, "filename": "Plan.pdf"}],
        },
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "Be brief."}],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "One."}],
        },
        {**call, "call_id": "call_1"},
        {**call, "call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": [picture]},
        {"type": "function_call_output", "call_id": "call_2", "output": ""},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_file", "file_url": "https://a/b.pdf"},
                {**document, "filename": "document.pdf"},
            ],
        },
    ]


def test_long_ids_and_names_are_sent_short_and_match() -> None:
    use = {"type": "tool_use", "id": "toolu_" + "x" * 90, "name": "n" * 90, "input": {}}
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "1"}
    items = _input(("assistant", [use]), ("user", [result]))
    assert items[0]["call_id"] == items[1]["call_id"]
    assert len(items[0]["call_id"]) <= 64
    assert len(items[0]["name"]) <= 64


def test_thinking_of_others_is_left_out_with_a_warning() -> None:
    foreign = {"type": "thinking", "thinking": "Hm", "signature": "EqQBCgIYAhIM"}
    empty = {"type": "thinking", "thinking": "", "signature": ""}
    messages = [
        {"role": "assistant", "content": [foreign, empty, {"type": "text", "text": "A"}]},
        *_HI,
    ]
    conversion = _convert(messages=messages)
    assert [item["type"] for item in conversion.write()["input"]] == ["message", "message"]
    assert len(conversion.warnings) == 1


@pytest.mark.parametrize(
    ("call_id", "hosted", "kinds"),
    [
        ("srvtoolu_ws_1", "omit", ["web_search_call", "message"]),
        ("srvtoolu_01", "omit", ["message"]),
        ("srvtoolu_01", "text", ["message", "message"]),
    ],
)
def test_searches_of_earlier_turns(call_id: str, hosted: str, kinds: list[str]) -> None:
    use = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": "q"}}
    items = _input(("assistant", [use]), ("user", "Go"), hosted=hosted)
    assert [item["type"] for item in items] == kinds
