from typing import Any

import pytest

from azure_responses.bridge.native_chat import fit_chat
from azure_responses.protocol.families import FamilyFacts, facts_of

_ANSWER = {
    "role": "assistant",
    "content": "A",
    "reasoning_content": "Hm",
    "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}],
    "reasoning_items": [{}],
}


@pytest.mark.parametrize(
    ("deployment", "kept"),
    [
        ("kimi-k2.5", {"role", "content", "reasoning_content"}),
        ("mistral-large-3", {"role", "content"}),
        ("unknown", {"role", "content", "reasoning_content"}),
    ],
)
def test_what_an_earlier_turn_of_another_deployment_left_is_not_sent(
    deployment: str, kept: set[str]
) -> None:
    chat: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}, _ANSWER]}
    fitted, warnings = fit_chat(chat, facts_of(deployment), drops_params=False)
    assert fitted["messages"][1].keys() == kept
    assert fitted["messages"][0] is chat["messages"][0]
    assert warnings == ()


@pytest.mark.parametrize(
    ("deployment", "reasoning", "sent"),
    [
        ("kimi-k2.5", None, "."),
        ("kimi-k2.5", "", "."),
        ("kimi-k2.5", "Hm", "Hm"),
        ("deepseek-v3.2", None, None),
    ],
)
def test_a_call_whose_reasoning_is_lost_gets_a_stand_in_where_the_model_insists(
    deployment: str, reasoning: str | None, sent: str | None
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    if reasoning is not None:
        said["reasoning_content"] = reasoning
    chat = {"messages": [said, {"role": "tool", "tool_call_id": "c", "content": "1"}]}
    fitted, _ = fit_chat(chat, facts_of(deployment), drops_params=False)
    assert fitted["messages"][0].get("reasoning_content") == sent


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"include_usage": True}, {}),
        ({"include_usage": True, "x": 1}, {"stream_options": {"x": 1}}),
    ],
)
def test_a_model_that_refuses_to_be_asked_for_usage_is_not_asked(options: Any, sent: Any) -> None:
    fitted, warnings = fit_chat(
        {"stream_options": options}, facts_of("mistral-large-3"), drops_params=False
    )
    assert (fitted, warnings) == (sent, ())


@pytest.mark.parametrize("limits", [{}, {"max_tokens": 5}])
def test_the_limit_of_the_output_has_the_name_that_the_model_knows(limits: Any) -> None:
    chat = {**limits, "max_completion_tokens": 7}
    fitted, _ = fit_chat(chat, facts_of("mistral-large-3"), drops_params=False)
    assert fitted == {"max_tokens": limits.get("max_tokens", 7)}


@pytest.mark.parametrize(
    ("efforts", "asked", "sent", "warns"),
    [
        ((), "low", None, True),
        (("low", "high"), "medium", "low", True),
        (("low", "high"), "high", "high", False),
        (("low",), 3, 3, False),
    ],
)
def test_an_effort_that_the_model_lacks_is_replaced_with_a_warning(
    efforts: tuple[str, ...], asked: Any, sent: Any, warns: bool
) -> None:
    facts = FamilyFacts(family="f", efforts=efforts)
    fitted, warnings = fit_chat({"reasoning_effort": asked}, facts, drops_params=False)
    assert fitted.get("reasoning_effort") == sent
    assert bool(warnings) is warns


def test_messages_and_tools_are_written_as_the_model_takes_them() -> None:
    schema = {"$defs": {"A": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/A"}}}
    function = {"name": "f", "strict": True, "parameters": schema}
    chat = {
        "messages": ["odd", {"role": "developer", "content": "x"}],
        "tools": ["odd", {"type": "function", "function": function}],
    }
    facts = FamilyFacts(family="f", takes_strict=False, inlines_refs=True)
    fitted, _ = fit_chat(chat, facts, drops_params=False)
    assert fitted["messages"] == ["odd", {"role": "system", "content": "x"}]
    assert fitted["tools"][0] == "odd"
    sent = fitted["tools"][1]["function"]
    assert "strict" not in sent
    assert sent["parameters"]["properties"]["a"] == {"type": "string"}


def test_a_tool_that_every_model_takes_is_not_changed() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    facts = FamilyFacts(family="f", takes_strict=False, inlines_refs=True)
    fitted, _ = fit_chat({"tools": [tool]}, facts, drops_params=False)
    assert fitted["tools"][0] is tool


def test_a_refused_value_that_is_the_default_is_left_out_in_silence() -> None:
    facts = FamilyFacts(family="f", refused_by_chat={"frequency_penalty": 0})
    fitted, warnings = fit_chat({"frequency_penalty": 0}, facts, drops_params=False)
    assert (fitted, warnings) == ({}, ())


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        (
            {"type": "function", "name": "f", "parameters": {"type": "object"}},
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        ),
        ({"type": "custom", "name": "c"}, {"type": "custom", "custom": {"name": "c"}}),
        (
            {"type": "custom", "name": "c", "format": {"type": "text"}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
        ),
        (
            {
                "type": "custom",
                "name": "c",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
            },
            {
                "type": "custom",
                "custom": {
                    "name": "c",
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "lark", "definition": "start: /.+/"},
                    },
                },
            },
        ),
    ],
)
def test_tools_of_the_responses_api_are_nested(flat: Any, nested: Any) -> None:
    chat = {"tools": [flat, nested, "none"]}
    fitted, _ = fit_chat(chat, facts_of("unknown"), drops_params=False)
    assert fitted["tools"] == [nested, nested, "none"]
    assert fitted["tools"][1] is nested


def test_the_summary_of_an_effort_is_left_out() -> None:
    chat = {"reasoning_effort": {"effort": "low", "summary": "auto"}}
    fitted, (warning,) = fit_chat(chat, facts_of("kimi-k2.5"), drops_params=False)
    assert fitted == {"reasoning_effort": "low"}
    assert "summary" in warning
    alone = {"reasoning_effort": {"effort": "low"}}
    assert fit_chat(alone, facts_of("kimi-k2.5"), drops_params=False)[1] == ()
