"""Calls of a caller's tools as calls of functions, and what the tools returned."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from azure_responses.bridge.string_field import read_string_field
from azure_responses.bridge.unsupported import invalid
from azure_responses.types.tools import CHAT_FORMS

__all__ = [
    "CALLS",
    "ToolCall",
    "ID_PREFIXES",
    "OUTPUTS",
    "ToolOrigin",
    "call_of",
    "check_calls",
    "is_services",
    "item_of",
    "output_failed",
    "output_of",
    "runs_in_container",
]

_Item = Mapping[str, Any]

ID_PREFIXES: Mapping[str, str] = {
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "shell_call": "sh_",
    "local_shell_call": "lsh_",
    "apply_patch_call": "apc_",
    "computer_call": "cu_",
    "tool_search_call": "tsc_",
}
"""The beginnings of the ids of call items."""

CALLS = frozenset(ID_PREFIXES)
"""The types of the items that ask the caller to do something."""

OUTPUTS: Mapping[str, str] = {
    **{f"{kind}_output": kind for kind in CALLS},
    "tool_search_output": "tool_search_call",
}
"""The types of the items that answer them, and of which calls."""


class ToolCall(NamedTuple):
    """A call as chat completions and Messages have it; of a custom tool the text, not JSON."""

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"


class ToolOrigin(NamedTuple):
    """The tool that a function stands for: the type of its calls, and its own name."""

    call: str
    name: str
    namespace: str | None = None


def call_of(item: _Item) -> ToolCall:
    """A call item as the call of a function; its name is the tool's own."""
    kind = item["type"]
    call_id = str(item.get("call_id") or item.get("id") or "")
    if kind == "function_call":
        return ToolCall(call_id, str(item.get("name") or ""), _as_text(item.get("arguments")))
    if kind == "custom_tool_call":
        arguments = _dump({"input": str(item.get("input") or "")})
        return ToolCall(call_id, str(item.get("name") or ""), arguments)
    form = CHAT_FORMS[kind]
    given: Any = {name: item[name] for name in form.arguments if item.get(name)}
    if len(form.arguments) == 1:
        given = item.get(form.arguments[0])
    if kind == "local_shell_call" and isinstance(given, Mapping):
        # What the item has and the model did not write.
        given = {name: value for name, value in given.items() if name != "type" and value != {}}
    if isinstance(given, Mapping):
        given = {name: value for name, value in given.items() if value is not None}
    return ToolCall(call_id, form.name, _as_text(given))


def item_of(call: ToolCall, origin: ToolOrigin) -> dict[str, Any]:
    """The item of a call, without id and status.

    Arguments that do not fit the tool stay what they are: the item is then the call of a function,
    so that the caller sees them and runs nothing by mistake.
    """
    if origin.call == "custom_tool_call":
        text = call.arguments
        if call.kind == "function":
            text = read_string_field(text, "input")
        return _named("custom_tool_call", call, origin, "input", text)
    if origin.call == "function_call":
        return _named("function_call", call, origin, "arguments", call.arguments or "{}")
    read = _parse(call.arguments)
    made = _READERS[origin.call](read) if isinstance(read, dict) else None
    if made is None:
        return _named("function_call", call, origin, "arguments", call.arguments)
    return {"type": origin.call, "call_id": call.id, **made}


def _named(kind: str, call: ToolCall, origin: ToolOrigin, name: str, text: str) -> dict[str, Any]:
    item = {"type": kind, "call_id": call.id, "name": origin.name, name: text}
    return item if origin.namespace is None else {**item, "namespace": origin.namespace}


def _read_shell(given: dict[str, Any]) -> dict[str, Any] | None:
    commands = given.get("commands")
    if not _are_texts(commands):
        return None
    # In the order in which the model wrote them: sent back, they are found in its cache.
    names = ("commands", "timeout_ms", "max_output_length")
    action = {name: value for name, value in given.items() if name in names}
    unsaid = {name: None for name in names if name not in action}
    return {"action": {**action, **unsaid}, "environment": {"type": "local"}}


def _read_local_shell(given: dict[str, Any]) -> dict[str, Any] | None:
    if not _are_texts(given.get("command")):
        return None
    return {"action": {"type": "exec", **given, "env": given.get("env") or {}}}


def _read_patch(given: dict[str, Any]) -> dict[str, Any] | None:
    # Some models put the fields below the name that the item has for them.
    operation = given.get("operation", given)
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        return None
    names = ("type", "path") if operation.get("type") == "delete_file" else ("type", "path", "diff")
    if not all(isinstance(operation.get(name), str) for name in names):
        return None
    return {"operation": {name: value for name, value in operation.items() if name in names}}


def _read_computer(given: dict[str, Any]) -> dict[str, Any] | None:
    actions = given.get("actions", [given.get("action")])
    if not isinstance(actions, list) or not all(isinstance(one, dict) for one in actions):
        return None
    fields = {"actions": actions} if "actions" in given else {"action": actions[0]}
    return {**fields, "pending_safety_checks": []}


def _read_search(given: dict[str, Any]) -> dict[str, Any]:
    return {"arguments": given, "execution": "client"}


_READERS = {
    "shell_call": _read_shell,
    "local_shell_call": _read_local_shell,
    "apply_patch_call": _read_patch,
    "computer_call": _read_computer,
    "tool_search_call": _read_search,
}


def output_of(item: _Item) -> str | list[dict[str, Any]]:
    """What a call returned: text, or content parts of the Responses API."""
    kind, output = item["type"], item.get("output")
    if kind == "tool_search_output":
        return _dump({"tools": [_tool_name(tool) for tool in item.get("tools") or ()]})
    if kind == "computer_call_output" and isinstance(output, Mapping):
        source = {name: output[name] for name in ("image_url", "file_id") if output.get(name)}
        return [{"type": "input_image", **source}]
    if isinstance(output, str) or output is None:
        return output or str(item.get("status") or "") * (kind == "apply_patch_call_output")
    if kind == "shell_call_output" or not isinstance(output, list):
        return _dump(output)
    return [dict(part) for part in output if isinstance(part, Mapping)]


def output_failed(item: _Item) -> bool:
    """True where the caller says that a call failed."""
    return item.get("status") in ("failed", "incomplete")


def is_services(item: _Item) -> bool:
    """True for a call item that the service itself carried out, or its output."""
    kind = item.get("type")
    if kind in ("tool_search_call", "tool_search_output"):
        return item.get("execution") != "client"
    environment = item.get("environment")
    return kind == "shell_call" and runs_in_container(environment)


def runs_in_container(environment: Any) -> bool:
    """True for the environment of a shell that runs at the service, not at the caller's."""
    return isinstance(environment, Mapping) and environment.get("type") not in (None, "local")


def check_calls(items: Iterable[_Item]) -> dict[str, str]:
    """Compare calls and outputs.

    Returns the id of the call for each id by which an output may name it.

    Raises:
        BadRequestError: a call has no output, or an output no call before it, in the service's
            own words. A repaired history would show the model what never happened.
    """
    unanswered: dict[str, str] = {}
    names: dict[str, str] = {}
    for item in items:
        kind = str(item.get("type") or "message")
        if kind == "tool_search_call" and is_services(item):
            continue
        if kind in CALLS:
            call_id = str(item.get("call_id") or item.get("id"))
            names[call_id] = call_id
            # The output of a local shell names the item's id.
            if kind == "local_shell_call" and item.get("id"):
                names[str(item["id"])] = call_id
            if not is_services(item):
                unanswered[call_id] = kind.replace("_", " ")
        elif kind in OUTPUTS and not is_services(item):
            unanswered.pop(_answered(item, names), None)
    for call_id, words in unanswered.items():
        raise invalid(f"No tool output found for {words} {call_id}.", "input")
    return names


def _answered(item: _Item, names: Mapping[str, str]) -> str:
    named = str(item.get("call_id") or item.get("id"))
    if named not in names:
        words = OUTPUTS[str(item["type"])].replace("_", " ")
        raise invalid(f"No tool call found for {words} output with call_id {named}.", "input")
    return names[named]


def _tool_name(tool: Any) -> str:
    return str(tool.get("name") or tool.get("type")) if isinstance(tool, Mapping) else str(tool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _as_text(arguments: Any) -> str:
    """Arguments as JSON text; none at all are an empty object."""
    if isinstance(arguments, str):
        return arguments or "{}"
    return _dump(arguments or {})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
