"""Calls of the caller's own tools: functions and custom tools."""

import json
from typing import Any

from azure_responses.emulator.engine.declared_tools import close_objects
from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.grammars import write_grammar
from azure_responses.emulator.engine.hints import Hints, find_places, split_words
from azure_responses.emulator.engine.instances import build_instance
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.tokens import count_text

__all__ = ["write_calls"]

# Recorded: a weather call with one short argument costs 24 output tokens.
_FRAME = 15
_MOST_CALLS = 8
_PLACES = frozenset(("city", "location", "place", "destination", "town"))


def write_calls(draft: Draft, tools: list[dict[str, Any]]) -> list[Step]:
    """The calls of these tools; one in all where `parallel_tool_calls` is false.

    A function that takes one place is called once for each place the prompt names.
    """
    is_parallel = draft.turn.request.get("parallel_tool_calls") is not False
    prompt = draft.transcript.prompt
    wanted: list[tuple[dict[str, Any], str]] = []
    for tool in tools:
        said = _conclude(draft) if str(tool["name"]).startswith("final_") else prompt
        wanted.extend((tool, text) for text in _spread(tool, said))
    wanted = wanted[: _MOST_CALLS if is_parallel else 1]
    return [_write_call(draft, tool, text) for tool, text in wanted]


def _conclude(draft: Draft) -> str:
    """What a tool that ends the run is given: what was found out, and the prompt.

    smolagents tells what its tools returned as messages of the user.
    """
    prompt = draft.transcript.prompt
    found = [result.output for result in draft.transcript.results[-1:]]
    if prompt.startswith("Observation:"):
        found = [prompt.removeprefix("Observation:").strip()]
    return "\n".join([*(f"answer: {text}" for text in found), prompt])


def _spread(tool: dict[str, Any], prompt: str) -> list[str]:
    """The prompt, once for each place where the tool takes one and the prompt names several."""
    properties = (tool.get("parameters") or {}).get("properties") or {}
    slots = [
        name
        for name, schema in properties.items()
        if set(split_words(name)) & _PLACES and schema.get("type") == "string"
    ]
    places = find_places(prompt) if len(slots) == 1 else []
    if len(places) < 2:
        return [prompt]
    return [f"{slots[0]}: {place}\n{prompt}" for place in places]


def _write_call(draft: Draft, tool: dict[str, Any], prompt: str) -> Step:
    if tool["type"] == "custom":
        return _write_custom(draft, tool, prompt)
    schema = tool.get("parameters")
    if tool.get("strict") is None:
        schema = close_objects(schema)
    built = build_instance(schema or {"type": "object"}, prompt)
    arguments = json.dumps(built, separators=(",", ":"), ensure_ascii=False)
    item = {
        "id": draft.identify("fc"),
        "type": "function_call",
        "status": "completed",
        "arguments": arguments,
        "call_id": draft.turn.identifiers.call(),
        "name": tool["name"],
    }
    return _step(item, tool, arguments)


def _write_custom(draft: Draft, tool: dict[str, Any], prompt: str) -> Step:
    text = write_grammar(tool.get("format") or {}, prompt)
    if text is None:
        text = Hints(prompt).string("input") or prompt
    item = {
        "id": draft.identify("ctc"),
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": draft.turn.identifiers.call(),
        "input": text,
        "name": tool["name"],
    }
    return _step(item, tool, text)


def _step(item: dict[str, Any], tool: dict[str, Any], written: str) -> Step:
    if tool.get("namespace"):
        item["namespace"] = tool["namespace"]
    return Step(item, tokens=count_text(written) + count_text(tool["name"]) + _FRAME)
