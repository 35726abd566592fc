"""Cursor paging, as every list of the API has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure_responses.emulator.service_errors import ServiceError, invalid_request

__all__ = [
    "list_page",
    "read_minutes",
    "read_object",
    "read_texts",
]

_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
}


def _wrong(name: str, expected: str, value: object) -> Exception:
    return invalid_request(
        f"Invalid type for '{name}': expected {expected}, but got "
        f"{_NAMES.get(type(value), 'null')} instead.",
        name,
        "invalid_type",
    )


def read_object(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An object, empty where the field is absent; raises Refusal for anything else."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def read_texts(body: dict[str, Any], name: str) -> list[str]:
    """A list of strings, empty where the field is absent; raises Refusal for anything else."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(name, "an array of strings", value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise _wrong(f"{name}[{index}]", "a string", item)
    return value


def read_minutes(body: dict[str, Any], name: str, default: int) -> int:
    """`minutes` of an object such as `expires_after`; raises Refusal where it is no number."""
    value = read_object(body, name).get("minutes", default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(f"{name}.minutes", "an integer", value)
    return value


_DEFAULT_LIMIT = 20


def list_page(
    items: Sequence[dict[str, Any]],
    query: Mapping[str, str],
    *,
    default_order: str = "desc",
    maximum: int = 100,
) -> dict[str, Any]:
    """One page of `items` (given oldest first) by `limit`, `order`, `after` and `before`.

    Raises Refusal (400) for a limit outside 1 to `maximum`, an unknown order or cursor.
    """
    limit = _limit(query.get("limit"), maximum)
    ordered = list(items)
    if _order(query.get("order", default_order)) == "desc":
        ordered.reverse()
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


def _limit(text: str | None, maximum: int) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    try:
        limit = int(text)
    except ValueError:
        raise invalid_request(
            f"Invalid type for 'limit': expected an integer, but got '{text}' instead.",
            "limit",
            "invalid_type",
        ) from None
    if limit < 1:
        raise _out_of_range("below minimum", ">= 1", limit, "integer_below_min_value")
    if limit > maximum:
        raise _out_of_range("above maximum", f"<= {maximum}", limit, "integer_above_max_value")
    return limit


def _out_of_range(what: str, bound: str, limit: int, code: str) -> ServiceError:
    return invalid_request(
        f"Invalid 'limit': integer {what} value. Expected a value {bound}, but got {limit} "
        "instead.",
        "limit",
        code,
    )


def _order(order: str) -> str:
    if order not in ("asc", "desc"):
        raise invalid_request(
            f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.",
            "order",
            "invalid_value",
        )
    return order


def _position(items: Sequence[dict[str, Any]], cursor: str, param: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == cursor:
            return index
    raise invalid_request(f"Item with id '{cursor}' not found.", param)
