"""Reasoning items of the Responses API as thinking blocks, and back.

A thinking block shows the summary. Its signature holds, sealed, all else that the item needs when
it is sent again: its id, its encrypted content, and where one part of the summary ends. An item
without encrypted content cannot be sent again, since nothing is stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.message_entries import ThinkingEntry
from azure_responses.bridge.sealed_reasoning import family_of
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["SEPARATOR", "restore_reasoning", "seal_reasoning", "texts_of"]

SEPARATOR = "\n\n"
"""What stands between the parts of a summary in the text of a thinking block."""

_PARTS = (("summary", "summary_text"), ("content", "reasoning_text"))


def texts_of(item: Mapping[str, Any]) -> list[str]:
    """The texts of an item: its summary, else its reasoning itself."""
    for field, _ in _PARTS:
        parts = item.get(field)
        if isinstance(parts, list) and parts:
            return [str(part.get("text") or "") for part in parts if isinstance(part, Mapping)]
    return []


def seal_reasoning(item: Mapping[str, Any], context: ConversionContext) -> str:
    """The signature of the thinking block of an item."""
    fields = next((field for field, _ in _PARTS if item.get(field)), "summary")
    kept = {
        "id": item.get("id"),
        "encrypted_content": item.get("encrypted_content"),
        "field": fields,
        "lengths": [len(text) for text in texts_of(item)],
    }
    return context.sealer.seal(family_of(context), kept)


def restore_reasoning(thought: ThinkingEntry, context: ConversionContext) -> dict[str, Any] | None:
    """The item that a thinking block was made of.

    None where another deployment wrote the block, or where the item cannot be sent again.
    """
    kept = context.sealer.open(family_of(context), thought.sealed)
    # A reasoning item without its encrypted content is looked up by its id, which fails where
    # nothing is stored (openclaw #21782, twenty #23182).
    if kept is None or not kept.get("encrypted_content"):
        return None
    parts: dict[str, list[dict[str, Any]]] = {"summary": []}
    field, kind = next((pair for pair in _PARTS if pair[0] == kept.get("field")), _PARTS[0])
    texts = _split(thought.text, kept.get("lengths") or ())
    parts[field] = [{"type": kind, "text": text} for text in texts]
    item = {"type": "reasoning", **parts, "encrypted_content": kept["encrypted_content"]}
    return {"id": kept["id"], **item} if kept.get("id") else item


def _split(text: str, lengths: Sequence[int]) -> list[str]:
    """The parts of a text; one alone where the caller has changed it."""
    texts, start = [], 0
    for length in lengths:
        texts.append(text[start : start + length])
        start += length + len(SEPARATOR)
    # Some programs trim or shorten thinking that they send back; then the lengths no longer fit.
    if SEPARATOR.join(texts) == text:
        return texts
    return [text] if text else []
