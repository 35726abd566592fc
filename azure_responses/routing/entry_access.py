"""What an entry of a model list says of the calls that it takes: access groups and tags."""

from typing import Any

from azure_responses.routing.entry_model import Entry

__all__ = ["ACCESS_KEYS", "read_access_groups", "read_tags"]

ACCESS_KEYS = frozenset({"access_groups", "tags"})
"""The keys that are read here."""


def read_access_groups(entry: Entry) -> tuple[str, ...]:
    """The names of `access_groups`: of `model_info`, where LiteLLM has them, and of the params.

    Raises ConfigurationError for anything but names: an ignored one would keep callers out.
    """
    return _of_both(entry, "access_groups")


def read_tags(entry: Entry) -> tuple[str, ...]:
    """The names of `tags`, in the params where LiteLLM has them, or in `model_info`.

    Raises ConfigurationError for anything but names.
    """
    return _of_both(entry, "tags")


def _of_both(entry: Entry, key: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for values in (entry.info, entry.params):
        found |= dict.fromkeys(_read_names(entry, key, values.get(key)))
    return tuple(found)


def _read_names(entry: Entry, key: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value or []
    if not isinstance(names, list | tuple) or not all(_is_name(name) for name in names):
        entry.refuse(f"{key} is not a list of names.", f"Write {key}: [name].")
    return tuple(name.strip() for name in names)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
