"""Reasoning items of earlier messages, as they go back to the service.

Encrypted reasoning is bound to the resource that wrote it, and an item without it is only an id
that the service would have to look up; either way a refused item would sink the whole request.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.history import History
from azure_responses.bridge.chat_over_responses.refusal import as_mapping

__all__ = ["blocks_to_items", "read_reasoning_item"]

# Azure refuses `status` on replayed reasoning (litellm #13484); `resource` is the bridge's own.
_LEFT_OUT = frozenset({"status", "resource"})


def read_reasoning_item(item: Any, history: History, path: str) -> dict[str, Any] | None:
    """The item as input, or None where the service could make nothing of it."""
    fields = as_mapping(item, path)
    kept = {
        name: value for name, value in fields.items() if value is not None and name not in _LEFT_OUT
    }
    kept = {"type": "reasoning", "summary": [], **kept}
    if _is_foreign(fields, history):
        history.foreign_items += 1
        del kept["encrypted_content"]
        kept.pop("id", None)
        return kept if kept.get("content") else None
    if "encrypted_content" in kept:
        history.has_encrypted_reasoning = True
        return kept
    return _read_plain(kept, history)


def _is_foreign(item: Mapping[str, Any], history: History) -> bool:
    tag = item.get("resource")
    is_tagged = tag is not None and history.resource_tag is not None
    return is_tagged and tag != history.resource_tag and bool(item.get("encrypted_content"))


def _read_plain(item: dict[str, Any], history: History) -> dict[str, Any] | None:
    if item.get("content"):
        # Reasoning in the clear says all there is; its id would only be looked up in vain.
        item.pop("id", None)
        return item
    if history.is_stored and item.get("id"):
        return item
    history.unreadable_items += 1
    return None


def blocks_to_items(blocks: Any) -> list[dict[str, Any]]:
    """LiteLLM's `thinking_blocks` as reasoning items; one without ciphertext stays without."""
    items = []
    for block in blocks or ():
        fields = as_mapping(block, "thinking_blocks")
        text = fields.get("thinking")
        item = {
            "type": "reasoning",
            "id": fields.get("id"),
            "summary": [{"type": "summary_text", "text": text}] if text else [],
            "encrypted_content": fields.get("encrypted_content"),
        }
        items.append(item)
    return items
