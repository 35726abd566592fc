"""Tools that act on a machine: computer use, shells and patches. Nothing is really run."""

import re
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.output_items import write_message

__all__ = ["write_computer", "write_local_shell", "write_patch", "write_shell"]

_TOKENS = 24
_QUOTED_COMMAND = re.compile(r"`([^`]+)`|\brun(?: the command)?:?\s+[\"']([^\"']+)[\"']")
_PATH = re.compile(r"[\w./-]*\w\.[A-Za-z]{1,5}\b")
_CONTENT = re.compile(r"(?:containing|with(?: the)?(?: text| content)?|saying)\s+[\"'`]([^\"'`]+)")


def write_computer(builder: ResponseBuilder, tool: dict[str, Any]) -> list[OutputStep]:
    """A screenshot, which is where every task on a screen begins."""
    item: dict[str, Any] = {
        "id": builder.identify("cu"),
        "type": "computer_call",
        "status": "completed",
    }
    if tool["type"] == "computer":
        item["actions"] = [{"type": "screenshot"}]
    else:
        item["action"] = {"type": "screenshot"}
    item["call_id"] = builder.generation.identifiers.call()
    item["pending_safety_checks"] = []
    return [OutputStep(item, tokens=_TOKENS)]


def _find_command(prompt: str) -> str:
    found = _QUOTED_COMMAND.search(prompt)
    return (found[1] or found[2]) if found else "ls -a"


def write_shell(builder: ResponseBuilder, tool: dict[str, Any]) -> list[OutputStep]:
    """A command: run by the service in a container, by the caller in a local environment."""
    command = _find_command(builder.transcript.prompt)
    given = tool.get("environment") or {"type": "local"}
    call_id = builder.generation.identifiers.call()
    is_local = given["type"] == "local"
    environment = {"type": "local"} if is_local else _container(builder, given)
    item = {
        "id": builder.identify("sh"),
        "type": "shell_call",
        "status": "completed",
        "action": {"commands": [command], "max_output_length": None, "timeout_ms": None},
        "call_id": call_id,
        "environment": environment,
    }
    steps = [OutputStep(item, tokens=_TOKENS)]
    if is_local:
        return steps
    printed = f"$ {command}\n"
    outcome = {"type": "exit", "exit_code": 0}
    output = {
        "id": builder.identify("sho"),
        "type": "shell_call_output",
        "status": "completed",
        "call_id": call_id,
        "max_output_length": None,
        "output": [{"outcome": outcome, "stderr": "", "stdout": printed}],
    }
    return [
        *steps,
        OutputStep(output),
        write_message(builder, f"The command printed: {printed.strip()}"),
    ]


def _container(builder: ResponseBuilder, given: dict[str, Any]) -> dict[str, Any]:
    identifier = given.get("container_id") or builder.generation.identifiers.container(
        builder.seconds
    )
    return {"type": "container_reference", "container_id": identifier}


def write_local_shell(builder: ResponseBuilder, tool: dict[str, Any]) -> list[OutputStep]:
    """A command for the caller's machine."""
    command = _find_command(builder.transcript.prompt).split()
    item = {
        "id": builder.identify("lsh"),
        "type": "local_shell_call",
        "status": "completed",
        "action": {"type": "exec", "command": command, "env": {}},
        "call_id": builder.generation.identifiers.call(),
    }
    return [OutputStep(item, tokens=_TOKENS)]


def write_patch(builder: ResponseBuilder, tool: dict[str, Any]) -> list[OutputStep]:
    """A file to create, or to delete where the prompt says so."""
    prompt = builder.transcript.prompt
    found = _PATH.search(prompt)
    path = found[0] if found else "notes.txt"
    operation: dict[str, Any]
    if re.search(r"\b(?:delete|remove)\b", prompt, re.IGNORECASE):
        operation = {"type": "delete_file", "path": path}
    else:
        content = _CONTENT.search(prompt)
        line = content[1] if content else "written by rule"
        operation = {"type": "create_file", "diff": f"+{line}\n", "path": path}
    item = {
        "id": builder.identify("apc"),
        "type": "apply_patch_call",
        "status": "completed",
        "call_id": builder.generation.identifiers.call(),
        "operation": operation,
    }
    return [OutputStep(item, tokens=_TOKENS)]
