"""Parameters that are right one by one and wrong together."""

import json
from typing import Any

from azure_responses.emulator.validation.errors import missing_parameter, refuse
from azure_responses.emulator.validation.schemas import check_function_schema, check_output_schema
from azure_responses.emulator.validation.tools import check_tool_choice

__all__ = ["check_combinations"]


def check_combinations(body: dict[str, Any], surface: str) -> None:
    """Refuses a body whose parts contradict each other."""
    if body.get("previous_response_id") and body.get("conversation"):
        message = (
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of: 'previous_response_id' or 'conversation'."
        )
        raise refuse(message, None, "mutually_exclusive_parameters")
    if body.get("background") and body.get("store") is False:
        message = "Background mode requires 'store' to be true."
        raise refuse(message, "background", "unsupported_parameter")
    if body.get("background") and surface == "dated":
        message = "Background mode is not supported with this API version."
        raise refuse(message, "background", "unsupported_parameter")
    if body.get("stream_options") and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise refuse(message, "stream_options", None)
    _check_logprobs(body)
    _check_tools(body)
    _check_format(body)


def _check_logprobs(body: dict[str, Any]) -> None:
    included = "message.output_text.logprobs" in (body.get("include") or ())
    if body.get("top_logprobs") and not included:
        message = (
            "'top_logprobs' requires 'message.output_text.logprobs' to be in the 'include' "
            "parameter."
        )
        raise refuse(message, "top_logprobs", None)


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    names: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name")
        if name in names:
            raise refuse(f"Tool names must be unique: '{name}' is given twice.", "tools", None)
        if name:
            names.add(name)
        if tool["type"] == "function":
            check_function_schema(tool, f"tools[{index}]", "parameters")
        elif tool["type"] == "mcp":
            _check_remote(tool, index)
    check_tool_choice(body.get("tool_choice"), tools)


def _check_remote(tool: dict[str, Any], index: int) -> None:
    if not any(tool.get(name) for name in ("server_url", "connector_id", "tunnel_id")):
        raise missing_parameter(f"tools[{index}].server_url")


def _check_format(body: dict[str, Any]) -> None:
    given = (body.get("text") or {}).get("format") or {}
    if given.get("type") == "json_schema":
        check_output_schema(given, "text.format")
    elif given.get("type") == "json_object" and not _mentions_json(body):
        message = (
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'."
        )
        raise refuse(message, "input", None)


def _mentions_json(body: dict[str, Any]) -> bool:
    read = f"{json.dumps(body.get('input'))}{body.get('instructions') or ''}"
    # Earlier turns are not at hand here, and may have said it.
    return "json" in read.lower() or bool(body.get("previous_response_id"))
