"""Which of the declared tools a turn calls: by `tool_choice`, by name, or by what is asked."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.matching_text import write_grammar
from azure_responses.emulator.engine.prompt_values import Hints, find_places, split_words
from azure_responses.emulator.engine.response_object import close_objects
from azure_responses.emulator.tokens import count_text

__all__ = ["ToolSelection", "family", "select_tools", "write_calls"]

_Tool = dict[str, Any]
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
_HOSTED_CUES = {
    "web_search": r"\b(?:search|news|latest|today|web|internet|look up|online|current)\b",
    "code_interpreter": r"\b(?:code|python|program|compute|calculate|plot|run|script|analy[sz]e)\b",
    "file_search": r"\b(?:file|files|document|documents|search|find|according|what|who|where)\b",
    "image_generation": r"\b(?:image|picture|draw|drawing|photo|illustration|logo|paint)\b",
    "mcp": r"^(?!\W*(?:hi|hello|hey|thanks|thank you)\b).*\w",
    "computer": r"\b(?:click|open|browser|screen|screenshot|navigate|website|search|computer)\b",
    "shell": r"\b(?:shell|command|terminal|run|list|files|directory|bash|execute|ls)\b",
    "local_shell": r"\b(?:shell|command|terminal|run|list|files|directory|bash|ls)\b",
    "apply_patch": r"\b(?:patch|file|edit|create|change|fix|update|delete|write)\b",
    "tool_search": r"(?!)",
    "programmatic_tool_calling": r"(?!)",
}


@dataclass
class ToolSelection:
    """What to call: functions and custom tools, and hosted tools, in the order declared."""

    called: list[_Tool] = field(default_factory=list)
    hosted: list[_Tool] = field(default_factory=list)


def select_tools(builder: ResponseBuilder) -> ToolSelection:
    """The tools this turn calls; none where the answer is a message."""
    tools = _flatten(builder.generation.request.get("tools") or [])
    choice = builder.generation.request.get("tool_choice") or "auto"
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
        # Frameworks that want every turn to be a call have one that ends the conversation.
        final = [tool for tool in tools if str(tool.get("name")).startswith("final_")]
        wanted = (final or tools)[:1]
    return _sort(wanted)


def _flatten(tools: list[_Tool]) -> list[_Tool]:
    flat: list[_Tool] = []
    for tool in tools:
        if tool["type"] == "namespace":
            flat.extend({**inner, "namespace": tool["name"]} for inner in tool["tools"])
        else:
            flat.append(tool)
    return flat


def family(tool: _Tool) -> str:
    """The tool's type without its version: `web_search_preview` is `web_search`."""
    return next(
        (name for name in ("web_search", "computer") if tool["type"].startswith(name)),
        tool["type"],
    )


def _is_chosen(tool: _Tool, choice: dict[str, Any]) -> bool:
    if choice["type"] in ("function", "custom"):
        return (tool["type"], tool.get("name")) == (choice["type"], choice["name"])
    if choice["type"] == "mcp":
        return tool.get("server_label") == str(choice["server_label"])
    return family(tool) == family(choice)


def _sort(tools: list[_Tool]) -> ToolSelection:
    selection = ToolSelection()
    for tool in tools:
        is_called = tool["type"] in ("function", "custom")
        (selection.called if is_called else selection.hosted).append(tool)
    return selection


def _find_wanted(builder: ResponseBuilder, tools: list[_Tool]) -> list[_Tool]:
    transcript = builder.transcript
    if transcript.results:
        # The outputs answer the prompt: the model speaks next.
        return []
    prompt = transcript.prompt.lower()
    named = [tool for tool in tools if _is_named(tool, prompt)]
    if named:
        return named
    words = {_stem(word) for word in _WORD.findall(prompt)} - _EMPTY
    scores = [(_score(tool, words, prompt), -index) for index, tool in enumerate(tools)]
    best, index = max(scores, default=(0, 0))
    wanted = [tools[-index]] if best >= 2 else []
    hosted = [tool for tool in tools if tool["type"] not in ("function", "custom")]
    if wanted and wanted[0] not in hosted:
        return wanted
    return [tool for tool in hosted if re.search(_HOSTED_CUES.get(family(tool), r"(?!)"), prompt)]


def _is_named(tool: _Tool, prompt: str) -> bool:
    name = tool.get("name")
    if not name:
        return family(tool).replace("_", " ") in prompt.replace("_", " ")
    is_long_enough = "_" in name or len(split_words(name)) > 1 or len(name) > 3
    pattern = rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])"
    return is_long_enough and re.search(pattern, prompt) is not None


def _score(tool: _Tool, words: set[str], prompt: str) -> int:
    if tool["type"] not in ("function", "custom"):
        return 0
    name = {_stem(word) for word in split_words(tool["name"])} - _EMPTY
    described = str(tool.get("description") or "").lower()
    description = {_stem(word) for word in _WORD.findall(described)} - _EMPTY
    properties = ((tool.get("parameters") or {}).get("properties") or {}).keys()
    parameters = {_stem(word) for key in properties for word in split_words(key)} - _EMPTY
    score = 2 * len(words & name) + len(words & description) + len(words & parameters)
    if _is_arithmetic(tool, described) and re.search(r"\d\s*[-+*/×÷]\s*\d", prompt):
        score += 2
    if properties & _COMMANDS and re.search(r"\b(?:run|execute)\b[^`]*`", prompt):
        score += 2
    return score


def _is_arithmetic(tool: _Tool, described: str) -> bool:
    return bool(re.search(r"calc|arithmetic|math|add|multipl|sum", f"{tool['name']} {described}"))


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word[: -len(ending)]
    return word


# Recorded: a weather call with one short argument costs 24 output tokens.
_CALL_FRAME = 15
_MOST_CALLS = 8
_PLACES = frozenset(("city", "location", "place", "destination", "town"))


def write_calls(builder: ResponseBuilder, tools: list[dict[str, Any]]) -> list[OutputStep]:
    """The calls of these tools; one in all where `parallel_tool_calls` is false.

    A function that takes one place is called once for each place the prompt names.
    """
    is_parallel = builder.generation.request.get("parallel_tool_calls") is not False
    prompt = builder.transcript.prompt
    wanted: list[tuple[dict[str, Any], str]] = []
    for tool in tools:
        said = _conclude(builder) if str(tool["name"]).startswith("final_") else prompt
        wanted.extend((tool, text) for text in _spread(tool, said))
    wanted = wanted[: _MOST_CALLS if is_parallel else 1]
    return [_write_call(builder, tool, text) for tool, text in wanted]


def _conclude(builder: ResponseBuilder) -> str:
    """What a tool that ends the run is given: what was found out, and the prompt.

    smolagents tells what its tools returned as messages of the user.
    """
    prompt = builder.transcript.prompt
    found = [result.output for result in builder.transcript.results[-1:]]
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


def _write_call(builder: ResponseBuilder, tool: dict[str, Any], prompt: str) -> OutputStep:
    if tool["type"] == "custom":
        return _write_custom(builder, tool, prompt)
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
    return _step(item, tool, arguments)


def _write_custom(builder: ResponseBuilder, tool: dict[str, Any], prompt: str) -> OutputStep:
    text = write_grammar(tool.get("format") or {}, prompt)
    if text is None:
        text = Hints(prompt).string("input") or prompt
    item = {
        "id": builder.identify("ctc"),
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": builder.generation.identifiers.call(),
        "input": text,
        "name": tool["name"],
    }
    return _step(item, tool, text)


def _step(item: dict[str, Any], tool: dict[str, Any], written: str) -> OutputStep:
    if tool.get("namespace"):
        item["namespace"] = tool["namespace"]
    return OutputStep(item, tokens=count_text(written) + count_text(tool["name"]) + _CALL_FRAME)
