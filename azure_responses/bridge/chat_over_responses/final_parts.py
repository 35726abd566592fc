"""The parts of a final output, each with its place in the stream."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.bridge.chat_over_responses.message_draft import is_commentary
from azure_responses.bridge.chat_over_responses.ordered_text import Place
from azure_responses.types.content import OutputText, Refusal
from azure_responses.types.items import OutputMessage, ReasoningItem, is_callers

__all__ = ["RAW", "SUMMARY", "FinalParts", "align"]

# Second index of the places of reasoning: the reasoning itself stands before its summaries.
RAW, SUMMARY = 0, 1


class FinalParts:
    """Takes a final output apart.

    Attributes:
        parts: the text parts of its messages but for commentary.
        commentary: the texts of its commentary.
        refusals, reasoning: the texts of its refusals and of its readable reasoning.
        calls: the items that wait for the caller, by output index.
    """

    def __init__(self, outputs: Mapping[int, Any]) -> None:
        self.parts: list[tuple[Place, OutputText]] = []
        self.commentary: list[tuple[Place, str]] = []
        self.refusals: list[tuple[Place, str]] = []
        self.reasoning: list[tuple[Place, str]] = []
        self.calls: list[tuple[int, Any]] = []
        for index in sorted(outputs):
            self._add(index, outputs[index])

    def texts(self) -> list[tuple[Place, str]]:
        """The texts of the text parts."""
        return [(place, part.text) for place, part in self.parts]

    def _add(self, index: int, item: Any) -> None:
        if isinstance(item, OutputMessage):
            for position, part in enumerate(item.content):
                if isinstance(part, OutputText) and is_commentary(item):
                    self.commentary.append(((index, position), part.text))
                elif isinstance(part, OutputText):
                    self.parts.append(((index, position), part))
                elif isinstance(part, Refusal):
                    self.refusals.append(((index, position), part.refusal))
        elif isinstance(item, ReasoningItem):
            self._add_reasoning(index, RAW, item.content or [])
            self._add_reasoning(index, SUMMARY, item.summary)
        elif is_callers(item):
            self.calls.append((index, item))

    def _add_reasoning(self, index: int, kind: int, parts: list[Any]) -> None:
        for position, part in enumerate(parts):
            text = getattr(part, "text", None)
            if isinstance(text, str):
                self.reasoning.append(((index, kind, position), text))


def align(items: Sequence[Any], kinds: Mapping[int, str]) -> dict[int, Any]:
    """Final items by the output index they had in the stream, which told their `kinds`.

    Nearly always that is their position. Some gateways leave items out of the final response,
    though, and then each item is the next of its kind.
    """
    if all(index < len(items) and items[index].type == kind for index, kind in kinds.items()):
        return dict(enumerate(items))
    aligned: dict[int, Any] = {}
    free = sorted(kinds)
    beyond = max(kinds) + 1
    for item in items:
        match = next((index for index in free if kinds[index] == item.type), None)
        if match is None:
            match, beyond = beyond, beyond + 1
        else:
            free = free[free.index(match) + 1 :]
        aligned[match] = item
    return aligned
