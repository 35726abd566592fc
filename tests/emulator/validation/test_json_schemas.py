"""What the keywords of a JSON Schema may hold."""

import math
from typing import Any

import pytest

from azure_responses.emulator.validation.json_schemas import find_wrong_keyword


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["string", "null"], "minLength": 0, "maxLength": 10**9, "pattern": "a|b"},
        {"type": "number", "minimum": -1.5, "exclusiveMaximum": 7, "multipleOf": 0.01},
        # As zod 4 writes z.number().int() and z.float64().
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "number", "minimum": -1.7976931348623157e308, "maximum": 1.7976931348623157e308},
        {"type": "array", "items": True, "minItems": 2, "uniqueItems": True},
        {"properties": {"a": True, "b": {"$ref": "#"}}, "required": ["a"], "enum": [{"a": 1}]},
        {"anyOf": [{"const": {"type": 5}}, False], "additionalProperties": {"type": "string"}},
        {"unknown": object(), "description": "d", "$defs": {"A": {"oneOf": [{"allOf": []}]}}},
    ],
)
def test_a_sound_schema_is_sound(schema: dict[str, Any]) -> None:
    assert find_wrong_keyword(schema) is None


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", []),
        ("type", "text"),
        ("type", ["string", 5]),
        ("properties", [1]),
        ("required", True),
        ("required", ["a", 1]),
        ("enum", "a"),
        ("items", 5),
        ("anyOf", {"a": 1}),
        ("minimum", "1"),
        ("maximum", True),
        ("minimum", math.inf),
        ("maximum", 10**400),
        ("multipleOf", 0),
        ("minItems", -1),
        ("minItems", 10**9),
        ("minLength", 1.5),
        ("maxLength", False),
        ("pattern", "^("),
        ("pattern", 5),
        ("format", ["date"]),
        ("$ref", 5),
        ("uniqueItems", "yes"),
    ],
)
@pytest.mark.parametrize("place", [(), ("properties", "a"), ("$defs", "b"), ("items",)])
def test_a_wrong_keyword_is_found_wherever_it_stands(
    keyword: str, value: Any, place: tuple[str, ...]
) -> None:
    schema: Any = {keyword: value}
    for step in reversed(place):
        schema = {step: schema}
    wrong = find_wrong_keyword(schema)
    assert wrong == f"In context={place}, {value!r} is not valid for '{keyword}'."


@pytest.mark.parametrize("schema", [{"anyOf": [5]}, {"properties": {"a": None}}])
def test_a_part_that_is_no_schema_is_found(schema: dict[str, Any]) -> None:
    wrong = find_wrong_keyword(schema)
    assert wrong is not None
    assert "is not of type 'object'" in wrong
