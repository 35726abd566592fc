"""Text that ends before the first stop sequence in it, however it arrives.

The Responses API has no stop sequences, and some families of chat models refuse them. The model
then writes on, but the caller's text ends where it asked for it. The same class reads streams and
whole replies.
"""

from collections.abc import Sequence

__all__ = ["StopCutter"]


class StopCutter:
    """Cuts one text.

    A model that knows stop sequences stops at the first that is complete, so of several that
    overlap the one that ends first counts.

    Attributes:
        matched: the sequence that ended the text, or None so far.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self.matched: str | None = None
        self._sequences = [sequence for sequence in sequences if sequence]
        self._held = ""

    def feed(self, text: str) -> str:
        """The text that cannot be part of a stop sequence any more."""
        if self.matched is not None:
            return ""
        text = self._held + text
        ends = [
            (start + len(sequence), start, sequence)
            for sequence in self._sequences
            if (start := text.find(sequence)) >= 0
        ]
        if ends:
            _, start, self.matched = min(ends)
            self._held = ""
            return text[:start]
        length = self._doubtful_length(text)
        self._held = text[len(text) - length :]
        return text[: len(text) - length]

    def finish(self) -> str:
        """The rest, which turned out to be no stop sequence."""
        held, self._held = self._held, ""
        return held

    def _doubtful_length(self, text: str) -> int:
        """How many characters at the end may be the beginning of a sequence."""
        return max((_overlap(text, sequence) for sequence in self._sequences), default=0)


def _overlap(text: str, sequence: str) -> int:
    longest = min(len(text), len(sequence) - 1)
    lengths = range(longest, 0, -1)
    return next((length for length in lengths if text.endswith(sequence[:length])), 0)
