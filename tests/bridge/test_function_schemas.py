"""Schemas are made strict and freed of references without changing what they mean."""

from typing import Any

import pytest

from azure_responses.bridge.function_schemas import inline_references, make_strict
from azure_responses.errors import BadRequestError


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_a_schema_becomes_strict_at_every_depth() -> None:
    made = make_strict(
        {
            **_object(
                items={"type": "array", "items": _object(a={"type": "string"})},
                either={"anyOf": [_object(), {"type": "null"}]},
                named={"$ref": "#/$defs/N"},
                example={"type": "string", "examples": [{"type": "object"}]},
                anything={"anyOf": [True, {"type": "null"}]},
            ),
            "$defs": {"N": {**_object(), "type": ["object", "null"]}},
        }
    )
    closed = {"additionalProperties": False}
    assert made is not None
    assert made["required"] == ["items", "either", "named", "example", "anything"]
    assert made["properties"]["items"]["items"]["required"] == ["a"]
    assert made["properties"]["either"]["anyOf"][0] == {**_object(), "required": [], **closed}
    assert made["$defs"]["N"]["additionalProperties"] is False
    assert made["properties"]["example"]["examples"] == [{"type": "object"}]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "string"}},
        _object(any={"type": "object"}),
        _object(any={"type": "object", "properties": None}),
        _object(rows={"type": "array", "items": {"type": "object"}}),
        _object(either={"anyOf": [{"type": "object"}]}),
        _object(both={"allOf": [_object()]}),
        {**_object(), "patternProperties": {}},
        {**_object(), "$defs": {"any": {"type": "object"}}},
    ],
)
def test_a_schema_whose_meaning_would_change_is_not_made_strict(schema: dict[str, Any]) -> None:
    assert make_strict(schema) is None


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = _object(a=schema)
    return schema


def test_a_schema_of_any_depth_is_answered() -> None:
    assert make_strict(_deep(5_000)) is None
    with pytest.raises(BadRequestError, match="too deeply"):
        inline_references(_deep(5_000), "tools[0].parameters")


def test_references_are_replaced_by_what_they_name() -> None:
    schema = {
        "$ref": "#/definitions/Root",
        "definitions": {
            "Root": _object(a={"$ref": "#/$defs/x~1y"}, b={"type": "array", "items": [True]}),
        },
        "$defs": {"x/y": {"type": "string"}},
        "title": "T",
    }
    assert inline_references(schema, "p") == {
        **_object(a={"type": "string"}, b={"type": "array", "items": [True]}),
        "title": "T",
    }
    assert inline_references({"$ref": "#/$defs/a", "$defs": {"a": True}}, "p") == {}
    named = _object(**{"$ref": {"type": "string"}})
    assert inline_references(named, "p") == named


def test_a_schema_that_contains_itself_allows_anything_below() -> None:
    tree = _object(child={"$ref": "#"}, name={"type": "string"})
    inlined = inline_references({**tree, "$defs": {}}, "p")
    assert inlined["properties"]["child"]["properties"] == {"child": {}, "name": {"type": "string"}}


@pytest.mark.parametrize("reference", ["#/$defs/other", "#/$defs/a/b", "https://example.com/a"])
def test_a_reference_to_nothing_is_refused(reference: str) -> None:
    schema = {**_object(a={"$ref": reference}), "$defs": {"a": True}}
    with pytest.raises(BadRequestError) as caught:
        inline_references(schema, "tools[0].parameters")
    assert caught.value.param == "tools[0].parameters"


def test_references_that_double_at_each_step_are_refused() -> None:
    definitions = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    with pytest.raises(BadRequestError, match="too large"):
        inline_references({"$ref": "#/$defs/d0", "$defs": {**definitions, "d40": {}}}, "p")
