"""Remote MCP servers: list their tools, ask for approval, call. No server is contacted."""

import json
from collections.abc import Mapping
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.output_items import write_message
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text

__all__ = ["answer_approval", "list_remote", "write_remote"]

_FRAME = 15
_DEFAULT_TOOLS = ("search", "fetch")


def _describe(name: str) -> dict[str, Any]:
    field = "id" if name == "fetch" else "query"
    schema = {
        "type": "object",
        "properties": {field: {"type": "string"}},
        "required": [field],
        "additionalProperties": False,
    }
    return {
        "annotations": {"read_only": True},
        "description": f"Emulated tool {name}.",
        "input_schema": schema,
        "name": name,
    }


def _allowed(tool: Mapping[str, Any]) -> list[str]:
    allowed = tool.get("allowed_tools")
    if isinstance(allowed, Mapping):
        allowed = allowed.get("tool_names")
    return list(allowed or _DEFAULT_TOOLS)


def _needs_approval(tool: Mapping[str, Any], name: str) -> bool:
    policy = tool.get("require_approval") or "always"
    if isinstance(policy, str):
        return policy == "always"
    never = (policy.get("never") or {}).get("tool_names") or ()
    return name not in never


def list_remote(builder: ResponseBuilder) -> list[OutputStep]:
    """The tool lists of the servers declared; a list that an earlier item holds is not repeated."""
    listed = {
        item.get("server_label")
        for item in builder.transcript.items
        if item.get("type") == "mcp_list_tools"
    }
    return [
        _write_list(builder, tool["server_label"], _allowed(tool))
        for tool in builder.generation.request.get("tools") or ()
        if tool["type"] == "mcp" and tool["server_label"] not in listed
    ]


def write_remote(builder: ResponseBuilder, tool: dict[str, Any]) -> list[OutputStep]:
    """A request for approval, or the call itself and what the model says of it."""
    label, names = tool["server_label"], _allowed(tool)
    prompt = builder.transcript.prompt
    name = next((one for one in names if one in prompt), names[0])
    schema = _describe(name)["input_schema"]
    arguments = json.dumps(build_instance(schema, prompt), separators=(",", ":"))
    if _needs_approval(tool, name):
        request = {
            "id": builder.identify("mcpr"),
            "type": "mcp_approval_request",
            "arguments": arguments,
            "name": name,
            "server_label": label,
        }
        return [OutputStep(request, tokens=count_text(arguments) + _FRAME)]
    return _write_call(builder, label, name, arguments, None)


def _write_list(builder: ResponseBuilder, label: str, names: list[str]) -> OutputStep:
    item = {
        "id": builder.identify("mcpl"),
        "type": "mcp_list_tools",
        "server_label": label,
        "tools": [_describe(name) for name in names],
    }
    return OutputStep(item)


def _write_call(
    builder: ResponseBuilder, label: str, name: str, arguments: str, approval: str | None
) -> list[OutputStep]:
    output: str | None = f"{name} on {label} returned an emulated result for {arguments}."
    error = None
    if find_trigger(builder.transcript.prompt, "mcp-fail") is not None:
        text = [{"type": "text", "text": "The emulated server failed.", "annotations": None}]
        output, error = None, {"type": "mcp_tool_execution_error", "content": text}
    item = {
        "id": builder.identify("mcp"),
        "type": "mcp_call",
        "status": "failed" if error else "completed",
        "approval_request_id": approval,
        "arguments": arguments,
        "error": error,
        "name": name,
        "output": output,
        "server_label": label,
    }
    told = output or f"The call of {name} on {label} failed."
    return [OutputStep(item, tokens=count_text(arguments) + _FRAME), write_message(builder, told)]


def answer_approval(builder: ResponseBuilder) -> list[OutputStep] | None:
    """What follows an approval response that ends the input; None where none does."""
    items = builder.transcript.items
    last = items[-1] if items else {}
    if last.get("type") != "mcp_approval_response":
        return None
    wanted = last["approval_request_id"]
    request = next((item for item in items if item.get("id") == wanted), None)
    if request is None or not last["approve"]:
        return [write_message(builder, "The call was not approved, so I did not make it.")]
    label, name = request["server_label"], request["name"]
    return _write_call(builder, label, name, request["arguments"], wanted)
