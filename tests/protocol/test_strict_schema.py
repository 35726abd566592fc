"""What pydantic makes of a type, brought under the rules of strict mode."""

import dataclasses
import enum
import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar
from uuid import UUID

import httpx
import pytest
from pydantic import (
    UUID4,
    AnyUrl,
    Base64Bytes,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyAddress,
    Json,
    RootModel,
    SecretStr,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    computed_field,
    conint,
    conlist,
    conset,
)
from typing_extensions import TypedDict

from azure_responses import AzureResponses
from azure_responses.emulator import Emulator
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.structured_output import StructuredOutput, make_strict
from azure_responses.types.response import Response

T = TypeVar("T")
_MANY = enum.Enum("_MANY", {f"v{number}": f"value {number}" for number in range(1000)})  # type: ignore[misc]


def _model(annotation: Any, **options: Any) -> type[BaseModel]:
    """A model of one field, `a`."""
    return type(
        "Model",
        (BaseModel,),
        {"__annotations__": {"a": annotation}, **options, "__module__": __name__},
    )


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema: the names of fields in these tests are no keywords."""
    if isinstance(schema, dict):
        yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _nodes(part)


class Inner(BaseModel):
    link: HttpUrl
    price: Decimal = Decimal(1)


class Recursive(BaseModel):
    link: AnyUrl | None = None
    children: list["Recursive"] = []
    parent: Annotated[Optional["Recursive"], Field(description="Above.", examples=[None])] = None


class Computed(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"width": 1}], "x-order": 1})
    width: int = Field(alias="the width", json_schema_extra={"deprecated": True}, default=3)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def area(self) -> int:
        return self.width**2


class Square(BaseModel):
    kind: Literal["square"]
    side: Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2)]


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float = Field(gt=0, allow_inf_nan=False)


class Box(BaseModel, Generic[T]):
    content: T


class Link(TypedDict):
    url: HttpUrl


@dataclasses.dataclass
class Point:
    where: IPvAnyAddress
    size: Annotated[int, Field(multiple_of=5)] = 5


_LOOKAHEAD = r"^(?!.*--)[a-z-]+$"
# What a field is annotated with, what is left out of its schema, and a value of it as JSON.
_FIELDS: list[tuple[Any, Any]] = [
    (HttpUrl, "https://example.com/"),
    (AnyUrl | None, "ftp://example.com/"),
    (Decimal, "1.5"),
    (Annotated[Decimal, Field(max_digits=5, decimal_places=2)], 1.25),
    (Annotated[Decimal, Field(ge=0, le=10)], 2),
    (IPvAnyAddress, "192.0.2.1"),
    (IPv4Address, "192.0.2.1"),
    (IPv6Address, "2001:db8::1"),
    (IPv6Network, "2001:db8::/32"),
    (UUID, "3f2b8c1e-5d4a-4e6f-8a7b-9c0d1e2f3a4b"),
    (UUID4, "3f2b8c1e-5d4a-4e6f-8a7b-9c0d1e2f3a4b"),
    (datetime, "2026-11-20T09:30:00Z"),
    (date, "2026-11-20"),
    (time, "09:30:00Z"),
    (timedelta, "P1D"),
    (Path, "a/b"),
    (Base64Bytes, "YWJj"),
    (bytes, "abc"),
    (SecretStr, "s"),
    (ByteSize, "1 MB"),
    (Json[list[int]], "[1]"),
    (re.Pattern[str], "a+"),
    (conint(gt=1, lt=9, multiple_of=2), 4),
    (Annotated[float, Field(le=float("inf"))], 1.5),
    (Annotated[str, StringConstraints(pattern=r"^[a-z]+$", min_length=2)], "ab"),
    (conlist(int, min_length=1, max_length=2), [1]),
    (conset(str, min_length=1), ["x"]),
    (frozenset[Decimal], ["1"]),
    (tuple[HttpUrl, ...], ["https://example.com/"]),
    (Literal["a", 1, None], "a"),
    (_MANY, "value 7"),
    (Annotated[Square | Circle, Field(discriminator="kind")], {"kind": "circle", "radius": 1}),
    (list[Inner], [{"link": "https://example.com/", "price": "2"}]),
    (Annotated[Inner, Field(description="d")], {"link": "https://example.com/", "price": 2}),
    (Box[Decimal], {"content": "3"}),
    (Link, {"url": "https://example.com/"}),
    (Point, {"where": "::1", "size": 10}),
]
_TYPES: list[tuple[Any, dict[str, Any]]] = [
    *((_model(kind), {"a": value}) for kind, value in _FIELDS),
    (Recursive, {"link": None, "children": [{"link": None, "children": [], "parent": None}],
                 "parent": None}),
    (Computed, {"the width": 2}),
    (RootModel[Inner], {"link": "https://example.com/", "price": 1}),
    (Point, {"where": "192.0.2.1", "size": 5}),
    (Link, {"url": "https://example.com/"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Iterator[AzureResponses]:
    """A client of the emulator, which has a reading of the rules of its own."""
    emulator = Emulator()
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            emulator.endpoint, api_key=emulator.api_key, http_client=http_client
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(("kind", "value"), _TYPES, ids=lambda value: str(value)[:60])
def test_a_type_becomes_a_schema_that_strict_mode_takes_and_its_values_are_read(
    client: AzureResponses, kind: Any, value: dict[str, Any]
) -> None:
    output = StructuredOutput(kind)
    text = output.text_parameter(None)
    # The emulator answers 400 to what is not strict.
    response = client.responses.create(model="gpt-4.1", input="hi", text=text)
    assert response.status == "completed"
    said = response.to_dict()
    for item in said["output"]:
        item["content"][0]["text"] = json.dumps(value)
    assert output.read(Response.model_validate(said)) is not None


@pytest.mark.parametrize("kind", [_model(kind) for kind, _ in _FIELDS], ids=str)
def test_nothing_is_sent_that_strict_mode_refuses(kind: Any) -> None:
    formats = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
    for node in _nodes(StructuredOutput(kind).schema):
        assert not node.keys() & {"default", "examples", "uniqueItems", "oneOf", "discriminator"}
        assert not node.keys() & {"writeOnly", "contentMediaType", "contentSchema", "deprecated"}
        assert node.get("format", "date") in formats
        assert "(?" not in node.get("pattern", "")


def test_what_was_left_out_is_checked_when_an_answer_is_read() -> None:
    output = StructuredOutput(_model(HttpUrl))
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": '{"a": "no address"}', "annotations": []}
    response = Response.model_validate(
        {"id": "r", "status": "completed", "output": [{**message, "content": [part]}]}
    )
    with pytest.raises(ValidationError):
        output.read(response)


def test_a_version_of_uuid_is_sent_as_a_uuid() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": "uuid4"}}}
    assert make_strict(schema, "M")["properties"]["a"] == {"type": "string", "format": "uuid"}


@pytest.mark.parametrize(
    ("pattern", "is_sent"),
    [
        (r"^[a-z]+(?:-[a-z]+)*$", True),
        (r"^\(\?=\)$", True),
        (r"^[(?!]$", True),
        (r"^[\](?=]$", True),
        (_LOOKAHEAD, False),
        (r"a(?=b)", False),
        (r"(?<=a)b", False),
        (r"(?<!a)b", False),
        (r"(a)\1", False),
        (r"(?P<x>a)", False),
        (r"(?i)a", False),
        (r"\\(?!a)", False),
    ],
)
def test_a_pattern_is_sent_where_every_engine_reads_it(pattern: str, is_sent: bool) -> None:
    part = make_strict(
        {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}, "M"
    )["properties"]["a"]
    assert part == ({"type": "string", "pattern": pattern} if is_sent else {"type": "string"})


def test_bounds_are_sent_and_infinite_ones_are_not() -> None:
    properties = StructuredOutput(_model(conint(gt=1, le=9, multiple_of=2))).schema["properties"]
    assert properties["a"] == {
        "title": "A", "type": "integer", "exclusiveMinimum": 1, "maximum": 9, "multipleOf": 2,
    }  # fmt: skip
    unbounded = StructuredOutput(_model(Annotated[float, Field(le=float("inf"))])).schema
    assert unbounded["properties"]["a"] == {"title": "A", "type": "number"}


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def _enum(count: int, size: int) -> Any:
    return enum.Enum("Big", {f"v{number}": f"{number:0{size}}" for number in range(count)})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (_model(_enum(1001, 4)), r"^Model\.a has|Big brings the values of enums to more than 1000"),
        (_model(_enum(251, 60)), r"Big has 251 values of 15060 characters in all"),
        (_model(Literal["x" * 120_001]), "Model has names and values of more than 120000"),
        (_model(tuple[int, str]), r"^Model\.a is a tuple"),
        (_model(dict[str, HttpUrl]), r"^Model\.a is a dictionary with free keys"),
        (_model(dict[Annotated[str, StringConstraints(pattern="^x")], int]), r"^Model\.a "),
        (_model(Annotated[int, WithJsonSchema({"type": "integer", "not": {"const": 3}})]),
         r"^Model\.a uses 'not', which strict"),
        (_model(Annotated[int, WithJsonSchema({"allOf": [{"type": "integer"}, {"minimum": 1}]})]),
         r"^Model\.a uses 'allOf'"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_expressed_is_refused_by_its_field_with_the_fix(
    kind: Any, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        StructuredOutput(kind)
    assert caught.value.hint


def test_a_schema_may_be_ten_levels_deep_and_no_more() -> None:
    make_strict(_nested(10), "M")
    with pytest.raises(ConfigurationError, match=r"M(\.a){11} is nested more than 10 levels deep"):
        make_strict(_nested(11), "M")


def test_a_schema_may_have_five_thousand_fields_and_no_more() -> None:
    fields = {f"f{number}": {"type": "null"} for number in range(5001)}
    with pytest.raises(ConfigurationError, match="M has 5001 fields, and the most is 5000"):
        make_strict({"type": "object", "properties": fields}, "M")
    fields.popitem()
    make_strict({"type": "object", "properties": fields}, "M")
