"""What the models of a Foundry resource accept: one entry for each family of models.

A family is recognised by the base model or the name of a deployment. What is not known about a
model is not restricted: an unknown family has the defaults of `FamilyFacts`, which refuse nothing.
An entry of a model list may correct each fact (`facts: {takes_strict: true}`) or name the family
itself (`facts: {family: kimi}`).

Each fact names where it was seen and when that was read. `owner/repository #number` is a thread on
GitHub; "models-support-list" is Microsoft's page of that name, "litellm" the source of LiteLLM
1.110.2 with its price map, "anthropic" the source of the Python package 2.14.0.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName

__all__ = ["FAMILIES", "Fact", "Family", "FamilyFacts", "facts_of"]

ChatTools = Literal["always", "without_effort", "never"]
Thinking = Literal["adaptive", "budget"]

# From the lowest to the highest: `effort_for` compares the places.
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class FamilyFacts:
    """What one deployment's model accepts. The defaults are those of an unknown family.

    Paths of parameters name a field of the body, such as `stream_options.include_usage`. The value
    beside a refused path is the service's default, which may be left out without a warning; None
    where there is no such default.

    Attributes:
        family: the family's name; empty when unknown.
        api: what the family's deployments speak; None when unknown.
        refused_by_chat, refused_by_responses, refused_by_messages: paths that this API of the
            family refuses → the default value.
        max_tokens_name: how chat completions name the limit of the output.
        instructions_role: the role of instructions in chat completions.
        takes_developer_role: False where messages of the role `developer` are sent as `system`.
        takes_reasoning_content: the reasoning of earlier turns is sent back as
            `reasoning_content` of the assistant message.
        needs_reasoning_content: an assistant message with calls is refused without any, also where
            its caller has none, because another model made the calls.
        has_think_tags: older routes return reasoning as `<think>…</think>` at the start of the
            text.
        efforts: the reasoning efforts the model knows, the lowest first; empty where it takes no
            effort, None where that is unknown. See `effort_for`.
        takes_strict: tools may carry `strict`.
        inlines_refs: `$ref` in the schemas of tools is refused and has to be replaced by what it
            names.
        takes_stream_usage: streams may ask for `stream_options.include_usage`.
        takes_custom_tools: chat completions take tools of type `custom`.
        takes_allowed_tools: chat completions take a `tool_choice` of type `allowed_tools`.
        takes_refusal: assistant messages may carry `refusal`; elsewhere it is sent as text.
        takes_audio: messages may carry `input_audio`.
        takes_files: messages may carry documents.
        json_in_reasoning: with `json_object` and reasoning, the JSON stands in
            `reasoning_content` and `content` is empty.
        chat_tools: when chat completions take function tools: "without_effort" while no reasoning
            effort is set. Where it is not "always" the deployment is called over Responses.
        takes_encrypted_reasoning: the Responses API takes and returns `encrypted_content`.
        mixes_models: each call may be served by another model, which cannot read the encrypted
            reasoning of the others.
        thinking: how Claude is asked to think: "adaptive" with an effort, or "budget" in tokens.
        thinks_always: Claude's thinking cannot be disabled.
        takes_sampling: `temperature`, `top_p` and `top_k` are accepted by Messages.
        takes_prefill: the last message of Messages may be the assistant's.
        takes_system_messages: messages of Messages may have the role `system`; else what the system
            says in the middle of a conversation is sent as the user's, marked as instructions.
        max_output_tokens: the most the model writes; None when unknown.
        sources: fact → where it was seen, and when that was read.
    """

    family: str = ""
    api: APIName | None = None
    refused_by_chat: Mapping[str, Any] = field(default_factory=dict)
    refused_by_responses: Mapping[str, Any] = field(default_factory=dict)
    refused_by_messages: Mapping[str, Any] = field(default_factory=dict)
    max_tokens_name: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    instructions_role: Literal["system", "developer"] = "system"
    takes_developer_role: bool = False
    takes_reasoning_content: bool = False
    needs_reasoning_content: bool = False
    has_think_tags: bool = False
    efforts: tuple[str, ...] | None = None
    takes_strict: bool = True
    inlines_refs: bool = False
    takes_stream_usage: bool = True
    takes_custom_tools: bool = False
    takes_allowed_tools: bool = False
    takes_refusal: bool = False
    takes_audio: bool = True
    takes_files: bool = False
    json_in_reasoning: bool = False
    chat_tools: ChatTools = "always"
    takes_encrypted_reasoning: bool = True
    mixes_models: bool = False
    thinking: Thinking | None = None
    thinks_always: bool = False
    takes_sampling: bool = True
    takes_prefill: bool = True
    takes_system_messages: bool = False
    max_output_tokens: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def preferred_api(self) -> APIName | None:
        """What to call such deployments over; None where the family is unknown.

        A model that takes no function tools in chat completions is better off without them.
        """
        return self.api if self.chat_tools == "always" else "responses"

    @property
    def restricts_responses(self) -> bool:
        """True where the model does not take every request of the Responses API."""
        has_all = self.takes_encrypted_reasoning and not self.inlines_refs
        return bool(self.refused_by_responses) or not has_all

    def refused_by(self, api: APIName) -> Mapping[str, Any]:
        """The paths that this API of the family refuses → the default value."""
        refused: Mapping[str, Any] = getattr(self, f"refused_by_{api}")
        return refused

    def effort_for(self, effort: str) -> str | None:
        """The effort to send for the one asked for; None to send none.

        An effort that the model lacks becomes the nearest lower one that it has, or its lowest. A
        result that differs from the argument is worth a warning.
        """
        if self.efforts is None or effort not in _EFFORTS or effort in self.efforts:
            return effort
        wanted = _EFFORTS.index(effort)
        lower = [known for known in self.efforts if _EFFORTS.index(known) <= wanted]
        return next(iter(lower[-1:] or self.efforts[:1]), None)


class Fact(NamedTuple):
    """A fact with where it was seen, and the month in which that was read."""

    value: Any
    source: str
    date: str = "2026-11"


class Family(NamedTuple):
    """One entry of the table.

    Attributes:
        name: lower case; the generations of a family share it, and each other's reasoning.
        pattern: found anywhere in a base model or deployment name, in any case.
        facts: what differs from the defaults of `FamilyFacts`.
    """

    name: str
    pattern: str
    facts: Mapping[str, Fact]


def facts_of(*names: str | None, overrides: Mapping[str, Any] | None = None) -> FamilyFacts:
    """What is known of a deployment's model.

    Args:
        names: what may name the model, the most reliable first: the base model, then the name of
            the deployment. The first that names a known family counts.
        overrides: facts of the configuration by the names of `FamilyFacts`, which win; `family`
            chooses the family. The refused paths are added to those of the family; a list of
            paths stands for paths without a default.

    Raises:
        ConfigurationError: an override is unknown or has a value that it cannot have.
    """
    given = _mapping(overrides)
    family = _named(given.pop("family")) if "family" in given else _find(names)
    known = dict(family.facts) if family else {}
    values = {name: fact.value for name, fact in known.items()}
    sources = {name: f"{fact.source}, {fact.date}" for name, fact in known.items()}
    for name, value in given.items():
        values[name] = _override(name, value, values.get(name))
        sources[name] = "the configuration"
    return FamilyFacts(family=family.name if family else "", sources=sources, **values)


def _mapping(overrides: object) -> dict[str, Any]:
    if overrides is not None and not isinstance(overrides, Mapping):
        raise ConfigurationError(
            f"The facts of a model are a mapping, not a {type(overrides).__name__}.",
            hint="Write facts: {takes_strict: false}.",
        )
    return dict(overrides or {})


def _find(names: tuple[str | None, ...]) -> Family | None:
    found = (family for name in names if name for family in _families_in(name))
    return next(found, None)


def _families_in(name: str) -> Iterator[Family]:
    return (family for family, pattern in _PATTERNS if pattern.search(name))


def _named(name: object) -> Family:
    for family in FAMILIES:
        if family.name == name:
            return family
    raise ConfigurationError(
        f"facts: the family {name!r} is not known.",
        hint=f"Known are {', '.join(dict.fromkeys(family.name for family in FAMILIES))}.",
    )


def _override(name: str, value: Any, present: Any) -> Any:
    if name not in _KINDS:
        near = get_close_matches(str(name), _KINDS, n=1)
        raise ConfigurationError(
            f"facts: {name!r} is not a fact of a model.",
            hint=f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(_KINDS)}.",
        )
    # Added to those of the table: a configuration that names one path must not lose the others.
    if name.startswith("refused_by_"):
        return _refused(name, value, present or {})
    if name == "efforts" and _are_efforts(value):
        return tuple(sorted(value, key=_EFFORTS.index))
    if not _allows(_KINDS[name], value):
        raise ConfigurationError(
            f"facts: {name} cannot be {value!r}.",
            hint=f"Write one of {', '.join(_choices(_KINDS[name]))}.",
        )
    return value


def _are_efforts(value: Any) -> bool:
    # Not compared as sets: a value of YAML need not be hashable.
    return isinstance(value, list | tuple) and all(effort in _EFFORTS for effort in value)


def _allows(kind: Any, value: Any) -> bool:
    if kind in (bool, NoneType):
        return isinstance(value, kind)
    if kind is int:
        return type(value) is int and value > 0
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    return any(_allows(part, value) for part in get_args(kind))


def _choices(kind: Any) -> list[str]:
    named = {bool: ["true", "false"], int: ["a whole number from 1"], NoneType: ["null"]}
    if kind in named:
        return named[kind]
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if get_origin(kind) is tuple:
        return [f"a list of {', '.join(_EFFORTS)}"]
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _refused(name: str, value: Any, present: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and all(isinstance(path, str) for path in value):
        return {**present, **value}
    if isinstance(value, list | tuple) and all(isinstance(path, str) for path in value):
        return {**present, **dict.fromkeys(value)}
    raise ConfigurationError(
        f"facts: {name} cannot be {value!r}.", hint=f"Write {name}: [presence_penalty]."
    )


_KINDS = {
    name: kind
    for name, kind in get_type_hints(FamilyFacts).items()
    if name not in ("family", "sources")
}

_MODELS_LIST = "Microsoft's models-support-list"
_DEVELOPER = Fact(True, "openai/openai-python, ChatCompletionDeveloperMessageParam")
_OPENAI = {
    "api": Fact("responses", _MODELS_LIST),
    "takes_developer_role": _DEVELOPER,
    "takes_allowed_tools": Fact(True, "openai 3.57.0, ChatCompletionAllowedToolChoiceParam"),
    "takes_refusal": Fact(True, "openai 3.57.0, ChatCompletionAssistantMessageParam"),
    "takes_audio": Fact(False, "only audio models take it: openai 3.57.0"),
}
_OPENAI_REASONING = {
    **_OPENAI,
    "instructions_role": Fact("developer", "openai 3.57.0: o1 models and newer"),
}
_GPT_5 = {
    **_OPENAI_REASONING,
    "takes_custom_tools": Fact(True, "openai 3.57.0, ChatCompletionCustomToolParam"),
}
_EFFORTS_PAGE = "Microsoft's reference of ReasoningEffort in @azure/ai-projects"
_CHATTING = {
    **_OPENAI,
    "efforts": Fact((), "not on Microsoft's page on reasoning models"),
}
_MODELS_PAGE = "Microsoft's page on Azure OpenAI models, max output tokens"
_CLAUDE = {
    "api": Fact("messages", "the other routes answer api_not_supported: windmill #9908"),
    "refused_by_messages": Fact({"cache_control.scope": None}, "BerriAI/litellm #22867"),
    "takes_files": Fact(True, "anthropic, DocumentBlockParam"),
    "takes_audio": Fact(False, "anthropic, ContentBlockParam"),
}
_CLAUDE_4_6 = {
    **_CLAUDE,
    "thinking": Fact("adaptive", "litellm, supports_adaptive_thinking"),
    "efforts": Fact(("low", "medium", "high", "max"), "litellm, supports_max_reasoning_effort"),
    "takes_prefill": Fact(False, "litellm, supports_assistant_prefill"),
    "max_output_tokens": Fact(128_000, "litellm, max_output_tokens"),
}
_CLAUDE_4_7 = {
    **_CLAUDE_4_6,
    "efforts": Fact(
        ("low", "medium", "high", "xhigh", "max"), "litellm, supports_xhigh_reasoning_effort"
    ),
    "takes_sampling": Fact(False, "litellm, supports_sampling_params"),
}
_CLAUDE_4_5 = {
    **_CLAUDE,
    "thinking": Fact("budget", "litellm, no supports_adaptive_thinking"),
    "max_output_tokens": Fact(64_000, "litellm, max_output_tokens"),
}
_DEEPSEEK = {
    # Listed for Responses, where it takes neither an effort nor encrypted reasoning, which coding
    # agents always send; chat takes both kinds of request but has no web search.
    "api": Fact("chat", "earendil-works/pi #9645, maximhq/bifrost #6326"),
    "refused_by_responses": Fact({"reasoning.effort": None}, "pi #9645, #6228"),
    "takes_encrypted_reasoning": Fact(False, "pi #9645, #6228"),
    "refused_by_chat": Fact(
        dict.fromkeys(("thinking", "extra_body", "prompt_cache_key", "prompt_cache_retention")),
        "pi #9645, DeepSeek-Reasonix #1299",
    ),
    "efforts": Fact(("low", "medium", "high"), "pi #9645"),
    "takes_reasoning_content": Fact(True, "pi #9645: the cache misses without it"),
    "json_in_reasoning": Fact(True, "vercel/ai, @ai-sdk/azure 4.0.48"),
}

FAMILIES: tuple[Family, ...] = (
    # An entry without a version is first or last of its name: `facts: {family: claude}` is the
    # newest generation.
    Family("claude", r"claude\W?(fable|(opus|sonnet)-5[-.]5)",
        {**_CLAUDE_4_7, "thinks_always": Fact(True, "litellm, thinking_always_on")}),
    Family("claude", r"claude.*4[-.]6(?!\d)", _CLAUDE_4_6),
    Family("claude", r"claude-3(?!\d)|claude-.*-3[-.][57]", {
        **_CLAUDE_4_5,
        "max_output_tokens": Fact(8_192, "anthropic, MODEL_NONSTREAMING_TOKENS"),
    }),
    Family("claude", r"claude.*4[-.]1(?!\d)|claude.*opus-4(?![-.]\d(?!\d))", {
        **_CLAUDE_4_5,
        "max_output_tokens": Fact(32_000, "litellm, max_output_tokens"),
    }),
    Family("claude", r"claude.*(4[-.]5(?!\d)|(sonnet|haiku)-4(?![-.]\d(?!\d)))", _CLAUDE_4_5),
    Family("claude", r"claude", _CLAUDE_4_7),
    Family("deepseek", r"deepseek.*r1", {
        **_DEEPSEEK, "has_think_tags": Fact(True, "seen on the routes before v1"),
    }),
    Family("deepseek", r"deepseek", _DEEPSEEK),
    Family("grok", r"grok-?(3|code)", {
        "api": Fact("responses", _MODELS_LIST),
        "inlines_refs": Fact(True, "pydantic/pydantic-ai #10987"),
    }),
    Family("grok", r"grok", {
        "api": Fact("responses", _MODELS_LIST),
        "refused_by_chat": Fact(
            {"presence_penalty": 0, "frequency_penalty": 0, "stop": None},
            "promptfoo/promptfoo #10592, theopenco/llmgateway #3436",
        ),
        "inlines_refs": Fact(True, "pydantic/pydantic-ai #10987"),
    }),
    Family("mistral", r"mi(ni)?stral|mixtral|codestral|devstral|magistral|pixtral", {
        "api": Fact("chat", f"absent from {_MODELS_LIST}"),
        "max_tokens_name": Fact("max_tokens", "pydantic-ai #6593"),
        "refused_by_chat": Fact(
            {"presence_penalty": 0, "frequency_penalty": 0, "user": None},
            "pydantic-ai #6593, BerriAI/litellm #4800, #3899",
        ),
        "takes_stream_usage": Fact(False, "BerriAI/litellm #11696"),
    }),
    Family("kimi", r"kimi", {
        "api": Fact("chat", "anomalyco/opencode #12949: not supported by the Responses API"),
        "refused_by_chat": Fact(
            dict.fromkeys(("prompt_cache_key", "prompt_cache_retention")),
            "zed-industries/zed #52000",
        ),
        "takes_reasoning_content": Fact(True, "BerriAI/litellm #20759"),
        "needs_reasoning_content": Fact(True, "anomalyco/opencode #10996, earendil-works/pi #987"),
    }),
    Family("llama", r"llama-?3[.-]3|llama-?4-maverick",
        {"api": Fact("responses", _MODELS_LIST)}),
    Family("mai", r"(?<![a-z])mai-", {"api": Fact("responses", _MODELS_LIST)}),
    Family("gpt-oss", r"gpt-oss", {"api": Fact("responses", _MODELS_LIST)}),
    Family("model-router", r"model[-_]router", {
        "api": Fact("responses", _MODELS_LIST),
        "mixes_models": Fact(True, "Microsoft's page on the model router; inferred"),
    }),
    Family("gpt-5-chat", r"gpt-?[5-9]([.-]\d+)?-chat",
        {**_CHATTING, "max_output_tokens": Fact(16_384, _MODELS_PAGE)}),
    Family("gpt-6", r"gpt-?([6-9]|1\d)(?!\d)", {
        **_GPT_5,
        "chat_tools": Fact("never", "litellm, llms/azure_ai/common_utils.py"),
    }),
    Family("gpt-5.4", r"gpt-?5[.-]([4-9]|\d\d)(?!\d)", {
        **_GPT_5,
        "chat_tools": Fact("without_effort", "litellm, llms/azure_ai/common_utils.py"),
        "efforts": Fact(("none", "low", "medium", "high", "xhigh"), _EFFORTS_PAGE),
    }),
    Family("gpt-5", r"gpt-?5[.-]([23](?!\d)|1-codex-max)", {
        **_GPT_5,
        "efforts": Fact(("none", "low", "medium", "high", "xhigh"), _EFFORTS_PAGE),
    }),
    Family("gpt-5", r"gpt-?5[.-]1(?!\d)", {
        **_GPT_5,
        "efforts": Fact(("none", "low", "medium", "high"), _EFFORTS_PAGE),
    }),
    Family("gpt-5", r"gpt-?5-pro", {**_GPT_5, "efforts": Fact(("high",), _EFFORTS_PAGE)}),
    Family("gpt-5", r"gpt-?5(?!\d)", {
        **_GPT_5,
        "efforts": Fact(("minimal", "low", "medium", "high"), _EFFORTS_PAGE),
    }),
    Family("o-series", r"(?<![a-z0-9])o[1-9](?![a-z0-9])", {
        **_OPENAI_REASONING,
        "efforts": Fact(("low", "medium", "high"), "Microsoft's page on reasoning models"),
    }),
    Family("gpt-audio", r"gpt-.*audio", {
        "takes_developer_role": _DEVELOPER,
    }),
    Family("gpt-4o", r"gpt-?4[.-]1(?!\d)",
        {**_CHATTING, "max_output_tokens": Fact(32_768, _MODELS_PAGE)}),
    Family("gpt-4o", r"gpt-?4(o|\.\d|-5(?!\d))",
        {**_CHATTING, "max_output_tokens": Fact(16_384, _MODELS_PAGE)}),
    Family("gpt-4", r"gpt-?(3\.?5|4(?=$|-(0\d{3}|1106|32k|turbo|vision)))",
        {"api": Fact("chat", "TrueFoundry/models #2007, after Microsoft's list")}),
)  # fmt: skip

_PATTERNS = [(family, re.compile(family.pattern, re.IGNORECASE)) for family in FAMILIES]
