from typing import Any

import pytest

from azure_responses.bridge.messages_over_chat import MessagesOverChat
from azure_responses.errors import ConfigurationError

from ..anthropic_sdk import SEALER, context

_HI = [{"role": "user", "content": "Hi"}]
_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_CLOSED = {**_SCHEMA, "required": ["a"], "additionalProperties": False}


def _convert(
    deployment: str = "kimi-k2.5",
    *,
    drops: bool = False,
    hosted: str = "omit",
    overrides: Any = None,
    **parameters: Any,
) -> MessagesOverChat:
    request = {"model": "claude", "max_tokens": 100, "messages": _HI, **parameters}
    known: dict[str, Any] = {"hosted_history": hosted}
    made = context(deployment, drops=drops, overrides=overrides, **known)
    return MessagesOverChat(request, made)


def _write(deployment: str = "kimi-k2.5", **parameters: Any) -> dict[str, Any]:
    return _convert(deployment, **parameters).write()


def _messages(*messages: tuple[str, Any], **options: Any) -> list[Any]:
    written = [{"role": role, "content": content} for role, content in messages]
    sent: list[Any] = _write(messages=written, **options)["messages"]
    return sent


def test_a_plain_request() -> None:
    assert _write(system="Be brief.") == {
        "model": "kimi-k2.5",
        "max_completion_tokens": 100,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
    }


def test_each_parameter_has_its_place() -> None:
    body = _write(
        "deepseek-v3.2",
        stream=True,
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["###"],
        thinking={"type": "enabled", "budget_tokens": 2000},
        output_config={"format": {"type": "json_schema", "schema": _CLOSED}},
        metadata={"user_id": "u"},
        cache_control={"type": "ephemeral"},
        service_tier="standard_only",
    )
    body.pop("messages")
    assert body == {
        "model": "deepseek-v3.2",
        "max_completion_tokens": 100,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["###"],
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": _CLOSED, "strict": True},
        },
        "user": "u",
    }


def test_a_budget_is_an_effort_only_where_the_efforts_are_known() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    assert "reasoning_effort" not in _write("kimi-k2.5", thinking=thinking)
    asked = _write("kimi-k2.5", thinking=thinking, output_config={"effort": "high"})
    assert asked["reasoning_effort"] == "high"


def test_openais_models_get_their_own_roles_and_fields() -> None:
    body = _write(
        "gpt-5",
        system="Be brief.",
        messages=[*_HI, {"role": "system", "content": "Now."}, *_HI],
        metadata={"user_id": "u"},
        cache_control={"type": "ephemeral"},
        service_tier="standard_only",
    )
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["developer", "user", "developer", "user"]
    assert (body["user"], body["prompt_cache_key"]) == ("u", "u")
    assert body["service_tier"] == "default"


def test_a_family_that_refuses_a_field_does_not_get_it() -> None:
    conversion = _convert("mistral-large", metadata={"user_id": "u"}, stream=True)
    body = conversion.write()
    assert body["max_tokens"] == 100
    assert not {"user", "stream_options", "max_completion_tokens"} & body.keys()
    assert conversion.warnings == ("metadata.user_id was left out. The model refuses it.",)


def test_what_a_family_refuses_is_refused_by_name() -> None:
    refused = {"refused_by_chat": ["temperature"]}
    with pytest.raises(ConfigurationError) as error:
        _write(overrides=refused, temperature=0.5)
    assert error.value.param == "temperature"
    assert "temperature" not in _write(overrides=refused, temperature=0.5, drops=True)


@pytest.mark.parametrize(
    ("deployment", "sequences"), [("grok-4", ["a"]), ("kimi-k2.5", ["a", "b", "c", "d", "e"])]
)
def test_stop_sequences_that_the_model_does_not_take_are_applied_here(
    deployment: str, sequences: list[str]
) -> None:
    conversion = _convert(deployment, stop_sequences=sequences)
    assert "stop" not in conversion.write()
    assert conversion.warnings[0].startswith("stop_sequences end the text")


def test_a_model_is_asked_for_no_more_than_it_writes() -> None:
    assert _write("gpt-4o", max_tokens=32_000)["max_completion_tokens"] == 16_384


def test_a_caller_gets_a_warning_that_stop_sequences_are_not_reported() -> None:
    conversion = _convert(stop_sequences=["a"])
    assert conversion.write()["stop"] == ["a"]
    assert "'end_turn'" in conversion.warnings[0]


def test_an_open_schema_is_not_strict() -> None:
    form = {"format": {"type": "json_schema", "schema": _SCHEMA}}
    written = _write(output_config=form)["response_format"]["json_schema"]
    assert written == {"name": "output", "schema": _SCHEMA}


def test_tools_and_their_choice_are_sent() -> None:
    tool = {"name": "f", "description": "Does it.", "input_schema": _CLOSED, "strict": True}
    body = _write(
        tools=[tool],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    )
    function = {"name": "f", "description": "Does it.", "parameters": _CLOSED, "strict": True}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert body["parallel_tool_calls"] is False


@pytest.mark.parametrize(("kind", "mode"), [("any", "required"), ("auto", "auto")])
def test_a_mode_is_sent_with_tools_only(kind: str, mode: str) -> None:
    tool = {"name": "f", "input_schema": _SCHEMA}
    assert _write(tools=[tool], tool_choice={"type": kind})["tool_choice"] == mode
    assert "tool_choice" not in _write(tool_choice={"type": "auto"})


def test_a_search_on_the_web_is_refused() -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    choice = {"type": "tool", "name": "web_search"}
    with pytest.raises(ConfigurationError) as refused:
        _write(tools=tools)
    assert refused.value.param == "tools"
    assert not {"tools", "tool_choice"} & _write(tools=tools, tool_choice=choice, drops=True).keys()


def test_a_model_that_takes_no_tools_while_it_reasons_is_not_given_any() -> None:
    asked = {
        "tools": [{"name": "f", "input_schema": _SCHEMA}],
        "output_config": {"effort": "low"},
    }
    with pytest.raises(ConfigurationError) as refused:
        _write("gpt-5.5", **asked)
    assert refused.value.param == "tools"


def test_the_messages_keep_calls_and_results_together() -> None:
    use = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": "ä"}}
    image = {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
    text = {"type": "text", "text": "seen"}
    sent = _messages(
        ("user", [{"type": "text", "text": "Look"}, image]),
        ("assistant", [{"type": "text", "text": "One."}, use, {**use, "id": "call_2"}, text]),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [text, image]},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "2"},
                {"type": "text", "text": "Next"},
            ],
        ),
        ("assistant", "Done"),
        ("user", "Bye"),
    )
    picture = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
    function = {"type": "function", "function": {"name": "f", "arguments": '{"a":"ä"}'}}
    assert sent == [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, picture]},
        {
            "role": "assistant",
            "content": "One.\n\nseen",
            # Kimi insists on some, and the caller has none.
            "reasoning_content": ".",
            "tool_calls": [{"id": "call_1", **function}, {"id": "call_2", **function}],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": "seen\n[The next message of the user shows what else this returned.]",
        },
        {"role": "tool", "tool_call_id": "call_2", "content": "2"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Returned by the call call_1:"}, picture],
        },
        {"role": "user", "content": "Next"},
        {"role": "assistant", "content": "Done"},
        {"role": "user", "content": "Bye"},
    ]


_PDF = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"},
}


def test_documents_are_refused_where_the_model_does_not_take_them() -> None:
    with pytest.raises(ConfigurationError) as refused:
        _messages(("user", [_PDF]))
    assert refused.value.param == "document"
    assert _messages(("user", [_PDF]), drops=True) == []
    (message,) = _messages(("user", [_PDF]), overrides={"takes_files": True})
    file = {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"}
    assert message["content"] == [{"type": "file", "file": file}]


def _thinking(signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": "Hm", "signature": signature}


def test_thinking_goes_back_to_the_family_that_wants_it() -> None:
    block = _thinking(SEALER.seal("kimi", {"text": "Hm, so"}))
    answer = [block, {"type": "text", "text": "A"}]
    (message, _) = _messages(("assistant", answer), ("user", "Go"))
    assert message == {"role": "assistant", "content": "A", "reasoning_content": "Hm, so"}
    (message, _) = _messages(("assistant", answer), ("user", "Go"), deployment="mistral-large")
    assert "reasoning_content" not in message


@pytest.mark.parametrize(
    ("signature", "warnings"),
    [("EqQB", 1), (SEALER.seal("deepseek", {"text": "Hm"}), 1), ("", 0)],
)
def test_thinking_of_others_is_left_out(signature: str, warnings: int) -> None:
    answer = [_thinking(signature), {"type": "text", "text": "A"}]
    conversion = _convert(messages=[{"role": "assistant", "content": answer}, *_HI])
    assert conversion.write()["messages"][0] == {"role": "assistant", "content": "A"}
    assert len(conversion.warnings) == warnings


def test_thinking_without_text_or_answer_is_nothing() -> None:
    block = _thinking(SEALER.seal("kimi", {"text": ""}))
    assert _messages(("assistant", [block]), ("user", "Go")) == [{"role": "user", "content": "Go"}]


@pytest.mark.parametrize(("hosted", "count"), [("omit", 1), ("text", 2)])
def test_searches_of_earlier_turns(hosted: str, count: int) -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    assert len(_messages(("assistant", [use]), ("user", "Go"), hosted=hosted)) == count
