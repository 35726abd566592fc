"""Parameters to the JSON of a request."""

import json
from collections import UserDict
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest
from pydantic import BaseModel, Field

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.request_body import encode_body
from azure_responses.types import Container, Conversation, FileObject, Skill, VectorStore
from azure_responses.types.items import OutputMessage
from azure_responses.types.mending import mend
from azure_responses.types.response import Response
from azure_responses.types.tools import FunctionCall


def _decode(body: dict[str, Any] | None, extra: dict[str, Any] | None = None) -> Any:
    encoded = encode_body(body, extra)
    assert encoded is not None
    return json.loads(encoded)


def test_no_body_is_none() -> None:
    assert encode_body(None) is None
    assert encode_body(None, {}) is None


def test_an_empty_body_is_an_empty_object() -> None:
    assert encode_body({}) == b"{}"


def test_extra_body_is_laid_over_and_may_stand_alone() -> None:
    assert _decode({"a": 1, "b": 1}, {"b": None, "c": 2}) == {"a": 1, "b": None, "c": 2}
    assert _decode(None, {"c": 2}) == {"c": 2}


def test_text_is_utf_8_and_not_escaped() -> None:
    assert encode_body({"input": "héllo – 日本\u2028"}) == '{"input":"héllo – 日本\u2028"}'.encode()


class _Colour(Enum):
    RED = "red"


class _Size(StrEnum):
    BIG = "big"


class _Level(IntEnum):
    HIGH = 3


class _Aliased(BaseModel):
    kind: str = Field(alias="type")
    note: str | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (_Colour.RED, "red"),
        (_Size.BIG, "big"),
        (_Level.HIGH, 3),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        ((n for n in (1, 2)), [1, 2]),
        (UserDict({"a": UserDict({"b": 1})}), {"a": {"b": 1}}),
        (_Aliased(type="x"), {"type": "x"}),
        ([_Aliased(type="x", note=None)], [{"type": "x", "note": None}]),
        ("\u2028", "\u2028"),
        (1.0, 1.0),
        (None, None),
    ],
)
def test_what_python_holds_json_gets(value: Any, expected: Any) -> None:
    assert _decode({"v": value}) == {"v": expected}


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Decimal(1),
        b"bytes",
        bytearray(b"bytes"),
        memoryview(b"bytes"),
        float("nan"),
        float("inf"),
        {(1, 2): 3},
        "\ud800",
        _circle(),
        _deep(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_refused_with_a_way_out(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written as JSON") as caught:
        encode_body({"v": value})
    assert caught.value.hint


_ITEMS: list[dict[str, Any]] = [
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "hi", "annotations": []}],
        "new_field": 1,
    },
    {"type": "reasoning", "id": "rs_1", "status": "completed", "summary": []},
    {
        "type": "function_call",
        "id": "fc_1",
        "status": "completed",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
    },
    {"type": "some_new_item", "status": "completed", "x": None},
]


def test_the_output_of_a_response_is_replayed_without_the_status_azure_refuses() -> None:
    response = Response.model_validate({"id": "resp_1", "output": _ITEMS})
    message, reasoning, call, new = _decode({"input": response.output})["input"]
    assert message == {key: value for key, value in _ITEMS[0].items() if key != "status"}
    assert reasoning == {"type": "reasoning", "id": "rs_1", "summary": []}
    assert call == _ITEMS[2]
    assert new == _ITEMS[3]


def test_a_model_made_by_hand_says_what_was_set() -> None:
    call = FunctionCall(type="function_call", call_id="c", name="f", arguments="{}")
    assert _decode({"input": [call]})["input"] == [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    ]


def test_replaying_leaves_the_response_as_it_was() -> None:
    response = Response.model_validate({"id": "resp_1", "output": _ITEMS})
    encode_body({"input": response.output})
    first = response.output[0]
    assert isinstance(first, OutputMessage)
    assert first.status == "completed"


@pytest.mark.parametrize("text", ["\ud800", "a\udcff", "\ud83d\ude00"])
def test_half_a_surrogate_pair_is_no_text(text: str) -> None:
    with pytest.raises(ConfigurationError, match="surrogate") as caught:
        encode_body({"input": text})
    assert "UTF-8" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", [Container, Conversation, FileObject, Skill, VectorStore])
def test_a_stored_object_in_a_body_stands_for_its_id(kind: Any) -> None:
    stored = mend(kind, {"id": "x_1", "created_at": 1, "name": "n", "more": {"a": 1}})
    body = {
        "conversation": stored,
        "tools": [{"type": "file_search", "vector_store_ids": [stored]}],
        "nested": {"container": stored},
    }
    assert _decode(body) == {
        "conversation": "x_1",
        "tools": [{"type": "file_search", "vector_store_ids": ["x_1"]}],
        "nested": {"container": "x_1"},
    }
