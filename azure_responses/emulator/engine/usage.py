"""`usage` of a response, with prompt caching and reasoning tokens."""

from typing import Any

from azure_responses.emulator.engine.steps import Plan
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.tokens import count_request, split_tokens

__all__ = ["count_input", "describe_usage"]

_CACHEABLE = 1024


def count_input(turn: Turn) -> int:
    """Input tokens of the turn."""
    return count_request(turn.request, turn.history)


def describe_usage(turn: Turn, plan: Plan, input_tokens: int) -> dict[str, Any]:
    """The `usage` object; hosted tools' results are part of the input, as they are billed."""
    output = sum(step.tokens for step in plan.steps)
    details: dict[str, int] = {"cached_tokens": _count_cached(turn, input_tokens)}
    if not turn.dated:
        details = {"cache_write_tokens": 0, **details}
    reasoning = sum(step.reasoning_tokens for step in plan.steps)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": details,
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input_tokens + output,
    }


def _count_cached(turn: Turn, input_tokens: int) -> int:
    if turn.prefixes is None or input_tokens < _CACHEABLE:
        return 0
    scope = f"{turn.model.name}\0{turn.request.get('prompt_cache_key')}"
    return min(turn.prefixes.match(scope, _prompt_tokens(turn)), input_tokens)


def _prompt_tokens(turn: Turn) -> list[str]:
    body = turn.request
    given = body.get("input")
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    parts = [body.get("tools"), body.get("instructions"), *turn.history, *items]
    tokens: list[str] = []
    for part in parts:
        tokens.extend(split_tokens(part if isinstance(part, str) else str(part)))
    return tokens
