"""Chat completions: the same answers in Azure's chat shapes.

Shapes as recorded by traceloop/openllmetry, envoyproxy/ai-gateway and vercel/ai: a first chunk with
no choices and `prompt_filter_results`, `content_filter_results` on every choice, usage in a last
chunk of its own.
"""

from dataclasses import replace
from typing import Any

from azure_responses.emulator.engine.create_response import create_response
from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.engine.item_events import obfuscate, split_deltas
from azure_responses.emulator.engine.response_object import prompt_results
from azure_responses.emulator.engine.transcript import read_transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.response_store import drop_nulls
from azure_responses.emulator.service_errors import ServiceError

__all__ = ["create_chat_completion", "to_generation"]

_Chunk = dict[str, Any]
# Of all choices of a completion together.
_MOST_TOKENS = 500_000
_SAFE = {"filtered": False, "severity": "safe"}
_CATEGORIES = ("hate", "self_harm", "sexual", "violence")
_MESSAGE = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management "
    "policy. Please modify your prompt and retry. To learn more about our content filtering "
    "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
)


def create_chat_completion(
    generation: Generation, is_streamed: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The completion, and the chunks of the same completion as a stream; none if not streamed.

    Raises:
        ServiceError: as `create_response` does, with the bodies of chat completions.
    """
    body = generation.request
    asked = _share(to_generation(generation), body.get("n") or 1)
    transcript = read_transcript(asked.request, asked.request["input"])
    if find_trigger(transcript, "block-prompt") is not None:
        raise _refuse_prompt()
    head = {
        "created": generation.created_at,
        "id": generation.identifiers.chat_completion(),
        "model": generation.model.routes_to or generation.model.snapshot,
    }
    choices: list[dict[str, Any]] = []
    response: dict[str, Any] = {}
    for index in range(body.get("n") or 1):
        # Choices differ only in the ids of their calls: 128 choices without calls cost one.
        if not response or any("call_id" in item for item in response["output"]):
            response = create_response(asked).response
        choices.append(_choose(index, response, bool(body.get("logprobs"))))
    usage = _describe_usage(response["usage"] or {}, len(choices))
    completion = {
        "choices": choices,
        **head,
        "object": "chat.completion",
        "prompt_filter_results": [_prompt_filter()],
        "system_fingerprint": None,
        "usage": usage,
    }
    return completion, _stream(generation, head, choices, usage) if is_streamed else []


def _share(generation: Generation, choices: int) -> Generation:
    """The call with a limit of tokens for each of its choices: 128 long ones fill the memory."""
    most = generation.request.get("max_output_tokens") or generation.model.max_output
    limited = {**generation.request, "max_output_tokens": min(most, _MOST_TOKENS // choices)}
    return replace(generation, request=limited) if choices > 1 else generation


def _refuse_prompt() -> ServiceError:
    # Not the body that the Responses API sends: chat has its own, with one result per category.
    results = {**dict.fromkeys(_CATEGORIES, _SAFE), "hate": {"filtered": True, "severity": "high"}}
    results["jailbreak"] = {"filtered": False, "detected": False}
    error = {
        "message": _MESSAGE,
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": results,
        },
    }
    return ServiceError(400, {"error": error})


def _prompt_filter() -> dict[str, Any]:
    return {"prompt_index": 0, "content_filter_results": prompt_results()}


def _choose(index: int, response: dict[str, Any], has_logprobs: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"annotations": [], "content": None, "refusal": None}
    message["role"] = "assistant"
    calls, logprobs = [], None
    for item in response["output"]:
        if item["type"] == "message":
            part = item["content"][0]
            message["content"] = part.get("text")
            message["refusal"] = part.get("refusal")
            if has_logprobs:
                logprobs = {"content": part.get("logprobs") or [], "refusal": None}
        elif item["type"] in ("function_call", "custom_tool_call"):
            calls.append(_describe_call(item))
    if calls:
        message["tool_calls"] = calls
    reason = _finish(response, bool(calls))
    filtered = reason == "content_filter"
    # The filter reads texts, not calls: a choice of calls has no results of it.
    results: dict[str, Any] = dict.fromkeys(_CATEGORIES, _SAFE) if not calls else {}
    if filtered:
        results = {**results, "violence": {"filtered": True, "severity": "high"}}
    return {
        "content_filter_results": results,
        "finish_reason": reason,
        "index": index,
        "logprobs": logprobs,
        "message": message,
    }


def _describe_call(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] == "custom_tool_call":
        custom = {"input": item["input"], "name": item["name"]}
        return {"custom": custom, "id": item["call_id"], "type": "custom"}
    function = {"arguments": item["arguments"], "name": item["name"]}
    return {"function": function, "id": item["call_id"], "type": "function"}


def _finish(response: dict[str, Any], has_calls: bool) -> str:
    reason = (response["incomplete_details"] or {}).get("reason")
    if reason == "content_filter":
        return "content_filter"
    if reason == "max_output_tokens":
        return "length"
    return "tool_calls" if has_calls else "stop"


def _describe_usage(usage: dict[str, Any], count: int) -> dict[str, Any]:
    output = usage.get("output_tokens", 0) * count
    reasoning = usage.get("output_tokens_details", {}).get("reasoning_tokens", 0) * count
    prompt = usage.get("input_tokens", 0)
    cached = usage.get("input_tokens_details", {}).get("cached_tokens", 0)
    return {
        "completion_tokens": output,
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": reasoning,
            "rejected_prediction_tokens": 0,
        },
        "prompt_tokens": prompt,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": cached},
        "total_tokens": prompt + output,
    }


def _stream(
    generation: Generation,
    head: dict[str, Any],
    choices: list[dict[str, Any]],
    usage: dict[str, Any],
) -> list[_Chunk]:
    options = generation.request.get("stream_options") or {}
    include_usage = bool(options.get("include_usage"))
    tail: dict[str, Any] = {"object": "chat.completion.chunk", "system_fingerprint": None}
    if include_usage:
        tail["usage"] = None
    first = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
    chunks: list[_Chunk] = [{**first, "prompt_filter_results": [_prompt_filter()]}]
    is_obfuscated = options.get("include_obfuscation") is not False
    for choice in choices:
        for delta, reason, results in _deltas(choice, generation.chunking):
            part = _part(choice, delta, reason, results)
            chunk = {"choices": [part], **head, **tail}
            if is_obfuscated:
                key = f"{head['id']}{len(chunks)}"
                chunk["obfuscation"] = obfuscate(str(delta.get("content") or ""), key)
            chunks.append(chunk)
    if include_usage:
        chunks.append({"choices": [], **head, **tail, "usage": usage})
    return chunks


def _part(
    choice: dict[str, Any], delta: dict[str, Any], reason: str | None, results: dict[str, Any]
) -> dict[str, Any]:
    logprobs = choice["logprobs"] if delta.get("content") and choice["logprobs"] else None
    return {
        "content_filter_results": results,
        "delta": delta,
        "finish_reason": reason,
        "index": choice["index"],
        "logprobs": logprobs,
    }


_Delta = tuple[dict[str, Any], str | None, dict[str, Any]]


def _deltas(choice: dict[str, Any], chunking: str) -> list[_Delta]:
    message = choice["message"]
    calls = message.get("tool_calls") or []
    opening = {"content": None if calls else "", "refusal": None, "role": "assistant"}
    deltas: list[_Delta] = [(opening, None, {})]
    safe = dict.fromkeys(_CATEGORIES, _SAFE)
    # Log probabilities belong to the whole text: it then comes in one delta.
    whole = [message["content"]] if choice["logprobs"] else None
    for piece in whole or split_deltas(message["content"] or "", chunking):
        deltas.append(({"content": piece}, None, safe))
    for piece in split_deltas(message["refusal"] or "", chunking):
        deltas.append(({"refusal": piece}, None, safe))
    for number, call in enumerate(calls):
        deltas.extend(_call_deltas(number, call, chunking))
    results = choice["content_filter_results"]
    is_filtered = choice["finish_reason"] == "content_filter"
    return [*deltas, ({}, choice["finish_reason"], results if is_filtered else {})]


def _call_deltas(number: int, call: dict[str, Any], chunking: str) -> list[_Delta]:
    kind, field = call["type"], "arguments" if call["type"] == "function" else "input"
    opening = {"index": number, **call, kind: {**call[kind], field: ""}}
    deltas: list[_Delta] = [({"tool_calls": [opening]}, None, {})]
    for piece in split_deltas(call[kind][field], chunking):
        part = {"index": number, kind: {field: piece}}
        deltas.append(({"tool_calls": [part]}, None, {}))
    return deltas


_SAME = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "prompt_cache_key",
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
    if body.get("reasoning_effort"):
        asked["reasoning"] = {"effort": body["reasoning_effort"]}
    if body.get("logprobs"):
        asked["include"] = ["message.output_text.logprobs"]
    asked["text"] = _to_text(body)
    tools = [_to_tool(tool) for tool in body.get("tools") or ()]
    tools += [{"type": "function", **function} for function in body.get("functions") or ()]
    if tools:
        asked["tools"] = tools
        asked["tool_choice"] = _to_choice(body.get("tool_choice") or "auto")
    return replace(generation, request=asked, history=[])


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
