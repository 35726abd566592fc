"""Which of the declared tools a turn calls: by `tool_choice`, by name, or by what is asked."""

import re
from dataclasses import dataclass, field
from typing import Any

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.hints import split_words

__all__ = ["Selection", "family", "select_tools"]

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
class Selection:
    """What to call: functions and custom tools, and hosted tools, in the order declared."""

    called: list[_Tool] = field(default_factory=list)
    hosted: list[_Tool] = field(default_factory=list)


def select_tools(draft: Draft) -> Selection:
    """The tools this turn calls; none where the answer is a message."""
    tools = _flatten(draft.turn.request.get("tools") or [])
    choice = draft.turn.request.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return Selection()
    if isinstance(choice, dict):
        if choice["type"] == "allowed_tools":
            tools = [tool for tool in tools if any(_is_chosen(tool, c) for c in choice["tools"])]
            choice = choice["mode"]
        else:
            return _sort([tool for tool in tools if _is_chosen(tool, choice)][:1])
    wanted = _find_wanted(draft, tools)
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


def _sort(tools: list[_Tool]) -> Selection:
    selection = Selection()
    for tool in tools:
        is_called = tool["type"] in ("function", "custom")
        (selection.called if is_called else selection.hosted).append(tool)
    return selection


def _find_wanted(draft: Draft, tools: list[_Tool]) -> list[_Tool]:
    transcript = draft.transcript
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
