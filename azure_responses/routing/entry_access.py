"""What an entry of a model list says of those who may call it: access groups."""

from typing import Any

from azure_responses.routing.entry_model import Entry

__all__ = ["ACCESS_KEYS", "read_access_groups"]

ACCESS_KEYS = frozenset({"access_groups"})
"""The keys that are read here."""


def read_access_groups(entry: Entry) -> tuple[str, ...]:
    """The names of `access_groups`: of `model_info`, where LiteLLM has them, and of the params.

    Raises ConfigurationError for anything but names: an ignored one would keep callers out.
    """
    found: dict[str, None] = {}
    for values in (entry.info, entry.params):
        found |= dict.fromkeys(_read_names(entry, "access_groups", values.get("access_groups")))
    return tuple(found)


def _read_names(entry: Entry, key: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value or []
    if not isinstance(names, list | tuple) or not all(_is_name(name) for name in names):
        entry.refuse(f"{key} is not a list of names.", f"Write {key}: [name].")
    return tuple(name.strip() for name in names)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
