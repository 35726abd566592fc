"""The texts of messages as they stream: the answer, the commentary on the way to it, refusals."""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.final_parts import FinalParts
from azure_responses.bridge.chat_over_responses.message_draft import SEPARATOR, is_commentary
from azure_responses.bridge.chat_over_responses.ordered_text import OrderedText, Place
from azure_responses.types.items import OutputMessage

__all__ = ["StreamedMessages"]


class StreamedMessages:
    """The texts of one stream's messages.

    Attributes:
        content, commentary, refusal: each in the order of its parts.
    """

    def __init__(self) -> None:
        self.content = OrderedText(SEPARATOR, joins_items=True)
        self.commentary = OrderedText(SEPARATOR, joins_items=True)
        self.refusal = OrderedText()
        self._commentaries: set[int] = set()

    def begin(self, output_index: int, item: Any) -> None:
        """An item was added to the output: its phase says where its text goes."""
        if is_commentary(item):
            self._commentaries.add(output_index)

    def lane_of(self, output_index: int) -> tuple[str, OrderedText]:
        """The field of a delta that takes the text of an item, and the text there so far."""
        if output_index in self._commentaries:
            return "commentary", self.commentary
        return "content", self.content

    def hold(self, place: Place) -> None:
        """Some text of a part was lost: the rest of it waits for the whole."""
        self.lane_of(place[0])[1].hold(place)

    def texts(self) -> dict[str, str | None]:
        """The texts so far, by the fields of a message."""
        commentary = self.commentary.text()
        said = {"content": self.content.text(), "refusal": self.refusal.text() or None}
        return {**said, "commentary": commentary} if commentary else said

    def finish(self, parts: FinalParts) -> dict[str, str]:
        """What of the final texts was not handed on yet."""
        return {
            "content": self.content.finish(parts.texts()),
            "commentary": self.commentary.finish(parts.commentary),
            "refusal": self.refusal.finish(parts.refusals),
        }

    def gather(self, items: Mapping[int, Any]) -> dict[int, Any]:
        """The messages that deltas alone have told, by output index; `items` are those finished."""
        parts: dict[int, list[dict[str, Any]]] = {}
        for lane, kind, name in (
            (self.content, "output_text", "text"),
            (self.commentary, "output_text", "text"),
            (self.refusal, "refusal", "refusal"),
        ):
            for index, text in lane.texts_by_item().items():
                if index not in items:
                    parts.setdefault(index, []).append({"type": kind, name: text})
        return {index: self._message(index, found) for index, found in parts.items()}

    def _message(self, index: int, parts: list[dict[str, Any]]) -> OutputMessage:
        fields: dict[str, Any] = {"type": "message", "id": "", "role": "assistant"}
        if index in self._commentaries:
            fields["phase"] = "commentary"
        return OutputMessage.model_validate({**fields, "content": parts})
