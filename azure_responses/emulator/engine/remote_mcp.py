"""Remote MCP servers: list their tools, ask for approval, call. No server is contacted."""

import json
from collections.abc import Mapping
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.hosted_tool import HostedTool, Tool
from azure_responses.emulator.engine.item_events import (
    EventWriter,
    ItemEvents,
    opens_with,
    write_argument,
    write_phases,
)
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.output_items import write_message
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text

__all__ = ["REMOTE_MCP", "answer_approval", "ask_consent", "list_remote_tools"]

# The share of a call besides its arguments, as with functions (see `tool_calls`).
_FRAME = 15
# What a server has whose tools the request does not name: those of OpenAI's deep research.
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


def _allowed(tool: Tool) -> list[str]:
    allowed = tool.get("allowed_tools")
    if isinstance(allowed, Mapping):
        allowed = allowed.get("tool_names")
    return list(allowed or _DEFAULT_TOOLS)


def _needs_approval(tool: Tool, name: str) -> bool:
    policy = tool.get("require_approval") or "always"
    if isinstance(policy, str):
        return policy == "always"
    never = (policy.get("never") or {}).get("tool_names") or ()
    return name not in never


def ask_consent(builder: ResponseBuilder) -> OutputStep | None:
    """The request for a user's consent, where an agent's remote tools need one.

    The conversation goes on once the caller has seen it: a user consents elsewhere. The shape is
    that of Microsoft's page on MCP authentication, quoted in agent-framework#6553.
    """
    link = builder.generation.consent_link
    tools = [tool for tool in builder.body.get("tools") or () if tool["type"] == "mcp"]
    was_asked = any(
        item.get("type") == "oauth_consent_request" for item in builder.transcript.items
    )
    if link is None or not tools or was_asked:
        return None
    return OutputStep(
        builder.item(
            "oauthreq",
            "oauth_consent_request",
            created_by={},
            consent_link=link,
            server_label=tools[0]["server_label"],
        )
    )


def list_remote_tools(builder: ResponseBuilder) -> list[OutputStep]:
    """The tool lists of the servers declared; a list that an earlier item holds is not repeated."""
    listed = {
        item.get("server_label")
        for item in builder.transcript.items
        if item.get("type") == "mcp_list_tools"
    }
    return [
        _write_list(builder, tool["server_label"], _allowed(tool))
        for tool in builder.body.get("tools") or ()
        if tool["type"] == "mcp" and tool["server_label"] not in listed
    ]


def _write_list(builder: ResponseBuilder, label: str, names: list[str]) -> OutputStep:
    item = builder.item(
        "mcpl", "mcp_list_tools", server_label=label, tools=[_describe(name) for name in names]
    )
    return OutputStep(item)


def _write_remote(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    """A request for approval, or the call itself and what the model says of it."""
    label, names = tool["server_label"], _allowed(tool)
    prompt = builder.prompt
    name = next((one for one in names if one in prompt), names[0])
    schema = _describe(name)["input_schema"]
    arguments = json.dumps(build_instance(schema, prompt), separators=(",", ":"))
    if not _needs_approval(tool, name):
        return _write_call(builder, label, name, arguments, None)
    request = builder.item(
        "mcpr", "mcp_approval_request", arguments=arguments, name=name, server_label=label
    )
    return [OutputStep(request, tokens=count_text(arguments) + _FRAME)]


def _write_call(
    builder: ResponseBuilder, label: str, name: str, arguments: str, approval: str | None
) -> list[OutputStep]:
    output: str | None = f"{name} on {label} returned an emulated result for {arguments}."
    error = None
    if find_trigger(builder.transcript, "mcp-fail") is not None:
        text = [{"type": "text", "text": "The emulated server failed.", "annotations": None}]
        output, error = None, {"type": "mcp_tool_execution_error", "content": text}
    item = builder.item(
        "mcp",
        "mcp_call",
        status="failed" if error else "completed",
        approval_request_id=approval,
        arguments=arguments,
        error=error,
        name=name,
        output=output,
        server_label=label,
    )
    told = output or f"The call of {name} on {label} failed."
    call = OutputStep(item, tokens=count_text(arguments) + _FRAME)
    return [call, write_message(builder, told)]


def answer_approval(builder: ResponseBuilder) -> list[OutputStep] | None:
    """What follows an approval response that ends the input; None for any other input."""
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


def _write_call_events(writer: EventWriter, index: int, step: OutputStep) -> None:
    write_phases("mcp_call", "in_progress")(writer, index, step)
    write_argument("mcp_call_arguments", "arguments")(writer, index, step)
    ending = "failed" if step.item.get("error") else "completed"
    write_phases("mcp_call", ending)(writer, index, step)


def _echo(tool: Tool) -> Tool:
    echoed = {
        "type": "mcp",
        "allowed_tools": tool.get("allowed_tools"),
        # Headers hold the server's credentials: the service never repeats them.
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


REMOTE_MCP: HostedTool = HostedTool(
    "mcp",
    # A server can do anything: every prompt but a greeting calls it.
    r"^(?!\W*(?:hi|hello|hey|thanks|thank you)\b).*\w",
    _write_remote,
    {
        "mcp_call": ItemEvents(
            opens_with(status="in_progress", arguments="", output=None, error=None),
            _write_call_events,
        ),
        "mcp_list_tools": ItemEvents(
            opens_with(tools=[]), write_phases("mcp_list_tools", "in_progress", "completed")
        ),
        "mcp_approval_request": ItemEvents(),
    },
    echo=_echo,
)
