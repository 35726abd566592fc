from typing import Any

import pytest

from azure_responses.bridge.chat_over_messages import ChatOverMessages
from azure_responses.errors import BadRequestError, ConfigurationError

from ..anthropic_sdk import context

_HI = [{"role": "user", "content": "Hi"}]
_FUNCTION = {
    "name": "f",
    "description": "Does it.",
    "parameters": {"type": "object", "properties": {}},
}


def _convert(
    deployment: str = "claude-sonnet-4-5", *, drops: bool = False, **parameters: Any
) -> ChatOverMessages:
    made = context(deployment, drops=drops)
    return ChatOverMessages({"model": "m", "messages": _HI, **parameters}, made)


def _write(deployment: str = "claude-sonnet-4-5", **parameters: Any) -> dict[str, Any]:
    return _convert(deployment, **parameters).write()


def test_each_parameter_has_its_place() -> None:
    body = _write(
        max_completion_tokens=5000,
        temperature=0.5,
        stop=["a", ""],
        user="u",
        stream=True,
        stream_options={"include_usage": True},
        tools=[{"type": "function", "function": _FUNCTION}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
        prompt_cache_key="k",
        prompt_cache_retention="24h",
        top_k=5,
    )
    assert body == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 5000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "temperature": 0.5,
        "stop_sequences": ["a"],
        "metadata": {"user_id": "u"},
        "stream": True,
        "tools": [
            {
                "name": "f",
                "description": "Does it.",
                "input_schema": {"type": "object", "properties": {}},
                "strict": False,
            }
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "top_k": 5,
    }


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({"max_tokens": 9}, 9),
        ({"max_tokens": 9, "max_completion_tokens": 9}, 9),
        ({}, 64_000),
    ],
)
def test_claude_always_gets_a_limit(parameters: dict[str, Any], limit: int) -> None:
    assert _write(**parameters)["max_tokens"] == limit


def test_a_model_of_unknown_size_gets_a_small_limit_with_a_warning() -> None:
    conversion = _convert("mine")
    assert conversion.write()["max_tokens"] == 4096
    assert conversion.warnings[0].startswith("max_completion_tokens was sent as 4096")


def test_a_short_time_in_the_cache_is_claudes_own() -> None:
    assert _write(prompt_cache_retention="in_memory")["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize("stop", ["", [], [""]])
def test_no_stop_sequences_are_none(stop: Any) -> None:
    assert "stop_sequences" not in _write(stop=stop)


def test_a_stop_text_is_one_sequence() -> None:
    assert _write(stop="END")["stop_sequences"] == ["END"]


@pytest.mark.parametrize(
    ("deployment", "parameters", "thinking"),
    [
        (
            "claude-opus-4-7",
            {"reasoning_effort": "high"},
            {"type": "adaptive", "display": "summarized"},
        ),
        (
            "claude-opus-4-7",
            {"reasoning": {"effort": "high", "summary": "none"}},
            {"type": "adaptive", "display": "omitted"},
        ),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "low", "max_tokens": 9000},
            {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
        ),
        ("claude-sonnet-4-5", {"reasoning_effort": "none"}, {"type": "disabled"}),
        (
            "claude-sonnet-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 3000}, "reasoning_effort": "low"},
            {"type": "enabled", "budget_tokens": 3000},
        ),
        ("claude-sonnet-4-5", {"reasoning": {}}, None),
    ],
)
def test_a_reasoning_effort_makes_claude_think_and_show_it(
    deployment: str, parameters: dict[str, Any], thinking: Any
) -> None:
    assert _write(deployment, **parameters).get("thinking") == thinking


def test_losses_are_told_in_the_words_of_chat_completions() -> None:
    conversion = _convert(drops=True, reasoning_effort="low", max_tokens=500)
    conversion.write()
    assert "reasoning_effort" in conversion.warnings[0]
    assert "max_completion_tokens" in conversion.warnings[0]


def test_sampling_is_refused_while_claude_thinks_unless_it_is_the_default() -> None:
    asked: dict[str, Any] = {"reasoning_effort": "low", "max_tokens": 9000}
    assert "temperature" not in _write(**asked, temperature=1)
    with pytest.raises(ConfigurationError) as refused:
        _write(**asked, temperature=0.2)
    assert refused.value.param == "temperature"
    assert "reasoning_effort" in str(refused.value.hint)


def test_a_turn_without_thinking_blocks_goes_on_without_thinking() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        *_HI,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    ]
    conversion = _convert(messages=messages, reasoning_effort="low", max_tokens=9000)
    assert "thinking" not in conversion.write()
    assert "a turn that has no thinking of its own" in conversion.warnings[0]


_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_CLOSED = {**_SCHEMA, "additionalProperties": False}


@pytest.mark.parametrize(
    ("form", "config"),
    [
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA}},
            {
                "format": {
                    "type": "json_schema",
                    "schema": {**_SCHEMA, "additionalProperties": False},
                }
            },
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}},
            {"format": {"type": "json_schema", "schema": {"type": "array"}}},
        ),
        ({"type": "text"}, None),
    ],
)
def test_a_schema_of_the_answer_is_sent_closed(form: Any, config: Any) -> None:
    assert _write(response_format=form).get("output_config") == config


def test_claudes_own_parameters_pass() -> None:
    body = _write(
        output_config={"effort": "low"},
        cache_control={"type": "ephemeral", "scope": "global"},
        metadata={"user_id": "u"},
        stop_sequences=["x"],
    )
    assert body["output_config"] == {"effort": "low"}
    assert body["cache_control"] == {"type": "ephemeral"}
    assert body["metadata"] == {"user_id": "u"}
    assert body["stop_sequences"] == ["x"]


def test_labels_of_stored_completions_are_left_out_with_a_warning() -> None:
    conversion = _convert(metadata={"team": "a"})
    assert "metadata" not in conversion.write()
    assert conversion.warnings[0].startswith("metadata was left out")


def test_tools_keep_their_marks_of_the_prompt_cache() -> None:
    mark = {"type": "ephemeral"}
    long = "x" * 70
    conversion = _convert(
        tools=[
            {"type": "function", "function": _FUNCTION},
            {"type": "function", "function": {"name": long}, "cache_control": mark},
            {"type": "custom", "custom": {"name": "c", "cache_control": {**mark, "scope": "x"}}},
        ]
    )
    tools = conversion.write()["tools"]
    assert [tool.get("cache_control") for tool in tools] == [None, mark, mark]
    assert conversion.warnings == (
        "tools[2].cache_control.scope was left out. Claude in Foundry refuses it.",
    )


def test_functions_are_tools_of_which_one_is_called() -> None:
    body = _write(functions=[_FUNCTION], function_call={"name": "f"})
    assert body["tools"][0]["name"] == "f"
    assert body["tool_choice"] == {
        "type": "tool",
        "name": "f",
        "disable_parallel_tool_use": True,
    }


@pytest.mark.parametrize(
    ("choice", "written"), [("auto", "auto"), ("required", "any"), ("none", "none")]
)
def test_tool_choices_are_sent(choice: str, written: str) -> None:
    tools = [{"type": "function", "function": _FUNCTION}]
    assert _write(tools=tools, tool_choice=choice)["tool_choice"] == {"type": written}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("seed", 1),
        ("logit_bias", {"1": 2}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", 0.5),
        ("logprobs", True),
        ("top_logprobs", 2),
        ("prediction", {"type": "content", "content": "a"}),
        ("audio", {"voice": "alloy"}),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
        ("data_sources", [{}]),
        ("verbosity", "low"),
        ("service_tier", "priority"),
        ("store", True),
        ("moderation", {}),
        ("user_security_context", {"a": 1}),
        ("response_format", {"type": "grammar"}),
    ],
)
def test_what_claude_does_not_have_is_refused_by_name_or_left_out(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _write(**{name: value})
    assert refused.value.param == name
    assert refused.value.hint
    conversion = _convert(drops=True, **{name: value})
    assert name not in conversion.write()
    assert conversion.warnings[0].startswith(f"{name} was left out.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("logprobs", False),
        ("modalities", ["text"]),
        ("service_tier", "auto"),
        ("store", False),
        ("verbosity", "medium"),
        ("logit_bias", None),
        ("stream", False),
    ],
)
def test_values_that_ask_for_nothing_are_left_out_silently(name: str, value: Any) -> None:
    conversion = _convert(**{name: value})
    assert name not in conversion.write()
    assert conversion.warnings == ()


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens"),
        ({"thinking": 1}, "thinking"),
        ({"response_format": "json"}, "response_format"),
        ({"tools": {}}, "tools"),
        ({"functions": "f"}, "functions"),
        ({"temperature": "1"}, "temperature"),
    ],
)
def test_values_of_a_wrong_type_are_invalid(parameters: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as invalid:
        _write(**parameters)
    assert invalid.value.param == param
