"""A key as a row of a database → the caller; a row that anybody may have written by hand."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.gateway.caller import Caller
from azure_responses.gateway.keys import StoredKey

__all__ = ["COPIED", "read_row"]

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
}

COPIED = tuple(_READERS)
"""The columns that are fields of a caller under the same name."""


def read_row(values: Mapping[str, Any]) -> StoredKey:
    """The key of a row.

    Raises:
        ValueError: a column holds what it cannot hold; the message names the row and the column.
    """
    fields: dict[str, Any] = {}
    readers = {"id": _read_text, "models": _read_models, "digest": _read_digest, **_READERS}
    for column, read in readers.items():
        try:
            fields[column] = read(values[column])
        except (TypeError, ValueError) as error:
            raise ValueError(f"the row {values['id']!r}: {column} {error}") from None
    return StoredKey(Caller(key_id=fields.pop("id"), **_without_digest(fields)), fields["digest"])


def _without_digest(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "digest"}


def _read_models(value: Any) -> tuple[str, ...]:
    """A list of names, which a driver may hand over as the JSON it is stored as."""
    models = json.loads(value) if isinstance(value, str) else value
    if not isinstance(models, list) or not all(isinstance(name, str) for name in models):
        raise ValueError("is not a list of names")
    return tuple(models)


def _read_digest(value: Any) -> bytes:
    digest = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
    if len(digest) != _DIGEST:
        raise ValueError("is not a SHA-256")
    return digest
