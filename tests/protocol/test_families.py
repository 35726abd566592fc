from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.families import FAMILIES, FamilyFacts, facts_of


@pytest.mark.parametrize(
    ("name", "family", "api"),
    [
        ("DeepSeek-V3.2", "deepseek", "chat"),
        ("DeepSeek-R1-0528", "deepseek", "chat"),
        ("deepseek-r1-distill-llama-3.3-70b", "deepseek", "chat"),
        ("grok-3", "grok", "responses"),
        ("grok-4-fast-reasoning", "grok", "responses"),
        ("Mistral-Large-3", "mistral", "chat"),
        ("Ministral-3B", "mistral", "chat"),
        ("Codestral-2501", "mistral", "chat"),
        ("Kimi-K2.5", "kimi", "chat"),
        ("fw-kimi-k2.6", "kimi", "chat"),
        ("prod-kimi", "kimi", "chat"),
        ("azure_ai/kimi-k2.5", "kimi", "chat"),
        ("Llama-3.3-70B-Instruct", "llama", "responses"),
        ("Llama-4-Maverick-17B-128E-Instruct-FP8", "llama", "responses"),
        ("Meta-Llama-3.1-70B-Instruct", "", None),
        ("MAI-DS-R1", "mai", "responses"),
        ("email-sorter", "", None),
        ("gpt-oss-120b", "gpt-oss", "responses"),
        ("model-router", "model-router", "responses"),
        ("model_router", "model-router", "responses"),
        ("gpt-6", "gpt-6", "responses"),
        ("gpt-5.4-mini", "gpt-5.4", "responses"),
        ("gpt-5-4", "gpt-5.4", "responses"),
        ("gpt-5", "gpt-5", "responses"),
        ("gpt-5-2025-08-07", "gpt-5", "responses"),
        ("gpt-5.3-codex", "gpt-5", "responses"),
        ("gpt5-mini", "gpt-5", "responses"),
        ("o3-mini", "o-series", "responses"),
        ("foo3", "", None),
        ("gpt-4o-audio-preview", "gpt-audio", None),
        ("gpt-4o-mini", "gpt-4o", "responses"),
        ("gpt-4.1-nano", "gpt-4o", "responses"),
        ("gpt-4-1-mini", "gpt-4o", "responses"),
        ("gpt-4-1106-preview", "gpt-4", "chat"),
        ("gpt-4", "gpt-4", "chat"),
        ("gpt-4-32k", "gpt-4", "chat"),
        ("azure/gpt-4-turbo-2024-04-09", "gpt-4", "chat"),
        # Such a deployment may run any model.
        ("gpt-4-eastus", "", None),
        ("gpt-35-turbo", "gpt-4", "chat"),
        ("gpt-3.5-turbo", "gpt-4", "chat"),
        ("claude-opus-5", "claude", "messages"),
        ("prod", "", None),
    ],
)
def test_a_name_tells_the_family_and_what_it_speaks(
    name: str, family: str, api: str | None
) -> None:
    facts = facts_of(name)
    assert (facts.family, facts.api) == (family, api)


@pytest.mark.parametrize(
    ("name", "thinking", "efforts", "always", "limit", "sampling", "prefill"),
    [
        ("claude-opus-5-5", "adaptive", 5, True, 128_000, False, False),
        ("claude-opus-5-5-fast", "adaptive", 5, True, 128_000, False, False),
        ("claude-sonnet-5-5", "adaptive", 5, True, 128_000, False, False),
        ("claude-fable-5-1", "adaptive", 5, True, 128_000, False, False),
        ("claude-haiku-5-5", "adaptive", 5, False, 128_000, False, False),
        ("claude-opus-5", "adaptive", 5, False, 128_000, False, False),
        ("claude-opus-4-8", "adaptive", 5, False, 128_000, False, False),
        ("claude-opus-4-7", "adaptive", 5, False, 128_000, False, False),
        ("claude-opus-4-6", "adaptive", 4, False, 128_000, True, False),
        ("claude-sonnet-4.6", "adaptive", 4, False, 128_000, True, False),
        ("claude-opus-4-5-20251101", "budget", 0, False, 64_000, True, True),
        ("claude-sonnet-4-20250514", "budget", 0, False, 64_000, True, True),
        ("claude-haiku-4-5", "budget", 0, False, 64_000, True, True),
        ("claude-opus-4-1", "budget", 0, False, 32_000, True, True),
        ("claude-opus-4-20250514", "budget", 0, False, 32_000, True, True),
        ("claude-3-5-sonnet", "budget", 0, False, 8_192, True, True),
        ("claude", "adaptive", 5, False, 128_000, False, False),
    ],
)
def test_the_generations_of_claude_think_differently(
    name: str,
    thinking: str,
    efforts: int,
    always: bool,
    limit: int,
    sampling: bool,
    prefill: bool,
) -> None:
    facts = facts_of(name)
    assert facts.thinking == thinking
    assert len(facts.efforts or ()) == efforts
    assert facts.thinks_always is always
    assert facts.max_output_tokens == limit
    assert facts.takes_sampling is sampling
    assert facts.takes_prefill is prefill


@pytest.mark.parametrize(
    ("name", "fact", "value"),
    [
        ("DeepSeek-V3.2", "refused_by_responses", {"reasoning.effort": None}),
        ("DeepSeek-V3.2", "takes_encrypted_reasoning", False),
        ("DeepSeek-V3.2", "efforts", ("low", "medium", "high")),
        ("DeepSeek-V3.2", "takes_reasoning_content", True),
        ("DeepSeek-V4-Pro", "json_in_reasoning", True),
        ("DeepSeek-R1", "has_think_tags", True),
        ("grok-4", "refused_by_chat",
            {"presence_penalty": 0, "frequency_penalty": 0, "stop": None}),
        ("grok-4", "inlines_refs", True),
        ("grok-3", "refused_by_chat", {}),
        ("grok-code-fast-1", "refused_by_chat", {}),
        ("Mistral-Large-3", "max_tokens_name", "max_tokens"),
        ("Mistral-Large-3", "refused_by_chat",
            {"presence_penalty": 0, "frequency_penalty": 0, "user": None}),
        ("Mistral-Large-3", "takes_stream_usage", False),
        ("Kimi-K2.5", "takes_reasoning_content", True),
        ("Kimi-K2.5", "needs_reasoning_content", True),
        ("model-router", "mixes_models", True),
        ("gpt-5.4", "chat_tools", "without_effort"),
        ("gpt-6", "chat_tools", "never"),
        ("gpt-5.3", "chat_tools", "always"),
        ("gpt-5", "efforts", ("minimal", "low", "medium", "high")),
        ("gpt-5-pro", "efforts", ("high",)),
        ("gpt-5.1", "efforts", ("none", "low", "medium", "high")),
        ("gpt-5.1-codex-max", "efforts", ("none", "low", "medium", "high", "xhigh")),
        ("gpt-5.3-codex", "efforts", ("none", "low", "medium", "high", "xhigh")),
        ("gpt-5.2-chat", "efforts", ()),
        ("gpt-4o", "efforts", ()),
        ("gpt-4.1-mini", "max_output_tokens", 32_768),
        ("gpt-4o-mini", "max_output_tokens", 16_384),
        ("gpt-5.2-chat", "max_output_tokens", 16_384),
        ("gpt-5", "takes_custom_tools", True),
        ("gpt-5", "instructions_role", "developer"),
        ("o3", "instructions_role", "developer"),
        ("gpt-4o", "instructions_role", "system"),
        ("gpt-4o", "takes_developer_role", True),
        ("Kimi-K2.5", "takes_developer_role", False),
        ("gpt-4.1", "takes_allowed_tools", True),
        ("gpt-4.1", "takes_refusal", True),
        ("gpt-4.1", "takes_audio", False),
        ("gpt-audio", "takes_audio", True),
        ("claude-opus-5", "refused_by_messages", {"cache_control.scope": None}),
        ("claude-opus-5", "takes_files", True),
    ],
)  # fmt: skip
def test_a_family_has_its_facts(name: str, fact: str, value: Any) -> None:
    assert getattr(facts_of(name), fact) == value


def test_every_fact_of_the_table_names_its_source_and_the_month() -> None:
    names = {field.name for field in fields(FamilyFacts)}
    for family in FAMILIES:
        assert family.facts.keys() <= names
        for fact in family.facts.values():
            assert fact.source
            assert fact.date == "2026-11"


def test_facts_tell_where_they_are_from() -> None:
    facts = facts_of("kimi-k2.5", overrides={"takes_strict": False})
    assert "opencode #12949" in facts.sources["api"]
    assert facts.sources["takes_strict"] == "the configuration"


@given(st.text())
def test_an_unknown_family_refuses_nothing(name: str) -> None:
    facts = facts_of(name)
    if not facts.family:
        assert facts == FamilyFacts()


def test_the_base_model_counts_before_the_name_of_the_deployment() -> None:
    assert facts_of("gpt-5", "kimi").family == "gpt-5"
    assert facts_of(None, "kimi").family == "kimi"
    assert facts_of("our-own-model", "kimi").family == "kimi"
    assert facts_of().family == ""


def test_an_api_has_its_own_refused_paths() -> None:
    facts = facts_of("deepseek-v3.2")
    assert "prompt_cache_key" in facts.refused_by("chat")
    assert facts.refused_by("responses") == {"reasoning.effort": None}
    assert facts.refused_by("messages") == {}


@pytest.mark.parametrize(
    ("efforts", "asked", "sent"),
    [
        (None, "none", "none"),
        (("low", "medium", "high"), "medium", "medium"),
        (("low", "medium", "high"), "none", "low"),
        (("low", "medium", "high"), "minimal", "low"),
        (("low", "medium", "high"), "xhigh", "high"),
        (("low", "medium", "high"), "max", "high"),
        (("none", "high"), "low", "none"),
        (("low",), "unheard-of", "unheard-of"),
        ((), "high", None),
    ],
)
def test_an_effort_that_a_model_lacks_becomes_the_nearest(
    efforts: tuple[str, ...] | None, asked: str, sent: str | None
) -> None:
    assert FamilyFacts(efforts=efforts).effort_for(asked) == sent


@pytest.mark.parametrize(
    ("overrides", "fact", "value"),
    [
        ({"family": "kimi"}, "api", "chat"),
        ({"family": "claude"}, "thinking", "adaptive"),
        ({"api": "chat"}, "api", "chat"),
        ({"api": None}, "api", None),
        ({"takes_strict": False}, "takes_strict", False),
        ({"efforts": ["high", "low"]}, "efforts", ("low", "high")),
        ({"efforts": []}, "efforts", ()),
        ({"max_output_tokens": 4096}, "max_output_tokens", 4096),
        ({"max_output_tokens": None}, "max_output_tokens", None),
        ({"refused_by_chat": ["seed"]}, "refused_by_chat", {"seed": None}),
        ({"refused_by_chat": {"n": 1}}, "refused_by_chat", {"n": 1}),
        ({"family": "mistral", "refused_by_chat": ["seed"]}, "refused_by_chat",
            {"presence_penalty": 0, "frequency_penalty": 0, "user": None, "seed": None}),
    ],
)  # fmt: skip
def test_the_configuration_corrects_a_fact(
    overrides: dict[str, Any], fact: str, value: Any
) -> None:
    assert getattr(facts_of("prod", overrides=overrides), fact) == value


@pytest.mark.parametrize("overrides", ["kimi", ["kimi"], 7])
def test_facts_are_a_mapping(overrides: Any) -> None:
    with pytest.raises(ConfigurationError, match="are a mapping"):
        facts_of("kimi", overrides=overrides)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"family": "kimmi"}, "Known are claude"),
        ({"family": ["kimi"]}, "not known"),
        ({"takes_stricts": True}, "Did you mean 'takes_strict'"),
        ({"zzz": True}, "Known are api"),
        ({"sources": {}}, "not a fact"),
        ({"takes_strict": "yes"}, "true, false"),
        ({"api": "soap"}, "responses, chat, messages, null"),
        ({"efforts": ["huge"]}, "a list of none, minimal"),
        ({"efforts": "high"}, "a list of none, minimal"),
        ({"efforts": ["low", {"a": 1}]}, "a list of none, minimal"),
        ({"api": ["chat"]}, "responses, chat, messages, null"),
        ({1: True}, "1 is not a fact"),
        ({"max_output_tokens": 0}, "a whole number from 1"),
        ({"max_output_tokens": True}, "a whole number from 1"),
        ({"refused_by_chat": "seed"}, "[presence_penalty]"),
        ({"refused_by_chat": [1]}, "[presence_penalty]"),
        ({"refused_by_chat": {1: 2}}, "[presence_penalty]"),
    ],
)
def test_an_invalid_correction_is_refused(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        facts_of("kimi", overrides=overrides)
    assert words in f"{caught.value.message} {caught.value.hint}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in fields(FamilyFacts)]), _JSON, max_size=3
    )
)
def test_whatever_a_configuration_says_is_a_fact_or_refused(overrides: dict[str, Any]) -> None:
    try:
        facts = facts_of("kimi", overrides=overrides)
    except ConfigurationError:
        return
    assert facts.effort_for("low") in (None, *(facts.efforts or ("low",)))
