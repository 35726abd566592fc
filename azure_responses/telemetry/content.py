"""What was asked and answered, in the form of OpenTelemetry's GenAI messages.

Only for those who ask for it: the attributes made here hold everything people wrote.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.protocol.call import Call
from azure_responses.types.model import Model

__all__ = ["request_content", "response_content"]

_Part = dict[str, Any]


def request_content(call: Call) -> dict[str, str]:
    """Instructions, input and tools of a request, each as the JSON of an attribute."""
    if call.request.body is None:
        return {}
    body = json.loads(call.request.body)
    instructions = body.get("instructions")
    found = {
        "gen_ai.system_instructions": [_text(instructions)] if instructions else None,
        "gen_ai.input.messages": _read_input(body.get("input")),
        "gen_ai.tool.definitions": body.get("tools"),
    }
    return {name: _encode(value) for name, value in found.items() if value}


def response_content(response: Any, finish_reason: str | None = None) -> dict[str, str]:
    """The output of a response, as the JSON of an attribute."""
    output = response.to_dict().get("output") if isinstance(response, Model) else None
    if not isinstance(output, list):
        return {}
    parts = [part for item in output for part in _read_item(item)["parts"]]
    if not parts:
        return {}
    message = {"role": "assistant", "parts": parts, "finish_reason": finish_reason or "unknown"}
    return {"gen_ai.output.messages": _encode([message])}


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(text: Any) -> _Part:
    return {"type": "text", "content": text}


def _read_input(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "parts": [_text(given)]}]
    return [_read_item(item) for item in given or []]


def _read_item(item: Any) -> dict[str, Any]:
    """An item of input or output as one message."""
    if not isinstance(item, Mapping):
        return {"role": "user", "parts": [{"type": "unknown", "content": item}]}
    kind = item.get("type") or "message"
    return _READERS.get(kind, _read_other)(item)


def _read_message(item: Mapping[str, Any]) -> dict[str, Any]:
    content = item.get("content")
    parts = [content] if isinstance(content, str) else content or []
    return {"role": item.get("role") or "assistant", "parts": [_read_part(part) for part in parts]}


def _read_part(part: Any) -> _Part:
    if isinstance(part, str):
        return _text(part)
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in ("input_text", "output_text", "text"):
        return _text(part.get("text"))
    if kind == "refusal":
        return {"type": "refusal", "content": part.get("refusal")}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "uri", "modality": "image", "uri": part["image_url"]}
    if kind in ("input_image", "input_file") and part.get("file_id"):
        return {"type": "file", "modality": kind[6:], "file_id": part["file_id"]}
    return dict(part) if isinstance(part, Mapping) else {"type": "unknown", "content": part}


def _read_reasoning(item: Mapping[str, Any]) -> dict[str, Any]:
    texts = [*(item.get("content") or []), *(item.get("summary") or [])]
    parts = [{"type": "reasoning", "content": text.get("text")} for text in texts]
    return {"role": "assistant", "parts": parts}


def _read_call(item: Mapping[str, Any]) -> dict[str, Any]:
    part = {
        "type": "tool_call",
        "id": item.get("call_id"),
        "name": item.get("name"),
        "arguments": item.get("arguments", item.get("input")),
    }
    return {"role": "assistant", "parts": [part]}


def _read_answer(item: Mapping[str, Any]) -> dict[str, Any]:
    part = {
        "type": "tool_call_response",
        "id": item.get("call_id"),
        "response": item.get("output"),
    }
    return {"role": "tool", "parts": [part]}


def _read_other(item: Mapping[str, Any]) -> dict[str, Any]:
    # Encrypted reasoning and compacted history are opaque, and may be megabytes.
    part = {name: value for name, value in item.items() if name != "encrypted_content"}
    return {"role": "assistant", "parts": [part]}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "message": _read_message,
    "reasoning": _read_reasoning,
    "function_call": _read_call,
    "custom_tool_call": _read_call,
    "function_call_output": _read_answer,
    "custom_tool_call_output": _read_answer,
}
