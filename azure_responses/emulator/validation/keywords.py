"""What the keywords of a JSON Schema may hold, in a schema that is to be strict or not."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["find_wrong_keyword"]

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# Far beyond what a model writes; the emulator would build as much as is asked for.
_MOST = 10_000
_Context = tuple[str, ...]
_Claim = Callable[[Any], bool]


def find_wrong_keyword(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with the first keyword that holds what it cannot; None for a sound schema."""
    pending: list[tuple[_Context, Any]] = [((), schema)]
    while pending:
        context, part = pending.pop()
        if isinstance(part, bool):
            continue
        if not isinstance(part, Mapping):
            return f"In context={context}, {part!r} is not of type 'object'."
        for name, is_right in _KEYWORDS.items():
            if name in part and not is_right(part[name]):
                return f"In context={context}, {part[name]!r} is not valid for '{name}'."
        pending += _find_parts(context, part)
    return None


def _find_parts(context: _Context, schema: Mapping[str, Any]) -> list[tuple[_Context, Any]]:
    parts = [
        ((*context, group, str(name)), part)
        for group in _MAPPINGS
        for name, part in (schema.get(group) or {}).items()
    ]
    parts += [
        ((*context, group, str(index)), part)
        for group in _LISTS
        for index, part in enumerate(schema.get(group) or ())
    ]
    return parts + [((*context, name), schema[name]) for name in _SINGLE if name in schema]


def _is_type(value: Any) -> bool:
    kinds = value if isinstance(value, list) else [value]
    return bool(kinds) and all(kind in _TYPES for kind in kinds)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # zod writes the safe integers of JavaScript as bounds, and the largest float.
    return is_number and abs(value) <= sys.float_info.max


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 1e-9


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_least(value: Any) -> bool:
    return _is_count(value) and value <= _MOST


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except (re.error, OverflowError, RecursionError):
        return False


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _is(*kinds: type) -> _Claim:
    return lambda value: isinstance(value, kinds)


_MAPPINGS = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf")
_SINGLE = ("items", "additionalProperties")

_KEYWORDS: dict[str, _Claim] = {
    "type": _is_type,
    "required": _is_texts,
    "enum": _is(list),
    "pattern": _is_pattern,
    "format": _is(str),
    "$ref": _is(str),
    "uniqueItems": _is(bool),
    "multipleOf": _is_step,
    **dict.fromkeys(_MAPPINGS, _is(dict)),
    **dict.fromkeys(_LISTS, _is(list)),
    **dict.fromkeys(_SINGLE, _is_part),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("maxLength", "maxItems"), _is_count),
    **dict.fromkeys(("minLength", "minItems"), _is_least),
}
