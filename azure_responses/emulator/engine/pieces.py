"""How text is cut into deltas, and the padding that hides how long each is."""

import hashlib

from azure_responses.emulator.tokens import split_tokens

__all__ = ["obfuscate", "split_deltas"]

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
