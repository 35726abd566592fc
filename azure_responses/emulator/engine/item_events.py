"""The stream: the events of a whole answer, in the recorded order."""

from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.event_writer import EventWriter
from azure_responses.emulator.engine.generation import OutputStep

__all__ = ["open_item", "write_events", "write_item"]

_TERMINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


def write_events(
    writer: EventWriter,
    steps: list[OutputStep],
    opened: dict[str, Any],
    closed: dict[str, Any],
    seal: Callable[[OutputStep, str], str],
) -> list[dict[str, Any]]:
    """All events, from `response.created` to the terminal one.

    `seal` gives a step's `encrypted_content` for the event named: each event encrypts it anew.
    """
    _open_response(writer, opened)
    for index, step in enumerate(steps):
        added = _sealed(open_item(step), step, seal, "added")
        writer.write("response.output_item.added", item=added, output_index=index)
        write_item(writer, index, step)
        done = _sealed(step.item, step, seal, "done")
        writer.write("response.output_item.done", item=done, output_index=index)
    writer.write(_TERMINAL[closed["status"]], response=closed)
    return writer.events


def _open_response(writer: EventWriter, response: dict[str, Any]) -> None:
    writer.write("response.created", response=response)
    if response["status"] == "queued":
        writer.write("response.queued", response=response)
        response = {**response, "status": "in_progress"}
    writer.write("response.in_progress", response=response)


def _sealed(
    item: dict[str, Any], step: OutputStep, seal: Callable[[OutputStep, str], str], event: str
) -> dict[str, Any]:
    if step.sealed is None:
        return item
    return {**item, "encrypted_content": seal(step, event)}


def _open_nothing(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress"} if "status" in item else item


def _write_nothing(writer: EventWriter, index: int, step: OutputStep) -> None:
    pass


def _write_message(writer: EventWriter, index: int, step: OutputStep) -> None:
    for number, part in enumerate(step.item["content"]):
        at = {"content_index": number, "item_id": step.item["id"], "output_index": index}
        if part["type"] == "refusal":
            _write_refusal(writer, part, at)
        else:
            _write_text(writer, part, at)


def _write_text(writer: EventWriter, part: dict[str, Any], at: dict[str, Any]) -> None:
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    writer.write("response.content_part.added", **at, part=empty)
    text, logprobs = part["text"], part["logprobs"]
    writer.deltas("response.output_text.delta", text, logprobs, **at)
    for number, annotation in enumerate(part["annotations"]):
        writer.write(
            "response.output_text.annotation.added",
            annotation=annotation,
            annotation_index=number,
            **at,
        )
    writer.write("response.output_text.done", **at, logprobs=logprobs, text=text)
    writer.write("response.content_part.done", **at, part=part)


def _write_refusal(writer: EventWriter, part: dict[str, Any], at: dict[str, Any]) -> None:
    writer.write("response.content_part.added", **at, part={"type": "refusal", "refusal": ""})
    writer.deltas("response.refusal.delta", part["refusal"], **at)
    writer.write("response.refusal.done", **at, refusal=part["refusal"])
    writer.write("response.content_part.done", **at, part=part)


def _write_reasoning(writer: EventWriter, index: int, step: OutputStep) -> None:
    for number, part in enumerate(step.item["summary"]):
        at = {"item_id": step.item["id"], "output_index": index, "summary_index": number}
        empty = {"type": "summary_text", "text": ""}
        writer.write("response.reasoning_summary_part.added", **at, part=empty)
        writer.deltas("response.reasoning_summary_text.delta", part["text"], **at)
        writer.write("response.reasoning_summary_text.done", **at, text=part["text"])
        writer.write("response.reasoning_summary_part.done", **at, part=part)


def _write_argument(prefix: str, field: str) -> Callable[[EventWriter, int, OutputStep], None]:
    def write(writer: EventWriter, index: int, step: OutputStep) -> None:
        at = {"item_id": step.item["id"], "output_index": index}
        value = step.item[field]
        writer.deltas(f"response.{prefix}.delta", value, **at)
        writer.write(f"response.{prefix}.done", **{field: value}, **at)

    return write


def _write_phases(prefix: str, *phases: str) -> Callable[[EventWriter, int, OutputStep], None]:
    def write(writer: EventWriter, index: int, step: OutputStep) -> None:
        for phase in phases:
            writer.write(f"response.{prefix}.{phase}", item_id=step.item["id"], output_index=index)

    return write


def _write_code(writer: EventWriter, index: int, step: OutputStep) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.code_interpreter_call.in_progress", **at)
    code = step.item["code"]
    writer.deltas("response.code_interpreter_call_code.delta", code, **at)
    writer.write("response.code_interpreter_call_code.done", code=code, **at)
    writer.write("response.code_interpreter_call.interpreting", **at)
    writer.write("response.code_interpreter_call.completed", **at)


def _write_image(writer: EventWriter, index: int, step: OutputStep) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.image_generation_call.in_progress", **at)
    writer.write("response.image_generation_call.generating", **at)
    shown = {name: step.item[name] for name in ("background", "output_format", "quality", "size")}
    for number, image in enumerate(step.partial_images):
        writer.write(
            "response.image_generation_call.partial_image",
            **at,
            partial_image_b64=image,
            partial_image_index=number,
            **shown,
        )


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


def _write_patch(writer: EventWriter, index: int, step: OutputStep) -> None:
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


def _open_shell(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress", "action": {**item["action"], "commands": []}}


def _open_local_shell(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress", "action": {**item["action"], "command": []}}


def _open_code(item: dict[str, Any]) -> dict[str, Any]:
    outputs: list[Any] | None = None if item["outputs"] is None else []
    return {**item, "status": "in_progress", "code": "", "outputs": outputs}


def _write_mcp_call(writer: EventWriter, index: int, step: OutputStep) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.mcp_call.in_progress", **at)
    arguments = step.item["arguments"]
    writer.deltas("response.mcp_call_arguments.delta", arguments, **at)
    writer.write("response.mcp_call_arguments.done", arguments=arguments, **at)
    ending = "failed" if step.item.get("error") else "completed"
    writer.write(f"response.mcp_call.{ending}", **at)


def _opens_with(**empty: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def opened(item: dict[str, Any]) -> dict[str, Any]:
        return {**item, **empty}

    return opened


def _open_image(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": item["id"], "type": item["type"], "status": "in_progress"}


def _open_search(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress", "action": {"type": "search"}}


_STARTED = {"status": "in_progress"}
_SCRIPTS: dict[
    str,
    tuple[
        Callable[[dict[str, Any]], dict[str, Any]], Callable[[EventWriter, int, OutputStep], None]
    ],
] = {
    "message": (_opens_with(**_STARTED, content=[]), _write_message),
    "reasoning": (_opens_with(summary=[]), _write_reasoning),
    "function_call": (
        _opens_with(**_STARTED, arguments=""),
        _write_argument("function_call_arguments", "arguments"),
    ),
    "custom_tool_call": (
        _opens_with(**_STARTED, input=""),
        _write_argument("custom_tool_call_input", "input"),
    ),
    # No completed event for web search and image generation: recorded on Azure by vercel/ai.
    "web_search_call": (_open_search, _write_phases("web_search_call", "in_progress", "searching")),
    "image_generation_call": (_open_image, _write_image),
    "code_interpreter_call": (_open_code, _write_code),
    "file_search_call": (
        _opens_with(**_STARTED, queries=[], results=None),
        _write_phases("file_search_call", "in_progress", "searching", "completed"),
    ),
    "mcp_list_tools": (
        _opens_with(tools=[]),
        _write_phases("mcp_list_tools", "in_progress", "completed"),
    ),
    "mcp_call": (_opens_with(**_STARTED, arguments="", output=None, error=None), _write_mcp_call),
    "shell_call": (_open_shell, _write_commands),
    "shell_call_output": (_opens_with(output=[]), _write_command_output),
    "apply_patch_call": (_open_patch, _write_patch),
    "local_shell_call": (_open_local_shell, _write_nothing),
}


def open_item(step: OutputStep) -> dict[str, Any]:
    """The item as `response.output_item.added` carries it: begun and empty."""
    opened, _ = _SCRIPTS.get(step.item["type"], (_open_nothing, _write_nothing))
    return opened(step.item)


def write_item(writer: EventWriter, index: int, step: OutputStep) -> None:
    """The events between an item's `added` and `done`."""
    _, write = _SCRIPTS.get(step.item["type"], (_open_nothing, _write_nothing))
    write(writer, index, step)
