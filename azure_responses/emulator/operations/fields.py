"""Reading what a call sends: fields of a JSON body, numbers in a query, and pages of a list."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    not_found,
    too_long,
    too_many,
)
from azure_responses.emulator.validation.shapes import Integer

__all__ = [
    "list_page", "read_expiry", "read_integer", "read_metadata", "read_minutes", "read_object",
    "read_text", "read_texts",
]  # fmt: skip

_DEFAULT_LIMIT = 20
# OpenAI's reference: 16 pairs, keys of 64 and values of 512 characters.
_MOST_PAIRS, _LONGEST_KEY, _LONGEST_VALUE = 16, 64, 512
# OpenAI's reference begins at an hour. For batches Microsoft's page begins at 14 days, but a
# resource took 3 (any-llm#1406).
_SHORTEST_SECONDS = {"batch": 259_200}
_LONGEST_SECONDS = 2_592_000


def read_text(body: dict[str, Any], name: str) -> str:
    """A string that must be there; raises ServiceError otherwise."""
    value = body.get(name)
    if value is None or value == "":
        raise missing_parameter(name)
    if not isinstance(value, str):
        raise invalid_type(name, "a string", value)
    return value


def read_metadata(body: dict[str, Any], name: str = "metadata") -> dict[str, Any]:
    """Up to 16 pairs; raises ServiceError for more, and for too long ones."""
    pairs = read_object(body, name)
    if len(pairs) > _MOST_PAIRS:
        raise too_many(name, len(pairs), _MOST_PAIRS, "object")
    for key, value in pairs.items():
        if len(key) > _LONGEST_KEY:
            raise too_long(f"{name}.{key}", len(key), _LONGEST_KEY)
        if isinstance(value, dict | list) or value is None:
            raise invalid_type(f"{name}.{key}", "a string", value)
        if isinstance(value, str) and len(value) > _LONGEST_VALUE:
            raise too_long(f"{name}.{key}", len(value), _LONGEST_VALUE)
    return pairs


def read_expiry(
    given: Mapping[str, Any] | None, purpose: str, name: str = "expires_after"
) -> int | None:
    """The `seconds` of an object with an `anchor`, None without one; raises ServiceError (400)."""
    if given is None:
        return None
    anchor = given.get("anchor", "created_at")
    if anchor != "created_at":
        raise invalid_value(f"{name}.anchor", anchor, ("created_at",))
    # In a form it is text.
    seconds = given.get("seconds")
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) < 12:
        seconds = int(seconds)
    if seconds is None:
        raise missing_parameter(f"{name}.seconds")
    shortest = _SHORTEST_SECONDS.get(purpose, 3600)
    Integer(shortest, _LONGEST_SECONDS).check(seconds, f"{name}.seconds")
    return int(seconds)


def read_object(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An object, empty where the field is absent; raises ServiceError for anything else."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_type(name, "an object", value)
    return value


def read_texts(body: dict[str, Any], name: str) -> list[str]:
    """A list of strings, empty where the field is absent; raises ServiceError otherwise."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_type(name, "an array of strings", value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise invalid_type(f"{name}[{index}]", "a string", item)
    return value


def read_minutes(body: dict[str, Any], name: str, default: int) -> int:
    """`minutes` of an object such as `expires_after`; raises ServiceError if not a number."""
    value: int = read_object(body, name).get("minutes", default)
    Integer().check(value, f"{name}.minutes")
    return value


def read_integer(
    query: Mapping[str, str], name: str, least: int = 0, most: int | None = None
) -> int | None:
    """A number of the query; raises ServiceError for other text and outside the limits."""
    text = query.get(name)
    if text is None:
        return None
    if not text.removeprefix("-").isdecimal():
        raise invalid_request(
            # A query holds text alone, so the service quotes it instead of naming its type.
            f"Invalid type for '{name}': expected an integer, but got '{text}' instead.",
            name,
            "invalid_type",
        )
    number = int(text)
    Integer(least, most).check(number, name)
    return number


def list_page(
    items: Sequence[dict[str, Any]],
    query: Mapping[str, str],
    *,
    default_order: str = "desc",
    maximum: int = 100,
) -> dict[str, Any]:
    """One page of `items` (given oldest first) by `limit`, `order`, `after` and `before`.

    Raises ServiceError (400) for a limit outside 1 to `maximum`, an unknown order or cursor.
    """
    limit = read_integer(query, "limit", 1, maximum) or _DEFAULT_LIMIT
    order = query.get("order", default_order)
    if order not in ("asc", "desc"):
        raise invalid_value("order", order, ("asc", "desc"))
    ordered = list(items) if order == "asc" else [*reversed(items)]
    if "after" in query:
        ordered = ordered[_position(ordered, query["after"], "after") + 1 :]
    if "before" in query:
        ordered = ordered[: _position(ordered, query["before"], "before")]
    page = ordered[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "has_more": len(ordered) > limit,
        "last_id": page[-1]["id"] if page else None,
    }


def _position(items: Sequence[dict[str, Any]], cursor: str, param: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == cursor:
            return index
    raise not_found("Item", cursor, param, status=400)
