from typing import Any

import pytest

from azure_responses.bridge.message_blocks import Part
from azure_responses.bridge.message_entries import ContentEntry
from azure_responses.bridge.message_request import MessagesRequest, choose_effort, read_request
from azure_responses.bridge.message_tools import ClientTool, ServerWebSearch
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.protocol.families import facts_of

_HI = [{"role": "user", "content": "Hi"}]


def _read(unsupported: Unsupported | None = None, **parameters: Any) -> MessagesRequest:
    request = {"model": "m", "max_tokens": 100, "messages": _HI, **parameters}
    return read_request(request, unsupported or Unsupported())


def test_each_parameter_is_read() -> None:
    tool = {"name": "f", "input_schema": {"type": "object"}}
    request = _read(
        stream=True,
        system="Be brief.",
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["###"],
        metadata={"user_id": "u"},
        thinking={"type": "enabled", "budget_tokens": 10_000},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
        service_tier="standard_only",
        tools=[tool],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        cache_control={"type": "ephemeral"},
        betas=["a-beta"],
    )
    function = ClientTool("f", None, {"type": "object"})
    assert request == MessagesRequest(
        max_tokens=100,
        stream=True,
        system="Be brief.",
        entries=[ContentEntry("user", [Part("text", "Hi")])],
        temperature=0.5,
        top_p=0.9,
        stop_sequences=("###",),
        user_id="u",
        effort="medium",
        guesses_effort=True,
        shows_thinking=True,
        schema={"type": "object"},
        service_tier="default",
        tools=[function],
        tool_choice=function,
        allows_parallel=False,
        caches=True,
    )


def test_null_asks_for_nothing() -> None:
    nothing = dict.fromkeys(("temperature", "tools", "tool_choice", "metadata", "container"))
    assert _read(**nothing, output_config={"effort": None, "format": None}) == _read()
    assert _read(metadata={"user_id": None}) == _read()


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ([{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}], "One.\n\nTwo."),
        ([{"type": "text", "text": "x-anthropic-billing-header: cch=1;"}], None),
        ("x-anthropic-billing-header: cch=1;\nBe brief.", "Be brief."),
    ],
)
def test_a_system_prompt_is_one_text_without_claude_codes_billing_line(
    system: Any, text: str | None
) -> None:
    assert _read(system=system).system == text


@pytest.mark.parametrize(
    ("block", "caches"),
    [
        ({"cache_control": {"type": "ephemeral"}}, True),
        ({"cache_control": None}, False),
        ({}, False),
    ],
)
def test_a_marked_block_asks_for_a_prompt_cache(block: dict[str, Any], caches: bool) -> None:
    said = {"type": "text", "text": "Hi", **block}
    assert _read(messages=[{"role": "user", "content": [said]}]).caches is caches
    assert _read(system=[said]).caches is caches


@pytest.mark.parametrize(
    ("thinking", "output", "effort", "shows", "summarizes"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, {}, "low", True, True),
        ({"type": "enabled", "budget_tokens": 31_999}, {}, "high", True, True),
        ({"type": "enabled", "budget_tokens": 1024}, {"effort": "max"}, "max", True, True),
        ({"type": "adaptive", "display": "omitted"}, {}, None, True, False),
        ({"type": "adaptive", "display": "summarized"}, {}, None, True, True),
        ({"type": "disabled"}, {"effort": "low"}, "low", False, True),
    ],
)
def test_thinking_becomes_an_effort(
    thinking: Any, output: Any, effort: str | None, shows: bool, summarizes: bool
) -> None:
    for order in ({"thinking": thinking, "output_config": output},) * 2:
        request = _read(**dict(reversed(order.items())))
        assert request.effort == effort
        assert (request.shows_thinking, request.summarizes) == (shows, summarizes)


@pytest.mark.parametrize(
    ("request_", "model", "effort", "warnings"),
    [
        (MessagesRequest(effort="max"), "deepseek-v3", "high", 1),
        (MessagesRequest(effort="low"), "deepseek-v3", "low", 0),
        (MessagesRequest(effort="low"), "unknown", "low", 0),
        (MessagesRequest(disables_thinking=True), "deepseek-v3", "low", 0),
        (MessagesRequest(disables_thinking=True), "unknown", None, 0),
        (MessagesRequest(), "deepseek-v3", None, 0),
    ],
)
def test_an_effort_is_one_that_the_model_has(
    request_: MessagesRequest, model: str, effort: str | None, warnings: int
) -> None:
    unsupported = Unsupported()
    assert choose_effort(request_, facts_of(model), unsupported) == effort
    assert len(unsupported.warnings) == warnings


def test_a_model_without_reasoning_gets_no_effort() -> None:
    unsupported = Unsupported()
    facts = facts_of("x", overrides={"efforts": []})
    assert choose_effort(MessagesRequest(effort="low"), facts, unsupported) is None
    assert "was left out" in unsupported.warnings[0]


@pytest.mark.parametrize(
    ("choice", "read"),
    [("auto", "auto"), ("any", "required"), ("none", "none")],
)
def test_tool_choices_are_read(choice: str, read: str) -> None:
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    assert _read(tools=tools, tool_choice={"type": choice}).tool_choice == read


def test_a_search_can_be_chosen_by_its_name() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    request = _read(tools=[search], tool_choice={"type": "tool", "name": "web_search"})
    assert request.tool_choice == ServerWebSearch("web_search")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", 5),
        ("container", {"skills": []}),
        ("mcp_servers", [{"url": "https://a"}]),
        ("inference_geo", "us"),
        ("speed", "fast"),
        ("diagnostics", {"previous_message_id": "m"}),
        ("user_profile_id", "u"),
        ("workspace_id", "w"),
        ("context_management", {"edits": [{"type": "clear_tool_uses_20250919"}]}),
        ("output_config.task_budget", {"task_budget": {}}),
        ("thinking.type", {"type": "between_tools"}),
        ("fallbacks", []),
        ("x" * 100 + "…", 1),
    ],
)
def test_what_only_claude_has_is_refused_by_name_or_left_out(name: str, value: Any) -> None:
    parameter = name.partition(".")[0].replace("…", "x")
    with pytest.raises(ConfigurationError) as refused:
        _read(**{parameter: value})
    assert refused.value.param == name
    assert refused.value.hint
    unsupported = Unsupported(drops_params=True)
    _read(unsupported, **{parameter: value})
    assert unsupported.warnings[0].startswith(f"{name} was left out.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mcp_servers", []),
        ("container", {}),
        ("speed", "standard"),
        ("inference_geo", "global"),
        ("context_management", {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}),
        ("context_management", {}),
        ("service_tier", "auto"),
    ],
)
def test_values_that_ask_for_nothing_are_left_out_silently(name: str, value: Any) -> None:
    unsupported = Unsupported()
    _read(unsupported, **{name: value})
    assert unsupported.warnings == []


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "1"}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": 1}, "messages"),
        ({"messages": ["Hi"]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"temperature": 2}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"stop_sequences": "a"}, "stop_sequences.0"),
        ({"stop_sequences": ["a", " "]}, "stop_sequences.1"),
        ({"system": 1}, "system"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"team": "a"}}, "metadata.team"),
        ({"thinking": {"type": "x"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format"),
        ({"output_format": {"type": "text"}}, "output_config.format"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"tool_choice": {"type": "tool", "name": "g"}}, "tool_choice"),
        ({"tool_choice": {"type": "required"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
    ],
)
def test_what_messages_refuses_is_invalid(parameters: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as invalid:
        _read(**parameters)
    assert invalid.value.param == param
    assert invalid.value.status_code == 400
