"""The stream: the events that announce each output item, in the recorded order."""

from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.pieces import obfuscate, split_deltas
from azure_responses.emulator.engine.steps import Step

__all__ = ["EventWriter"]

_TERMINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


class EventWriter:
    """Writes events in order and numbers them.

    Args:
        seal: gives a step's `encrypted_content` for the event named, anew each time.
        chunking: see `Turn.chunking`.
        is_obfuscated: deltas carry `obfuscation`.
        is_dated: `sequence_number` comes second, as on the dated surface, instead of last.
    """

    def __init__(
        self,
        seal: Callable[[Step, str], str],
        chunking: str = "default",
        is_obfuscated: bool = True,
        is_dated: bool = False,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self._seal = seal
        self._chunking = chunking
        self._is_obfuscated = is_obfuscated
        self._is_dated = is_dated

    def write(self, kind: str, **fields: Any) -> None:
        """Adds one event."""
        number = len(self.events)
        if self._is_dated:
            self.events.append({"type": kind, "sequence_number": number, **fields})
        else:
            self.events.append({"type": kind, **fields, "sequence_number": number})

    def open(self, response: dict[str, Any]) -> None:
        """`created` and `in_progress`; a background response is queued in between."""
        self.write("response.created", response=response)
        if response["status"] == "queued":
            self.write("response.queued", response=response)
            response = {**response, "status": "in_progress"}
        self.write("response.in_progress", response=response)

    def close(self, response: dict[str, Any]) -> None:
        """The terminal event."""
        self.write(_TERMINAL[response["status"]], response=response)

    def item(self, index: int, step: Step) -> None:
        """Everything one output item is announced with."""
        kind = step.item["type"]
        opened, scribe = _SCRIPTS.get(kind, (_open_nothing, _write_nothing))
        added = opened(step.item)
        if step.sealed is not None:
            added = _with_sealed(added, self._seal(step, "added"))
        self.write("response.output_item.added", item=added, output_index=index)
        scribe(self, index, step)
        done = step.item
        if step.sealed is not None:
            done = _with_sealed(done, self._seal(step, "done"))
        self.write("response.output_item.done", item=done, output_index=index)

    def deltas(self, kind: str, text: str, logprobs: list[Any] | None = None, **at: Any) -> None:
        """A run of delta events that add up to `text`.

        `logprobs` is one entry per token, or None for events that have no such key.
        """
        is_single = self._chunking == "async" or bool(logprobs)
        position = 0
        for piece in split_deltas(text, "async" if is_single else self._chunking):
            fields: dict[str, Any] = {**at, "delta": piece}
            if logprobs is not None:
                fields["logprobs"] = logprobs[position : position + 1]
                position += 1
            if self._is_obfuscated:
                fields["obfuscation"] = obfuscate(piece, f"{at['item_id']}{len(self.events)}")
            self.write(kind, **fields)


def _with_sealed(item: dict[str, Any], sealed: str) -> dict[str, Any]:
    return {**item, "encrypted_content": sealed}


def _open_nothing(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress"} if "status" in item else item


def _write_nothing(writer: EventWriter, index: int, step: Step) -> None:
    pass


def _write_message(writer: EventWriter, index: int, step: Step) -> None:
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


def _write_reasoning(writer: EventWriter, index: int, step: Step) -> None:
    for number, part in enumerate(step.item["summary"]):
        at = {"item_id": step.item["id"], "output_index": index, "summary_index": number}
        empty = {"type": "summary_text", "text": ""}
        writer.write("response.reasoning_summary_part.added", **at, part=empty)
        writer.deltas("response.reasoning_summary_text.delta", part["text"], **at)
        writer.write("response.reasoning_summary_text.done", **at, text=part["text"])
        writer.write("response.reasoning_summary_part.done", **at, part=part)


def _write_argument(prefix: str, field: str) -> Callable[[EventWriter, int, Step], None]:
    def write(writer: EventWriter, index: int, step: Step) -> None:
        at = {"item_id": step.item["id"], "output_index": index}
        value = step.item[field]
        writer.deltas(f"response.{prefix}.delta", value, **at)
        writer.write(f"response.{prefix}.done", **{field: value}, **at)

    return write


def _write_phases(prefix: str, *phases: str) -> Callable[[EventWriter, int, Step], None]:
    def write(writer: EventWriter, index: int, step: Step) -> None:
        for phase in phases:
            writer.write(f"response.{prefix}.{phase}", item_id=step.item["id"], output_index=index)

    return write


def _write_code(writer: EventWriter, index: int, step: Step) -> None:
    at = {"item_id": step.item["id"], "output_index": index}
    writer.write("response.code_interpreter_call.in_progress", **at)
    code = step.item["code"]
    writer.deltas("response.code_interpreter_call_code.delta", code, **at)
    writer.write("response.code_interpreter_call_code.done", code=code, **at)
    writer.write("response.code_interpreter_call.interpreting", **at)
    writer.write("response.code_interpreter_call.completed", **at)


def _write_image(writer: EventWriter, index: int, step: Step) -> None:
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


def _write_mcp_call(writer: EventWriter, index: int, step: Step) -> None:
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
    tuple[Callable[[dict[str, Any]], dict[str, Any]], Callable[[EventWriter, int, Step], None]],
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
    "code_interpreter_call": (_opens_with(**_STARTED, code="", outputs=[]), _write_code),
    "file_search_call": (
        _opens_with(**_STARTED, queries=[], results=None),
        _write_phases("file_search_call", "in_progress", "searching", "completed"),
    ),
    "mcp_list_tools": (
        _opens_with(tools=[]),
        _write_phases("mcp_list_tools", "in_progress", "completed"),
    ),
    "mcp_call": (_opens_with(**_STARTED, arguments="", output=None, error=None), _write_mcp_call),
}
