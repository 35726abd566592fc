"""What a model would read of a call: instructions, messages, tool outputs, attachments."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ToolResult", "Transcript", "read_transcript", "read_text"]

_TEXT_PARTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_ATTACHMENTS = ("input_image", "input_file", "input_audio", "image_url", "file", "item_reference")


@dataclass(frozen=True)
class ToolResult:
    """What a tool gave back, as text, with the name and arguments of its call where known."""

    name: str
    arguments: str
    output: str
    call_id: str


@dataclass
class Transcript:
    """A call as text, with the messages of earlier responses.

    Attributes:
        instructions: `instructions` and every system or developer message, joined by newlines.
        messages: (role, text) of users and assistants, oldest first.
        prompt: what the user said last.
        attachments: content parts of the last user message that are not text.
        results: tool outputs that no message has answered yet.
        items: every item, oldest first, as given.
    """

    instructions: str = ""
    messages: list[tuple[str, str]] = field(default_factory=list)
    prompt: str = ""
    attachments: list[Mapping[str, Any]] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    items: list[Mapping[str, Any]] = field(default_factory=list)


def read_text(content: Any) -> str:
    """The text of a message's content or of a tool's output; other parts are left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None else json.dumps(content)
    return "\n".join(
        part["text"]
        for part in content
        if isinstance(part, Mapping) and part.get("type") in _TEXT_PARTS and "text" in part
    )


def read_transcript(body: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> Transcript:
    """Reads the instructions of a call and its items, those of earlier responses first."""
    transcript = Transcript(items=list(items))
    instructions = body.get("instructions")
    if instructions:
        transcript.instructions = _read_instructions(instructions)
    calls: dict[str, Mapping[str, Any]] = {}
    for item in transcript.items:
        _read_item(transcript, item, calls)
    return transcript


def _read_instructions(instructions: Any) -> str:
    if isinstance(instructions, str):
        return instructions
    return "\n".join(read_text(item.get("content")) for item in instructions)


def _read_item(
    transcript: Transcript, item: Mapping[str, Any], calls: dict[str, Mapping[str, Any]]
) -> None:
    kind = item.get("type", "message")
    if kind == "message":
        _read_message(transcript, item)
    elif kind.endswith("_call_output") and item.get("call_id"):
        transcript.results.append(_read_result(item, calls.get(str(item["call_id"]), {})))
    elif "call_id" in item:
        calls[str(item["call_id"])] = item


def _read_message(transcript: Transcript, item: Mapping[str, Any]) -> None:
    role, text = item.get("role", "user"), read_text(item.get("content"))
    if role in ("system", "developer"):
        # Messages of the system count as instructions wherever they stand, as models treat them.
        transcript.instructions = f"{transcript.instructions}\n{text}".strip()
        return
    transcript.messages.append((role, text))
    if role == "user":
        transcript.prompt = text
        transcript.attachments = _find_attachments(item.get("content"))
    # A message after the outputs of tools has answered them.
    transcript.results = []


def _find_attachments(content: Any) -> list[Mapping[str, Any]]:
    parts = content if isinstance(content, list) else []
    return [p for p in parts if isinstance(p, Mapping) and p.get("type") in _ATTACHMENTS]


def _read_result(item: Mapping[str, Any], call: Mapping[str, Any]) -> ToolResult:
    name = str(call.get("name") or item["type"].removesuffix("_call_output"))
    arguments = call.get("arguments", call.get("input", ""))
    return ToolResult(name, str(arguments), _read_output(item.get("output")), str(item["call_id"]))


def _read_output(output: Any) -> str:
    # Shells answer with lists of streams, computers with pictures, other tools with text.
    if isinstance(output, list) and output and "stdout" in output[0]:
        return "\n".join(f"{part.get('stdout', '')}{part.get('stderr', '')}" for part in output)
    if isinstance(output, Mapping) and output.get("type") == "computer_screenshot":
        return "a screenshot"
    return read_text(output)
