"""Nothing the service may send tomorrow raises, and nothing is lost."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from azure_responses.types import (
    Annotation,
    ApplyPatchOperation,
    ComputerAction,
    InputItem,
    InputPart,
    MessagePart,
    OutputItem,
    OutputPart,
    Response,
    SearchAction,
    TextFormat,
    Tool,
    ToolChoice,
    parse_event,
)

UNIONS: dict[str, TypeAdapter[Any]] = {
    "Annotation": TypeAdapter(Annotation),
    "ApplyPatchOperation": TypeAdapter(ApplyPatchOperation),
    "ComputerAction": TypeAdapter(ComputerAction),
    "InputItem": TypeAdapter(InputItem),
    "InputPart": TypeAdapter(InputPart),
    "MessagePart": TypeAdapter(MessagePart),
    "OutputItem": TypeAdapter(OutputItem),
    "OutputPart": TypeAdapter(OutputPart),
    "SearchAction": TypeAdapter(SearchAction),
    "TextFormat": TypeAdapter(TextFormat),
    "Tool": TypeAdapter(Tool),
    "ToolChoice": TypeAdapter(ToolChoice),
}
KNOWN_TYPES = ["message", "function_call", "function", "mcp", "output_text", "click", "search"]
KNOWN_TYPES += ["response.output_text.delta", "response.completed", "error", "json_schema"]

# Python-side names of fields that clash with JSON keywords; both names set one field.
ALIASED = {"schema_", "async_", "url"}
names = st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda name: name not in ALIASED)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.builds(
    lambda extra, kind: {**extra, **kind},
    st.dictionaries(names, values, max_size=4),
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(KNOWN_TYPES) | values}),
)


@pytest.mark.parametrize("union", UNIONS)
@given(sent=objects)
def test_any_object_survives_any_union(union: str, sent: dict[str, Any]) -> None:
    adapter = UNIONS[union]
    parsed = adapter.validate_json(json.dumps(sent))
    assert adapter.dump_python(parsed, mode="json", exclude_unset=True) == sent
    assert parsed.to_dict() == sent


@given(sent=objects)
def test_any_object_is_an_event(sent: dict[str, Any]) -> None:
    event = parse_event(json.dumps(sent).encode(), "response.created")
    assert event.to_dict() == sent
    assert json.loads(event.to_json()) == sent


@given(extra=st.dictionaries(names, values, max_size=4), item=objects, tool=objects)
def test_a_response_survives_whatever_it_holds(
    extra: dict[str, Any], item: dict[str, Any], tool: dict[str, Any]
) -> None:
    sent = {**extra, "id": "resp_1", "object": "response", "output": [item], "tools": [tool]}
    response = Response.model_validate_json(json.dumps(sent))
    assert response.to_dict() == sent
    assert isinstance(response.output_text, str)


@pytest.mark.parametrize(
    "field", [name for name in Response.model_fields if name not in {"id", "object", "output"}]
)
def test_a_surprise_in_a_setting_does_not_cost_the_answer(field: str) -> None:
    sent = {"id": "resp_1", "output": [], field: {"shape": ["of", "tomorrow"]}}
    response = Response.model_validate_json(json.dumps(sent))
    assert response.to_dict() == sent
    assert json.loads(response.to_json()) == sent


@pytest.mark.parametrize(
    ("union", "sent"),
    [
        ("OutputItem", {"type": "message", "id": "msg_1", "role": "assistant", "content": 5}),
        ("OutputItem", {"type": "function_call", "name": "f"}),
        ("OutputItem", {"type": "quantum_call", "id": "q_1"}),
        ("OutputItem", {}),
        ("OutputItem", {"type": 7, "id": 8}),
        ("InputItem", {"type": "function_call", "name": "f"}),
        ("InputItem", {"role": "user"}),
        ("Tool", {"type": "function"}),
        ("Tool", {"type": "telepathy"}),
        ("ToolChoice", {"type": "telepathy"}),
        ("OutputPart", {"type": "output_text", "text": None}),
        ("Annotation", {"type": "book_citation"}),
        ("InputPart", {"type": "hologram"}),
        ("ComputerAction", {"type": "click", "x": "left"}),
        ("TextFormat", {"type": "yaml"}),
    ],
)
def test_what_does_not_fit_becomes_unknown_and_keeps_its_fields(
    union: str, sent: dict[str, Any]
) -> None:
    parsed = UNIONS[union].validate_python(sent)
    assert type(parsed).__name__.startswith("Unknown")
    assert parsed.to_dict() == sent


def test_a_new_status_is_not_an_error() -> None:
    response = Response.model_validate({"id": "resp_1", "status": "meditating", "output": []})
    assert response.status == "meditating"


def test_whole_and_broken_numbers_keep_their_kind() -> None:
    text = '{"id":"resp_1","created_at":1741476542.0,"temperature":1,"top_p":0.98}'
    assert Response.model_validate_json(text).to_json() == text
