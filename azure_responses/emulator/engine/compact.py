"""Compaction: a conversation in fewer tokens, sealed so that only this resource can open it.

Documented by Microsoft's Responses page in June 2026; shapes as recorded by langchain-openai.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.inputs import gather_items
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.engine.transcript import read_text, read_transcript
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.engine.usage import count_input
from azure_responses.emulator.tokens import count_text

__all__ = ["compact", "write_compaction"]

_Item = Mapping[str, Any]
_KEPT = 300


def compact(turn: Turn) -> dict[str, Any]:
    """The `response.compaction` object: the users' messages as they were, then the sealed rest."""
    items = gather_items(turn)
    draft = Draft(turn, read_transcript(turn.request, items))
    identifier = draft.identify("resp")
    step = write_compaction(draft, items)
    sealed = turn.vault.seal(step.sealed or {}, f"{step.item['id']}:compact", turn.created_at)
    kept = [_restate(draft, item) for item in items if item.get("role") == "user"]
    input_tokens = count_input(turn)
    return {
        "id": identifier,
        "object": "response.compaction",
        "created_at": turn.created_at,
        "output": [*kept, {**step.item, "encrypted_content": sealed}],
        "usage": {
            "input_tokens": input_tokens,
            "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
            "output_tokens": step.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": input_tokens + step.tokens,
        },
    }


def write_compaction(draft: Draft, items: Iterable[_Item]) -> Step:
    """The compaction item; it seals what was said, shortened."""
    messages = [_shorten(item) for item in items if item.get("role") or item.get("call_id")]
    tokens = 4 + sum(count_text(_said(message)) for message in messages)
    item = {"id": draft.identify("cmp"), "type": "compaction", "encrypted_content": ""}
    return Step(item, sealed={"messages": messages}, tokens=tokens)


def _said(item: _Item) -> str:
    return str(item.get("content") or item.get("arguments") or item.get("output"))


def _shorten(item: _Item) -> dict[str, Any]:
    if not item.get("role"):
        # Calls and their outputs stay: who compacts in the middle of a turn is to answer it after.
        kept = {name: value for name, value in item.items() if name != "id"}
        return {
            name: value[:_KEPT] if isinstance(value, str) and name != "call_id" else value
            for name, value in kept.items()
        }
    text = read_text(item.get("content"))
    return {"type": "message", "role": item["role"], "content": text[:_KEPT]}


def _restate(draft: Draft, item: _Item) -> dict[str, Any]:
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    return {
        "id": item.get("id") or draft.identify("msg"),
        "type": "message",
        "status": "completed",
        "content": content,
        "role": "user",
    }
