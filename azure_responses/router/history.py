"""A conversation that a follow-up carries to a resource which does not store it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure_responses.routing.id_walker import to_plain

__all__ = ["MOST_TURNS", "as_continuation", "as_input"]

MOST_TURNS = 100
"""So many responses back a conversation is read."""

# What every resource understands without looking anything up.
_PORTABLE = frozenset(
    {
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    }
)
# Ids belong to the resource that stores the item, and Azure may refuse the read-only `status`
# (litellm#13484).
_LEFT_OUT = frozenset({"id", "status"})
_CONTINUES = frozenset({"previous_response_id", "conversation"})


def as_input(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Stored items as input: messages and calls of functions, without ids.

    Reasoning is encrypted for the resource that wrote it, and calls of hosted tools are known to
    their own resource only; neither is carried over.
    """
    found = []
    for item in items:
        fields: Mapping[str, Any] = to_plain(item)
        if fields.get("type", "message") in _PORTABLE:
            kept = {n: v for n, v in fields.items() if n not in _LEFT_OUT and v is not None}
            found.append(kept)
    return found


def as_continuation(parameters: Mapping[str, Any], history: Sequence[Any]) -> dict[str, Any]:
    """The parameters with the history in front of their input, continuing nothing."""
    kept = {name: value for name, value in parameters.items() if name not in _CONTINUES}
    given = kept.get("input") or []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    kept["input"] = [*as_input(history), *items]
    return kept
