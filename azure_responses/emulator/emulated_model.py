"""What a deployment runs: the facts of one model."""

from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "CHAT", "MESSAGES", "RESPONSES", "RESPONSES_AND_CHAT", "ClaudeFacts", "EmulatedModel",
]  # fmt: skip

RESPONSES = frozenset({"responses"})
CHAT = frozenset({"chat"})
MESSAGES = frozenset({"messages"})
RESPONSES_AND_CHAT = RESPONSES | CHAT


@dataclass(frozen=True)
class ClaudeFacts:
    """What a Claude model takes of Messages, by Anthropic's model and migration pages of 2026.

    Attributes:
        thinking: the values of `thinking.type` it takes.
        efforts: the values of `output_config.effort` it takes.
        shows_thinking: `thinking.display` is `summarized` where the request does not say.
        prefills: the last message may be the assistant's.
        samples: `temperature`, `top_p` and `top_k` may be set.
        takes_system: a message of the role `system` may stand in the middle.
    """

    thinking: tuple[str, ...] = ("enabled", "adaptive", "disabled")
    efforts: tuple[str, ...] = ("low", "medium", "high", "max")
    shows_thinking: bool = True
    prefills: bool = False
    samples: bool = True
    takes_system: bool = False


@dataclass(frozen=True)
class EmulatedModel:
    """What a deployment runs.

    Attributes:
        name: the base model, such as `gpt-5-mini`.
        snapshot: name and version, such as `gpt-5-mini-2025-08-07`.
        efforts: values of `reasoning.effort` it takes; empty for a model that does not reason.
        default_effort: the effort of a request that does not name one.
        family: whose model it is; what chat completions refuse depends on it (`chat_rules`).
        apis: what it answers, of `responses`, `chat` and `messages`.
        context_window: input and output tokens together.
        max_output: the most output tokens.
        default_top_p: echoed for a request that does not name one.
        verbosities: values of `text.verbosity` it takes.
        supports_flex: takes `service_tier: "flex"`.
        has_phase: output messages carry `phase`.
        refused_tools: tool types it does not take.
        routes_to: the model that serves, where this one is a router.
        shows_reasoning: chat messages carry `reasoning_content`.
        needs_reasoning: a message with tool calls is refused without its `reasoning_content`.
        thinks_aloud: on the older routes its reasoning stands between `<think>` tags.
        refuses_tools_with_effort: chat refuses function tools while the model reasons: where an
            effort is set (`set`), or always (`always`).
        can_be_steered: takes further input over a WebSocket while it answers.
        claude: what it takes of Messages.
    """

    name: str
    snapshot: str
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    family: str = "openai"
    apis: frozenset[str] = RESPONSES_AND_CHAT
    context_window: int = 128_000
    max_output: int = 16_384
    default_top_p: float = 1.0
    verbosities: tuple[str, ...] = ("medium",)
    supports_flex: bool = False
    has_phase: bool = False
    refused_tools: frozenset[str] = frozenset()
    routes_to: str | None = None
    shows_reasoning: bool = False
    needs_reasoning: bool = False
    thinks_aloud: bool = False
    refuses_tools_with_effort: Literal["set", "always"] | None = None
    can_be_steered: bool = False
    claude: ClaudeFacts = ClaudeFacts()

    @property
    def reasoning(self) -> bool:
        """True where the model reasons before it answers."""
        return bool(self.efforts)

    @property
    def max_input(self) -> int:
        """Input tokens that fit: GPT-5 models keep room for the whole output."""
        # litellm #15968 quotes an Azure error with 272000.
        if self.context_window == 400_000:
            return 272_000
        return self.context_window

    def samples(self, effort: str | None) -> bool:
        """True where `temperature` and `top_p` are accepted at this effort."""
        return self.family != "openai" or not self.reasoning or effort == "none"

    @property
    def responses_only(self) -> bool:
        """True where chat completions are refused (`OperationNotSupported`)."""
        return self.apis == {"responses"}

    def on_responses(self) -> "EmulatedModel":
        """The model as the Responses API serves it: DeepSeek does not reason there (pi#9645)."""
        if self.family != "deepseek":
            return self
        return replace(self, efforts=(), default_effort=None)
