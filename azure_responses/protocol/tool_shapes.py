"""Tools and formats: nested as in chat completions, or flat as in the Responses API."""

from collections.abc import Mapping
from typing import Any

__all__ = ["flat_format", "flat_tool", "nested_format", "nested_tool"]

_KINDS = ("function", "custom")


def nested_tool(tool: Any) -> Any:
    """A function or custom tool nested; any other value as it is."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if kind not in _KINDS or kind in tool:
        return tool
    details = {name: value for name, value in tool.items() if name != "type"}
    form = details.get("format")
    if kind == "custom" and isinstance(form, Mapping) and form.get("type") == "grammar":
        grammar = {name: value for name, value in form.items() if name != "type"}
        details["format"] = form if "grammar" in form else {"type": "grammar", "grammar": grammar}
    return {"type": kind, kind: details}


def flat_tool(tool: Any) -> Any:
    """A function or custom tool flat, also a choice of one; any other value as it is."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    details = tool.get(kind) if kind in _KINDS else None
    if not isinstance(details, Mapping):
        return tool
    form = details.get("format")
    if isinstance(form, Mapping) and isinstance(form.get("grammar"), Mapping):
        details = {**details, "format": {"type": "grammar", **form["grammar"]}}
    return {"type": kind, **details}


def nested_format(form: Any) -> Any:
    """`text.format` as `response_format`."""
    if not isinstance(form, Mapping) or form.get("type") != "json_schema" or "json_schema" in form:
        return form
    schema = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def flat_format(form: Any) -> Any:
    """`response_format` as `text.format`."""
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    return {"type": "json_schema", **schema} if isinstance(schema, Mapping) else form
