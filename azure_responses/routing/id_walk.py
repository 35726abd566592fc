"""A request's body, with something done at every place where an id or ciphertext stands.

The body is never changed: what has to differ is copied, and the rest shared.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from azure_responses.routing.id_places import Kind, Place

__all__ = ["Path", "Visit", "format_path", "to_plain", "walk"]

Path = tuple[Any, str | int] | None
"""A field's name or an index, and the path of what it is in; None is the body."""

Visit = Callable[[Kind, str, Mapping[str, Any], Path], str]
"""Told the kind, the value, the object it stands in and where; returns the value to put there."""

# Azure refuses these when they are replayed with the `status` they came with (litellm #13484).
_WITHOUT_STATUS = frozenset({"message", "reasoning"})
_NO_PLACES: Mapping[str, Place] = {}
_NO_JSON_OBJECT = (int, float, bytes, bytearray, memoryview)


def walk(body: Mapping[str, Any], place: Place, visit: Visit) -> Mapping[str, Any]:
    """The body with what `visit` returned in place of every id; the body itself if all stay.

    Models become the JSON they stand for, and what can be iterated only once a list.
    """
    changed: Mapping[str, Any] = _walk_object(body, place, visit, None)
    return changed


def to_plain(value: Any) -> Any:
    """A model as the object that is sent for it; anything else as it is."""
    if not hasattr(value, "model_dump"):
        return value
    fields: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if fields.get("type") in _WITHOUT_STATUS:
        fields.pop("status", None)
    return fields


def format_path(path: Path) -> str:
    """`input[3].id`."""
    parts: list[str] = []
    while path is not None:
        path, step = path
        parts.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(parts)).removeprefix(".")


def _walk(value: Any, place: Place, visit: Visit, owner: Mapping[str, Any], path: Path) -> Any:
    if isinstance(value, str):
        return value if place.kind is None else visit(place.kind, value, owner, path)
    # Nearly everything is one of these two, and asking for a Mapping takes ten times as long.
    if isinstance(value, dict):
        return _walk_object(value, place, visit, path)
    if isinstance(value, list | tuple):
        return _walk_list(value, place, visit, owner, path)
    if value is None or isinstance(value, _NO_JSON_OBJECT):
        return value
    if isinstance(value, Mapping):
        return _walk_object(value, place, visit, path)
    if hasattr(value, "model_dump"):
        return _walk_object(to_plain(value), place, visit, path)
    if isinstance(value, Iterable):
        return _walk_list(list(value), place, visit, owner, path)
    return value


def _walk_object(fields: Mapping[str, Any], place: Place, visit: Visit, path: Path) -> Any:
    changes = {}
    places, other = place.fields or _NO_PLACES, place.values
    for name, value in fields.items():
        inner = places.get(name, other)
        # Most fields hold no id, and most of those that could hold a text.
        if inner is None or (inner.kind is None and type(value) is str):
            continue
        changed = _walk(value, inner, visit, fields, (path, name))
        if changed is not value:
            changes[name] = changed
    return {**fields, **changes} if changes else fields


def _walk_list(
    values: list[Any] | tuple[Any, ...],
    place: Place,
    visit: Visit,
    owner: Mapping[str, Any],
    path: Path,
) -> Any:
    walked: list[Any] = []
    is_same = True
    for index, value in enumerate(values):
        # A list within a list is nowhere part of the API, and could go on for ever.
        if isinstance(value, list | tuple):
            changed = value
        else:
            changed = _walk(value, place, visit, owner, (path, index))
            is_same = is_same and changed is value
        walked.append(changed)
    return values if is_same else walked
