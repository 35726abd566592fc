"""A request's body, with something done at every place where an id or ciphertext stands.

The body is never changed: what has to differ is copied, and the rest shared.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from azure_responses.protocol.request_body import as_sent
from azure_responses.routing.id_schema import Kind, Place

__all__ = ["Path", "Visit", "format_path", "to_plain", "walk"]

Path = tuple[Any, str | int] | None
"""A field's name or an index, and the path of what it is in; None is the body."""

Visit = Callable[[Kind, Any, Mapping[str, Any], Path], Any]
"""Takes the kind, the value, the object it stands in and where; returns the value to put there.

The value is a string, except of the kind UNREADABLE, whose values stay as they are.
"""

_NO_PLACES: Mapping[str, Place] = {}
_SCALARS = (int, float, bytes, bytearray, memoryview)


def walk(body: Mapping[str, Any], place: Place, visit: Visit) -> Mapping[str, Any]:
    """The body with what `visit` returned in place of every id; the body itself if all stay.

    Models become the JSON they stand for, and what can be iterated only once a list.
    """
    changed: Mapping[str, Any] = _walk_object(body, place, visit, None)
    return changed


def to_plain(value: Any) -> Any:
    """A model as what is sent for it; anything else as it is."""
    return as_sent(value) if hasattr(value, "model_dump") else value


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
        if place.fields is None and place.values is None:
            return _report(value, place, visit, owner, path)
        return _walk_object(value, place, visit, path)
    if isinstance(value, list | tuple):
        return _walk_list(value, place, visit, owner, path)
    if value is None:
        return None
    plain = _to_json_value(value)
    if plain is value:
        return _report(value, place, visit, owner, path)
    return _walk(plain, place, visit, owner, path)


def _report(value: Any, place: Place, visit: Visit, owner: Mapping[str, Any], path: Path) -> Any:
    """Say that what should be an id is something else; a chat's calls are for the bridge."""
    if place.kind is not None and place.kind is not Kind.CALL:
        visit(Kind.UNREADABLE, value, owner, path)
    return value


def _to_json_value(value: Any) -> Any:
    """What is sent for a value that JSON does not have; the value itself where nothing can be."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "model_dump"):
        return to_plain(value)
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, Iterable) else value


def _walk_object(fields: Mapping[str, Any], place: Place, visit: Visit, path: Path) -> Any:
    changes = {}
    places, other = place.fields or _NO_PLACES, place.values
    for name, value in fields.items():
        inner = places.get(name, other)
        if inner is None:
            # A service that reads names without regard to case would find an id there.
            if type(name) is str and not name.islower() and name.casefold() in places:
                visit(Kind.UNREADABLE, value, fields, (path, name))
            continue
        # Most of what could hold an id is a text.
        if inner.kind is None and type(value) is str:
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
    if place.kind is not None and not place.is_list:
        return _report(values, place, visit, owner, path)
    walked: list[Any] = []
    is_same = True
    for index, value in enumerate(values):
        # A list within a list is nowhere part of the API, and could go on for ever.
        if isinstance(value, list | tuple):
            changed = value
            visit(Kind.UNREADABLE, value, owner, (path, index))
        else:
            changed = _walk(value, place, visit, owner, (path, index))
            is_same = is_same and changed is value
        walked.append(changed)
    return values if is_same else walked
