"""Virtual keys: made, hashed and found again.

Keys we make carry 256 random bits, so SHA-256 without salt or stretching is enough: there is
nothing to guess, and a look-up happens on every request, where scrypt would take tens of
milliseconds. Keys from a configuration file may be weak. Their hashes stay in memory, never in a
database, and a weak one is refused on an address that others can reach.
"""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from azure_responses.gateway.caller import Caller

__all__ = ["PREFIX", "KeyTable", "StoredKey", "hash_key", "make_key", "make_key_id"]

PREFIX = "sk-"


def make_key() -> str:
    """A new key: `sk-` and 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def make_key_id() -> str:
    """A new name for a key in logs and totals, which says nothing about the key."""
    return "key_" + secrets.token_hex(8)


def hash_key(key: str) -> bytes:
    """What is kept of a key."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A caller and the SHA-256 of the key that proves it."""

    caller: Caller
    digest: bytes = field(repr=False)


class KeyTable:
    """Every key by its hash; a look-up takes no lock, since a table is only ever replaced.

    Args:
        fixed: the keys of the configuration, which no database takes away.
    """

    def __init__(self, fixed: Iterable[StoredKey] = ()) -> None:
        self._fixed = {key.digest: key for key in fixed}
        self._keys: Mapping[bytes, StoredKey] = self._fixed

    def replace(self, stored: Iterable[StoredKey]) -> None:
        """Take what the database holds now in place of what it held; the fixed keys stay."""
        self._keys = {key.digest: key for key in stored} | self._fixed

    def find(self, key: str) -> Caller | None:
        """The caller whose key this is; None for a key nobody has."""
        digest = hash_key(key)
        found = self._keys.get(digest)
        # The dictionary has compared hashes already, which cannot be steered; this compares
        # them again in a time that does not depend on where they differ.
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found.caller

    def callers(self) -> list[Caller]:
        """Everybody who has a key."""
        return [key.caller for key in self._keys.values()]
