"""Requests that are wrong or hostile: each is answered, soon and in little memory."""

import copy
import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator import Emulator
from tests.emulator.callers import V1, create, open_client
from tests.emulator.random_requests import RandomRequests, json_places, send_many

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a+$"},
        "b": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
            "minItems": 1,
            "maxItems": 3,
        },
        "c": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/X"}]},
        "d": {"enum": ["x", "y"]},
    },
    "required": ["a", "b", "c", "d"],
    "additionalProperties": False,
    "$defs": {
        "X": {
            "type": "object",
            "properties": {"n": {"type": ["number", "null"]}},
            "required": ["n"],
            "additionalProperties": False,
        }
    },
}
_TOOL = {"type": "function", "name": "f", "parameters": _SCHEMA, "strict": True}
_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_BODIES: list[tuple[str, dict[str, Any]]] = [
    (
        V1,
        {
            "model": "gpt-4.1",
            "input": "call f",
            "tools": [_TOOL, {"type": "web_search", "filters": {"allowed_domains": ["a.b"]}}],
            "tool_choice": "auto",
            "metadata": {"a": "b"},
            "max_output_tokens": 100,
            "text": {"format": {"type": "text"}},
        },
    ),
    (
        V1,
        {
            "model": "gpt-4.1",
            "input": "x",
            "text": {"format": {"type": "json_schema", "name": "n", "schema": _SCHEMA}},
        },
    ),
    (
        V1,
        {
            "model": "gpt-5-mini",
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "ok"},
            ],
        },
    ),
    (
        "/openai/v1/chat/completions",
        {
            "model": "gpt-4.1",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x"}]},
                {"role": "assistant", "content": None, "tool_calls": [_CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": _SCHEMA}}],
        },
    ),
    ("/openai/v1/conversations", {"metadata": {}, "items": [{"type": "message", "content": "x"}]}),
    ("/_emulator/faults", {"faults": [{"kind": "http-500", "nth": 9}]}),
    ("/_emulator/clock", {"advance": 1}),
]
_ODD_PLAIN = [None, True, 0, -1, 2**63, 1.5, -1e20, 1e308, "", "x", "^(", "#/x"]
_ODD_NESTED = [[], {}, [None], [[]], {"type": "x"}, {"type": None}, {"$ref": "#"}, [1, "a"]]
_ODD: st.SearchStrategy[Any] = st.sampled_from([*_ODD_PLAIN, *_ODD_NESTED])


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_every_body_is_answered(data: st.DataObject) -> None:
    path, body = copy.deepcopy(data.draw(st.sampled_from(_BODIES)))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(json_places(body)) or [(body, "model")]))
        container[key] = copy.deepcopy(data.draw(_ODD))
    with open_client(Emulator()) as client:
        assert client.post(path, json=body).status_code in (200, 400, 404)


def _deep(levels: int) -> bytes:
    return b'{"model":"gpt-4.1","input":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize("levels", [200, 900, 100_000])
@pytest.mark.parametrize("path", [V1, "/openai/v1/files", "/_emulator/faults"])
def test_what_is_nested_too_deep_is_no_body(path: str, levels: int) -> None:
    with open_client(Emulator()) as client:
        assert client.post(path, content=_deep(levels)).status_code == 400


def _ask_for(client: httpx.Client, schema: dict[str, Any]) -> httpx.Response:
    form = {"type": "json_schema", "name": "n", "schema": schema, "strict": True}
    return client.post(V1, json={"model": "gpt-4.1", "input": "x", "text": {"format": form}})


def test_a_schema_without_a_finite_instance_is_answered() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/Node"}},
        "required": ["next"],
        "additionalProperties": False,
    }
    with open_client(Emulator()) as client:
        assert _ask_for(client, {**node, "$defs": {"Node": node}}).status_code == 200


@pytest.mark.parametrize("name", ["minItems", "minLength"])
def test_more_than_can_be_built_is_refused(name: str) -> None:
    part: dict[str, Any] = {"type": "array", "items": {"type": "integer"}, name: 10**9}
    schema = {
        "type": "object",
        "properties": {"a": part if name == "minItems" else {"type": "string", name: 10**9}},
        "required": ["a"],
        "additionalProperties": False,
    }
    with open_client(Emulator()) as client:
        reply = _ask_for(client, schema)
    assert reply.status_code == 400
    assert name in reply.json()["error"]["message"]


def _object(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"a": part},
        "required": ["a"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize(
    "limits",
    [
        {"minimum": 1e308},
        {"maximum": -1e308},
        {"exclusiveMinimum": 1e308},
        {"multipleOf": 1e-8, "minimum": 1e300},
    ],
)
def test_numbers_far_away_are_answered(kind: str, limits: dict[str, Any]) -> None:
    with open_client(Emulator()) as client:
        reply = _ask_for(client, _object({"type": kind, **limits}))
    assert reply.status_code == 200
    value = json.loads(reply.json()["output"][0]["content"][0]["text"])["a"]
    assert abs(value) >= 1e300


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("levels", [100, 230, 245, 300, 450])
def test_a_nested_schema_is_answered(levels: int, stream: bool) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels // 2):
        schema = {"type": "object", "properties": {"a": schema}}
    form = {"type": "json_schema", "name": "n", "schema": schema}
    with open_client(Emulator()) as client:
        reply = create(client, input="x", text={"format": form}, stream=stream)
    assert reply.status_code == (200 if levels < 245 else 400)


def test_long_strings_in_a_long_list_are_answered_at_once() -> None:
    text = {"type": "string", "minLength": 10_000}
    began = time.process_time()
    with open_client(Emulator()) as client:
        reply = _ask_for(client, _object({"type": "array", "items": text, "minItems": 10_000}))
    assert reply.status_code == 200
    assert time.process_time() - began < 5


def test_a_number_that_no_reply_can_repeat_is_no_json() -> None:
    tool = '{"type":"function","name":"f","strict":false,"parameters":{"default":1e999}}'
    body = '{"model":"gpt-4.1","input":"x","tools":[' + tool + "]}"
    with open_client(Emulator()) as client:
        assert client.post(V1, content=body).status_code == 400


def test_random_requests_of_the_description_are_answered() -> None:
    """20,000 of them: `python -m tests.emulator.random_requests 20000`."""
    with open_client(Emulator()) as client:
        statuses, slowest = send_many(client, RandomRequests(7), 400)
    assert set(statuses) <= {200, 400, 404}
    assert statuses[200] > 50
    assert slowest < 10


_HOSTILE = [
    "Count from 1 to 100000000000000000000",
    "Count down from 99999999999999999999 to 1",
    "What is 9**9**9**9?",
    "What is " + "(" * 1500 + "1" + ")" * 1500 + " + 1?",
    "What is 999999**64 * 999999**64 * 999999**64 * 999999**64 / 7?",
    "What is " + " * ".join(["999999**60"] * 16) + "?",
    "1" * 2000 + " " * 2000,
    " " * 4000 + "1",
    "call it " + "A " * 2000,
    "[[azure:length:99999999999999999999]]",
    "[[azure:length:\u00b2]]",
    "Repeat the word hello 1000000000 times",
    "List 99999999999999999999 cities",
]


@pytest.mark.parametrize("prompt", _HOSTILE, ids=lambda prompt: prompt[:30])
def test_hostile_prompts_are_answered_at_once(prompt: str) -> None:
    began = time.process_time()
    with open_client(Emulator()) as client:
        reply = create(client, input=prompt)
    assert reply.status_code == 200
    assert len(reply.content) < 2_000_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "(a|aa)+$", "(.*)*(.*)*=", "((x{1000}){1000}){1000}", "[^\\s\\S]", "\\ud800"],
)
def test_patterns_that_search_for_ever_are_answered_at_once(pattern: str) -> None:
    text = {"type": "string", "pattern": pattern, "minLength": 30}
    schema = {"type": "object", "properties": {"text": text}, "required": ["text"]}
    form = {"type": "json_schema", "name": "n", "schema": schema}
    grammar = {"type": "grammar", "syntax": "regex", "definition": pattern}
    custom = {"type": "custom", "name": "exec", "format": grammar}
    prompt = "use exec, text: " + "a" * 60 + "!"
    began = time.process_time()
    with open_client(Emulator()) as client:
        assert create(client, input=prompt, text={"format": form}).status_code == 200
        assert create(client, input=prompt, tools=[custom]).status_code == 200
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "definition",
    [
        "start: " + "\n".join(f"r{n}: r{n + 1} r{n + 1}" for n in range(38)),
        'start: "x"~1000000000',
        'start: "x"~',
        "start: ~",
        "start: (((",
    ],
)
def test_grammars_that_grow_without_end_are_answered_at_once(definition: str) -> None:
    form = {
        "type": "grammar",
        "syntax": "lark",
        "definition": definition.replace("start: r0:", "start: r0\nr0:"),
    }
    began = time.process_time()
    with open_client(Emulator()) as client:
        reply = create(
            client, input="use exec", tools=[{"type": "custom", "name": "exec", "format": form}]
        )
    assert reply.status_code == 200
    assert len(reply.content) < 100_000
    assert time.process_time() - began < 5


def test_a_schema_that_doubles_at_each_level_is_answered_at_once() -> None:
    def level(number: int) -> dict[str, Any]:
        inner = {"$ref": f"#/$defs/l{number + 1}"} if number < 30 else {"type": "string"}
        properties = {"a": inner, "b": inner}
        return {"type": "object", "properties": properties, "required": ["a", "b"]}

    schema = {**level(0), "$defs": {f"l{number}": level(number) for number in range(1, 31)}}
    form = {"type": "json_schema", "name": "n", "schema": schema}
    began = time.process_time()
    with open_client(Emulator()) as client:
        assert create(client, input="x", text={"format": form}).status_code == 200
    assert time.process_time() - began < 10
