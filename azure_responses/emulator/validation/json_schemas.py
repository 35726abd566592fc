"""The subset of JSON Schema that strict functions and structured outputs take.

Rules of OpenAI's structured-outputs guide, which Azure's structured-outputs page repeats: objects
closed, every property required, no composition but `anyOf`, references into the schema itself,
bounds of numbers and lists, some formats, and sizes. Patterns with look-around are refused in the
words of opencode#31996.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from azure_responses.emulator.engine.matching_text import has_lookaround
from azure_responses.emulator.service_errors import invalid_request

__all__ = [
    "check_function_schema",
    "check_output_schema",
    "find_wrong_keyword",
]

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# Far beyond what a model writes; the emulator would build as much as is asked for.
_MOST = 10_000
_Context = tuple[str, ...]
_Claim = Callable[[Any], bool]


def find_wrong_keyword(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with the first keyword that holds what it cannot; None for a sound schema."""
    # A list instead of recursion: schemas of callers may be nested deep.
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
    # The multiples of less could hardly be told apart as floats.
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


_FORBIDDEN = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
    "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains",
    "minContains", "maxContains", "minProperties", "maxProperties", "uniqueItems",
)  # fmt: skip
_FORMATS = (
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
)  # fmt: skip
# The limits of the guide; enums count both alone and together.
_DEEPEST, _MOST_PROPERTIES, _MOST_VALUES, _MOST_TEXT = 10, 5000, 1000, 120_000
_LONG_ENUM, _MOST_ENUM_TEXT = 250, 15_000


class _Fault(Exception):
    """What is wrong with a schema, to be put into the message of its owner."""


class _LookaroundFault(_Fault):
    """Look-around in a pattern, whose message names no owner."""


def check_function_schema(tool: dict[str, Any], path: str) -> None:
    """Refuses parameters that are not an object schema, or not strict although asked for."""
    owner, is_strict = f"function '{tool['name']}'", bool(tool.get("strict"))
    schema = tool.get("parameters")
    # A strict function without parameters has a schema without a type, which is not strict.
    if schema is not None or is_strict:
        place, code = f"{path}.parameters", "invalid_function_parameters"
        _check(schema or {}, is_strict, owner, place, code)


def check_output_schema(given: dict[str, Any], path: str) -> None:
    """Refuses the schema of a `json_schema` output format."""
    owner, is_strict = f"response_format '{given['name']}'", bool(given.get("strict"))
    _check(given["schema"], is_strict, owner, f"{path}.schema", "invalid_json_schema")


def _check(schema: dict[str, Any], is_strict: bool, owner: str, path: str, code: str) -> None:
    try:
        _check_root(schema, is_strict)
    except _LookaroundFault as fault:
        raise invalid_request(f"Invalid JSON schema: {fault}", path, code) from None
    except _Fault as fault:
        raise invalid_request(f"Invalid schema for {owner}: {fault}", path, code) from None


def _check_root(schema: dict[str, Any], is_strict: bool) -> None:
    kind = schema.get("type")
    if kind != "object" and (is_strict or kind is not None or "$ref" not in schema):
        raise _Fault(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'.")
    wrong = find_wrong_keyword(schema)
    if wrong is not None:
        raise _Fault(wrong)
    if is_strict:
        _check_strict(schema)


def _check_strict(schema: dict[str, Any]) -> None:
    properties, values, text = 0, 0, 0
    for context, part in _walk(schema, ()):
        _check_part(part, context, schema)
        names = [*(part.get("properties") or ()), *(part.get("$defs") or ())]
        enum = part.get("enum") or []
        properties += len(part.get("properties") or ())
        values += len(enum)
        text += _length(names) + _length(enum) + _length([part.get("const")])
        if sum(step in ("properties", "items") for step in context) > _DEEPEST:
            raise _Fault(f"In context={context}, schema exceeds {_DEEPEST} levels of nesting.")
    if properties > _MOST_PROPERTIES:
        raise _Fault(f"schema has {properties} properties, more than {_MOST_PROPERTIES}.")
    if values > _MOST_VALUES:
        raise _Fault(
            f"Expected at most {_MOST_VALUES} enum values in total within a single schema when "
            f"using structured outputs, but received {values}."
        )
    if text > _MOST_TEXT:
        raise _Fault(f"schema has {text} characters of names and values, more than {_MOST_TEXT}.")


def _length(values: Iterable[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, str))


# Only what strict schemas may hold is walked; `_check_part` refuses the rest by name.
def _walk(schema: Any, context: _Context) -> Iterator[tuple[_Context, dict[str, Any]]]:
    if not isinstance(schema, dict):
        raise _Fault(f"In context={context}, {schema!r} is not of type 'object'.")
    yield context, schema
    for group in ("properties", "$defs", "definitions"):
        for name, part in (schema.get(group) or {}).items():
            yield from _walk(part, (*context, group, name))
    if isinstance(schema.get("items"), dict):
        yield from _walk(schema["items"], (*context, "items"))
    for index, part in enumerate(schema.get("anyOf") or ()):
        yield from _walk(part, (*context, "anyOf", str(index)))


def _check_part(part: dict[str, Any], context: _Context, root: dict[str, Any]) -> None:
    where = f"In context={context}, "
    for name in _FORBIDDEN:
        if name in part:
            raise _Fault(f"{where}'{name}' is not permitted.")
    if "$ref" in part:
        _check_reference(str(part["$ref"]), where, root)
        return
    kinds = part.get("type")
    if kinds is None:
        if not {"anyOf", "enum", "const"} & set(part):
            raise _Fault(f"{where}schema must have a 'type' key.")
        return
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        _check_kind(kind, part, context)
    enum = part.get("enum") or ()
    if len(enum) > _LONG_ENUM and _length(enum) > _MOST_ENUM_TEXT:
        raise _Fault(
            f"{where}enum of more than {_LONG_ENUM} values has more than {_MOST_ENUM_TEXT} "
            "characters."
        )


def _check_kind(kind: str, part: dict[str, Any], context: _Context) -> None:
    where = f"In context={context}, "
    if kind not in _TYPES:
        raise _Fault(f"{where}{kind!r} is not valid under any of the given schemas.")
    if kind == "object":
        _check_object(part, where)
    elif kind == "array" and not isinstance(part.get("items"), dict):
        raise _Fault(f"{where}array schema missing items.")
    elif kind == "string" and part.get("format", "date") not in _FORMATS:
        raise _Fault(f"{where}'{part['format']}' is not a valid format.")
    if kind == "string" and has_lookaround(part.get("pattern", "")):
        place = "".join(map(_write_step, (*context, "pattern")))
        raise _LookaroundFault(f"regex lookaround is not supported. Found at ${place}.")


def _write_step(name: str) -> str:
    if name.isdecimal():
        return f"[{name}]"
    return f".{name}" if name.isidentifier() else f"['{name}']"


def _check_object(part: dict[str, Any], where: str) -> None:
    if part.get("additionalProperties") is not False:
        raise _Fault(f"{where}'additionalProperties' is required to be supplied and to be false.")
    properties = part.get("properties") or {}
    required = part.get("required")
    missing = [name for name in properties if name not in (required or ())]
    if missing or (properties and required is None):
        raise _Fault(
            f"{where}'required' is required to be supplied and to be an array including every key "
            f"in properties. Missing '{missing[0]}'."
        )
    extra = [name for name in required or () if name not in properties]
    if extra:
        raise _Fault(f"{where}Extra required key '{extra[0]}' supplied.")


def _check_reference(reference: str, where: str, root: Any) -> None:
    # The schema itself: recursion is allowed.
    if reference == "#":
        return
    found = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    if not reference.startswith("#/") or not isinstance(found, dict):
        raise _Fault(
            f"{where}reference can only point to definitions defined at the top level of the "
            "schema."
        )
