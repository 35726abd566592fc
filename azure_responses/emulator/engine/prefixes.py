"""Which beginnings of prompts a resource has seen, for prompt caching.

Azure's prompt-caching page: a prefix counts from 1,024 tokens, then in steps of 128.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

__all__ = ["PrefixMemory"]

_FIRST, _STEP = 1024, 128


class PrefixMemory:
    """Remembers the beginnings of prompts, newest `limit` of them; not safe across threads."""

    def __init__(self, limit: int = 10_000) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._limit = limit

    def match(self, scope: str, tokens: Sequence[str]) -> int:
        """How many leading tokens were seen before in this scope; remembers all of these.

        `scope` keeps models and cache keys apart: only equal scopes share prefixes.
        """
        digest = hashlib.blake2b(scope.encode(), digest_size=16)
        matched = start = 0
        for end in range(_FIRST, len(tokens) + 1, _STEP):
            digest.update("\0".join(tokens[start:end]).encode() + b"\0")
            # The digest covers all tokens so far: a later match implies the earlier ones.
            if digest.digest() in self._seen:
                matched = end
            self._remember(digest.digest())
            start = end
        return matched

    def _remember(self, key: bytes) -> None:
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)
