"""Message items."""

from typing import Any

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.tokens import count_text

__all__ = ["write_message", "write_refusal"]

# Recorded: a five-letter answer of gpt-5.1 costs 11 output tokens; the rest frames the message.
_FRAME = 3


def write_message(
    draft: Draft, text: str, annotations: list[dict[str, Any]] | None = None
) -> Step:
    """An assistant message of one text part."""
    part = {"type": "output_text", "annotations": annotations or [], "logprobs": [], "text": text}
    return Step(_message(draft, part), tokens=count_text(text) + _FRAME)


def write_refusal(draft: Draft, text: str) -> Step:
    """An assistant message that declines."""
    part = {"type": "refusal", "refusal": text}
    return Step(_message(draft, part), tokens=count_text(text) + _FRAME)


def _message(draft: Draft, part: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": draft.identify("msg"),
        "type": "message",
        "status": "completed",
        "content": [part],
    }
    if draft.turn.model.has_phase and not draft.turn.dated:
        item["phase"] = "final_answer"
    return {**item, "role": "assistant"}
