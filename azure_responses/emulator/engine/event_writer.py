"""Writes events in order, numbers them and cuts text into deltas."""

import hashlib
from typing import Any

from azure_responses.emulator.tokens import split_tokens

__all__ = ["EventWriter", "obfuscate", "split_deltas"]


class EventWriter:
    """Writes events in order and numbers them.

    Args:
        chunking: see `Generation.chunking`.
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


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = bytes(_ALPHABET[number % 62] for number in range(256))
_BUFFERED = 4
_BLOCK = 16


def split_deltas(text: str, chunking: str) -> list[str]:
    """The text as deltas: one token each, or several where the content filter buffers."""
    tokens = split_tokens(text)
    if chunking == "async":
        return tokens
    return ["".join(tokens[at : at + _BUFFERED]) for at in range(0, len(tokens), _BUFFERED)]


def obfuscate(delta: str, key: str) -> str:
    """Letters that fill the delta up to a multiple of 16 characters, as recorded."""
    digest = hashlib.blake2b(f"{key}{delta}".encode(), digest_size=_BLOCK).digest()
    return digest.translate(_LETTERS)[: _BLOCK - len(delta) % _BLOCK].decode()
