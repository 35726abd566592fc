"""Tools and tool choices of chat requests → those of the Responses API."""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import as_mapping, refuse

__all__ = ["read_function", "read_function_choice", "read_tool", "read_tool_choice", "read_web"]

_Fields = Mapping[str, Any]
_CHOICES = ("none", "auto", "required")


def read_tool(tool: Any, path: str) -> dict[str, Any]:
    """One tool: functions and custom tools flattened, hosted tools as they are.

    A function that does not say whether it is strict is sent as not strict: that is chat
    completions' default, and the Responses API's is the opposite.
    """
    fields = as_mapping(tool, path)
    kind = fields.get("type")
    # Nested as chat completions has them, or flat as the Responses API does (Cursor sends those).
    # Other types are hosted tools, which both APIs describe alike: unknown ones pass too, so that
    # a tool of tomorrow needs no change here.
    if kind == "function":
        return read_function(_details_of(fields, kind, path), path)
    if kind == "custom":
        return _read_custom(_details_of(fields, kind, path), path)
    if not isinstance(kind, str):
        raise refuse(f"{path} has no type.", "A tool is {'type': 'function', 'function': {…}}.")
    return {name: value for name, value in fields.items() if value is not None}


def _details_of(fields: _Fields, kind: str, path: str) -> _Fields:
    """What a tool says of itself: under the name of its type, or beside it."""
    if fields.get(kind) is not None:
        return as_mapping(fields[kind], f"{path}.{kind}")
    return {name: value for name, value in fields.items() if name not in ("type", kind)}


def read_function(function: _Fields, path: str) -> dict[str, Any]:
    """A function as `tools[].function`, or the deprecated `functions[]`, describes it."""
    if not function.get("name"):
        raise refuse(f"{path} has no name.", "A function needs a name.")
    kept = {name: value for name, value in function.items() if value is not None and value != ""}
    # A function without parameters still needs a schema in the Responses API.
    parameters = kept.pop("parameters", None)
    return {
        "type": "function",
        **kept,
        "parameters": {"type": "object", "properties": {}} if parameters is None else parameters,
        "strict": bool(function.get("strict")),
    }


def _read_custom(custom: _Fields, path: str) -> dict[str, Any]:
    if not custom.get("name"):
        raise refuse(f"{path} has no name.", "A custom tool needs a name.")
    kept = {name: value for name, value in custom.items() if value is not None and value != ""}
    form = kept.get("format")
    # Chat completions nests the grammar, the Responses API does not.
    if isinstance(form, Mapping) and isinstance(form.get("grammar"), Mapping):
        kept["format"] = {"type": "grammar", **form["grammar"]}
    return {"type": "custom", **kept}


def read_web(fields: _Fields) -> dict[str, Any]:
    """The options of a chat's search as the hosted tool, the user's location flattened."""
    tool: dict[str, Any] = {"type": "web_search"}
    tool |= {name: value for name, value in fields.items() if value is not None}
    location = tool.get("user_location")
    # The location is nested in chat completions' options, too.
    if isinstance(location, Mapping) and isinstance(location.get("approximate"), Mapping):
        tool["user_location"] = {"type": "approximate", **location["approximate"]}
    return tool


def read_tool_choice(choice: Any) -> Any:
    """`tool_choice` in any of its forms."""
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise refuse(
                f"tool_choice is {choice!r}.", "It is 'none', 'auto', 'required' or an object."
            )
        return choice
    fields = as_mapping(choice, "tool_choice")
    kind = fields.get("type")
    if kind == "allowed_tools":
        return _read_allowed(_details_of(fields, kind, "tool_choice"))
    return _flatten(fields)


def _read_allowed(allowed: _Fields) -> dict[str, Any]:
    tools = [_flatten(as_mapping(tool, "tool_choice")) for tool in allowed.get("tools") or ()]
    return {"type": "allowed_tools", "mode": allowed.get("mode") or "auto", "tools": tools}


def _flatten(reference: _Fields) -> dict[str, Any]:
    """`{"type": "function", "function": {"name": …}}` with the name at the top."""
    kind = reference.get("type")
    named = reference.get(kind) if isinstance(kind, str) else None
    if isinstance(named, Mapping):
        return {"type": kind, "name": named.get("name")}
    return dict(reference)


def read_function_choice(choice: Any) -> Any:
    """The deprecated `function_call`: "none", "auto" or the name of one function."""
    if isinstance(choice, str):
        return read_tool_choice(choice)
    fields = as_mapping(choice, "function_call")
    return {"type": "function", "name": fields.get("name")}
