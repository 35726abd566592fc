"""Each parameter of a response is sent to Claude, refused by name, or left out with a warning."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.types.parameters import CREATE_PARAMETERS
from tests.bridge.responses_over_messages.cases import ADAPTIVE, BUDGET, convert, written

_OLD = "claude-opus-4-1"
_NEWEST = "claude-opus-4-8"
_TOOL = {
    "type": "function",
    "name": "weather",
    "description": "Tells it.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def test_a_plain_request_has_a_model_a_limit_and_messages() -> None:
    assert written({"model": "gpt", "store": False, "metadata": {"a": "b"}, "stream": False}) == {
        "model": ADAPTIVE,
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


@pytest.mark.parametrize(
    ("asked", "known", "sent"), [(50, 100, 50), (None, 100, 100), (None, None, 128_000)]
)
def test_the_limit_is_the_callers_or_the_deployments(asked: Any, known: Any, sent: int) -> None:
    body = written({"max_output_tokens": asked}, max_output_tokens=known)
    assert body["max_tokens"] == sent


def test_a_model_of_unknown_limit_gets_one_with_a_warning() -> None:
    body, warnings = convert({}, "my-deployment")
    assert body["max_tokens"] == 4_096
    assert "max_output_tokens" in warnings[0]


@pytest.mark.parametrize("limit", [0, "many", True, 1.5])
def test_an_invalid_limit_is_refused(limit: Any) -> None:
    with pytest.raises(BadRequestError, match="max_output_tokens"):
        convert({"max_output_tokens": limit})


def test_instructions_are_the_system_prompt() -> None:
    assert written({"instructions": "Be brief."})["system"] == [
        {"type": "text", "text": "Be brief."}
    ]
    assert "system" not in written({"instructions": " "})
    with pytest.raises(BadRequestError, match="instructions"):
        convert({"instructions": ["Be brief."]})


@pytest.mark.parametrize("effort", ["low", "medium", "high", "max"])
def test_an_effort_is_sent_with_adaptive_thinking(effort: str) -> None:
    body = written({"reasoning": {"effort": effort}})
    assert body["output_config"] == {"effort": effort}
    assert body["thinking"] == {"type": "adaptive", "display": "omitted"}


@pytest.mark.parametrize(
    ("deployment", "effort", "sent"),
    [
        (ADAPTIVE, "minimal", "low"),
        (ADAPTIVE, "xhigh", "high"),
        (_NEWEST, "minimal", "low"),
        ("my-deployment", "minimal", "low"),
        ("claude-opus-5-5", "none", "low"),
    ],
)
def test_an_effort_that_the_model_lacks_becomes_the_nearest(
    deployment: str, effort: str, sent: str
) -> None:
    body, warnings = convert({"reasoning": {"effort": effort}}, deployment, max_output_tokens=9)
    assert body["output_config"] == {"effort": sent}
    assert warnings == (f"reasoning.effort was sent as {sent!r}. The model has no {effort!r}.",)


def test_no_effort_disables_thinking() -> None:
    for deployment in (ADAPTIVE, BUDGET):
        body = written({"reasoning": {"effort": "none"}}, deployment)
        assert body["thinking"] == {"type": "disabled"}
        assert "output_config" not in body


def test_a_model_without_efforts_gets_none() -> None:
    body, warnings = convert({"reasoning": {"effort": "low"}}, facts={"efforts": []})
    assert body["thinking"]["type"] == "adaptive"
    assert "output_config" not in body
    assert warnings == ("reasoning.effort was left out. The model takes no effort.",)


@pytest.mark.parametrize("name", ["summary", "generate_summary"])
def test_a_summary_displays_thinking(name: str) -> None:
    body = written({"reasoning": {name: "auto", "effort": "high"}})
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert written({"reasoning": {name: "detailed"}})["thinking"]["display"] == "summarized"
    assert "thinking" not in written({"reasoning": {name: None}})


@pytest.mark.parametrize(
    ("effort", "limit", "budget"),
    [
        ("minimal", None, 1_024),
        ("low", None, 2_048),
        ("medium", None, 8_192),
        ("high", None, 16_384),
        ("max", None, 32_000),
        ("high", 4_000, 2_000),
        ("high", 1_025, 1_024),
    ],
)
def test_older_models_think_by_a_budget(effort: str, limit: int | None, budget: int) -> None:
    deployment = BUDGET if effort != "max" else _OLD
    body = written(
        {"reasoning": {"effort": effort}, "max_output_tokens": limit},
        deployment,
        max_output_tokens=64_000,
    )
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget, "display": "omitted"}
    assert 1_024 <= budget < body["max_tokens"]
    assert "output_config" not in body


def test_a_budget_needs_room() -> None:
    asked = {"reasoning": {"effort": "low"}, "max_output_tokens": 1_024}
    with pytest.raises(ConfigurationError, match="1024") as caught:
        convert(asked, BUDGET)
    assert caught.value.param == "reasoning.effort"
    body, warnings = convert(asked, BUDGET, drops_params=True)
    assert "thinking" not in body
    assert len(warnings) == 1


def test_a_summary_alone_does_not_make_older_models_think() -> None:
    body, warnings = convert({"reasoning": {"summary": "auto"}}, BUDGET)
    assert "thinking" not in body
    assert warnings == (
        "reasoning.summary was left out. This model thinks only with reasoning.effort.",
    )
    assert "thinking" not in written({"reasoning": {}}, BUDGET)


def test_other_settings_of_reasoning_are_refused_by_name() -> None:
    assert "thinking" not in written(
        {"reasoning": {"context": "auto", "mode": "standard", "other": None}}
    )
    with pytest.raises(ConfigurationError, match=r"reasoning\.mode"):
        convert({"reasoning": {"mode": "deep"}})


def test_a_json_schema_is_the_output_format() -> None:
    form = {
        "type": "json_schema",
        "name": "city",
        "description": "One.",
        "strict": True,
        "schema": _TOOL["parameters"],
    }
    body = written({"text": {"format": form}, "reasoning": {"effort": "low"}})
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": _TOOL["parameters"]},
        "effort": "low",
    }
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    sent = written({"text": {"format": {**form, "schema": loose}}})["output_config"]["format"]
    assert sent["schema"] == {**loose, "additionalProperties": False}
    free = {"type": "object", "additionalProperties": True}
    sent = written({"text": {"format": {**form, "schema": free}}})["output_config"]["format"]
    assert sent["schema"] == free
    with pytest.raises(BadRequestError, match=r"text\.format\.schema"):
        convert({"text": {"format": {"type": "json_schema", "name": "x"}}})


def test_a_json_object_is_asked_for_in_the_system_prompt() -> None:
    body = written({"text": {"format": {"type": "json_object"}}, "instructions": "Hi."})
    assert [block["text"] for block in body["system"]] == [
        "Hi.",
        "Answer with one JSON object and nothing else.",
    ]


def test_plain_text_needs_nothing() -> None:
    for text in ({}, {"format": {"type": "text"}}, {"format": None, "verbosity": "medium"}):
        assert "output_config" not in written({"text": text})


@pytest.mark.parametrize(
    ("text", "param"),
    [({"verbosity": "low"}, "text.verbosity"), ({"format": {"type": "regex"}}, "text.format")],
)
def test_other_settings_of_text_are_refused_by_name(text: Any, param: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert({"text": text})
    assert caught.value.param == param


def test_a_function_is_a_tool() -> None:
    assert written({"tools": [_TOOL]})["tools"] == [
        {
            "name": "weather",
            "description": "Tells it.",
            "input_schema": _TOOL["parameters"],
            "strict": True,
        }
    ]
    bare = {"type": "function", "name": "now", "strict": False}
    tool = written({"tools": [bare]})["tools"][0]
    assert (tool["input_schema"]["type"], tool["strict"]) == ("object", False)
    assert "description" not in tool
    assert "strict" not in written({"tools": [_TOOL]}, facts={"takes_strict": False})["tools"][0]


def test_a_schema_that_claude_refuses_as_strict_is_not_strict_by_itself() -> None:
    limited = {**_TOOL, "parameters": {"type": "object", "properties": {"n": {"minimum": 1}}}}
    assert written({"tools": [limited]})["tools"][0]["strict"] is False
    assert written({"tools": [{**limited, "strict": True}]})["tools"][0]["strict"] is True


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "name": "weather"}, {"type": "tool", "name": "weather"}),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "weather"}],
            },
            {"type": "any"},
        ),
    ],
)
def test_the_choice_of_a_tool_is_kept(choice: Any, sent: dict[str, Any]) -> None:
    tools = {"tools": [_TOOL], "tool_choice": choice}
    assert written(tools)["tool_choice"] == sent
    one = written({**tools, "parallel_tool_calls": False})["tool_choice"]
    assert one.pop("disable_parallel_tool_use", None) is (None if sent["type"] == "none" else True)
    assert one == sent


def test_parallel_calls_are_switched_off_without_a_choice_too() -> None:
    one = written({"tools": [_TOOL], "parallel_tool_calls": False})["tool_choice"]
    assert one == {"type": "auto", "disable_parallel_tool_use": True}
    assert "tool_choice" not in written({"tools": [_TOOL], "parallel_tool_calls": True})
    assert "tool_choice" not in written({"parallel_tool_calls": False})


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "weather"}])
def test_claude_does_not_think_while_it_must_call_a_tool(choice: Any) -> None:
    asked = {"tools": [_TOOL], "tool_choice": choice, "reasoning": {"effort": "low"}}
    body, warnings = convert(asked)
    assert "thinking" not in body
    assert body["output_config"] == {"effort": "low"}
    assert warnings == (
        "reasoning was sent without thinking. Claude does not think while tool_choice makes it "
        "call a tool. The effort itself was sent.",
    )
    assert "thinking" in written({**asked, "tool_choice": "auto"})


def test_hosted_tools_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="web_search"):
        convert({"tools": [{"type": "web_search"}]})
    body, warnings = convert({"tools": [{"type": "web_search"}]}, drops_params=True)
    assert "tools" not in body
    assert "web_search" in warnings[0]


def test_sampling_is_sent_while_claude_does_not_think() -> None:
    assert written({"temperature": 0.2})["temperature"] == 0.2
    assert written({"top_p": 0.9})["top_p"] == 0.9
    both = written({"temperature": 0.2, "top_p": 1})
    assert ("top_p" in both, both["temperature"]) == (False, 0.2)
    assert written({"temperature": 0.2, "reasoning": {"effort": "none"}})["temperature"] == 0.2


@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_sampling_while_claude_thinks_is_dropped_at_its_default_else_refused(name: str) -> None:
    thinking = {"reasoning": {"effort": "low"}}
    assert name not in written({name: 1, **thinking})
    with pytest.raises(ConfigurationError, match="thinks") as caught:
        convert({name: 0.5, **thinking})
    assert caught.value.param == name
    body, warnings = convert({name: 0.5, **thinking}, drops_params=True)
    assert name not in body
    assert len(warnings) == 1


def test_sampling_that_the_model_never_takes_is_refused() -> None:
    assert "temperature" not in written({"temperature": 1.0, "top_p": None}, _NEWEST)
    with pytest.raises(ConfigurationError, match="no sampling"):
        convert({"temperature": 0}, _NEWEST)


def test_a_temperature_above_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        convert({"temperature": 1.5})
    with pytest.raises(BadRequestError, match="temperature"):
        convert({"temperature": "hot"})


@pytest.mark.parametrize(
    ("given", "user"),
    [({"user": "u1"}, "u1"), ({"safety_identifier": "s1", "user": "u1"}, "s1")],
)
def test_the_user_is_metadata(given: dict[str, Any], user: str) -> None:
    assert written(given)["metadata"] == {"user_id": user}


@pytest.mark.parametrize(
    ("given", "mark"),
    [
        ({"prompt_cache_key": "k"}, {"type": "ephemeral"}),
        ({"prompt_cache_retention": "in_memory"}, {"type": "ephemeral"}),
        ({"prompt_cache_retention": "24h"}, {"type": "ephemeral", "ttl": "1h"}),
        ({"prompt_cache_options": {"ttl": "1h"}}, {"type": "ephemeral", "ttl": "1h"}),
        ({"prompt_cache_options": {"ttl": "30m"}}, {"type": "ephemeral"}),
        ({"prompt_cache_options": {"mode": "explicit"}}, None),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, {"type": "ephemeral", "ttl": "5m"}),
    ],
)
def test_caching_is_asked_for_at_the_top(given: dict[str, Any], mark: Any) -> None:
    assert written(given).get("cache_control") == mark


def test_the_scope_of_a_cache_is_never_sent() -> None:
    body, warnings = convert({"cache_control": {"type": "ephemeral", "scope": "global"}})
    assert body["cache_control"] == {"type": "ephemeral"}
    assert warnings == ("cache_control.scope was left out. Claude in Foundry refuses it.",)


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": {"id": "p"}},
        {"moderation": {"model": "m"}},
        {"access_programs": {"a": 1}},
        {"multi_agent": {"enabled": True}},
        {"conversation": "conv_1"},
        {"background": True},
        {"context_management": [{"type": "compaction"}]},
        {"image": {"context_compression": "always"}},
        {"agent_reference": {"name": "A"}},
        {"top_logprobs": 3},
        {"service_tier": "flex"},
        {"n": 2},
        {"frequency_penalty": 0.5},
        {"presence_penalty": 0.5},
        {"seed": 1},
        {"include": ["message.output_text.logprobs"]},
    ],
)
def test_what_claude_cannot_do_is_refused_by_name_or_dropped(given: dict[str, Any]) -> None:
    name = next(iter(given))
    with pytest.raises(ConfigurationError, match=name) as caught:
        convert(given)
    assert caught.value.hint
    assert (caught.value.param or "").startswith(name)
    body, warnings = convert(given, drops_params=True)
    assert name not in body
    assert [warning.startswith(name) for warning in warnings] == [True]


def test_no_parameter_of_the_responses_api_is_lost_silently() -> None:
    values: dict[str, Any] = {
        "background": True,
        "include": ["message.output_text.logprobs"],
        "input": "Hi",
        "instructions": "Be brief.",
        "max_output_tokens": 5,
        "parallel_tool_calls": False,
        "prompt_cache_retention": "24h",
        "reasoning": {"effort": "low"},
        "service_tier": "flex",
        "stream": True,
        "temperature": 0.5,
        "text": {"verbosity": "low"},
        "tool_choice": "required",
        "tools": [_TOOL],
        "top_logprobs": 2,
        "top_p": 0.5,
    }
    # Our own store keeps these, and the reply repeats them; or they concern hosted tools.
    done_here = {
        "max_tool_calls",
        "metadata",
        "model",
        "previous_response_id",
        "store",
        "truncation",
    }
    base = {"tools": [{**_TOOL, "name": "other"}]}
    plain, _ = convert(base)
    for name in sorted(CREATE_PARAMETERS - done_here):
        body, warnings = convert({**base, name: values.get(name, {"x": "y"})}, drops_params=True)
        assert body != plain or any(warning.startswith(name) for warning in warnings), name


def test_what_asks_for_nothing_is_left_out() -> None:
    body = written(
        {
            "background": False,
            "context_management": [],
            "top_logprobs": 0,
            "service_tier": "auto",
            "n": 1,
            "frequency_penalty": 0.0,
            "include": ["reasoning.encrypted_content", "web_search_call.action.sources"],
            "max_tool_calls": 3,
            "truncation": "auto",
            "stream_options": {"include_obfuscation": False},
            "prompt": None,
        }
    )
    assert body.keys() == {"model", "max_tokens", "messages"}


def test_parameters_of_messages_are_sent_as_they_are() -> None:
    body = written({"top_k": 5, "stop": "END", "stream": True, "inference_geo": "eu"})
    assert (body["top_k"], body["stop_sequences"], body["stream"]) == (5, ["END"], True)
    assert body["inference_geo"] == "eu"
    assert written({"stop": ["a", "b"]})["stop_sequences"] == ["a", "b"]
    thinking = {"type": "enabled", "budget_tokens": 2_000}
    body = written(
        {"thinking": thinking, "output_config": {"effort": "max"}, "reasoning": {"effort": "low"}}
    )
    assert (body["thinking"], body["output_config"]) == (thinking, {"effort": "max"})


def test_facts_of_the_configuration_refuse_parameters() -> None:
    how: dict[str, Any] = {
        "facts": {"refused_by_messages": {"top_k": 5, "output_config.effort": None}}
    }
    assert "top_k" not in written({"top_k": 5}, **how)
    with pytest.raises(ConfigurationError) as caught:
        convert({"reasoning": {"effort": "low"}}, **how)
    assert caught.value.param == "reasoning.effort"
    body, _ = convert({"reasoning": {"effort": "low"}}, drops_params=True, **how)
    assert "output_config" not in body


@pytest.mark.parametrize("name", ["text", "reasoning", "output_config", "cache_control"])
def test_an_object_of_a_wrong_type_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        convert({name: "nonsense"})
    assert caught.value.param == name
