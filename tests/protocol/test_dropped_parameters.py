"""What `additional_drop_params` leaves out of a request."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.dropped_parameters import DroppedParameters, read_dropped
from azure_responses.types import EasyInputMessage

_TOOLS = [
    {"type": "function", "function": {"name": "a", "strict": True}},
    {"type": "web_search"},
    {"type": "function", "name": "b", "strict": False},
]


def _left(
    body: dict[str, Any], *names: str, api: APIName = "responses"
) -> tuple[Any, tuple[str, ...]]:
    dropped = read_dropped(list(names))
    assert dropped is not None
    return dropped.leave_out(body, api)


def test_names_and_paths_are_left_out_and_said() -> None:
    body = {"user": "u", "metadata": {"a": "1", "b.c": "2"}, "input": [{"x": 1}, {"x": 2, "y": 3}]}
    before = deepcopy(body)
    left, warnings = _left(body, "user", r"metadata.b\.c", "input[1].x", "absent", "user.name")
    assert left == {"metadata": {"a": "1"}, "input": [{"x": 1}, {"y": 3}]}
    assert body == before
    assert [text.partition(" was")[0] for text in warnings] == [
        "user",
        "metadata.b.c",
        "input[1].x",
    ]


def test_an_object_that_held_nothing_else_goes_with_its_field() -> None:
    assert _left({"reasoning": {"effort": "low"}}, "reasoning.effort")[0] == {}
    assert _left({"tools": [{"strict": True}]}, "tools[*].strict")[0] == {"tools": [{}]}


@pytest.mark.parametrize("name", ["tools[*].function.strict", "tools[*].strict"])
def test_fields_of_tools_are_found_flat_and_nested(name: str) -> None:
    for api, left_there in (("chat", 0), ("responses", 1)):
        left, _ = _left({"tools": deepcopy(_TOOLS)}, name, api=api)  # type: ignore[arg-type]
        tools = left["tools"]
        assert "strict" not in tools[2] or (api == "chat" and name == "tools[*].function.strict")
        assert "strict" not in tools[0]["function"] or left_there


@pytest.mark.parametrize(
    ("name", "api", "body"),
    [
        ("reasoning_effort", "responses", {"reasoning": {"effort": "low"}}),
        ("reasoning.effort", "chat", {"reasoning_effort": "low"}),
        ("response_format", "responses", {"text": {"format": {"type": "text"}}}),
        ("stop", "messages", {"stop_sequences": ["x"]}),
        ("tools[0].function.name", "messages", {"tools": "not a list"}),
    ],
)
def test_a_parameter_is_left_out_under_its_name_in_each_api(
    name: str, api: APIName, body: dict[str, Any]
) -> None:
    left, warnings = _left(body, name, api=api)
    assert (left == {}) is bool(warnings)
    if not warnings:
        assert left is body


def test_the_limit_of_the_output_is_left_out_under_the_written_name_only() -> None:
    body = {"max_output_tokens": 100}
    assert _left(body, "max_tokens", "max_completion_tokens")[0] is body


def test_models_of_typed_calls_are_read_like_their_json() -> None:
    message = EasyInputMessage(role="user", content="Hi")
    left, warnings = _left({"input": [message]}, "input[*].role")
    assert left["input"] == [{"content": "Hi"}]
    assert warnings
    assert _left({"input": [message]}, "input[*].absent")[1] == ()


@pytest.mark.parametrize(
    "names",
    ["user", {"a": 1}, [1], [""], ["."], [".a"], ["a."], ["[0]"], ["a[x]"], ["a[0"], ["a[*]"],
     ["tools"], ["input"], ["messages"], ["model"], ["stream"], ["a..b"], ["a]"]],
)  # fmt: skip
def test_what_cannot_be_left_out_is_refused_by_name(names: Any) -> None:
    with pytest.raises(ConfigurationError, match="additional_drop_params") as caught:
        read_dropped(names)
    assert caught.value.hint


def test_what_two_places_name_is_left_out_together() -> None:
    one, two = read_dropped(["user"]), read_dropped(["temperature"])
    assert one is not None
    assert one + two == read_dropped(["user", "temperature"])
    assert one + None is one
    assert len({one, read_dropped(["user"])}) == 1
    assert repr(one) == "DroppedParameters(['user'])"
    assert one != "user"
    assert read_dropped(None) is read_dropped([]) is None


@given(st.text(), st.dictionaries(st.text(), st.lists(st.dictionaries(st.text(), st.none()))))
def test_any_name_is_refused_or_leaves_the_rest(name: str, body: dict[str, Any]) -> None:
    try:
        dropped = read_dropped([name])
    except ConfigurationError:
        return
    assert isinstance(dropped, DroppedParameters)
    before = deepcopy(body)
    left, warnings = dropped.leave_out(body)
    assert body == before
    assert (left is body) is not bool(warnings)
