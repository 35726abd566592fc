"""Filters over the attributes of a vector store's files, and how its files are cut."""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.emulator.operations.fields import read_object
from azure_responses.emulator.service_errors import (
    invalid_type,
    invalid_value,
    missing_parameter,
)
from azure_responses.emulator.validation.shapes import Integer

__all__ = ["matches", "read_chunking"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda have, want: _is_number(have) and _is_number(want) and test(have, want)


def _is_in(have: Any, want: Any) -> bool:
    return isinstance(want, list) and have in want


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: bool(have == want),
    "ne": lambda have, want: bool(have != want),
    "gt": _compare(lambda have, want: bool(have > want)),
    "gte": _compare(lambda have, want: bool(have >= want)),
    "lt": _compare(lambda have, want: bool(have < want)),
    "lte": _compare(lambda have, want: bool(have <= want)),
    "in": _is_in,
    "nin": lambda have, want: not _is_in(have, want),
}
_COMPOUND = {"and": all, "or": any}
# Deeper ones would only exhaust the stack.
_DEEPEST = 20


def matches(attributes: Mapping[str, Any], filters: Any, path: str = "filters") -> bool:
    """True where the attributes pass the filter; raises ServiceError (400) for another shape."""
    if not isinstance(filters, dict) or path.count("[") > _DEEPEST:
        raise invalid_type(path, "an object", filters)
    kind = str(filters.get("type"))
    if kind in _COMPOUND:
        parts = filters.get("filters")
        if not isinstance(parts, list):
            raise invalid_type(f"{path}.filters", "an array", parts)
        # Each of them is judged, whatever the others say.
        judged = [
            matches(attributes, part, f"{path}.filters[{index}]")
            for index, part in enumerate(parts)
        ]
        return _COMPOUND[kind](judged)
    if kind not in _COMPARISONS:
        raise invalid_value(f"{path}.type", kind, (*_COMPARISONS, *_COMPOUND))
    for name in ("key", "value"):
        if filters.get(name) is None:
            raise missing_parameter(f"{path}.{name}")
    return _COMPARISONS[kind](attributes.get(str(filters["key"])), filters["value"])


def read_chunking(body: dict[str, Any]) -> dict[str, Any] | None:
    """`chunking_strategy`, None for `auto`; raises ServiceError (400) outside its limits."""
    strategy = read_object(body, "chunking_strategy")
    if not strategy or strategy.get("type") == "auto":
        return None
    if strategy.get("type") != "static":
        raise invalid_value("chunking_strategy.type", strategy.get("type"), ("auto", "static"))
    static = read_object(strategy, "static")
    size = static.get("max_chunk_size_tokens", 800)
    overlap = static.get("chunk_overlap_tokens", 400)
    place = "chunking_strategy.static"
    Integer(100, 4096).check(size, f"{place}.max_chunk_size_tokens")
    Integer(0, size // 2).check(overlap, f"{place}.chunk_overlap_tokens")
    sizes = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
    return {"type": "static", "static": sizes}
