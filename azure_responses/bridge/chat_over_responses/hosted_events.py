"""News of hosted tools, as a stream of chunks passes them on."""

from typing import Any

from azure_responses.types.event import StreamEvent
from azure_responses.types.items import is_callers

__all__ = ["to_hosted_event"]

# What a message has room for by itself.
_OF_CHAT = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
_NOISE = frozenset({"sequence_number", "obfuscation"})


def to_hosted_event(event: StreamEvent) -> dict[str, Any] | None:
    """An event about a hosted tool, or of a kind chat completions knows nothing of, as a dict.

    An item that begins or ends is told by its type, id and status: what it holds comes once, with
    the message. None for events that are no such news.
    """
    if not isinstance(event.type, str) or not event.type.startswith("response."):
        return None
    fields = {name: value for name, value in event.to_dict().items() if name not in _NOISE}
    if event.type in ("response.output_item.added", "response.output_item.done"):
        item = getattr(event, "item", None)
        if str(getattr(item, "type", None)) in _OF_CHAT or is_callers(item):
            return None
        given = fields.get("item")
        told = given if isinstance(given, dict) else {}
        fields["item"] = {name: told[name] for name in ("type", "id", "status") if name in told}
    return fields
