"""From a body of chat completions to what the engine answers: a create body."""

from dataclasses import replace
from typing import Any

from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.response_store import drop_nulls

__all__ = ["to_generation"]

_SAME = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "user",
    "metadata",
    "top_logprobs",
)


def to_generation(generation: Generation) -> Generation:
    """The call with a create body in place of the chat body; nothing is stored."""
    body = generation.request
    asked: dict[str, Any] = {name: body[name] for name in _SAME if body.get(name) is not None}
    asked["model"] = body.get("model")
    asked["store"] = False
    asked["input"] = [
        item for message in drop_nulls(body["messages"]) for item in _to_items(message)
    ]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit:
        asked["max_output_tokens"] = limit
    effort = _find_effort(body)
    if effort:
        asked["reasoning"] = {"effort": effort}
    if body.get("logprobs"):
        asked["include"] = ["message.output_text.logprobs"]
    asked["text"] = _to_text(body)
    tools = [_to_tool(tool) for tool in body.get("tools") or ()]
    tools += [{"type": "function", **function} for function in body.get("functions") or ()]
    if tools:
        asked["tools"] = tools
        asked["tool_choice"] = _to_choice(body.get("tool_choice") or "auto")
    asking = replace(generation, request=asked, history=[])
    return replace(asking, prefixes=None) if _misses_cache(generation) else asking


def _find_effort(body: dict[str, Any]) -> str | None:
    # Kimi's switch, which no other family takes.
    if (body.get("thinking") or {}).get("type") == "disabled":
        return "none"
    effort: str | None = body.get("reasoning_effort")
    return effort


def _misses_cache(generation: Generation) -> bool:
    """DeepSeek's cache misses without the reasoning of earlier turns (pi#9645)."""
    body, model = generation.request, generation.model
    effort = _find_effort(body) or model.default_effort
    if model.family != "deepseek" or effort in (None, "none"):
        return False
    said = [message for message in body["messages"] if message["role"] == "assistant"]
    return not all(message.get("reasoning_content") for message in said)


def _to_text(body: dict[str, Any]) -> dict[str, Any]:
    text: dict[str, Any] = {"verbosity": body.get("verbosity")}
    given = body.get("response_format") or {"type": "text"}
    if given["type"] == "json_schema":
        given = {"type": "json_schema", **given["json_schema"]}
        given.setdefault("schema", {"type": "object"})
    text["format"] = given
    return text


def _to_tool(tool: dict[str, Any]) -> dict[str, Any]:
    inner = dict(tool[tool["type"]])
    # Chat nests what the Responses API writes flat.
    form = inner.get("format") or {}
    if "grammar" in form:
        inner["format"] = {"type": "grammar", **form["grammar"]}
    # Chat completions are strict only where they say so, unlike the Responses API.
    return {"type": tool["type"], "strict": False, **inner}


def _to_choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "allowed_tools":
        allowed = choice.get("allowed_tools") or {}
        tools = [_to_choice(one) for one in allowed.get("tools") or ()]
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": tools}
    return {"type": choice["type"], **choice.get(choice["type"], {})}


def _to_items(message: dict[str, Any]) -> list[dict[str, Any]]:
    role = message["role"]
    if role in ("tool", "function"):
        # An output of the older `functions` has the name of its function instead of an id.
        call_id = message.get("tool_call_id") or message.get("name")
        output = _plain(message.get("content"))
        return [{"type": "function_call_output", "call_id": call_id, "output": output}]
    items: list[dict[str, Any]] = []
    if message.get("content") is not None:
        items.append({"role": role, "content": _to_content(message["content"], role)})
    for call in message.get("tool_calls") or ():
        items.append(_to_call(call))
    called = message.get("function_call")
    if called:
        # The older `functions` have no ids: the name joins a call and its output.
        items.append(_to_call({"id": called.get("name"), "function": called}))
    return items


def _to_call(call: dict[str, Any]) -> dict[str, Any]:
    inner = call.get(call.get("type") or "function") or {}
    return {
        "type": "function_call",
        "call_id": call["id"],
        "name": inner.get("name", ""),
        "arguments": inner.get("arguments", inner.get("input", "")),
    }


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def _to_content(content: Any, role: str) -> Any:
    if isinstance(content, str):
        return content
    return [_to_part(part, role) for part in content]


def _to_part(part: dict[str, Any], role: str) -> dict[str, Any]:
    kind = part["type"]
    if kind == "image_url":
        image = part["image_url"]
        detail = image.get("detail") or "auto"
        return {"type": "input_image", "image_url": image["url"], "detail": detail}
    if kind == "file":
        return {"type": "input_file", **part["file"]}
    if kind == "text":
        spoken = "output_text" if role == "assistant" else "input_text"
        return {"type": spoken, "text": part["text"]}
    return part
