"""Reasoning that stands in `<think>…</think>` at the start of a text, as DeepSeek R1 wrote it."""

from typing import NamedTuple

__all__ = ["SplitText", "ThinkTagReader"]

_OPENING, _CLOSING = "<think>", "</think>"


class SplitText(NamedTuple):
    """What a piece of text turned out to be."""

    reasoning: str
    text: str


class ThinkTagReader:
    """Tells reasoning from text, piece by piece; a tag may be cut anywhere."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"
        self._has_reasoning = False

    def feed(self, piece: str) -> SplitText:
        """The reasoning and the text that are certain after this piece."""
        if self._state == "text":
            return SplitText("", piece)
        self._held += piece
        if self._state == "start" and not self._open():
            return SplitText("", self._give_up())
        return self._read() if self._state == "inside" else SplitText("", self._skip_blank())

    def finish(self) -> SplitText:
        """What was held back at the end."""
        held, self._held = self._held, ""
        return SplitText(held, "") if self._state == "inside" else SplitText("", held)

    def _open(self) -> bool:
        """False when the text begins without a tag."""
        begun = self._held.lstrip()
        if begun.startswith(_OPENING):
            self._held = begun[len(_OPENING) :]
            self._state = "inside"
            return True
        return _OPENING.startswith(begun)

    def _give_up(self) -> str:
        self._state = "text"
        text, self._held = self._held, ""
        return text

    def _read(self) -> SplitText:
        if not self._has_reasoning:
            self._held = self._held.lstrip("\n")
            self._has_reasoning = bool(self._held)
        reasoning, closing, rest = self._held.partition(_CLOSING)
        if closing:
            self._state, self._held = "after", rest
            return SplitText(reasoning.rstrip("\n"), self._skip_blank())
        # The beginning of the closing tag, and line breaks before it, are held back.
        kept = next(
            n for n in range(len(_CLOSING) - 1, -1, -1) if self._held.endswith(_CLOSING[:n])
        )
        certain = self._held[: len(self._held) - kept].rstrip("\n")
        self._held = self._held[len(certain) :]
        return SplitText(certain, "")

    def _skip_blank(self) -> str:
        """The text after the reasoning, without the blank lines that come first."""
        if self._state == "start":
            return ""
        self._held = self._held.lstrip("\n")
        return self._give_up() if self._held else ""
