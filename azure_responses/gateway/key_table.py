"""Virtual keys: made, hashed and found again.

Keys we make carry 256 random bits, so SHA-256 without salt or stretching is enough: there is
nothing to guess, and a look-up happens on every request, where scrypt would take tens of
milliseconds. Keys from a configuration file may be weak. Their hashes stay in memory, never in a
database, and a weak one is refused on an address that others can reach.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from azure_responses.routing.model_rights import is_named

__all__ = [
    "ANYONE",
    "COPIED",
    "ApiCaller",
    "KeyTable",
    "MASTER",
    "PREFIX",
    "StoredKey",
    "hash_key",
    "make_key",
    "make_key_id",
    "read_row",
]


Rights = Callable[[Sequence[str], str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCaller:
    """One key, without the key.

    Attributes:
        key_id: names the key in logs and totals; "master" for the master key, "" for a caller
            of a gateway that asks for no key.
        name: what an operator calls it.
        owner: whose responses these are: keys of one owner may continue each other's. None where
            no key is asked for.
        models: names or patterns (`gpt-5*`) of what may be called; empty is everything.
        allowed_routes: the routes that it may call; empty is all.
        rpm, tpm: requests and tokens a minute; None for no limit.
        budget: millionths of a millionth of a US dollar in a period, or None.
        budget_period: days of a period, or None for the whole life of the key.
        created, expires, revoked: unix seconds; the last two None while they do not apply.
        end_user: for whom calls count that name no end user themselves.
        webhook_url: gets the webhooks of what the key has made; None for none.
        webhook_secret: signs them.
        max_upload_bytes: the longest upload, or None for that of all keys.
        rights: says of names and a model whether a key with these names may call it; None compares
            the names alone.
        has_limits: requests or tokens a minute are limited.
    """

    key_id: str
    name: str = ""
    owner: str | None = None
    is_master: bool = False
    models: Sequence[str] = ()
    allowed_routes: Sequence[str] = ()
    rpm: int | None = None
    tpm: int | None = None
    budget: int | None = None
    budget_period: int | None = None
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    end_user: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    max_upload_bytes: int | None = None
    rights: Rights | None = field(default=None, repr=False, compare=False)
    has_limits: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Worked out once: each call asks for it several times. The class is frozen.
        object.__setattr__(self, "has_limits", self.rpm is not None or self.tpm is not None)

    def is_expired(self, now: float) -> bool:
        """True from the second in which the key expires."""
        return self.expires is not None and now >= self.expires

    def may_call(self, model: str) -> bool:
        """True where the key is for this model."""
        if not self.models:
            return True
        return (self.rights or _compare)(self.models, model)


def _compare(names: Sequence[str], model: str) -> bool:
    return is_named(model, names)


MASTER = ApiCaller(key_id="master", name="master", owner="master", is_master=True)
ANYONE = ApiCaller(key_id="", name="anyone")


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

    caller: ApiCaller
    digest: bytes = field(repr=False)


class KeyTable:
    """Every key by its hash; a look-up takes no lock, since a table is only ever replaced.

    Args:
        fixed: the keys of the configuration, which no database takes away.
        rights: what the names of models in keys stand for.
    """

    def __init__(self, fixed: Iterable[StoredKey] = (), rights: Rights | None = None) -> None:
        self._rights = rights
        self._fixed = {key.digest: self._bound(key) for key in fixed}
        self._keys: Mapping[bytes, StoredKey] = self._fixed
        self._by_id = _by_id(self._fixed)

    def replace(self, stored: Iterable[StoredKey]) -> None:
        """Take what the database holds now in place of what it held; the fixed keys stay."""
        self._keys = {key.digest: self._bound(key) for key in stored} | self._fixed
        self._by_id = _by_id(self._keys)

    def _bound(self, key: StoredKey) -> StoredKey:
        if self._rights is None:
            return key
        return replace(key, caller=replace(key.caller, rights=self._rights))

    def find(self, key: str) -> ApiCaller | None:
        """The caller whose key this is; None for an unknown key."""
        digest = hash_key(key)
        found = self._keys.get(digest)
        # The dictionary has compared hashes already, which cannot be steered; this compares
        # them again in a time that does not depend on where they differ.
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found.caller

    def caller_of(self, key_id: str) -> ApiCaller:
        """The caller of a key's id; of a key that does not exist any more, one without terms."""
        found = self._by_id.get(key_id)
        return found or (ApiCaller(key_id=key_id) if key_id else ANYONE)

    def callers(self) -> list[ApiCaller]:
        """The callers of all keys."""
        return [key.caller for key in self._keys.values()]


def _by_id(keys: Mapping[bytes, StoredKey]) -> dict[str, ApiCaller]:
    callers = [key.caller for key in keys.values()]
    # Of several keys of one id, one that is valid.
    callers.sort(key=lambda caller: caller.revoked is None)
    return {caller.key_id: caller for caller in callers}


_DIGEST = 32


def _read_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError("is not text")
    return value


def _read_count(value: Any, least: int = 0) -> Any:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"is not a whole number from {least}")
    return value


def _read_seconds(value: Any) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError("is not a number of seconds")
    return value


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _read_text,
    "owner": _read_text,
    "rpm": _optional(_read_count),
    "tpm": _optional(_read_count),
    "budget": _optional(_read_count),
    "budget_period": _optional(lambda value: _read_count(value, 1)),
    "created": _read_seconds,
    "expires": _optional(_read_seconds),
    "revoked": _optional(_read_seconds),
    "end_user": _optional(_read_text),
    "webhook_url": _optional(_read_text),
    "webhook_secret": _optional(_read_text),
    "max_upload_bytes": _optional(_read_count),
}

COPIED = tuple(_READERS)
"""The columns that are fields of a caller under the same name."""


def read_row(values: Mapping[str, Any]) -> StoredKey:
    """The key of a row.

    Raises:
        ValueError: a column has an invalid value; the message names the row and the column.
    """
    fields: dict[str, Any] = {}
    readers = {
        "id": _read_text,
        "models": _read_names,
        "allowed_routes": lambda value: _read_names(value or []),
        "digest": _read_digest,
        **_READERS,
    }
    for column, read in readers.items():
        try:
            fields[column] = read(values[column])
        except (TypeError, ValueError) as error:
            raise ValueError(f"the row {values['id']!r}: {column} {error}") from None
    return StoredKey(
        ApiCaller(key_id=fields.pop("id"), **_without_digest(fields)), fields["digest"]
    )


def _without_digest(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "digest"}


def _read_names(value: Any) -> tuple[str, ...]:
    """A list of names, which a driver may hand over as the JSON it is stored as."""
    names = json.loads(value) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("is not a list of names")
    return tuple(names)


def _read_digest(value: Any) -> bytes:
    digest = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
    if len(digest) != _DIGEST:
        raise ValueError("is not a SHA-256")
    return digest
