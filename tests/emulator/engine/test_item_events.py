"""Streams: numbered, complete, and telling the same as the response they end with."""

import re
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.emulator.engine import GeneratedResponse, create_response
from azure_responses.emulator.engine.item_events import obfuscate, split_deltas
from tests.emulator.engine.generations import ask, make_generation

_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
    {"type": "custom", "name": "exec"},
    {"type": "web_search"},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "image_generation", "partial_images": 2},
    {"type": "mcp", "server_label": "s", "server_url": "https://e", "require_approval": "never"},
    {"type": "shell", "environment": {"type": "container_auto"}},
    {"type": "apply_patch"},
]  # fmt: skip
_REQUESTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-4.1", "gpt-5-mini", "gpt-5.4", "o4-mini"]),
        "input": st.text(max_size=200)
        | st.sampled_from(
            [
                "Tell me a five sentence story about a fox",
                "weather in Paris, Rome and Oslo",
                "run `ls`, search the web, draw a picture and create a.txt",
                "[[azure:refuse]]",
                "[[azure:block-output]] tell me a story",
            ]
        ),
    },
    optional={
        "tools": st.lists(st.sampled_from(_TOOLS), max_size=3, unique_by=lambda t: t["type"]),
        "tool_choice": st.sampled_from(["auto", "none"]),
        "max_output_tokens": st.integers(16, 400),
        "parallel_tool_calls": st.booleans(),
        "reasoning": st.sampled_from([{"effort": "low", "summary": "auto"}, {"effort": "high"}]),
        "include": st.sampled_from(
            [["reasoning.encrypted_content"], ["message.output_text.logprobs"]]
        ),
        "stream_options": st.sampled_from([{"include_obfuscation": False}, {}]),
        "background": st.booleans(),
    },
)

# What each kind of delta adds up to: the field of its done event.
_DONE_FIELDS = ("text", "arguments", "input", "code", "refusal", "command", "diff")
_HEADERS = {"x-ms-oai-image-generation-deployment": "gpt-image-1"}


@settings(max_examples=200, deadline=None)
@given(_REQUESTS, st.booleans(), st.sampled_from(["default", "async"]))
def test_any_stream_is_numbered_and_adds_up(
    request: dict[str, Any], dated: bool, chunking: str
) -> None:
    generation = make_generation(request, headers=_HEADERS, dated=dated, chunking=chunking)
    reply = create_response(generation)
    events = reply.events
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["response"] is reply.response
    assert events[-1]["type"] == f"response.{reply.response['status']}"
    _check_items(reply)
    _check_deltas(events)


def _check_items(reply: GeneratedResponse) -> None:
    done = [e["item"] for e in reply.events if e["type"] == "response.output_item.done"]
    added = [e["item"] for e in reply.events if e["type"] == "response.output_item.added"]
    assert [_unsealed(item) for item in done] == [
        _unsealed(item) for item in reply.response["output"]
    ]
    assert [item["id"] for item in added] == [item["id"] for item in done]
    assert reply.output_items == reply.response["output"]


def _unsealed(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "encrypted_content"}


def _check_deltas(events: list[dict[str, Any]]) -> None:
    text: dict[tuple[Any, ...], str] = {}
    for event in events:
        kind, _, ending = event["type"].rpartition(".")
        names = ("item_id", "output_index", "content_index", "summary_index", "command_index")
        key = (kind, *(event.get(name) for name in names))
        if ending == "delta" and isinstance(event["delta"], str):
            text[key] = text.get(key, "") + event["delta"]
        elif ending == "done" and kind + ".delta" and key in text:
            field = next(name for name in _DONE_FIELDS if name in event)
            assert text.pop(key) == event[field]
    assert text == {}


@pytest.mark.parametrize(
    ("prompt", "given", "kinds"),
    [
        (
            "Hello",
            {},
            "created in_progress output_item.added content_part.added output_text.delta "
            "output_text.done content_part.done output_item.done completed",
        ),
        (
            "Hello",
            {"background": True},
            "created queued in_progress output_item.added content_part.added output_text.delta "
            "output_text.done content_part.done output_item.done completed",
        ),
        (
            "[[azure:refuse]]",
            {},
            "created in_progress output_item.added content_part.added refusal.delta refusal.done "
            "content_part.done output_item.done completed",
        ),
        ("[[azure:fail:server_error]]", {}, "created in_progress failed"),
        (
            "Tell me a story",
            {"max_output_tokens": 16},
            "created in_progress output_item.added content_part.added output_text.delta "
            "output_text.done content_part.done output_item.done incomplete",
        ),
    ],
)
def test_the_order_of_events(prompt: str, given: dict[str, Any], kinds: str) -> None:
    order = [kind for kind, _ in groupby(event["type"] for event in ask(prompt, **given).events)]
    assert order == [f"response.{kind}" for kind in kinds.split()]


def test_keys_are_in_the_order_of_their_surface() -> None:
    modern, dated = ask("Hello").events[4], ask("Hello", dated=True).events[4]
    assert next(iter(modern)) == "type"
    assert list(modern)[-1] == "sequence_number"
    assert list(dated)[:2] == ["type", "sequence_number"]


def test_deltas_are_padded_to_sixteen_letters_unless_declined() -> None:
    for event in ask("Hello").events:
        if event["type"].endswith(".delta"):
            assert (len(event["delta"]) + len(event["obfuscation"])) % 16 == 0
    declined = ask("Hello", stream_options={"include_obfuscation": False}).events
    assert not any("obfuscation" in event for event in declined)


def test_the_asynchronous_filter_lets_every_token_through() -> None:
    counts = [
        sum(event["type"].endswith(".delta") for event in ask("Hello", chunking=mode).events)
        for mode in ("default", "async")
    ]
    assert counts[0] < counts[1] == 9


def test_each_event_seals_the_reasoning_anew() -> None:
    reply = ask("Hello", model="gpt-5-mini", include=["reasoning.encrypted_content"])
    seen = [
        event["item"]["encrypted_content"]
        for event in reply.events
        if event.get("item", {}).get("type") == "reasoning"
    ]
    seen.append(reply.response["output"][0]["encrypted_content"])
    assert len(seen) == len(set(seen)) == 3
    assert all(text.startswith("gAAAAAB") for text in seen)


def test_filters_are_null_until_the_response_is_complete() -> None:
    events = ask("Hello").events
    assert events[0]["response"]["content_filters"] is None
    assert [entry["source_type"] for entry in events[-1]["response"]["content_filters"]] == [
        "prompt",
        "completion",
    ]
    assert ask("Hello", dated=True).response["content_filters"] is None


def test_delta_logprobs_are_one_per_token() -> None:
    reply = ask("Hello", include=["message.output_text.logprobs"], top_logprobs=2)
    deltas = [event for event in reply.events if event["type"].endswith("text.delta")]
    assert all(len(event["logprobs"]) == 1 for event in deltas)
    assert [event["logprobs"][0]["token"] for event in deltas] == [
        event["delta"] for event in deltas
    ]


@given(st.text())
def test_deltas_are_the_text(text: str) -> None:
    for chunking in ("default", "async"):
        assert "".join(split_deltas(text, chunking)) == text


@given(st.text(), st.text())
def test_padding_fills_sixteen_characters(delta: str, key: str) -> None:
    padding = obfuscate(delta, key)
    assert (len(delta) + len(padding)) % 16 == 0
    assert re.fullmatch("[A-Za-z0-9]{1,16}", padding)
