"""Instances of JSON Schemas: valid for any schema of the strict subset, recursion included.

Values come from the prompt where it gives them for a property's name, else they are plausible.
Structured output must be valid, whatever the schema: clients parse it.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from azure_responses.emulator.engine.matching_text import FORMATS, is_found, match_pattern
from azure_responses.emulator.engine.prompt_values import PromptValues, name_one, split_words

__all__ = ["build_instance"]

_Schema = Mapping[str, Any]
# Beyond this depth only what the schema requires is built, in its shallowest form.
_SHALLOW = 3
# Nothing deeper is built: a schema whose every instance is endless has none.
_DEEPEST = 60
# Of values in all: an answer of more is longer than any model writes.
_MOST_VALUES = 20_000
# Long strings count as several values.
_CHARACTERS_OF_A_VALUE = 25
_NEVER = math.inf
# Floats beyond have no neighbours in steps of one; `step` may still multiply them.
_FAR = 1e200

# What stands where neither prompt nor schema says anything, by the last word of the name.
_PLAUSIBLE: dict[str, str] = {
    "name": "Ada Lovelace",
    **dict.fromkeys(("city", "location"), "Paris"),
    "country": "France",
    "email": "ada@example.com",
    **dict.fromkeys(("url", "uri", "link", "website", "homepage"), "https://example.com/"),
    "id": "id-1",
    "date": "2026-11-20",
    "time": "09:30",
    "currency": "EUR",
    "unit": "celsius",
}
_PLAUSIBLE_NUMBERS = {
    "age": 36,
    "year": 2026,
    "price": 9.99,
    "temperature": 21,
    **dict.fromkeys(("confidence", "score", "probability"), 0.9),
    "count": 3,
}


def build_instance(schema: Any, prompt: str = "") -> Any:
    """A value that is valid for the schema; the same for the same schema and prompt."""
    if not isinstance(schema, Mapping):
        return {}
    return _Builder(schema, PromptValues(prompt[:4000])).build(schema, "", 0)


class _Builder:
    def __init__(self, root: _Schema, prompt: PromptValues) -> None:
        self._root = root
        self._prompt = prompt
        self._heights: dict[str, float] = {}
        self._left = _MOST_VALUES
        self._measure_references()

    def _measure_references(self) -> None:
        """How deep the shallowest instance of each reference is, by iterating to a fixed point.

        A schema may refer to itself: only its heights tell which option of it comes to an end.
        """
        references = _find_references(self._root)
        self._heights = dict.fromkeys(references, _NEVER)
        for _ in references:
            measured = {name: self._height(self._resolve(name)) for name in references}
            if measured == self._heights:
                break
            self._heights = measured

    def _height(self, schema: Any) -> float:
        if not isinstance(schema, Mapping) or "const" in schema or "enum" in schema:
            return 0
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._heights.get(reference, 0)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            return min(map(self._height, options))
        kinds = _kinds(schema)
        if kinds and kinds != ["object"] and kinds != ["array"]:
            return 0
        if kinds == ["array"] or "items" in schema:
            return 1 + self._height(schema.get("items")) if schema.get("minItems") else 0
        properties = schema.get("properties") or {}
        required = [properties.get(name) for name in schema.get("required") or ()]
        return 1 + max(map(self._height, required), default=0)

    def _resolve(self, reference: str) -> Any:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                key = step.replace("~1", "/").replace("~0", "~")
                found = found.get(key) if isinstance(found, Mapping) else None
        return found if found is not None else {}

    def build(self, schema: Any, name: str, depth: int) -> Any:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return None
        if not isinstance(schema, Mapping):
            return self._string({}, name)
        schema = self._merge(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._choose_value(schema)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            return self.build(_join(rest, self._choose_option(options, depth)), name, depth)
        return self._build_kind(schema, name, depth)

    def _merge(self, schema: _Schema) -> _Schema:
        merged = dict(schema)
        followed: set[str] = set()
        while isinstance(merged.get("$ref"), str) and merged["$ref"] not in followed:
            reference = merged.pop("$ref")
            followed.add(reference)
            merged = _join(self._resolve(reference), merged)
        merged.pop("$ref", None)
        for part in merged.pop("allOf", None) or ():
            merged = _join(merged, self._merge(part))
        return merged

    def _choose_value(self, schema: _Schema) -> Any:
        values = schema["enum"]
        mentioned = self._prompt.option(values)
        if mentioned is not None:
            return mentioned
        return next((value for value in values if value is not None), None)

    def _choose_option(self, options: list[Any], depth: int) -> Any:
        finite = [option for option in options if self._height(option) < _NEVER] or options
        if depth >= _SHALLOW:
            return min(finite, key=self._height)
        return next((one for one in finite if _kinds(self._peek(one)) != ["null"]), finite[0])

    def _peek(self, schema: Any) -> Any:
        return self._merge(schema) if isinstance(schema, Mapping) else schema

    def _build_kind(self, schema: _Schema, name: str, depth: int) -> Any:
        kinds = _kinds(schema)
        kind = next((one for one in kinds if one != "null"), None)
        if len(kinds) > 1 and depth >= _SHALLOW and "null" in kinds:
            return None
        if kind is None and not kinds:
            kind = _guess_kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind == "string":
            return self._string(schema, name)
        if kind == "boolean":
            return self._prompt.flag(name)
        if kind in ("integer", "number"):
            return self._number(schema, name, kind == "integer")
        return None

    def _object(self, schema: _Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        built = {}
        for name, part in properties.items():
            if name in required or self._is_filled(part, name, depth, bool(required)):
                built[name] = self.build(part, name, depth + 1)
        for name in required:
            built.setdefault(name, self._string({}, name))
        return built

    def _is_filled(self, part: Any, name: str, depth: int, has_required: bool) -> bool:
        """Optional properties beside required ones are left out where the prompt is silent.

        Models do so too: opencode's `workdir` must not be made up.
        """
        if depth >= _SHALLOW or self._height(part) == _NEVER:
            return False
        values: Any = self._peek(part).get("enum") if isinstance(part, Mapping) else None
        is_chosen = bool(values) and self._prompt.option(values) is not None
        return not has_required or is_chosen or self._prompt.names(name)

    def _array(self, schema: _Schema, name: str, depth: int) -> list[Any]:
        least = int(schema.get("minItems") or 0)
        most = int(schema.get("maxItems", max(least, 100)))
        items = schema.get("items")
        listed: list[Any] = []
        if isinstance(items, Mapping) and _kinds(self._peek(items)) == ["string"]:
            listed = [
                text for text in self._prompt.listing(name) if _fits(text, self._merge(items))
            ]
        wanted = max(least, min(most, len(listed) or (2 if depth < _SHALLOW else 0)))
        if self._height(items) == _NEVER or (not listed and depth >= _SHALLOW):
            wanted = least
        single = name_one(name)
        built = listed[:wanted]
        while len(built) < wanted and self._left > 0:
            built.append(self.build(items, single, depth + 1))
        return _distinct(built, schema)

    def _string(self, schema: _Schema, name: str) -> str:
        hinted = self._prompt.string(name)
        words = split_words(name)
        plausible = _PLAUSIBLE.get(words[-1]) if words else None
        form = FORMATS.get(str(schema.get("format")), "")
        for candidate in (hinted, form, plausible, " ".join(words) or "text"):
            if candidate and _fits(candidate, schema):
                return candidate
        forced = _force(schema)
        self._left -= len(forced) // _CHARACTERS_OF_A_VALUE
        return forced

    def _number(self, schema: _Schema, name: str, is_integer: bool) -> int | float:
        words = split_words(name)
        hinted = _parse(self._prompt.number(name), is_integer)
        plausible = _PLAUSIBLE_NUMBERS.get(words[-1]) if words else None
        for value in chain((hinted, plausible, 1), _find_numbers(schema, is_integer)):
            if value is None or (is_integer and not float(value).is_integer()):
                continue
            if _suits(value, schema):
                return int(value) if is_integer else value
        # The limits leave no number: whatever is written, no validator accepts it.
        return 0


def _guess_kind(schema: _Schema) -> str:
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _parse(text: str | None, is_integer: bool) -> int | float | None:
    if text is None:
        return None
    value = float(text)
    return int(value) if value.is_integer() and (is_integer or "." not in text) else value


def _kinds(schema: Any) -> list[str]:
    kinds = schema.get("type") if isinstance(schema, Mapping) else None
    if kinds is None:
        return []
    return list(kinds) if isinstance(kinds, list) else [kinds]


def _join(first: Any, second: Any) -> dict[str, Any]:
    # A schema may be `true` as well, which asks for nothing.
    first, second = (one if isinstance(one, Mapping) else {} for one in (first, second))
    joined = {**first, **second}
    if "properties" in first and "properties" in second:
        joined["properties"] = {**first["properties"], **second["properties"]}
        joined["required"] = [*first.get("required", ()), *second.get("required", ())]
    return joined


def _find_references(schema: Any) -> list[str]:
    found: dict[str, None] = {}
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            if isinstance(part.get("$ref"), str):
                found[part["$ref"]] = None
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return list(found)


def _fits(text: str, schema: _Schema) -> bool:
    if not int(schema.get("minLength") or 0) <= len(text) <= int(schema.get("maxLength", 10**6)):
        return False
    pattern = schema.get("pattern")
    if pattern is not None and not is_found(pattern, text):
        return False
    form = schema.get("format")
    return form not in FORMATS or text == FORMATS[form] or _has_format(text, form)


_FORMAT_PATTERNS = {
    "date": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])",
    "email": r"[\w.+-]+@[\w-]+(\.[\w-]+)+",
    "uri": r"https?://\S+",
    "time": r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(Z|[+-]\d{2}:\d{2})",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ipv4": r"((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}",
}


def _has_format(text: str, form: str) -> bool:
    pattern = _FORMAT_PATTERNS.get(form)
    return pattern is not None and bool(re.fullmatch(pattern, text))


def _force(schema: _Schema) -> str:
    shortest = int(schema.get("minLength") or 0)
    longest = int(schema.get("maxLength", max(shortest, 10_000)))
    if schema.get("pattern") is not None:
        matched = match_pattern(schema["pattern"], shortest, longest)
        if matched is not None:
            return matched
    form = FORMATS.get(str(schema.get("format")))
    return form or ("text" + "t" * shortest)[: max(shortest, min(longest, 4))]


def _suits(value: float, schema: _Schema) -> bool:
    step = schema.get("multipleOf")
    return (
        value >= schema.get("minimum", -_NEVER)
        and value <= schema.get("maximum", _NEVER)
        and value > schema.get("exclusiveMinimum", -_NEVER)
        and value < schema.get("exclusiveMaximum", _NEVER)
        and (step is None or (value / step).is_integer())
    )


def _find_numbers(schema: _Schema, is_integer: bool) -> Iterator[float]:
    """Numbers that may lie within the limits: multiples of the step, the limits, their middle."""
    least = max(schema.get("minimum", -_NEVER), schema.get("exclusiveMinimum", -_NEVER))
    most = min(schema.get("maximum", _NEVER), schema.get("exclusiveMaximum", _NEVER))
    step = schema.get("multipleOf") or 1
    # A step is lost on a limit so far away that the floats there lie further apart than that.
    anchor = next((limit for limit in (least, most) if abs(limit) < _FAR), 0)
    start = math.floor(max(-_FAR, min(anchor / step, _FAR)))
    near = range(-1, 3) if least > -_FAR else range(3, -2, -1)
    yield from ((start + offset) * step for offset in near)
    inner = (math.nextafter(least, _NEVER), math.nextafter(most, -_NEVER))
    limits = (least, most, (least + most) / 2, *inner)
    yield from (limit for limit in limits if math.isfinite(limit))
    if is_integer:
        # Multiples of 1.5 are whole only now and then.
        yield from ((start + offset) * step for offset in range(1000))


def _distinct(values: list[Any], schema: _Schema) -> list[Any]:
    if not schema.get("uniqueItems"):
        return values
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())
