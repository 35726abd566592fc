"""Functions as tools: schemas, arguments, outputs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.callable_tool import CallableTool, describe_failure, write_output
from azure_responses.types.content import InputText


class Place(BaseModel):
    city: str
    country: str | None = None


def get_weather(place: Place, days: Annotated[int, Field(ge=1, description="how many")] = 1) -> str:
    """The weather of a place."""
    return f"{place.city}:{days}"


def set_tags(tags: dict[str, str]) -> int:
    return len(tags)


def odd_names(copy: int, /, json: str = "j", *, _private: bool = False) -> Any:
    return copy, json, _private


def after_default(a: int = 1, b: int = 2, /) -> tuple[int, int]:
    return a, b


async def wait_a_little(seconds: float) -> None: ...


class Counter:
    """Counts."""

    def __call__(self, step: int) -> int:
        return step

    async def later(self, step: int) -> int:
        return step


class Later:
    async def __call__(self) -> None: ...


def test_a_function_becomes_a_strict_tool() -> None:
    tool = CallableTool(get_weather).to_dict()
    assert (tool["type"], tool["name"], tool["strict"]) == ("function", "get_weather", True)
    assert tool["description"] == "The weather of a place."
    parameters = tool["parameters"]
    assert parameters["required"] == ["place", "days"]
    assert parameters["properties"]["days"]["description"] == "how many"
    assert parameters["$defs"]["Place"]["additionalProperties"] is False


def test_a_schema_that_strict_mode_lacks_is_sent_without_it() -> None:
    tool = CallableTool(set_tags).to_dict()
    assert tool["strict"] is False
    assert "description" not in tool
    assert tool["parameters"]["properties"]["tags"]["type"] == "object"
    with pytest.raises(ConfigurationError, match="free keys"):
        CallableTool(set_tags, strict=True)


def test_a_schema_that_is_not_strict_lets_the_model_leave_defaults_out() -> None:
    tool = CallableTool(get_weather, strict=False, name="w", description="d").to_dict()
    assert tool["parameters"]["required"] == ["place"]
    assert (tool["name"], tool["description"], tool["strict"]) == ("w", "d", False)


def test_a_function_without_parameters_has_an_empty_schema() -> None:
    def ping() -> str:
        return "pong"

    tool = CallableTool(ping)
    assert tool.to_dict()["parameters"]["properties"] == {}
    assert tool.bind("")() == tool.bind("{}")() == "pong"


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (get_weather, {"place": {"city": "Rome"}, "days": 3}, "Rome:3"),
        (get_weather, {"place": {"city": "Rome"}}, "Rome:1"),
        (odd_names, {"copy": 1}, (1, "j", False)),
        (odd_names, {"copy": 1, "json": "x", "_private": True}, (1, "x", True)),
        (after_default, {"b": 5}, (1, 5)),
        (partial(get_weather, days=9), {"place": {"city": "Oslo"}}, "Oslo:9"),
        (Counter(), {"step": 4}, 4),
    ],
)
def test_arguments_arrive_as_the_types_of_the_parameters(
    function: Callable[..., Any], arguments: dict[str, Any], expected: Any
) -> None:
    assert CallableTool(function).bind(json.dumps(arguments))() == expected


@pytest.mark.parametrize(
    "arguments",
    ['{"place": {}}', '{"place": {"city": "x"}, "days": 0}', "{", '{"place": 1, "more": 2}', "[]"],
)
def test_arguments_that_do_not_fit_are_described_without_their_values(arguments: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CallableTool(get_weather).bind(arguments)
    described = json.loads(describe_failure(caught.value))
    assert described["error"] == "The arguments are invalid."
    assert described["details"]


def test_an_exception_is_described_by_its_kind_and_message() -> None:
    assert json.loads(describe_failure(KeyError("x"))) == {"error": "KeyError: 'x'"}


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda: 1, "invalid"),
        (lambda *, f=print: f, "invalid"),
        (type("Bare", (), {"__call__": lambda self, x: x})(), "no type"),
        (partial(lambda: 1), "invalid"),
        (max, "max"),
    ],
)
def test_a_function_that_is_no_tool_is_refused(function: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        CallableTool(function)


def test_parameters_that_no_schema_describes_are_refused() -> None:
    def many(*values: int) -> None: ...
    def lazy(value: "Unknown") -> None: ...  # type: ignore[name-defined] # noqa: F821
    def opaque(value: Counter) -> None: ...
    def called(value: Callable[[], int]) -> None: ...

    for function, problem in (
        (many, "takes \\*values"),
        (lazy, "cannot be read"),
        (opaque, "no JSON schema"),
        (called, "no JSON schema"),
    ):
        with pytest.raises(ConfigurationError, match=problem):
            CallableTool(function)


def test_async_functions_are_known_as_such() -> None:
    functions = (wait_a_little, partial(wait_a_little, seconds=1), Counter().later, Later())
    assert all(CallableTool(function).is_async for function in functions)
    assert not CallableTool(Counter()).is_async


@dataclass
class Reading:
    day: date
    value: float


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (None, "null"),
        (Reading(date(2026, 1, 2), 3.5), '{"day":"2026-01-02","value":3.5}'),
        (Place(city="Rome"), '{"city":"Rome","country":null}'),
        ([], "[]"),
        ([{"type": "x"}], '[{"type":"x"}]'),
        (b"\xff", '"_w=="'),
        (Counter, json.dumps(str(Counter))),
    ],
)
def test_what_a_function_returned_is_written_as_text(value: object, expected: str) -> None:
    assert write_output(value) == expected


def test_content_parts_stay_content_parts() -> None:
    parts = [
        InputText(type="input_text", text="see"),
        {"type": "input_image", "image_url": "https://x/y.png"},
    ]
    assert write_output(parts) == [{"type": "input_text", "text": "see"}, parts[1]]
