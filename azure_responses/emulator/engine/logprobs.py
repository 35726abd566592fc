"""Log probabilities: made up, but as they must be — per token, ordered, adding up to at most 1."""

import hashlib
import math
from typing import Any

from azure_responses.emulator.tokens import split_tokens

__all__ = ["list_logprobs"]

_ALTERNATIVES = (
    " the", " a", " and", " is", " of", " to", " in", " it", " that", " for", "\n", ",", ".", " I",
    " you", " with", " on", " this", " was", " as", "The",
)  # fmt: skip


_MOST = 4096


def list_logprobs(text: str, top: int) -> list[dict[str, Any]]:
    """One entry per token of the text, each with its `top` most likely tokens.

    Text beyond the first 4,096 tokens has none: they would take thousands of times its memory.
    """
    tokens = split_tokens(text)[:_MOST]
    return [_entry(token, index, top) for index, token in enumerate(tokens)]


def _entry(token: str, index: int, top: int) -> dict[str, Any]:
    digest = hashlib.blake2b(f"{index}{token}".encode(), digest_size=2).digest()
    chosen = 0.55 + 0.44 * int.from_bytes(digest, "big") / 0xFFFF
    others = [other for other in _ALTERNATIVES if other != token][: max(top - 1, 0)]
    likely = [(token, chosen)]
    left = 1 - chosen
    for other in others:
        left /= 2
        likely.append((other, left))
    listed = [_describe(other, probability) for other, probability in likely[:top]]
    return {**_describe(token, chosen), "top_logprobs": listed}


def _describe(token: str, probability: float) -> dict[str, Any]:
    return {
        "token": token,
        "bytes": list(token.encode()),
        "logprob": round(math.log(probability), 8),
    }
