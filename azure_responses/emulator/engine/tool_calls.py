"""Which tools a response calls, by `tool_choice`, by name or by what is asked, and their calls."""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from azure_responses.emulator.engine.computer_and_shell import MACHINE_TOOLS
from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.hosted_tool import HostedTool, Tool
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.matching_text import write_grammar
from azure_responses.emulator.engine.output_items import write_answer
from azure_responses.emulator.engine.prompt_values import PromptValues, find_places, split_words
from azure_responses.emulator.engine.remote_mcp import REMOTE_MCP
from azure_responses.emulator.engine.service_tools import SERVICE_TOOLS
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text

__all__ = [
    "HOSTED_TOOLS",
    "ToolSelection",
    "close_objects",
    "find_hosted",
    "select_tools",
    "write_calls",
    "write_hosted_calls",
]

HOSTED_TOOLS: Mapping[str, HostedTool] = {
    row.type: row for row in (*SERVICE_TOOLS, REMOTE_MCP, *MACHINE_TOOLS)
}
_OWN = ("function", "custom")
# Words that say nothing about what a tool is for.
_EMPTY_WORDS = """
a an and any are as at be by call can do does else execute fetch find for from function
get given gets give has have how i if in into is it its look make me my new of on once one
or out per provide provided return returns run set show some step tell that the their them
this to tool up use used user using value want what when where which who will with you
your information data about please check current result input output string number query
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[a-z0-9]+")
_COMMANDS = frozenset(("cmd", "command"))
_PLACES = frozenset(("city", "location", "place", "destination", "town"))
# Recorded: a weather call with one short argument costs 24 output tokens.
_FRAME = 15
# A prompt may name hundreds of places: no model calls a tool for each.
_MOST_CALLS = 8


def find_hosted(kind: str) -> HostedTool | None:
    """The row of a tool's type, whatever its version: `web_search_preview` is `web_search`."""
    return next((row for name, row in HOSTED_TOOLS.items() if kind.startswith(name)), None)


def _family(kind: str) -> str:
    row = find_hosted(kind)
    return row.type if row else kind


@dataclass
class ToolSelection:
    """What to call: functions and custom tools, and hosted tools, in the order declared."""

    called: list[Tool] = field(default_factory=list)
    hosted: list[Tool] = field(default_factory=list)


def select_tools(builder: ResponseBuilder) -> ToolSelection:
    """The tools that this response calls; none where the answer is a message."""
    tools = _flatten(builder.body.get("tools") or [])
    choice = builder.body.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return ToolSelection()
    if isinstance(choice, dict):
        if choice["type"] == "allowed_tools":
            tools = [tool for tool in tools if any(_is_chosen(tool, c) for c in choice["tools"])]
            choice = choice["mode"]
        else:
            return _sort([tool for tool in tools if _is_chosen(tool, choice)][:1])
    wanted = _find_wanted(builder, tools)
    if not wanted and choice == "required":
        # Frameworks that want every response to be a call have one that ends the conversation.
        final = [tool for tool in tools if str(tool.get("name")).startswith("final_")]
        wanted = (final or tools)[:1]
    return _sort(wanted)


def _flatten(tools: list[Tool]) -> list[Tool]:
    flat: list[Tool] = []
    for tool in tools:
        if tool["type"] == "namespace":
            flat.extend({**inner, "namespace": tool["name"]} for inner in tool["tools"])
        else:
            flat.append(tool)
    return flat


def _is_chosen(tool: Tool, choice: dict[str, Any]) -> bool:
    if choice["type"] in _OWN:
        return (tool["type"], tool.get("name")) == (choice["type"], choice["name"])
    if choice["type"] == "mcp":
        return tool.get("server_label") == str(choice["server_label"])
    return _family(tool["type"]) == _family(choice["type"])


def _sort(tools: list[Tool]) -> ToolSelection:
    called = [tool for tool in tools if tool["type"] in _OWN]
    return ToolSelection(called, [tool for tool in tools if tool["type"] not in _OWN])


def _find_wanted(builder: ResponseBuilder, tools: list[Tool]) -> list[Tool]:
    """The tools that the prompt names, else the function that fits best, else hosted tools."""
    if builder.transcript.results and not _calls_again(builder):
        # The outputs answer the prompt: the model speaks next.
        return []
    prompt = builder.prompt.lower()
    # A name in the prompt leaves no doubt, and lets a test choose several tools at once.
    named = [tool for tool in tools if _is_named(tool, prompt)]
    if named:
        return named
    words = {_stem(word) for word in _WORD.findall(prompt)} - _EMPTY
    selection = _sort(tools)
    best = max(selection.called, key=lambda tool: _score(tool, words, prompt), default=None)
    if best is not None and _score(best, words, prompt) >= 2:
        return [best]
    return [tool for tool in selection.hosted if _is_cued(tool, prompt)]


def _calls_again(builder: ResponseBuilder) -> bool:
    rounds = find_trigger(builder.transcript, "rounds") or ""
    # Outputs of parallel calls are one round.
    kinds = [str(item.get("type")) for item in builder.transcript.items]
    ends = [
        is_output and not follows
        for is_output, follows in pairwise([kind.endswith("_output") for kind in [*kinds, ""]])
    ]
    return rounds.isdecimal() and sum(ends) < int(rounds)


def _is_cued(tool: Tool, prompt: str) -> bool:
    row = find_hosted(tool["type"])
    return row is not None and re.search(row.cue, prompt) is not None


def _is_named(tool: Tool, prompt: str) -> bool:
    name = tool.get("name")
    if not name:
        return _family(tool["type"]).replace("_", " ") in prompt.replace("_", " ")
    # A function called `get` or `run` would be named by any sentence.
    is_long_enough = "_" in name or len(split_words(name)) > 1 or len(name) > 3
    pattern = rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])"
    return is_long_enough and re.search(pattern, prompt) is not None


def _score(tool: Tool, words: set[str], prompt: str) -> int:
    """How well a function fits: words of its name count twice, of the rest once."""
    name = {_stem(word) for word in split_words(tool["name"])} - _EMPTY
    described = str(tool.get("description") or "").lower()
    description = {_stem(word) for word in _WORD.findall(described)} - _EMPTY
    properties = ((tool.get("parameters") or {}).get("properties") or {}).keys()
    parameters = {_stem(word) for key in properties for word in split_words(key)} - _EMPTY
    score = 2 * len(words & name) + len(words & description) + len(words & parameters)
    is_calculator = re.search(
        r"calc|arithmetic|math|add|multipl|sum", f"{tool['name']} {described}"
    )
    # A sum or a command in the prompt weighs as much as a word of the name.
    if is_calculator and re.search(r"\d\s*[-+*/×÷]\s*\d", prompt):
        score += 2
    if properties & _COMMANDS and re.search(r"\b(?:run|execute)\b[^`]*`", prompt):
        score += 2
    return score


def _stem(word: str) -> str:
    # Crude, but the words of prompts and of tools are cut alike.
    for ending in ("ies", "ing", "ed", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word[: -len(ending)]
    return word


# Calls of functions and custom tools


def write_calls(builder: ResponseBuilder, tools: list[Tool]) -> list[OutputStep]:
    """The calls of these tools; one in all where `parallel_tool_calls` is false.

    A function that takes one place is called once for each place that the prompt names.
    """
    is_parallel = builder.body.get("parallel_tool_calls") is not False
    wanted: list[tuple[Tool, str]] = []
    for tool in tools:
        is_last = str(tool["name"]).startswith("final_")
        said = _conclude(builder) if is_last else builder.prompt
        wanted.extend((tool, text) for text in _spread(tool, said))
    wanted = wanted[: _MOST_CALLS if is_parallel else 1]
    return [_write_call(builder, tool, text) for tool, text in wanted]


def _conclude(builder: ResponseBuilder) -> str:
    """The text for a tool that ends the run: what was found out, then the prompt.

    smolagents sends what its tools returned as messages of the user.
    """
    prompt = builder.prompt
    found = [result.output for result in builder.transcript.results[-1:]]
    if prompt.startswith("Observation:"):
        found = [prompt.removeprefix("Observation:").strip()]
    return "\n".join([*(f"answer: {text}" for text in found), prompt])


def _spread(tool: Tool, prompt: str) -> list[str]:
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


def _write_call(builder: ResponseBuilder, tool: Tool, prompt: str) -> OutputStep:
    if tool["type"] == "custom":
        return _write_custom_call(builder, tool, prompt)
    schema = tool.get("parameters")
    if tool.get("strict") is None:
        schema = close_objects(schema)
    built = build_instance(schema or {"type": "object"}, prompt)
    arguments = json.dumps(built, separators=(",", ":"), ensure_ascii=False)
    item = {
        "id": builder.identify("fc"),
        "type": "function_call",
        "status": "completed",
        "arguments": arguments,
        "call_id": builder.generation.identifiers.call(),
        "name": tool["name"],
    }
    return _finish_call(item, tool, arguments)


def _write_custom_call(builder: ResponseBuilder, tool: Tool, prompt: str) -> OutputStep:
    text = write_grammar(tool.get("format") or {}, prompt)
    if text is None:
        text = PromptValues(prompt).string("input") or prompt
    item = {
        "id": builder.identify("ctc"),
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": builder.generation.identifiers.call(),
        "input": text,
        "name": tool["name"],
    }
    return _finish_call(item, tool, text)


def _finish_call(item: dict[str, Any], tool: Tool, written: str) -> OutputStep:
    if tool.get("namespace"):
        item["namespace"] = tool["namespace"]
    return OutputStep(item, tokens=count_text(written) + count_text(tool["name"]) + _FRAME)


def close_objects(schema: Any) -> Any:
    """A copy in which every object refuses further properties and requires those it has.

    The service does this to a function's schema where `strict` is left out.
    """
    if schema is None:
        return {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
    closed = copy.deepcopy(schema)
    _close(closed)
    return closed


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _close(part)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
        schema["required"] = list(schema["properties"])
        _close(list(schema["properties"].values()))
    for name in ("items", "anyOf"):
        _close(schema.get(name))
    for name in ("$defs", "definitions"):
        _close(list((schema.get(name) or {}).values()))


# Calls of hosted tools


def write_hosted_calls(builder: ResponseBuilder, tools: list[Tool]) -> list[OutputStep]:
    """The calls of these tools, at most `max_tool_calls`, and what the model says afterwards.

    Where several tools bring a message, the first one speaks for all.
    """
    steps: list[OutputStep] = []
    for tool in tools[: builder.body.get("max_tool_calls")]:
        row = find_hosted(tool["type"])
        # `tool_search` and `programmatic_tool_calling` only help others: they have no row.
        steps.extend(row.write(builder, tool) if row else ())
    calls = [step for step in steps if step.item["type"] != "message"]
    messages = [step for step in steps if step.item["type"] == "message"]
    return [*calls, *messages[:1]] or [write_answer(builder)]
