"""Text that arrives in parts, handed on in the order of the parts.

A completion has one text where an output has parts, so a part may be handed on only once those
before it are complete. They nearly always are: parts are written one after another.
"""

from collections.abc import Iterable

__all__ = ["OrderedText", "Place"]

Place = tuple[int, ...]
"""Where a part stands in the output: indexes that sort as the parts follow each other."""


class OrderedText:
    """The parts of one text.

    Args:
        separator: what stands between two parts that both have text.
        joins_items: parts of one item of the output follow each other without it.

    Attributes:
        open_place: the part whose text is handed on as it comes, or None.
        pieces: its text so far; whoever appends here hands the piece on itself.
    """

    def __init__(self, separator: str = "", *, joins_items: bool = False) -> None:
        self.open_place: Place | None = None
        self.pieces: list[str] = []
        self._separator = separator
        self._joins_items = joins_items
        self._parts: dict[Place, list[str]] = {}
        self._closed: set[Place] = set()
        self._held: set[Place] = set()
        self._offsets: dict[Place, int] = {}

    def add(self, place: Place, text: str) -> str:
        """Take more text of a part; the answer is what can be handed on now."""
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
        """Take the whole text of a part; the answer is what of it was not handed on yet.

        A text that does not begin with what was handed on cannot be repaired: it adds nothing.
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
        """How many characters were handed on before a part began; None if it has not begun."""
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
        """Take the final parts; the answer is what of them was not handed on yet."""
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
