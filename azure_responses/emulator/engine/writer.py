"""Writes events in order, numbers them and cuts text into deltas."""

from typing import Any

from azure_responses.emulator.engine.pieces import obfuscate, split_deltas

__all__ = ["EventWriter"]


class EventWriter:
    """Writes events in order and numbers them.

    Args:
        chunking: see `Turn.chunking`.
        is_obfuscated: deltas carry `obfuscation`.
        is_dated: `sequence_number` comes second, as on the dated surface, instead of last.
    """

    def __init__(
        self,
        chunking: str = "default",
        is_obfuscated: bool = True,
        is_dated: bool = False,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self._chunking = chunking
        self._is_obfuscated = is_obfuscated
        self._is_dated = is_dated

    def write(self, kind: str, **fields: Any) -> None:
        """Adds one event."""
        number = len(self.events)
        if self._is_dated:
            self.events.append({"type": kind, "sequence_number": number, **fields})
        else:
            self.events.append({"type": kind, **fields, "sequence_number": number})

    def deltas(
        self,
        kind: str,
        text: str,
        logprobs: list[Any] | None = None,
        key: str | None = None,
        **at: Any,
    ) -> None:
        """A run of delta events that add up to `text`.

        `logprobs` is one entry per token, or None for events that have no such key; `key` seeds
        the obfuscation and is the item's id where left out.
        """
        is_single = self._chunking == "async" or bool(logprobs)
        position = 0
        for piece in split_deltas(text, "async" if is_single else self._chunking):
            fields: dict[str, Any] = {**at, "delta": piece}
            if logprobs is not None:
                fields["logprobs"] = logprobs[position : position + 1]
                position += 1
            if self._is_obfuscated:
                fields["obfuscation"] = obfuscate(
                    piece, f"{key or at['item_id']}{len(self.events)}"
                )
            self.write(kind, **fields)
