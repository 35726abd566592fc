"""Models of a Foundry resource that are not OpenAI's newest, found by words of their names.

Which API each answers follows Microsoft's pages on models sold directly by Azure and on generating
responses; the reports are named at each row.
"""

import re
from dataclasses import replace
from functools import lru_cache

from azure_responses.emulator.emulated_model import (
    CHAT,
    MESSAGES,
    RESPONSES_AND_CHAT,
    ClaudeFacts,
    EmulatedModel,
)

__all__ = ["FAMILIES", "find_foundry_model"]

_EFFORTS = ("low", "medium", "high")
# A model that reasons only where an effort asks for it.
_OPTIONAL = ("none", *_EFFORTS)
_ANY_VERBOSITY = ("low", "medium", "high")


def _plain(family: str, apis: frozenset[str], window: int, output: int) -> EmulatedModel:
    return EmulatedModel("", "", family=family, apis=apis, context_window=window, max_output=output)


_LLAMA = _plain("llama", RESPONSES_AND_CHAT, 128_000, 8_192)
_MISTRAL = _plain("mistral", CHAT, 128_000, 32_768)
# opencode#12949: no Responses. The reasoning must come back: "thinking is enabled but
# reasoning_content is missing" (litellm#20759 and many others).
_KIMI = replace(
    _plain("kimi", CHAT, 262_144, 65_536),
    efforts=_OPTIONAL,
    default_effort="medium",
    shows_reasoning=True,
    needs_reasoning=True,
)
_DEEPSEEK = _plain("deepseek", RESPONSES_AND_CHAT, 163_840, 65_536)
# pi#9645: reasons where `reasoning_effort` is low, medium or high.
_DEEPSEEK_HYBRID = replace(
    _DEEPSEEK, efforts=_OPTIONAL, default_effort="none", shows_reasoning=True
)
_DEEPSEEK_R1 = replace(_DEEPSEEK_HYBRID, default_effort="medium", thinks_aloud=True)
_MAI_DS = replace(_DEEPSEEK_R1, family="mai")
_GPT_OSS = replace(
    _plain("gpt-oss", RESPONSES_AND_CHAT, 131_072, 32_768),
    efforts=_EFFORTS,
    default_effort="medium",
    shows_reasoning=True,
)
_GROK_3 = _plain("grok-3", RESPONSES_AND_CHAT, 131_072, 32_768)
_GROK_3_MINI = replace(_GROK_3, efforts=("low", "high"), default_effort="low", shows_reasoning=True)
_GROK_4 = replace(
    _plain("grok", RESPONSES_AND_CHAT, 256_000, 64_000), efforts=_OPTIONAL, default_effort="medium"
)
_GROK_4_SILENT = replace(_GROK_4, efforts=(), default_effort=None)
# Not on Azure's Responses API, though on OpenAI's (truefoundry/models#2007).
_OLD_GPT = _plain("openai", CHAT, 128_000, 4_096)
# Foundry's chat refuses function tools while these reason, also by default.
_GPT_6 = EmulatedModel(
    "",
    "",
    efforts=("none", "low", "medium", "high", "xhigh", "max"),
    default_effort="medium",
    context_window=1_050_000,
    max_output=128_000,
    default_top_p=0.98,
    verbosities=_ANY_VERBOSITY,
    has_phase=True,
    refuses_tools_with_effort="always",
    # OpenAI's guide to WebSocket mode names this family alone.
    can_be_steered=True,
)

_CLAUDE_4 = ClaudeFacts(thinking=("enabled", "disabled"), efforts=(), prefills=True)
_CLAUDE_OPUS_45 = replace(_CLAUDE_4, efforts=_EFFORTS)
_CLAUDE_46 = ClaudeFacts()
_CLAUDE_47 = ClaudeFacts(
    thinking=("adaptive", "disabled"),
    efforts=("low", "medium", "high", "xhigh", "max"),
    shows_thinking=False,
    samples=False,
    takes_system=True,
)


def _claude(facts: ClaudeFacts, window: int = 200_000, output: int = 64_000) -> EmulatedModel:
    return replace(
        _plain("claude", MESSAGES, window, output),
        efforts=("none", "low", "medium", "high", "xhigh", "max"),
        default_effort="none",
        claude=facts,
    )


# A pattern that the name holds, and the model; the first that fits counts.
FAMILIES: tuple[tuple[str, EmulatedModel], ...] = (
    (r"claude.*haiku", _claude(_CLAUDE_4)),
    (r"claude.*(?:opus-4-1|sonnet-4-5|(?:opus|sonnet)-4(?!-\d\b))", _claude(_CLAUDE_4)),
    (r"claude-[23]\b", _claude(_CLAUDE_4)),
    (r"claude.*opus-4-5", _claude(_CLAUDE_OPUS_45)),
    (r"claude.*(?:opus|sonnet)-4-6", _claude(_CLAUDE_46, 1_000_000, 128_000)),
    (r"claude.*(?:opus|sonnet)-(?:4-[7-9]|[5-9])", _claude(_CLAUDE_47, 1_000_000, 128_000)),
    (r"claude", _claude(_CLAUDE_46)),
    (r"kimi|moonshot", _KIMI),
    (r"mai-ds", _MAI_DS),
    (r"deepseek.*r1", _DEEPSEEK_R1),
    # V3 of March 2025 and before does not reason, 3.1 and later do on request.
    (r"deepseek-v3(?![.\d])", _DEEPSEEK),
    (r"deepseek", _DEEPSEEK_HYBRID),
    (r"(?:mi|mini)stral|mixtral|codestral|devstral|magistral", _MISTRAL),
    (r"grok-3-mini", _GROK_3_MINI),
    (r"grok-3|grok-code", _GROK_3),
    (r"grok.*non-reasoning", _GROK_4_SILENT),
    (r"grok", _GROK_4),
    (r"gpt-oss", _GPT_OSS),
    (r"llama|mai-", _LLAMA),
    (r"gpt-6", _GPT_6),
    (r"gpt-3\.5|gpt-35|gpt-4(?:-turbo|-32k|-vision|-\d{4}|$)", _OLD_GPT),
)
_PATTERNS = tuple((re.compile(rf"(?:^|[^a-z])(?:{words})"), model) for words, model in FAMILIES)


@lru_cache(maxsize=1024)
def find_foundry_model(name: str) -> EmulatedModel | None:
    """The model whose family's word is in the name, in any case; None for other names."""
    lower = name.lower()
    found = next((model for pattern, model in _PATTERNS if pattern.search(lower)), None)
    return replace(found, name=name, snapshot=name) if found else None
