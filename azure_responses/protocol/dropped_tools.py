"""Tools that a deployment is not sent, by their type: `drop_tools` of an entry.

Agents such as Codex offer hosted tools with every call, and a deployment that refuses one of them
refuses the whole call.
"""

from collections.abc import Collection, Mapping
from typing import Any

from azure_responses.protocol.request_body import as_sent

__all__ = ["without_tools"]

# They say something of tools, so without tools the service refuses them.
_ABOUT_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


def without_tools(
    body: Mapping[str, Any], types: Collection[str]
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The body without tools of these types, and one sentence for each type that it had.

    The very same body comes back where it has none of them. A choice of such a tool is left out
    too.
    """
    tools = body.get("tools")
    if not isinstance(tools, list | tuple):
        return body, ()
    found = [_type_of(tool) for tool in tools]
    dropped = [kind for kind in dict.fromkeys(found) if kind in types]
    if not dropped:
        return body, ()
    kept = [tool for tool, kind in zip(tools, found, strict=True) if kind not in types]
    warnings = tuple(f"The tool {kind} was left out: drop_tools names it." for kind in dropped)
    if not kept:
        return {name: value for name, value in body.items() if name not in _ABOUT_TOOLS}, warnings
    left = {**body, "tools": kept}
    if _type_of(body.get("tool_choice")) in types:
        del left["tool_choice"]
    return left, warnings


def _type_of(tool: Any) -> str | None:
    # A typed call may pass models; they are written as JSON anyway.
    plain = as_sent(tool) if hasattr(tool, "model_dump") and not isinstance(tool, type) else tool
    kind = plain.get("type") if isinstance(plain, Mapping) else None
    return kind if isinstance(kind, str) else None
