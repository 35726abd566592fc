"""Python types as strict JSON schemas, and replies back to the types."""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, WithJsonSchema
from typing_extensions import TypedDict

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.types.parameters import TextConfig
from azure_responses.types.response import Response

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    number: int | None = None


class Person(BaseModel):
    name: str = Field(description="The full name.", min_length=1, pattern="^[A-Z]")
    age: int = Field(ge=0, le=150)
    home: Address = Field(description="The main address.")
    work: Address | None = None
    other: list[Address] = []
    colour: Colour = Colour.RED
    colours: set[Colour] = Field(default_factory=set)
    level: Level
    kind: Literal["a", "b"] = "a"
    only: Literal["x"] = "x"
    score: float = 0.5
    born: date
    seen: datetime | None
    ident: UUID
    price: Decimal
    aliased: str = Field(alias="the name")


class Node(BaseModel):
    value: int
    children: list["Node"] = []
    parent: Optional["Node"] = Field(default=None, description="Above.")


class Described(BaseModel):
    children: list[Annotated["Described", Field(description="A child.")]] = []


class Left(BaseModel):
    right: Annotated["Right", Field(description="The other.")]


class Right(BaseModel):
    left: Left | None = None


class Cat(BaseModel):
    type: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    type: Literal["dog"]
    tricks: list[str] = []


class Zoo(BaseModel):
    star: Annotated[Cat | Dog, Field(discriminator="type")]
    crowd: list[Union[Cat, Dog, str]]  # noqa: UP007 - both spellings have to work
    default: str = "x"
    items: int
    properties: Annotated[Cat | Dog, Field(discriminator="type", description="One.")]


class Empty(BaseModel):
    pass


class Box(BaseModel, Generic[T]):
    content: T


class Tree(RootModel[Node]):
    pass


class Movie(TypedDict):
    title: str
    year: int


@dataclass
class Point:
    x: int
    y: int = 0


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", title="Shut")
    a: int


class Wrapped(BaseModel):
    code: Annotated[
        str, WithJsonSchema({"allOf": [{"type": "string", "minLength": 2}], "description": "d"})
    ]


_TYPES: list[Any] = [
    Person,
    Address,
    Node,
    Described,
    Left,
    Right,
    Zoo,
    Empty,
    Box[int],
    Box[Node],
    Tree,
    Movie,
    Point,
    Closed,
    Wrapped,
]


def _nodes(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every sub-schema, knowing where names stand that are no keywords."""
    yield path, schema
    for keyword in ("properties", "$defs"):
        for name, child in schema.get(keyword, {}).items():
            yield from _nodes(child, f"{path}/{keyword}/{name}")
    for keyword in ("anyOf", "allOf"):
        for number, child in enumerate(schema.get(keyword, [])):
            yield from _nodes(child, f"{path}/{keyword}/{number}")
    if "items" in schema:
        yield from _nodes(schema["items"], f"{path}/items")


_ANNOTATIONS = {"description", "title"}
_KEYWORDS = {
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "properties",
    "required",
    "type",
    *_ANNOTATIONS,
}


def _check_strict(schema: dict[str, Any]) -> None:
    assert schema["type"] == "object"
    assert "anyOf" not in schema
    for path, node in _nodes(schema):
        assert set(node) <= _KEYWORDS, (path, set(node) - _KEYWORDS)
        if "$ref" in node:
            assert set(node) == {"$ref"}, path
            assert node["$ref"].removeprefix("#/$defs/") in schema["$defs"], path
        if node.get("type") == "object":
            assert node["additionalProperties"] is False, path
            assert node["required"] == list(node["properties"]), path
        if node.get("type") == "array":
            assert node["items"], path
        assert node.keys() & {"type", "$ref", "anyOf", "enum", "const"}, path


@pytest.mark.parametrize("kind", _TYPES, ids=str)
def test_every_schema_obeys_the_strict_rules(kind: Any) -> None:
    output = StructuredOutput(kind)
    _check_strict(output.schema)
    jsonschema.Draft202012Validator.check_schema(output.schema)
    json.dumps(output.schema)


def test_descriptions_survive_on_fields_that_are_models() -> None:
    properties = StructuredOutput(Person).schema["properties"]
    assert properties["name"]["description"] == "The full name."
    assert properties["home"]["description"] == "The main address."
    assert properties["home"]["properties"]["street"] == {"title": "Street", "type": "string"}
    assert properties["home"]["additionalProperties"] is False


def test_a_description_on_a_recursive_model_stands_beside_the_reference() -> None:
    schema = StructuredOutput(Described).schema
    assert schema["properties"]["children"]["items"] == {
        "anyOf": [{"$ref": "#/$defs/Described"}],
        "description": "A child.",
    }


def test_constraints_and_aliases_are_told() -> None:
    properties = StructuredOutput(Person).schema["properties"]
    assert properties["age"]["minimum"] == 0
    assert properties["name"]["pattern"] == "^[A-Z]"
    assert "the name" in properties
    assert "aliased" not in properties


def test_a_single_all_of_is_spelled_out() -> None:
    code = StructuredOutput(Wrapped).schema["properties"]["code"]
    assert code == {"type": "string", "minLength": 2, "description": "d", "title": "Code"}


def test_a_discriminated_union_becomes_any_of() -> None:
    star = StructuredOutput(Zoo).schema["properties"]["star"]
    assert star["anyOf"] == [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]


def test_the_type_itself_is_left_as_it_was() -> None:
    before = json.dumps(Person.model_json_schema())
    StructuredOutput(Person)
    assert json.dumps(Person.model_json_schema()) == before


class _Free(BaseModel):
    address: Address
    extras: dict[str, int]


class _Anything(BaseModel):
    nested: list[Box[Any]]


class _BareList(BaseModel):
    values: list  # type: ignore[type-arg]


class _Pair(BaseModel):
    inner: Optional[tuple[int, str]] = None  # noqa: UP045 - both spellings have to work


class _Nothing(BaseModel):
    nothing: tuple[()]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class _ByHand(BaseModel):
    values: Annotated[list[int], WithJsonSchema({"type": "array", "items": True})]


class _InDefinition(BaseModel):
    free: _Free


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (_Free, r"_Free\.extras is a dictionary"),
        (_InDefinition, r"extras is a dictionary"),
        (dict[str, int], "dictionary"),
        (dict, "dictionary"),
        (_Open, "_Open is a dictionary"),
        (_Anything, r"content may be anything"),
        (_BareList, r"_BareList\.values\[\] may be anything"),
        (_ByHand, r"_ByHand\.values\[\] may be anything"),
        (_Pair, r"_Pair\.inner is a tuple"),
        (_Nothing, r"_Nothing\.nothing is a tuple"),
        (Any, "may be anything"),
        (int, "int is not an object"),
        (str, "str is not an object"),
        (list[Person], "list is not an object"),
        (RootModel[list[int]], "is not an object"),
        (Cat | Dog, "is not an object"),
        (Cat | None, "is not an object"),
        (None, "is not an object"),
    ],
    ids=str,
)
def test_what_strict_mode_cannot_hold_is_refused_by_its_path(kind: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        StructuredOutput(kind)
    assert caught.value.hint


class _Callable(BaseModel):
    call: Callable[[], int]


@pytest.mark.parametrize("kind", [object(), _Callable, Person.model_construct(), "text", 7])
def test_what_has_no_schema_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"has no JSON schema|is not an object"):
        StructuredOutput(kind)


# The request.


def test_the_text_parameter_names_the_type() -> None:
    output = StructuredOutput(Closed)
    assert output.text_parameter(None) == {
        "format": {
            "type": "json_schema",
            "name": "Closed",
            "schema": output.schema,
            "strict": True,
        }
    }


@pytest.mark.parametrize(
    "text",
    [{"verbosity": "low"}, TextConfig(verbosity="low"), {"verbosity": "low", "format": None}],
)
def test_what_the_caller_put_into_text_is_kept(text: Any) -> None:
    merged = StructuredOutput(Closed).text_parameter(text)
    assert merged["verbosity"] == "low"
    assert merged["format"]["type"] == "json_schema"


def test_a_second_format_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"text_format and text\.format"):
        StructuredOutput(Closed).text_parameter({"format": {"type": "text"}})


@pytest.mark.parametrize(
    ("kind", "name"), [(Box[int], "Box_int_"), (Movie, "Movie"), (Point, "Point")]
)
def test_names_hold_only_what_the_service_allows(kind: Any, name: str) -> None:
    assert StructuredOutput(kind).text_parameter(None)["format"]["name"] == name


def test_a_long_name_is_cut() -> None:
    kind = type("Größe" + "x" * 100, (Closed,), {})
    name = StructuredOutput(kind).text_parameter(None)["format"]["name"]
    assert len(name) == 64
    assert name.startswith("Gr__e")


# The reply.


def _response(
    *texts: str, status: str | None = "completed", refusal: str | None = None
) -> Response:
    parts: list[dict[str, Any]] = [{"type": "output_text", "text": text} for text in texts]
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    message = {"type": "message", "id": "m", "role": "assistant", "content": parts}
    return Response.model_validate({"id": "resp_1", "status": status, "output": [message]})


_PERSON = Person.model_validate(
    {
        "name": "Ada",
        "age": 36,
        "home": {"street": "A", "number": None},
        "work": {"street": "B", "number": 7},
        "other": [{"street": "C", "number": 1}],
        "colour": "blue",
        "colours": ["red"],
        "level": 2,
        "kind": "b",
        "only": "x",
        "score": 1.5,
        "born": "1815-12-10",
        "seen": None,
        "ident": "12345678-1234-5678-1234-567812345678",
        "price": "1.10",
        "the name": "n",
    }
)
_VALUES: list[tuple[Any, Any]] = [
    (Person, _PERSON),
    (Node, Node(value=1, children=[Node(value=2, children=[])], parent=Node(value=0))),
    (Described, Described(children=[Described()])),
    (Left, Left(right=Right(left=Left(right=Right())))),
    (
        Zoo,
        Zoo(
            star=Cat(type="cat"),
            crowd=[Dog(type="dog", tricks=["sit"]), "a crow"],
            items=1,
            properties=Dog(type="dog"),
        ),
    ),
    (Empty, Empty()),
    (Box[int], Box[int](content=1)),
    (Tree, Tree(Node(value=1))),
    (Movie, {"title": "M", "year": 1931}),
    (Point, Point(1, 2)),
]


def _to_json(kind: Any, value: Any) -> str:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).dump_json(value, by_alias=True).decode()


@pytest.mark.parametrize(("kind", "value"), _VALUES, ids=lambda value: str(value)[:20])
def test_a_value_fits_its_schema_and_comes_back(kind: Any, value: Any) -> None:
    output: StructuredOutput[Any] = StructuredOutput(kind)
    text = _to_json(kind, value)
    jsonschema.validate(json.loads(text), output.schema)
    assert output.read(_response(text)) == value


def test_text_in_pieces_is_joined() -> None:
    assert StructuredOutput(Closed).read(_response('{"a":', " 1}")) == Closed(a=1)


@pytest.mark.parametrize("status", ["incomplete", "failed", "cancelled", "in_progress", "queued"])
def test_what_was_cut_short_is_none(status: str) -> None:
    assert StructuredOutput(Closed).read(_response('{"a": 1}', status=status)) is None


def test_a_refusal_is_none() -> None:
    assert StructuredOutput(Closed).read(_response(refusal="No.")) is None


def test_text_beside_a_refusal_is_no_answer_of_another_type() -> None:
    assert StructuredOutput(Closed).read(_response("Well,", refusal="No.")) is None
    assert StructuredOutput(Closed).read(_response('{"a": 1}', refusal="No.")) == Closed(a=1)


def test_no_text_is_none() -> None:
    assert StructuredOutput(Closed).read(_response()) is None
    assert StructuredOutput(Closed).read(Response(id="resp_1", status="completed")) is None


def test_a_response_without_a_status_counts_as_complete() -> None:
    assert StructuredOutput(Closed).read(_response('{"a": 1}', status=None)) == Closed(a=1)


@pytest.mark.parametrize("text", ['{"a": "x"}', "{}", '{"a": 1', "not json", '{"a": 1, "b": 2}'])
def test_a_complete_answer_the_type_does_not_accept_raises_and_names_the_response(
    text: str,
) -> None:
    with pytest.raises(ValidationError) as caught:
        StructuredOutput(Closed).read(_response(text))
    assert caught.value.__notes__ == ["in response resp_1; error.response has the whole of it"]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_a_copied_or_pickled_error_still_carries_the_response(copied: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        StructuredOutput(Closed).read(_response("not json"))
    again = copied(copied(caught.value))
    assert isinstance(again, ValidationError)
    assert str(again) == str(caught.value)
    assert again.response.output_text == "not json"  # type: ignore[attr-defined]
    assert again.__notes__ == caught.value.__notes__
