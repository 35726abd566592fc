"""Tools that act on a machine: computer use, shells and patches. Nothing is really run."""

import re
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.hosted_tool import HostedTool, Tool
from azure_responses.emulator.engine.item_events import EventWriter, ItemEvents, opens_with
from azure_responses.emulator.engine.output_items import write_message

__all__ = ["MACHINE_TOOLS"]

# An estimate: a call costs about what a function call with one short argument was recorded to cost.
_TOKENS = 24
_QUOTED_COMMAND = re.compile(r"`([^`]+)`|\brun(?: the command)?:?\s+[\"']([^\"']+)[\"']")
_PATH = re.compile(r"[\w./-]*\w\.[A-Za-z]{1,5}\b")
_CONTENT = re.compile(r"(?:containing|with(?: the)?(?: text| content)?|saying)\s+[\"'`]([^\"'`]+)")
_PREVIEW = "computer_use_preview"


def _write_computer(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    """A screenshot, which is where every task on a screen begins."""
    # The preview has one action for a call, its successor a list of them.
    screenshot = {"type": "screenshot"}
    action = {"action": screenshot} if tool["type"] == _PREVIEW else {"actions": [screenshot]}
    item = {
        "id": builder.identify("cu"),
        "type": "computer_call",
        "status": "completed",
        **action,
        "call_id": builder.generation.identifiers.call(),
        "pending_safety_checks": [],
    }
    return [OutputStep(item, tokens=_TOKENS)]


def _echo_computer(tool: Tool) -> Tool:
    # Recorded: the preview is echoed under the name of its snapshot.
    return {**tool, "type": "computer-use-preview-2025-03-11"} if tool["type"] == _PREVIEW else tool


def _find_command(prompt: str) -> str:
    found = _QUOTED_COMMAND.search(prompt)
    return (found[1] or found[2]) if found else "ls -a"


def _write_shell(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    """A command: run by the service in a container, by the caller in a local environment."""
    command = _find_command(builder.prompt)
    given = tool.get("environment") or {"type": "local"}
    is_local = given["type"] == "local"
    call_id = builder.generation.identifiers.call()
    environment = {"type": "local"} if is_local else _refer_to_container(builder, given)
    item = builder.item(
        "sh",
        "shell_call",
        status="completed",
        action={"commands": [command], "max_output_length": None, "timeout_ms": None},
        call_id=call_id,
        environment=environment,
    )
    call = OutputStep(item, tokens=_TOKENS)
    return [call] if is_local else [call, *_run_command(builder, command, call_id)]


def _run_command(builder: ResponseBuilder, command: str, call_id: str) -> list[OutputStep]:
    printed = f"$ {command}\n"
    outcome = {"type": "exit", "exit_code": 0}
    output = builder.item(
        "sho",
        "shell_call_output",
        status="completed",
        call_id=call_id,
        max_output_length=None,
        output=[{"outcome": outcome, "stderr": "", "stdout": printed}],
    )
    told = write_message(builder, f"The command printed: {printed.strip()}")
    return [OutputStep(output), told]


def _refer_to_container(builder: ResponseBuilder, given: dict[str, Any]) -> dict[str, Any]:
    made = given.get("container_id") or builder.generation.identifiers.container(builder.seconds)
    return {"type": "container_reference", "container_id": made}


def _write_local_shell(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    command = _find_command(builder.prompt).split()
    item = {
        "id": builder.identify("lsh"),
        "type": "local_shell_call",
        "status": "completed",
        "action": {"type": "exec", "command": command, "env": {}},
        "call_id": builder.generation.identifiers.call(),
    }
    return [OutputStep(item, tokens=_TOKENS)]


def _write_patch(builder: ResponseBuilder, tool: Tool) -> list[OutputStep]:
    """A file to create, or to delete where the prompt says so."""
    prompt = builder.prompt
    found = _PATH.search(prompt)
    path = found[0] if found else "notes.txt"
    operation = {"type": "delete_file", "path": path}
    if not re.search(r"\b(?:delete|remove)\b", prompt, re.IGNORECASE):
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


def _write_commands(writer: EventWriter, index: int, step: OutputStep) -> None:
    # Recorded without an item_id, unlike every other event of an item.
    for number, command in enumerate(step.item["action"]["commands"]):
        at: dict[str, Any] = {"command_index": number, "output_index": index}
        writer.write("response.shell_call_command.added", command="", **at)
        writer.deltas("response.shell_call_command.delta", command, key=step.item["id"], **at)
        writer.write("response.shell_call_command.done", command=command, **at)


def _write_command_output(writer: EventWriter, index: int, step: OutputStep) -> None:
    for number, part in enumerate(step.item["output"]):
        at = {"command_index": number, "item_id": step.item["id"], "output_index": index}
        delta = {"stdout": part["stdout"]}
        writer.write("response.shell_call_output_content.delta", delta=delta, **at)
        writer.write("response.shell_call_output_content.done", output=[part], **at)


def _write_diff(writer: EventWriter, index: int, step: OutputStep) -> None:
    diff = step.item["operation"].get("diff")
    if not diff:
        # Deleting a file has no diff.
        return
    at = {"item_id": step.item["id"], "output_index": index}
    writer.deltas("response.apply_patch_call_operation_diff.delta", diff, **at)
    writer.write("response.apply_patch_call_operation_diff.done", diff=diff, **at)


def _open_patch(item: dict[str, Any]) -> dict[str, Any]:
    operation = item["operation"]
    if "diff" in operation:
        operation = {**operation, "diff": ""}
    return {**item, "status": "in_progress", "operation": operation}


def _open_action(item: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in item["action"] if name in ("command", "commands")}
    return {**item, "status": "in_progress", "action": {**item["action"], **empty}}


MACHINE_TOOLS: tuple[HostedTool, ...] = (
    HostedTool(
        "computer",
        r"\b(?:click|open|browser|screen|screenshot|navigate|website|search|computer)\b",
        _write_computer,
        {"computer_call": ItemEvents()},
        is_run_by_caller=True,
        echo=_echo_computer,
    ),
    HostedTool(
        "shell",
        r"\b(?:shell|command|terminal|run|list|files|directory|bash|execute|ls)\b",
        _write_shell,
        {
            "shell_call": ItemEvents(_open_action, _write_commands),
            "shell_call_output": ItemEvents(opens_with(output=[]), _write_command_output),
        },
        is_run_by_caller=True,
    ),
    HostedTool(
        "local_shell",
        r"\b(?:shell|command|terminal|run|list|files|directory|bash|ls)\b",
        _write_local_shell,
        {"local_shell_call": ItemEvents(_open_action)},
        is_run_by_caller=True,
    ),
    HostedTool(
        "apply_patch",
        r"\b(?:patch|file|edit|create|change|fix|update|delete|write)\b",
        _write_patch,
        {"apply_patch_call": ItemEvents(_open_patch, _write_diff)},
        is_run_by_caller=True,
    ),
)
