"""Reasoning items: how long a model thinks, what its summary says, what its encryption holds."""

from typing import Any

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text

__all__ = ["is_reasoning_due", "write_reasoning"]

# Recorded counts are multiples of 64; these are what short prompts cost at each effort.
_TOKENS = {"minimal": 0, "low": 64, "medium": 64, "high": 256, "xhigh": 512, "max": 1024}
_STEP = 64


def is_reasoning_due(draft: Draft) -> bool:
    """True where the answer begins with a reasoning item."""
    model = draft.turn.model
    if not model.reasoning or draft.effort == "none":
        return False
    # Recorded: o4-mini and gpt-5.1-codex-max answer a tool's output without a reasoning item.
    is_silent = model.name.startswith("o") or "codex" in model.name
    return not (is_silent and draft.transcript.results)


def write_reasoning(draft: Draft, plan: str) -> Step:
    """The reasoning item; `plan` says what the model is about to do."""
    body = draft.turn.request
    thought = find_trigger(draft.transcript.prompt, "reason") or _think(draft, plan)
    item: dict[str, Any] = {"id": draft.identify("rs"), "type": "reasoning"}
    sealed = None
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        item["encrypted_content"] = ""
        sealed = {"thought": thought, "id": item["id"]}
    item["summary"] = _summarise(draft, thought, plan)
    tokens = _count(draft, thought)
    return Step(item, sealed=sealed, tokens=tokens, reasoning_tokens=tokens)


def _think(draft: Draft, plan: str) -> str:
    prompt = " ".join(draft.transcript.prompt.split())[:200]
    return f'The user wrote: "{prompt}". {plan} I will keep to what was asked and be brief.'


def _count(draft: Draft, thought: str) -> int:
    least = _TOKENS.get(draft.effort or "medium", _STEP)
    if not least:
        return 0
    return max(least, -(-count_text(thought) // _STEP) * _STEP)


def _summarise(draft: Draft, thought: str, plan: str) -> list[dict[str, str]]:
    asked = draft.turn.request.get("reasoning") or {}
    if not (asked.get("summary") or asked.get("generate_summary")) or draft.effort == "minimal":
        return []
    title = plan.split(".")[0].removeprefix("I should ").strip().capitalize()
    parts = [{"type": "summary_text", "text": f"**{title}**\n\n{thought}"}]
    is_long = draft.effort in ("high", "xhigh", "max") and asked.get("summary") == "detailed"
    if is_long:
        text = "**Checking the answer**\n\nThe answer follows from what was asked; nothing is left."
        parts.append({"type": "summary_text", "text": text})
    return parts
