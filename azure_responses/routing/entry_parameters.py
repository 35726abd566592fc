"""Parameters of requests that an entry sets: defaults of its callers, or values that are fixed.

`litellm_params` may hold any parameter of chat completions or of the Responses API, so that
`gpt-5-high` and `gpt-5-flex` are two models of one deployment. As in LiteLLM the value of a caller
wins, except for the names in `fixed_params`. The entry is written once, when it is read, in the
terms of each API that callers use:

| entry | Responses | chat completions | Messages |
|---|---|---|---|
| `reasoning_effort`, `reasoning` | `reasoning` | `reasoning_effort` | `output_config.effort` |
| `max_tokens` and its other names | `max_output_tokens` | the same | `max_tokens` |
| `verbosity`, `response_format`, `text` | `text` | `verbosity`, `response_format` | |
| `tools`, `tool_choice` | flat | nested | functions, as Claude has them |
| `stop` | | `stop` | `stop_sequences` |

What an API has no place for is not sent in that API. `extra_body` is sent as it is in each.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from azure_responses.protocol.request_body import FEWEST_OUTPUT_TOKENS, OF_RESPONSES
from azure_responses.protocol.tool_shapes import (
    flat_format,
    flat_tool,
    nested_format,
    nested_tool,
)
from azure_responses.routing.entry_model import Entry
from azure_responses.routing.request_parameters import (
    LIMITS,
    OF_PASSED,
    EntryParameters,
    Terms,
)
from azure_responses.types.parameters import ChatParameters, ResponseParameters

__all__ = ["FIXED", "PARAMETER_KEYS", "read_parameters"]

FIXED = "fixed_params"
_EXTRA = "extra_body"
_OF_RESPONSES = frozenset(ResponseParameters.__annotations__)
_OF_CHAT = frozenset(ChatParameters.__annotations__) - OF_RESPONSES
# What a call is about, or how it is made: as a default it would mean another call. The table of
# keys refuses them.
_NEVER = frozenset(
    {
        "background",
        "background_options",
        "conversation",
        "function_call",
        "functions",
        "input",
        "messages",
        "model",
        "previous_response_id",
        "stream",
        "stream_options",
    }
)
_OF_CLAUDE = frozenset({"stop_sequences", "thinking", "top_k"})
PARAMETER_KEYS = (_OF_RESPONSES | _OF_CHAT | _OF_CLAUDE).union(*OF_PASSED.values()) - _NEVER | {
    _EXTRA,
    FIXED,
}
"""The keys of an entry's params that are read here."""

_WHOLE = frozenset({"dimensions", "max_tool_calls", "n", "seed", "top_k", "top_logprobs"})
_NUMBERS = frozenset({"frequency_penalty", "presence_penalty", "speed", "temperature", "top_p"})
_FLAGS = frozenset({"logprobs", "parallel_tool_calls", "store"})
_MAPPINGS = frozenset({"metadata", "reasoning", "response_format", "text", _EXTRA})
_TEXTS = frozenset({"instructions", "prompt_cache_key", "service_tier", "user", "verbosity"})


def read_parameters(entry: Entry) -> EntryParameters | None:
    """The parameters of an entry, or None where it sets none.

    Raises ConfigurationError for a value of the wrong type, and for an unknown name in
    `fixed_params`.
    """
    given = {
        name: _read(entry, name, value)
        for name, value in entry.params.items()
        if name in PARAMETER_KEYS - {FIXED} and value is not None
    }
    fixed = _read_fixed(entry, given)
    if not given:
        return None
    extra = given.pop(_EXTRA, {})
    for name in sorted(_NEVER & extra.keys()):
        entry.refuse(f"{_EXTRA} sets {name}.", f"Leave {name} to the callers, or to the entry.")
    kept = {name: value for name, value in given.items() if name in fixed}
    return EntryParameters(given, _forms(given), _forms(kept) if kept else {}, extra)


def _read_fixed(entry: Entry, given: Mapping[str, Any]) -> frozenset[str]:
    value = entry.params.get(FIXED)
    if value is True:
        return frozenset(given) - {_EXTRA}
    names = [value] if isinstance(value, str) else value or []
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        entry.refuse(f"{FIXED} is {value!r}.", f"Write {FIXED}: true, or a list of names.")
    for name in names:
        if name not in given or name == _EXTRA:
            entry.refuse(f"{FIXED} has {name!r}, which the entry does not set.", f"Add {name}: ….")
    return frozenset(names)


def _read(entry: Entry, name: str, value: Any) -> Any:
    for names, read, wanted in _KINDS:
        if name in names:
            found = read(value)
            if found is None:
                entry.refuse(f"{name} is {value!r}.", f"Write {wanted}.")
            return found
    if name == "reasoning_effort" and not isinstance(value, str | Mapping):
        entry.refuse(f"{name} is {value!r}.", "Write an effort, or {effort: …, summary: …}.")
    if name == "tool_choice" and not isinstance(value, str | Mapping):
        entry.refuse(f"{name} is {value!r}.", "Write auto, none, required, or the tool.")
    return value


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _limit_of(value: Any) -> int | None:
    number = _whole(value)
    return number if number is not None and number > 0 else None


def _number(value: Any) -> float | None:
    # To Python True is 1, and "8" from an environment variable is text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if isfinite(number) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value if isinstance(value, bool) else None


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _list(value: Any) -> list[Any] | None:
    return list(value) if isinstance(value, list | tuple) else None


def _tools(value: Any) -> list[Any] | None:
    tools = _list(value)
    return tools if tools is not None and all(isinstance(one, Mapping) for one in tools) else None


def _stop(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else _list(value)
    is_right = texts is not None and all(isinstance(one, str) for one in texts)
    return value if is_right else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_KINDS: tuple[tuple[frozenset[str], Callable[[Any], Any], str], ...] = (
    (frozenset(LIMITS), _limit_of, "a whole number from 1"),
    (_WHOLE, _whole, "a whole number"),
    (_NUMBERS, _number, "a number"),
    (_FLAGS, _flag, "true or false"),
    (_MAPPINGS, _mapping, "a mapping of names to values"),
    (frozenset({"tools"}), _tools, "a list of tools"),
    (frozenset({"include"}), _list, "a list"),
    (frozenset({"stop", "stop_sequences"}), _stop, "a text or a list of texts"),
    (_TEXTS, _text, "text"),
)


def _forms(given: Mapping[str, Any]) -> dict[Terms, Mapping[str, Any]]:
    return {
        "responses": _as_response(given),
        "chat": _as_chat(given),
        # A chat that is bridged can say whatever the Responses API has a place for, and no more.
        "bridged": _as_response(given),
        "messages": _as_messages(given),
    }


def _kept(given: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in names}


def _as_response(given: Mapping[str, Any]) -> dict[str, Any]:
    form = _kept(given, _OF_RESPONSES)
    limit = _limit(given)
    if limit is not None:
        form["max_output_tokens"] = max(limit, FEWEST_OUTPUT_TOKENS)
    reasoning = {**_effort(given), **given.get("reasoning", {})}
    text = {**given.get("text", {})}
    if "verbosity" in given:
        text.setdefault("verbosity", given["verbosity"])
    if "response_format" in given:
        text.setdefault("format", flat_format(given["response_format"]))
    form |= {name: value for name, value in (("reasoning", reasoning), ("text", text)) if value}
    if "tools" in given:
        form["tools"] = [flat_tool(tool) for tool in given["tools"]]
    if "tool_choice" in given:
        form["tool_choice"] = flat_tool(given["tool_choice"])
    return form


def _as_chat(given: Mapping[str, Any]) -> dict[str, Any]:
    form = _kept(given, _OF_CHAT)
    limit = _limit(given)
    if limit is not None:
        # One name: both at once are refused.
        name = "max_tokens" if "max_completion_tokens" not in form and "max_tokens" in form else ""
        form = {key: value for key, value in form.items() if key not in LIMITS}
        form[name or "max_completion_tokens"] = limit
    effort = {**given.get("reasoning", {}), **_effort(given)}.get("effort")
    if effort is not None:
        form["reasoning_effort"] = effort
    text = given.get("text", {})
    if "verbosity" in text:
        form.setdefault("verbosity", text["verbosity"])
    if "format" in text:
        form.setdefault("response_format", nested_format(text["format"]))
    if "tools" in given:
        # Hosted tools are those of the Responses API.
        tools = [nested_tool(tool) for tool in given["tools"]]
        form["tools"] = [tool for tool in tools if tool.get("type") in ("function", "custom")]
    if "tool_choice" in given:
        form["tool_choice"] = nested_tool(given["tool_choice"])
    return {name: value for name, value in form.items() if value != []}


def _as_messages(given: Mapping[str, Any]) -> dict[str, Any]:
    form = _kept(given, _OF_CLAUDE | {"temperature", "top_p"})
    limit = _limit(given)
    if limit is not None:
        form["max_tokens"] = limit
    if "stop" in given:
        stop = given["stop"]
        form.setdefault("stop_sequences", [stop] if isinstance(stop, str) else list(stop))
    effort = {**given.get("reasoning", {}), **_effort(given)}.get("effort")
    if effort is not None:
        form["output_config"] = {"effort": effort}
    functions = [flat_tool(tool) for tool in given.get("tools", ())]
    tools = [_claude_tool(tool) for tool in functions if tool.get("type") == "function"]
    return {**form, "tools": tools} if tools else form


def _claude_tool(function: Mapping[str, Any]) -> dict[str, Any]:
    tool = {"name": function.get("name"), "input_schema": function.get("parameters") or _ANY}
    return {**tool, "description": function["description"]} if "description" in function else tool


_ANY: Mapping[str, Any] = {"type": "object", "properties": {}}


def _limit(given: Mapping[str, Any]) -> int | None:
    # In the order of LiteLLM's names, of which it sends one.
    return next((given[name] for name in reversed(LIMITS) if name in given), None)


def _effort(given: Mapping[str, Any]) -> Mapping[str, Any]:
    effort = given.get("reasoning_effort")
    if isinstance(effort, Mapping):
        return effort
    return {} if effort is None else {"effort": effort}
