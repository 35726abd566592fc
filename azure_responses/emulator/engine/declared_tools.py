"""Tools and tool_choice as a response echoes them: with the defaults the service fills in."""

import copy
from collections.abc import Callable
from typing import Any

__all__ = ["close_objects", "echo_tool_choice", "echo_tools"]

_LOCATION = {
    "type": "approximate",
    "city": None,
    "country": "US",
    "region": None,
    "timezone": None,
}
_COMPUTER = "computer_use_preview"


def echo_tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The `tools` of the response object."""
    return [_ECHOES.get(tool["type"], _echo_plain)(tool) for tool in body.get("tools") or ()]


def echo_tool_choice(body: dict[str, Any]) -> Any:
    """The `tool_choice` of the response object; null with the computer tool, as recorded."""
    choice = body.get("tool_choice")
    if choice is None:
        tools = body.get("tools") or ()
        return None if any(tool["type"] == _COMPUTER for tool in tools) else "auto"
    return choice


def _echo_plain(tool: dict[str, Any]) -> dict[str, Any]:
    return tool


def _echo_function(tool: dict[str, Any]) -> dict[str, Any]:
    parameters, strict = tool.get("parameters"), tool.get("strict")
    if strict is None:
        # Left out, strict is attempted: the schema is closed and every property required.
        parameters, strict = close_objects(parameters), True
    echoed = {
        "type": "function",
        "description": tool.get("description"),
        "name": tool["name"],
        "parameters": parameters,
        "strict": strict,
    }
    return {**echoed, **{name: value for name, value in tool.items() if name not in echoed}}


def close_objects(schema: Any) -> Any:
    """A copy in which every object refuses further properties and requires those it has."""
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


def _echo_web_search(tool: dict[str, Any]) -> dict[str, Any]:
    size = tool.get("search_context_size") or "medium"
    location = {**_LOCATION, **(tool.get("user_location") or {})}
    return {**tool, "search_context_size": size, "user_location": location}


def _echo_file_search(tool: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "file_search",
        "filters": tool.get("filters"),
        "max_num_results": tool.get("max_num_results") or 20,
        "ranking_options": tool.get("ranking_options")
        or {"ranker": "auto", "score_threshold": 0.0},
        "vector_store_ids": tool["vector_store_ids"],
    }


def _echo_image_generation(tool: dict[str, Any]) -> dict[str, Any]:
    defaults = {
        "type": "image_generation",
        "background": "auto",
        "model": "gpt-image-1",
        "moderation": "auto",
        "n": 1,
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    }
    return {**defaults, **tool}


def _echo_mcp(tool: dict[str, Any]) -> dict[str, Any]:
    echoed = {
        "type": "mcp",
        "allowed_tools": tool.get("allowed_tools"),
        "headers": None,
        "require_approval": tool.get("require_approval") or "always",
        "server_description": tool.get("server_description"),
        "server_label": tool["server_label"],
    }
    if tool.get("server_url"):
        echoed["server_url"] = _redact(tool["server_url"])
    if tool.get("connector_id"):
        echoed["connector_id"] = tool["connector_id"]
    return echoed


def _redact(url: str) -> str:
    # The path may hold a secret: the service answers with the host alone.
    scheme, _, rest = url.partition("://")
    host, slash, _ = rest.partition("/")
    return f"{scheme}://{host}{'/<redacted>' if slash else ''}"


def _echo_computer(tool: dict[str, Any]) -> dict[str, Any]:
    return {**tool, "type": "computer-use-preview-2025-03-11"}


_ECHOES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "function": _echo_function,
    "web_search": _echo_web_search,
    "web_search_2025_08_26": _echo_web_search,
    "web_search_preview": _echo_web_search,
    "web_search_preview_2025_03_11": _echo_web_search,
    "file_search": _echo_file_search,
    "image_generation": _echo_image_generation,
    "mcp": _echo_mcp,
    _COMPUTER: _echo_computer,
}
