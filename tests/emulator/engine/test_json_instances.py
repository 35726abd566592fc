"""Instances are valid for any schema of the strict subset, and take what the prompt gives."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.prompt_values import find_places, split_words

_NAMES = st.sampled_from(
    ["name", "city", "email", "count", "price", "tags", "user_id", "isActive", "date", "x", "query"]
)
_PATTERNS = [
    r"^[a-z]+$",
    r"^\d{3}-\d{4}$",
    r"^(foo|bar)[0-9]?$",
    r"^[^a-z]{2,4}$",
    r"\w+@\w+",
    r"^@[a-zA-Z0-9_]+$",
    r"^(a)\1+\s?$",
    r"^.{3}$",
]
_FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
_STRINGS = st.one_of(
    st.just({"type": "string"}),
    st.sampled_from(_PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    st.sampled_from(_FORMATS).map(lambda form: {"type": "string", "format": form}),
    st.tuples(st.integers(0, 6), st.integers(6, 20)).map(
        lambda limits: {"type": "string", "minLength": limits[0], "maxLength": limits[1]}
    ),
)
_INTEGERS = st.tuples(st.integers(-1000, 1000), st.integers(10, 100), st.integers(1, 9)).map(
    lambda drawn: {
        "type": "integer",
        "minimum": drawn[0],
        "maximum": drawn[0] + drawn[1],
        "multipleOf": drawn[2],
    }
)
_NUMBERS = st.one_of(
    st.tuples(st.floats(-1000, 1000), st.floats(0.5, 100)).map(
        lambda drawn: {
            "type": "number",
            "exclusiveMinimum": drawn[0],
            "exclusiveMaximum": drawn[0] + drawn[1],
        }
    ),
    st.sampled_from([0.5, 0.25, 2, 7]).map(lambda step: {"type": "number", "multipleOf": step}),
    st.floats(-100, 100).map(lambda most: {"type": "number", "maximum": most}),
    st.floats(-100, 100).map(lambda least: {"type": "number", "minimum": least}),
)
_LEAVES = st.one_of(
    _STRINGS,
    _INTEGERS,
    _NUMBERS,
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": ["integer", "null"]}),
    st.sampled_from([{"const": 5}, {"const": "a"}, {"enum": ["a", "b", None]}, {"enum": [1, 2]}]),
    st.just({"$ref": "#/$defs/node"}),
    st.just({"$ref": "#/$defs/tree"}),
)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = st.tuples(inner, st.integers(0, 3), st.integers(3, 6)).map(
        lambda drawn: {
            "type": "array",
            "items": drawn[0],
            "minItems": drawn[1],
            "maxItems": drawn[2],
        }
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options})
    objects = st.dictionaries(_NAMES, inner, max_size=4).map(_object)
    return st.one_of(arrays, choices, objects)


_SCHEMAS = st.dictionaries(_NAMES, st.recursive(_LEAVES, _nest, max_leaves=8), max_size=5).map(
    lambda properties: {
        **_object(properties),
        "$defs": {
            "node": _object(
                {"name": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/node"},
                                                                {"type": "null"}]}}
            ),
            "tree": _object(
                {"tags": {"type": "array", "items": {"$ref": "#/$defs/tree"}}, "x": {"const": 1}}
            ),
        },
    }
)  # fmt: skip
_PROMPTS = st.one_of(
    st.just(""),
    st.just("My name is Ada, count 5, 3.5 in Paris and Rome on 2026-01-02, mail a@b.co"),
    st.text(max_size=80),
)


@settings(max_examples=300, deadline=None)
@given(_SCHEMAS, _PROMPTS)
def test_an_instance_is_valid_for_any_strict_schema(schema: dict[str, Any], prompt: str) -> None:
    instance = build_instance(schema, prompt)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(instance)


def test_the_same_schema_and_prompt_give_the_same_instance() -> None:
    schema = _object({"name": {"type": "string"}, "count": {"type": "integer"}})
    assert build_instance(schema, "x") == build_instance(schema, "x")


@pytest.mark.parametrize(
    ("properties", "prompt", "expected"),
    [
        (
            {"name": {"type": "string"}, "age": {"type": "integer"}},
            "John Smith is 42 years old",
            {"name": "John Smith", "age": 42},
        ),
        (
            {"a": {"type": "number"}, "b": {"type": "number"}, "op": {"enum": ["add", "multiply"]}},
            "Calculate 12*7",
            {"a": 12, "b": 7, "op": "multiply"},
        ),
        (
            {"location": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
            "Weather in Florence, Italy?",
            {"location": "Florence, Italy", "unit": "c"},
        ),
        (
            {"email": {"type": "string"}, "url": {"type": "string"}, "date": {"type": "string"}},
            "Mail ada@example.org about https://a.example/x by 2027-03-04.",
            {"email": "ada@example.org", "url": "https://a.example/x", "date": "2027-03-04"},
        ),
        (
            {"participants": {"type": "array", "items": {"type": "string"}}},
            "Alice and Bob are going to a science fair.",
            {"participants": ["Alice", "Bob"]},
        ),
        (
            {"title": {"type": "string"}, "city": {"type": "string"}},
            'title: The Sea, and the city is "Oslo".',
            {"title": "The Sea", "city": "Oslo"},
        ),
        ({"dry_run": {"type": "boolean"}}, "It is not a dry run", {"dry_run": False}),
        ({"count": {"type": "integer"}}, "roll three dice", {"count": 3}),
        ({"query": {"type": "string"}}, "cheap flights", {"query": "cheap flights"}),
        ({"expression": {"type": "string"}}, "what is 3*(4+5)?", {"expression": "3*(4+5)"}),
        ({"word": {"type": "string"}}, 'look up "axolotl"', {"word": "axolotl"}),
    ],
)
def test_values_come_from_the_prompt(
    properties: dict[str, Any], prompt: str, expected: dict[str, Any]
) -> None:
    assert build_instance(_object(properties), prompt) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "required": ["loose"]},
        {"properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"items": {"type": "string"}}}},
        {"allOf": [_object({"a": {"type": "string"}})]},
        {"oneOf": [{"type": "null"}, _object({})]},
        {
            "type": "object",
            "properties": {"s": {"type": "array", "items": {"enum": [1]}, "uniqueItems": True}},
        },
        {"type": "object", "properties": {"a": True}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/a~1b"}},
         "definitions": {"a/b": {"type": "integer", "minimum": 7}}, "required": ["a"]},
        _object({"n": {"type": "integer", "minimum": 2.5, "multipleOf": 1.5}}),
    ],
)  # fmt: skip
def test_looser_schemas_are_served_too(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(build_instance(schema))


@pytest.mark.parametrize(
    ("properties", "prompt", "expected"),
    [
        ({"age": {"type": "integer"}}, "age: 7, 3 apples", {"age": 7}),
        ({"n": {"type": "integer"}}, "1" * 400, {"n": 1}),
        ({"n": {"type": "integer"}}, "1.5", {"n": 1}),
        ({"n": {"type": "number"}}, "1.50", {"n": 1.5}),
        ({"kind": {"enum": ["", "big"]}}, "a big one", {"kind": "big"}),
        ({"kind": {"enum": [None, "big"]}}, "one", {"kind": "big"}),
        ({"tags": {"type": "array", "items": {"type": "string"}}}, "tags: a, b and c.",
         {"tags": ["a", "b", "c"]}),
        ({"cities": {"type": "array", "items": {"type": "string"}}}, "in Rome and Oslo",
         {"cities": ["Rome", "Oslo"]}),
        ({"city": {"type": "array", "items": {"type": "string"}}}, "in Rome and Oslo",
         {"city": ["Rome", "Oslo"]}),
        ({"names": {"type": "array", "items": {"type": "string"}}}, "nobody",
         {"names": ["Ada Lovelace", "Ada Lovelace"]}),
        ({"words": {"type": "array", "items": {"type": "string"}}}, "",
         {"words": ["word", "word"]}),
        ({"n": {"type": "integer", "multipleOf": 1.5, "minimum": 40}}, "", {"n": 42}),
        ({"n": {"type": "integer", "multipleOf": 0.25, "minimum": 40.1}}, "", {"n": 41}),
        ({"user": {"type": "string"}}, "ask Ada about it", {"user": "Ada"}),
        ({"email": {"type": "string"}}, "none given", {"email": "ada@example.com"}),
        ({"formula": {"type": "string"}}, "none given", {"formula": "formula"}),
        ({"s": {"type": "string", "pattern": "(?=b)a"}}, "", {"s": "text"}),
        ({"n": {"type": "integer", "minimum": 0.2, "maximum": 0.8}}, "", {"n": 0}),
        ({"n": {"type": "integer", "minimum": 9007199254740991}}, "", {"n": 9007199254740991}),
        ({"n": {"type": "integer", "minimum": -1e308, "maximum": -5}}, "", {"n": -5}),
    ],
)  # fmt: skip
def test_corners_have_a_value(
    properties: dict[str, Any], prompt: str, expected: dict[str, Any]
) -> None:
    assert build_instance(_object(properties), prompt) == expected


def test_references_in_a_circle_end() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert build_instance(schema) == "text"


def test_a_property_named_twice_is_joined() -> None:
    first = _object({"a": {"type": "null"}})
    schema = {"allOf": [first, _object({"b": {"type": "null"}})]}
    assert build_instance(schema) == {"a": None, "b": None}


def test_a_schema_that_is_no_object_gives_an_empty_one() -> None:
    assert build_instance(None) == {}


def test_optional_properties_that_never_end_are_left_out() -> None:
    schema = {"type": "object", "properties": {"self": {"$ref": "#"}, "x": {"type": "null"}}}
    built = build_instance({**schema, "required": ["x"]}, "Give self.")
    depth = 0
    while "self" in built:
        built, depth = built["self"], depth + 1
    assert 1 <= depth <= 4


# The `bash` tool of opencode: an invented working directory makes the call fail.
_COMMAND = {
    **_object(
        {
            "command": {"type": "string"},
            "workdir": {"type": "string"},
            "timeout": {"type": "integer"},
            "shells": {"enum": ["bash", "fish"]},
        }
    ),
    "required": ["command"],
}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("command: ls", {"command": "ls"}),
        ("command: ls. timeout: 5", {"command": "ls", "timeout": 5}),
        ("command: ls. Workdir: src", {"command": "ls", "workdir": "src"}),
        ("command: ls. Use fish.", {"command": "ls", "shells": "fish"}),
        ("command: ls. Any shell will do.", {"command": "ls", "shells": "bash"}),
    ],
)
def test_optional_properties_beside_required_ones_are_given_where_the_prompt_has_them(
    prompt: str, expected: dict[str, Any]
) -> None:
    assert build_instance(_COMMAND, prompt) == expected


def test_a_boolean_among_alternatives_asks_for_nothing() -> None:
    alternatives = {"anyOf": [True, {"type": "null"}]}
    schema = {"type": "object", "properties": {"c": alternatives}, "required": ["c"]}
    assert set(build_instance(schema, "x")) == {"c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weather in Paris, Rome and Oslo?", ["Paris", "Rome", "Oslo"]),
        ("weather in Florence, Italy", ["Florence, Italy"]),
        ("compare in Paris or in Rome", ["Paris", "Rome"]),
        ("then Berlin, please", ["Berlin"]),
        ("the Amazon is long", ["Amazon"]),
        ("nowhere", []),
    ],
)
def test_places_are_found(text: str, expected: list[str]) -> None:
    assert find_places(text) == expected


def test_identifiers_are_split_into_words() -> None:
    assert split_words("cityName") == split_words("city_name") == ["city", "name"]
