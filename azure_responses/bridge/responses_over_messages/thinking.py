"""Claude's thinking: how a request asks for it, and how callers carry it from turn to turn.

A thinking block has a signature that Claude checks when the block comes back, so it must come back
unchanged and in its place. Callers of the Responses API carry it as a reasoning item: the whole
block is sealed in `encrypted_content`, each block in an item of its own.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts

__all__ = ["check_thinking", "open_block", "seal_block", "thinks", "write_thinking"]

_Fields = Mapping[str, Any]
_KINDS = ("thinking", "redacted_thinking")
# Efforts in tokens, for models before Claude 4.6. The API gives only the smallest budget; the
# others are our choice and grow as the efforts do.
_BUDGETS = {
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 32_768,
}
_LEAST_BUDGET = 1_024


def seal_block(block: _Fields, context: ConversionContext) -> str:
    """A thinking block as `encrypted_content`."""
    return context.sealer.seal(family_of(context), {"block": dict(block)})


def open_block(item: _Fields, context: ConversionContext) -> dict[str, Any] | None:
    """The thinking block of a reasoning item; None where it was not sealed for this family."""
    sealed = item.get("encrypted_content")
    opened = context.sealer.open(family_of(context), sealed) if isinstance(sealed, str) else None
    block = (opened or {}).get("block")
    return block if isinstance(block, dict) and block.get("type") in _KINDS else None


def thinks(body: _Fields) -> bool:
    """True for a request in which Claude may think."""
    thinking = body.get("thinking")
    return isinstance(thinking, Mapping) and thinking.get("type") in ("adaptive", "enabled")


def write_thinking(
    reasoning: _Fields, facts: FamilyFacts, max_tokens: int, unsupported: Unsupported
) -> dict[str, Any]:
    """`thinking` and `output_config` for a response's `reasoning`; empty where it says nothing.

    Raises:
        ConfigurationError: `max_tokens` leaves no room for thinking.
    """
    effort = reasoning.get("effort")
    summary = reasoning.get("summary") or reasoning.get("generate_summary")
    # The signature comes with both, so the next turn keeps its thinking also where none is shown.
    display = "omitted" if summary in (None, "none") else "summarized"
    if effort == "none" and not facts.thinks_always:
        return {"thinking": {"type": "disabled"}}
    if facts.thinking == "budget":
        return _write_budget(effort, display, max_tokens, unsupported)
    if effort is None:
        asked = display == "summarized"
        return {"thinking": {"type": "adaptive", "display": display}} if asked else {}
    sent = _effort_for(str(effort), facts)
    if sent is None:
        unsupported.warn("reasoning.effort was left out. The model takes no effort.")
        return {"thinking": {"type": "adaptive", "display": display}}
    if sent != effort:
        unsupported.warn(f"reasoning.effort was sent as {sent!r}. The model has no {effort!r}.")
    return {
        "thinking": {"type": "adaptive", "display": display},
        "output_config": {"effort": sent},
    }


def _effort_for(effort: str, facts: FamilyFacts) -> str | None:
    sent = facts.effort_for(effort)
    # Of a family whose efforts are unknown, those of the API count.
    return "low" if sent in ("none", "minimal") else sent


def _write_budget(
    effort: Any, display: str, max_tokens: int, unsupported: Unsupported
) -> dict[str, Any]:
    if effort is None:
        if display == "summarized":
            unsupported.warn(
                "reasoning.summary was left out. This model thinks only with reasoning.effort."
            )
        return {}
    if max_tokens <= _LEAST_BUDGET:
        unsupported.leave_out(
            "reasoning.effort",
            f"Thinking takes {_LEAST_BUDGET} tokens at least, and max_output_tokens is "
            f"{max_tokens}.",
            f"Set max_output_tokens above {_LEAST_BUDGET}, or reasoning.effort to 'none'.",
        )
        return {}
    # Half of the tokens are left for the answer, as far as that is possible.
    wanted = _BUDGETS.get(str(effort), _BUDGETS["medium"])
    budget = min(wanted, max(_LEAST_BUDGET, max_tokens // 2))
    return {"thinking": {"type": "enabled", "budget_tokens": budget, "display": display}}


def check_thinking(body: dict[str, Any], facts: FamilyFacts, unsupported: Unsupported) -> None:
    """Take thinking out where Claude refuses it, which has nothing to do with the model."""
    if not thinks(body):
        return
    choice = body.get("tool_choice") or {}
    if choice.get("type") in ("any", "tool"):
        why = "Claude does not think while tool_choice makes it call a tool."
    elif facts.thinking == "budget" and _lacks_thinking(body["messages"]):
        # A turn that is under way must begin with thinking if Claude thinks by a budget.
        why = "Claude goes on with a turn that has no thinking of its own."
    else:
        return
    del body["thinking"]
    kept = "" if "output_config" not in body else " The effort itself was sent."
    unsupported.warn(f"reasoning was sent without thinking. {why}{kept}")


def _lacks_thinking(messages: Sequence[Mapping[str, Any]]) -> bool:
    """True where the last turn has called tools and did not begin with thinking."""
    if messages[-1]["role"] == "assistant":
        return False
    turn = [*takewhile(_goes_on, reversed(messages))]
    return bool(turn) and "thinking" not in turn[-1]["content"][0]["type"]


def _goes_on(message: Mapping[str, Any]) -> bool:
    """True for a message that is part of a turn, not its beginning."""
    kind = "assistant" if message["role"] == "assistant" else message["content"][0]["type"]
    return kind in ("assistant", "tool_result")
