"""Where an answer stops early: at its token limit, or where the content filter stops it."""

from typing import Any

from azure_responses.emulator.engine.steps import Plan, Step
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.tokens import split_tokens

__all__ = ["block_output", "cut_to_limits"]

_SHOWN_BEFORE_BLOCK = 4
# What of an item is cut, by its type.
_CUT_FIELDS = {"function_call": "arguments", "custom_tool_call": "input"}


def cut_to_limits(plan: Plan, turn: Turn) -> None:
    """Cuts the plan at `max_output_tokens` and at the model's own limit."""
    asked = turn.request.get("max_output_tokens") or turn.model.max_output
    budget = min(asked, turn.model.max_output)
    if sum(step.tokens for step in plan.steps) <= budget:
        return
    whole = 0
    while plan.steps[whole].tokens <= budget:
        budget -= plan.steps[whole].tokens
        whole += 1
    plan.steps = plan.steps[: whole + _cut(plan.steps[whole], budget)]
    plan.status, plan.reason = "incomplete", "max_output_tokens"


def block_output(plan: Plan) -> None:
    """Stops the last step after a few words, as the content filter does."""
    step = plan.steps[-1]
    frame = step.tokens - len(split_tokens(_text_of(step.item)))
    _cut(step, frame + _SHOWN_BEFORE_BLOCK)
    plan.status, plan.reason, plan.is_blocked = "incomplete", "content_filter", True


def _text_of(item: dict[str, Any]) -> str:
    if item["type"] == "message":
        part = item["content"][0]
        return str(part.get("text", part.get("refusal", "")))
    return str(item.get(_CUT_FIELDS.get(item["type"], ""), ""))


def _cut(step: Step, budget: int) -> bool:
    """Cuts a step to so many tokens; False where nothing of it is left."""
    item = step.item
    if item["type"] == "reasoning":
        step.tokens = step.reasoning_tokens = budget
        item["summary"] = []
        return True
    pieces = split_tokens(_text_of(item))
    room = budget - (step.tokens - len(pieces))
    if room <= 0 or not pieces:
        return False
    text = "".join(pieces[:room])
    step.tokens = min(budget, step.tokens)
    item["status"] = "incomplete"
    if item["type"] == "message":
        _cut_part(item["content"][0], text, room)
    else:
        item[_CUT_FIELDS[item["type"]]] = text
    return True


def _cut_part(part: dict[str, Any], text: str, room: int) -> None:
    if part["type"] == "refusal":
        part["refusal"] = text
        return
    part["text"] = text
    part["logprobs"] = part["logprobs"][:room]
    part["annotations"] = [
        note for note in part["annotations"] if note.get("end_index", 0) <= len(text)
    ]
