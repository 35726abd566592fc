"""From a body of Messages to what the engine answers: a create body of the Responses API."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.tokens import count_request

__all__ = ["count_input", "to_generation"]

_Item = dict[str, Any]
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
# Kept for the output where the context window is nearly full.
_LEAST_ROOM = 1


def count_input(asked: Generation) -> int:
    """Input tokens of a body that `to_generation` made."""
    return count_request(asked.request)


def to_generation(generation: Generation) -> Generation:
    """The call with a create body in place of the Messages body; nothing is stored."""
    body = generation.request
    asked: dict[str, Any] = {"model": body.get("model"), "store": False}
    asked["instructions"] = _read_system(body.get("system"))
    asked["input"] = [item for message in body["messages"] for item in _to_items(message)]
    asked["reasoning"] = {"effort": _find_effort(body)}
    given = (body.get("output_config") or {}).get("format")
    if given:
        form = {"type": "json_schema", "name": "answer", "schema": given["schema"]}
        asked["text"] = {"format": {**form, "strict": True}}
    tools = [one for tool in body.get("tools") or () if (one := _to_tool(tool))]
    if tools:
        asked["tools"] = tools
        _add_choice(asked, body.get("tool_choice") or {"type": "auto"})
    limit = body.get("max_tokens")
    if limit:
        room = generation.model.context_window - count_request(asked)
        # Claude cuts an answer at the end of the window and says so
        # (`model_context_window_exceeded`). The engine knows only a limit of the output, so that is
        # lowered.
        asked["max_output_tokens"] = max(_LEAST_ROOM, min(limit, room))
    # Without a mark nothing is cached.
    is_marked = "cache_control" in json.dumps(body)
    prefixes = generation.prefixes if is_marked else None
    return replace(generation, request=asked, history=[], prefixes=prefixes)


def _read_system(system: Any) -> str | None:
    if isinstance(system, list):
        return "\n".join(block["text"] for block in system)
    return str(system) if system else None


def _find_effort(body: Mapping[str, Any]) -> str:
    if (body.get("thinking") or {}).get("type") not in ("enabled", "adaptive"):
        return "none"
    return str((body.get("output_config") or {}).get("effort") or "medium")


def _to_tool(tool: Mapping[str, Any]) -> _Item | None:
    kind = tool.get("type") or "custom"
    if kind == "custom":
        return {
            "type": "function",
            "name": tool["name"],
            "description": tool.get("description"),
            "parameters": tool["input_schema"],
            "strict": bool(tool.get("strict")),
        }
    # Of Anthropic's own tools only the search is emulated; the others are never called.
    return {"type": "web_search"} if kind.startswith("web_search_") else None


def _add_choice(asked: dict[str, Any], choice: Mapping[str, Any]) -> None:
    kind = choice["type"]
    asked["tool_choice"] = _CHOICES.get(kind, {"type": "function", "name": choice.get("name")})
    if choice.get("disable_parallel_tool_use"):
        asked["parallel_tool_calls"] = False


def _to_items(message: Mapping[str, Any]) -> list[_Item]:
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        return [{"role": role, "content": content}] if content else []
    items: list[_Item] = []
    parts: list[_Item] = []
    for block in content:
        item = _to_item(block)
        if item is not None:
            items.append(item)
        part = _to_part(block, role)
        if part is not None:
            parts.append(part)
    said = [{"role": role, "content": parts}] if parts else []
    # Results come before what the user says, calls after what the assistant said.
    return [*items, *said] if role == "user" else [*said, *items]


def _to_item(block: Mapping[str, Any]) -> _Item | None:
    kind = block["type"]
    if kind == "tool_use":
        arguments = json.dumps(block["input"], separators=(",", ":"), ensure_ascii=False)
        call = {"type": "function_call", "call_id": block["id"], "name": block["name"]}
        return {**call, "arguments": arguments}
    if kind == "tool_result":
        output = _read_result(block.get("content"))
        call_id = block["tool_use_id"]
        return {"type": "function_call_output", "call_id": call_id, "output": output}
    return None


def _read_result(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return str(content or "")


def _to_part(block: Mapping[str, Any], role: str) -> _Item | None:
    kind = block["type"]
    if kind == "text":
        return {"type": "output_text" if role == "assistant" else "input_text",
                "text": block["text"]}  # fmt: skip
    source = block.get("source")
    if kind == "image":
        return {"type": "input_image", "image_url": _read_source(source), "detail": "auto"}
    if kind == "document":
        return _to_document(source, block.get("title"))
    if kind == "search_result":
        return {"type": "input_text", "text": _read_result(block["content"])}
    return None


def _to_document(source: Any, title: str | None) -> _Item:
    if source["type"] == "text":
        return {"type": "input_text", "text": source["data"]}
    if source["type"] == "content":
        return {"type": "input_text", "text": _read_result(source.get("content"))}
    name = title or "document.pdf"
    if source["type"] == "url":
        return {"type": "input_file", "file_url": source["url"], "filename": name}
    return {"type": "input_file", "file_data": _read_source(source), "filename": name}


def _read_source(source: Any) -> str:
    if source["type"] == "url":
        return str(source["url"])
    return f"data:{source['media_type']};base64,{source['data']}"
