"""The parameters of a response as those of a chat completion, row by row."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.types.parameters import CREATE_PARAMETERS

from .cases import convert, written

_FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
_STREAMED = {"tools": [_FUNCTION], "stream": True}
_CUSTOM = {
    "type": "custom",
    "name": "c",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"},
}


def _extra(parameters: dict[str, Any], deployment: str = "some-model", **how: Any) -> Any:
    """What stands in the body beside model and messages."""
    body = written(parameters, deployment, **how)
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.5),
        ("top_p", 0.9),
        ("service_tier", "flex"),
        ("user", "u"),
        ("prompt_cache_key", "k"),
        ("prompt_cache_retention", "24h"),
        ("prompt_cache_options", {"mode": "explicit"}),
        ("safety_identifier", "s"),
        ("seed", 7),
        ("user_security_context", {"application_name": "a"}),
        ("frequency_penalty", 0.5),
        ("of_tomorrow", {"a": 1}),
    ],
)
def test_parameters_of_the_same_name_are_sent_as_they_are(name: str, value: Any) -> None:
    assert _extra({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("deployment", "name"),
    [("some-model", "max_completion_tokens"), ("mistral-large", "max_tokens")],
)
def test_the_limit_of_the_output_has_the_name_that_the_family_knows(
    deployment: str, name: str
) -> None:
    assert _extra({"max_output_tokens": 99}, deployment) == {name: 99}


def test_the_effort_is_sent_and_the_summary_only_shapes_the_reply() -> None:
    asked = {"reasoning": {"effort": "low", "summary": "auto", "context": "auto"}}
    assert _extra(asked) == {"reasoning_effort": "low"}


@pytest.mark.parametrize("effort", ["none", "minimal"])
def test_an_effort_that_the_family_lacks_becomes_its_lowest_with_a_warning(effort: str) -> None:
    body, warnings = convert({"reasoning": {"effort": effort}}, "deepseek-v3.2")
    assert body["reasoning_effort"] == "low"
    assert warnings == (f"reasoning.effort was sent as 'low'. The model does not know {effort!r}.",)


def test_a_model_without_efforts_gets_none_with_a_warning() -> None:
    body, warnings = convert({"reasoning": {"effort": "high"}}, facts={"efforts": []})
    assert "reasoning_effort" not in body
    assert warnings == ("reasoning.effort was left out. The model takes no effort.",)


def test_other_settings_of_reasoning_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"^reasoning\.mode is not supported"):
        convert({"reasoning": {"mode": "pro"}})
    assert _extra({"reasoning": {"mode": "standard"}}) == {}


def test_a_schema_keeps_its_description_and_strictness() -> None:
    form = {"name": "n", "description": "d", "schema": {"type": "object"}, "strict": True}
    assert _extra({"text": {"format": {"type": "json_schema", **form}}}) == {
        "response_format": {"type": "json_schema", "json_schema": form}
    }


def test_json_objects_and_the_verbosity_are_asked_for() -> None:
    assert _extra({"text": {"format": {"type": "json_object"}, "verbosity": "low"}}) == {
        "response_format": {"type": "json_object"},
        "verbosity": "low",
    }
    assert _extra({"text": {"format": {"type": "text"}}}) == {}


def test_unknown_formats_and_settings_of_text_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"text\.format .* no format 'grammar'"):
        convert({"text": {"format": {"type": "grammar"}}})
    with pytest.raises(ConfigurationError, match=r"text\.stop "):
        convert({"text": {"stop": ["a"]}})


def test_log_probabilities_are_asked_for_by_number_or_by_include() -> None:
    assert _extra({"top_logprobs": 3}) == {"logprobs": True, "top_logprobs": 3}
    assert _extra({"include": ["message.output_text.logprobs"]}) == {"logprobs": True}
    assert _extra({"top_logprobs": 0}) == {}


def test_includes_of_hosted_tools_ask_for_nothing() -> None:
    include = ["web_search_call.action.sources", "reasoning.encrypted_content"]
    assert _extra({"include": include}) == {}


def test_a_stream_asks_for_usage_unless_the_family_refuses_that() -> None:
    stream = {"stream": True, "stream_options": {"include_obfuscation": False}}
    options = {"include_usage": True}
    assert _extra(stream) == {"stream": True, "stream_options": options}
    assert _extra(stream, "mistral-large") == {"stream": True}
    assert _extra({"stream_options": {"include_obfuscation": False}}) == {}


def test_unknown_options_of_a_stream_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"stream_options\.chunk "):
        convert({"stream": True, "stream_options": {"chunk": 1}})


def test_parameters_that_only_concern_hosted_tools_or_our_store_are_accepted() -> None:
    accepted = {"max_tool_calls": 3, "truncation": "auto", "previous_response_id": "r"}
    assert _extra({**accepted, "store": False, "temperature": None}) == {}


def test_metadata_and_the_store_are_sent_where_the_model_may_be_openais() -> None:
    metadata = {"metadata": {"a": "b"}}
    assert _extra(metadata) == {**metadata, "store": True}
    assert _extra({"store": True}, "gpt-4o") == {"store": True}
    # OpenAI refuses metadata without its store; the response keeps them all the same.
    assert _extra({**metadata, "store": False}) == {}
    assert _extra({**metadata, "store": True}, "kimi-k2.5") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", {"id": "p"}),
        ("moderation", {"model": "m"}),
        ("access_programs", {"a": 1}),
        ("multi_agent", {"enabled": True}),
        ("conversation", "conv_1"),
        ("background", True),
        ("background_options", {"completion_window": "2h"}),
        ("context_management", [{"type": "compaction"}]),
        ("image", {"context_compression": "enabled"}),
        ("agent_reference", {"name": "a"}),
        ("n", 2),
    ],
)
def test_what_chat_completions_cannot_do_is_refused_by_name_or_dropped(
    name: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} is not supported\.") as caught:
        convert({name: value})
    assert caught.value.param == name
    assert caught.value.hint
    body, warnings = convert({name: value}, drops_params=True)
    assert body.keys() == {"model", "messages"}
    assert [warning.startswith(f"{name} was left out.") for warning in warnings] == [True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", False),
        ("context_management", []),
        ("multi_agent", {"enabled": False}),
        ("image", {"context_compression": "auto"}),
        ("n", 1),
    ],
)
def test_values_that_ask_for_nothing_are_left_out(name: str, value: Any) -> None:
    assert _extra({name: value}) == {}


@pytest.mark.parametrize("name", ["reasoning", "text", "metadata", "include"])
def test_settings_that_are_no_objects_are_refused(name: str) -> None:
    with pytest.raises(BadRequestError, match=f"Invalid type for '{name}'"):
        convert({name: "low"})


@pytest.mark.parametrize(
    ("deployment", "parameters", "named"),
    [
        ("grok-4", {"presence_penalty": 0.5}, "presence_penalty"),
        ("grok-4", {"stop": ["a"]}, "stop"),
        ("mistral-large", {"user": "u"}, "user"),
        ("deepseek-v3.2", {"prompt_cache_key": "k"}, "prompt_cache_key"),
    ],
)
def test_what_a_family_refuses_is_refused_before_it_is_sent(
    deployment: str, parameters: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigurationError, match="Models of the family") as caught:
        convert(parameters, deployment)
    assert caught.value.param == named
    body, warnings = convert(parameters, deployment, drops_params=True)
    assert named not in body
    assert len(warnings) == 1


def test_a_default_that_a_family_refuses_is_left_out_silently() -> None:
    assert _extra({"presence_penalty": 0, "frequency_penalty": 0.0}, "grok-4") == {}


def test_a_refused_field_of_an_object_takes_an_empty_object_with_it() -> None:
    facts = {"refused_by_chat": {"stream_options.include_usage": True, "a.b": None}}
    assert _extra({"stream": True, "a": 3}, facts=facts) == {"stream": True, "a": 3}


def test_a_refusal_names_the_parameter_as_the_caller_knows_it() -> None:
    with pytest.raises(ConfigurationError, match=r"^text\.verbosity is not supported"):
        convert({"text": {"verbosity": "low"}}, facts={"refused_by_chat": ["verbosity"]})


def test_functions_are_nested_and_always_say_whether_they_are_strict() -> None:
    tools = [{**_FUNCTION, "description": "d"}, {**_FUNCTION, "name": "g", "strict": None}]
    made = _extra({"tools": tools, "parallel_tool_calls": False})
    assert made["parallel_tool_calls"] is False
    first, second = (tool["function"] for tool in made["tools"])
    assert first == {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object"},
        "strict": False,
    }
    # Strict is the default of the Responses API; chat completions has the opposite one.
    assert second["strict"] is True


def test_a_family_without_strict_gets_the_schema_alone() -> None:
    (tool,) = _extra({"tools": [_FUNCTION]}, facts={"takes_strict": False})["tools"]
    assert tool["function"] == {"name": "f", "parameters": {"type": "object"}}


def test_grok_gets_schemas_without_references() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"type": "string"}},
    }
    (tool,) = _extra({"tools": [{**_FUNCTION, "parameters": schema}]}, "grok-4")["tools"]
    assert tool["function"]["parameters"] == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
    }


def test_custom_tools_are_native_or_functions_with_the_grammar_verbatim() -> None:
    (native,) = _extra({"tools": [_CUSTOM]}, "gpt-5")["tools"]
    assert native["custom"] == {
        "name": "c",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}},
    }
    (plain,) = _extra({"tools": [{**_CUSTOM, "format": {"type": "text"}}]}, "gpt-5")["tools"]
    assert plain["custom"] == {"name": "c", "format": {"type": "text"}}
    (bare,) = _extra({"tools": [{"type": "custom", "name": "c"}]}, "gpt-5")["tools"]
    assert bare["custom"] == {"name": "c"}
    (function,) = _extra({"tools": [_CUSTOM]}, "kimi-k2.5")["tools"]
    assert function["function"]["parameters"] == {
        "type": "object",
        "properties": {"input": {"type": "string", "description": "start: X"}},
        "required": ["input"],
        "additionalProperties": False,
    }


def test_a_namespace_becomes_part_of_the_name() -> None:
    space = {"type": "namespace", "name": "crm", "description": "d", "tools": [_FUNCTION]}
    (tool,) = _extra({"tools": [space]})["tools"]
    assert tool["function"]["name"] == "crm__f"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "custom", "name": "c"}, {"type": "function", "function": {"name": "c"}}),
    ],
)
def test_the_choice_of_a_tool_has_its_chat_form(choice: Any, sent: Any) -> None:
    assert _extra({"tools": [_FUNCTION, _CUSTOM], "tool_choice": choice})["tool_choice"] == sent


def test_the_choice_of_a_native_custom_tool_names_it_as_one() -> None:
    choice = {"type": "custom", "name": "c"}
    made = _extra({"tools": [_CUSTOM], "tool_choice": choice}, "gpt-5")
    assert made["tool_choice"] == {"type": "custom", "custom": {"name": "c"}}


def test_allowed_tools_are_native_or_the_others_are_not_offered() -> None:
    other = {**_FUNCTION, "name": "g"}
    allowed = [{"type": "function", "name": "g"}]
    choice = {"type": "allowed_tools", "mode": "required", "tools": allowed}
    asked = {"tools": [_FUNCTION, other], "tool_choice": choice}
    native = _extra(asked, "gpt-5")
    assert [tool["function"]["name"] for tool in native["tools"]] == ["f", "g"]
    assert native["tool_choice"] == {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "g"}}],
        },
    }
    filtered = _extra(asked, "kimi-k2.5")
    assert [tool["function"]["name"] for tool in filtered["tools"]] == ["g"]
    assert filtered["tool_choice"] == "required"


def test_without_tools_nothing_is_said_of_them() -> None:
    assert _extra({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}) == {}


def test_hosted_tools_are_refused_by_name_or_dropped() -> None:
    with pytest.raises(ConfigurationError, match="no 'web_search'"):
        convert({"tools": [{"type": "web_search"}]})
    body, warnings = convert({"tools": [{"type": "web_search"}, _FUNCTION]}, drops_params=True)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f"]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("deployment", "effort", "is_refused"),
    [
        ("gpt-5.4", None, False),
        ("gpt-5.4", "none", False),
        ("gpt-5.4", "low", True),
        ("gpt-6", None, True),
    ],
)
def test_models_that_take_no_functions_on_chat_are_not_sent_any(
    deployment: str, effort: str | None, is_refused: bool
) -> None:
    asked = {"tools": [_FUNCTION], "reasoning": {"effort": effort}}
    if not is_refused:
        assert "tools" in written(asked, deployment)
        return
    with pytest.raises(ConfigurationError, match="takes no functions while it reasons"):
        convert(asked, deployment)
    assert "tools" not in convert(asked, deployment, drops_params=True)[0]


def test_no_parameter_of_the_responses_api_is_lost_silently() -> None:
    values: dict[str, Any] = {
        "background": True,
        "include": ["message.output_text.logprobs"],
        "input": "Hi",
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "store": True,
        "stream_options": {"of_tomorrow": True},
        "text": {"verbosity": "low"},
        "tool_choice": "required",
        "tools": [_FUNCTION],
        "top_logprobs": 2,
    }
    done_here = {"max_tool_calls", "previous_response_id", "truncation", "model"}
    for name in sorted(CREATE_PARAMETERS - done_here):
        base: dict[str, Any] = {"stream": True} if name == "tools" else {**_STREAMED}
        plain, _ = convert(base)
        body, warnings = convert({**base, name: values.get(name, {"x": "y"})}, drops_params=True)
        is_told = any(warning.startswith(name) for warning in warnings)
        assert is_told or body != plain, name


def test_a_stored_prompt_without_input_is_refused_by_its_own_name() -> None:
    with pytest.raises(ConfigurationError, match="prompt is not supported"):
        convert({"prompt": {"id": "pmpt_1"}, "input": None})
