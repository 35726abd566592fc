"""The texts of messages as they stream: the answer, the commentary before it, refusals, reasoning.

A completion has one text where an output has several parts, so a part may be passed on only when
the parts before it are complete. Nearly always they are: parts are written one after another.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure_responses.bridge.chat_over_responses.message_draft import SEPARATOR, is_commentary
from azure_responses.types.content import OutputText, Refusal
from azure_responses.types.items import OutputMessage, ReasoningItem, is_callers

__all__ = ["RAW", "SUMMARY", "FinalParts", "OrderedText", "Place", "StreamedMessages", "align"]

Place = tuple[int, ...]
"""Where a part stands in the output: indexes that sort as the parts follow each other."""


class OrderedText:
    """The parts of one text.

    Args:
        separator: what stands between two parts that both have text.
        joins_items: parts of one item of the output follow each other without it.

    Attributes:
        open_place: the part whose text is passed on as it comes, or None.
        pieces: its text so far; code that appends a piece here has to pass it on itself.
    """

    def __init__(self, separator: str = "", *, joins_items: bool = False) -> None:
        self.open_place: Place | None = None
        self.pieces: list[str] = []
        self._separator = separator
        self._joins_items = joins_items
        self._parts: dict[Place, list[str]] = {}
        # A part is waiting (in `_parts` only), open (`open_place`), held (it lost a delta) or
        # closed (its whole text is known). `_offsets` has the parts that were begun, in order.
        self._closed: set[Place] = set()
        self._held: set[Place] = set()
        self._offsets: dict[Place, int] = {}

    def add(self, place: Place, text: str) -> str:
        """Take more text of a part; the result is what can be passed on now."""
        if place == self.open_place:
            self.pieces.append(text)
            return text
        if place in self._held:
            return ""
        self._parts.setdefault(place, []).append(text)
        return self._advance() if text else ""

    def hold(self, place: Place) -> None:
        """Some text of a part was lost: the rest of it waits for the whole."""
        self._held.add(place)
        if place == self.open_place:
            # The part stays the one whose turn it is, but no path leads to it until it is closed.
            self.open_place = (*place, -1)

    def close(self, place: Place, text: str) -> str:
        """Take the whole text of a part; the result is what of it was not passed on yet.

        A text that does not begin with what was passed on cannot be repaired: it adds nothing.
        """
        parts = self._parts.setdefault(place, [])
        so_far = "".join(parts)
        rest = text[len(so_far) :] if text.startswith(so_far) else ""
        parts.append(rest)
        self._closed.add(place)
        if self.open_place in (place, (*place, -1)):
            self.open_place = None
        # A part closed before may have grown; nothing may follow it yet.
        is_last = bool(self._offsets) and place == max(self._offsets)
        return (rest if is_last else "") + self._advance()

    def offset(self, place: Place) -> int | None:
        """How many characters were passed on before a part began; None if it has not begun."""
        return self._offsets.get(place)

    def texts_by_item(self) -> dict[int, str]:
        """All that arrived, by the index of the item; an item without text is left out."""
        texts: dict[int, str] = {}
        for place in sorted(self._parts):
            text = "".join(self._parts[place])
            if text:
                texts[place[0]] = texts.get(place[0], "") + text
        return texts

    def text(self) -> str:
        """All that arrived, in order."""
        texts = [(place, "".join(self._parts[place])) for place in sorted(self._parts)]
        pieces: list[str] = []
        before: Place | None = None
        for place, text in texts:
            if text:
                pieces += [self._between(before, place), text]
                before = place
        return "".join(pieces)

    def finish(self, parts: Iterable[tuple[Place, str]]) -> str:
        """Take the final parts; the result is what of them was not passed on yet."""
        return "".join([self.close(place, text) for place, text in parts])

    def _advance(self) -> str:
        """Open the next part in order, unless one is open."""
        ready = ""
        while self.open_place is None:
            waiting = [place for place in self._parts if place not in self._offsets]
            waiting = [place for place in waiting if any(self._parts[place])]
            if not waiting:
                break
            ready += self._open(min(waiting))
        return ready

    def _open(self, place: Place) -> str:
        before, handed_on = "", 0
        if self._offsets:
            last = next(reversed(self._offsets))
            before = self._between(last, place)
            handed_on = self._offsets[last] + sum(map(len, self._parts[last])) + len(before)
        self._offsets[place] = handed_on
        self.pieces = self._parts[place]
        self.open_place = None if place in self._closed else place
        return before + "".join(self.pieces)

    def _between(self, before: Place | None, place: Place) -> str:
        """What stands between two parts that follow each other."""
        is_within = before is not None and self._joins_items and before[0] == place[0]
        return "" if before is None or is_within else self._separator


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
    """Final items by the output index they had in the stream, which gave their `kinds`.

    Nearly always that is their position. Some gateways leave items out of the final response,
    though, and then each item is the next of its kind.
    """
    # 1. The usual case: each item stands where the stream said.
    if all(index < len(items) and items[index].type == kind for index, kind in kinds.items()):
        return dict(enumerate(items))
    # 2. Some are missing: each item takes the next free place of its kind, in order. An item of
    # which the stream said nothing goes behind all others.
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
        """What of the final texts was not passed on yet."""
        return {
            "content": self.content.finish(parts.texts()),
            "commentary": self.commentary.finish(parts.commentary),
            "refusal": self.refusal.finish(parts.refusals),
        }

    def gather(self, items: Mapping[int, Any]) -> dict[int, Any]:
        """The messages known from deltas alone, by output index; `items` are the finished ones."""
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
