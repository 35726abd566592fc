"""Tokens of a response: its `usage`, and where its output stops early.

Output stops at `max_output_tokens`, at the model's own limit, or where the content filter stops it.
"""

from typing import Any

from azure_responses.emulator.engine.generation import Generation, OutputPlan, OutputStep
from azure_responses.emulator.tokens import count_request, split_tokens

__all__ = ["block_output", "count_input", "cut_to_limits", "describe_usage"]

# Azure's prompt-caching page: shorter prompts are not cached.
_CACHEABLE = 1024
# What a caller has read when the content filter stops the output: one buffer of the filter.
_SHOWN_BEFORE_BLOCK = 4
# What of an item is cut, by its type. Other items are written whole or not at all.
_CUT_FIELDS = {"function_call": "arguments", "custom_tool_call": "input"}


def count_input(generation: Generation) -> int:
    """Input tokens, those of earlier responses included."""
    return count_request(generation.request, generation.history)


def describe_usage(generation: Generation, plan: OutputPlan, input_tokens: int) -> dict[str, Any]:
    """The `usage` object; hosted tools' results are part of the input, as they are billed."""
    output = sum(step.tokens for step in plan.steps)
    details: dict[str, int] = {"cached_tokens": _count_cached(generation, input_tokens)}
    if not generation.dated:
        details = {"cache_write_tokens": 0, **details}
    reasoning = sum(step.reasoning_tokens for step in plan.steps)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": details,
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input_tokens + output,
    }


def _count_cached(generation: Generation, input_tokens: int) -> int:
    if generation.prefixes is None or input_tokens < _CACHEABLE:
        return 0
    scope = f"{generation.model.name}\0{generation.request.get('prompt_cache_key')}"
    tokens, asked = _prompt_tokens(generation), generation.request.get("prompt_cache_retention")
    matched = generation.prefixes.match(scope, tokens, generation.created_at, asked)
    return min(matched, input_tokens)


def _prompt_tokens(generation: Generation) -> list[str]:
    body = generation.request
    given = body.get("input")
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    # In the order in which a model reads them: a conversation that grows keeps its beginning.
    parts = [body.get("tools"), body.get("instructions"), *generation.history, *items]
    tokens: list[str] = []
    for part in parts:
        tokens.extend(split_tokens(part if isinstance(part, str) else str(part)))
    return tokens


def cut_to_limits(plan: OutputPlan, generation: Generation) -> None:
    """Cuts the plan at `max_output_tokens` and at the model's own limit."""
    asked = generation.request.get("max_output_tokens") or generation.model.max_output
    budget = min(asked, generation.model.max_output)
    if sum(step.tokens for step in plan.steps) <= budget:
        return
    whole = 0
    while plan.steps[whole].tokens <= budget:
        budget -= plan.steps[whole].tokens
        whole += 1
    plan.steps = plan.steps[: whole + _cut_step(plan.steps[whole], budget)]
    plan.status, plan.reason = "incomplete", "max_output_tokens"


def block_output(plan: OutputPlan) -> None:
    """Stops the last step after a few words, as the content filter does."""
    step = plan.steps[-1]
    # What an item costs besides its text.
    frame = step.tokens - len(split_tokens(_text_of(step.item)))
    _cut_step(step, frame + _SHOWN_BEFORE_BLOCK)
    plan.status, plan.reason, plan.is_blocked = "incomplete", "content_filter", True


def _text_of(item: dict[str, Any]) -> str:
    if item["type"] == "message":
        part = item["content"][0]
        return str(part.get("text", part.get("refusal", "")))
    return str(item.get(_CUT_FIELDS.get(item["type"], ""), ""))


def _cut_step(step: OutputStep, budget: int) -> bool:
    """Cuts a step to so many tokens; False where nothing of it is left."""
    item = step.item
    if item["type"] == "reasoning":
        # Reasoning that uses the limit up ends before its summary is written.
        step.tokens = step.reasoning_tokens = budget
        step.thought = "".join(split_tokens(step.thought)[:budget])
        item["summary"] = []
        return True
    pieces = split_tokens(_text_of(item))
    room = budget - (step.tokens - len(pieces))
    if room <= 0 or not pieces:
        return False
    text = "".join(pieces[:room])
    # A refusal of the filter may come before the text is even as long as its buffer.
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
