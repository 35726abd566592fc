"""Chat completions: the same answers in Azure's chat shapes.

Shapes as recorded by traceloop/openllmetry, envoyproxy/ai-gateway and vercel/ai: a first chunk with
no choices and `prompt_filter_results`, `content_filter_results` on every choice, usage in a last
chunk of its own.
"""

from dataclasses import replace
from itertools import zip_longest
from typing import Any

from azure_responses.emulator.engine.chat_request import to_generation
from azure_responses.emulator.engine.create_response import create_response, route
from azure_responses.emulator.engine.generation import GeneratedResponse, Generation
from azure_responses.emulator.engine.item_events import obfuscate, split_deltas
from azure_responses.emulator.engine.response_object import prompt_results
from azure_responses.emulator.engine.transcript import read_transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.service_errors import ServiceError

__all__ = ["create_chat_completion"]

_Chunk = dict[str, Any]
_Part = tuple[str, Any]
# A choice of the completion, and what its message is made of.
_Choice = tuple[dict[str, Any], list[_Part]]
# Of all choices of a completion together.
_MOST_TOKENS = 500_000
# Families whose usage has no details.
_BRIEF_USAGE = ("mistral", "llama")
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
    model = route(generation, transcript).model
    head = {
        "created": generation.created_at,
        "id": generation.identifiers.chat_completion(),
        "model": model.routes_to or model.snapshot,
    }
    choices: list[_Choice] = []
    answer: GeneratedResponse | None = None
    for index in range(body.get("n") or 1):
        # Choices differ only in the ids of their calls: 128 choices without calls cost one.
        if answer is None or any("call_id" in item for item in answer.response["output"]):
            answer = create_response(asked)
        parts = _list_parts(generation, answer)
        choices.append((_choose(index, answer.response, parts, bool(body.get("logprobs"))), parts))
    usage = _describe_usage(
        answer.response["usage"] if answer else None, len(choices), generation.model.family
    )
    completion = {
        "choices": [choice for choice, _ in choices],
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


def _list_parts(generation: Generation, answer: GeneratedResponse) -> list[_Part]:
    """What a message is made of, in the order in which a stream sends it: field and value."""
    parts: list[_Part] = []
    thought = "\n\n".join(answer.thoughts)
    if thought and generation.thinks_aloud:
        parts.append(("content", f"<think>\n{thought}\n</think>\n\n"))
    elif thought and generation.model.shows_reasoning:
        parts.append(("reasoning_content", thought))
    calls = _count_calls(generation.request)
    for item in answer.response["output"]:
        if item["type"] == "message":
            part = item["content"][0]
            field = "text" if "text" in part else "refusal"
            parts.append(("content" if field == "text" else field, part[field]))
        elif item["type"] in ("function_call", "custom_tool_call"):
            parts.append(("call", _describe_call(item, generation.model.family, calls)))
            calls += 1
    return _move_json(generation, parts)


def _move_json(generation: Generation, parts: list[_Part]) -> list[_Part]:
    """With thinking, DeepSeek's JSON stands in `reasoning_content`, as @ai-sdk/azure found."""
    asked = (generation.request.get("response_format") or {}).get("type")
    is_moved = generation.model.family == "deepseek" and asked == "json_object"
    if not is_moved or not any(field == "reasoning_content" for field, _ in parts):
        return parts
    return [
        ("reasoning_content", value)
        for field, value in parts
        if field not in ("reasoning_content", "call")
    ]


def _count_calls(body: dict[str, Any]) -> int:
    return sum(len(message.get("tool_calls") or ()) for message in body["messages"])


def _join(parts: list[_Part], field: str) -> str | None:
    found = [value for name, value in parts if name == field]
    return "".join(found) if found else None


def _choose(
    index: int, response: dict[str, Any], parts: list[_Part], has_logprobs: bool
) -> dict[str, Any]:
    message: dict[str, Any] = {"annotations": [], "content": _join(parts, "content")}
    message["refusal"] = _join(parts, "refusal")
    message["role"] = "assistant"
    reasoning = _join(parts, "reasoning_content")
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    calls = [value for field, value in parts if field == "call"]
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
        "logprobs": _list_logprobs(response) if has_logprobs else None,
        "message": message,
    }


def _list_logprobs(response: dict[str, Any]) -> dict[str, Any] | None:
    messages = [item for item in response["output"] if item["type"] == "message"]
    listed = [entry for item in messages for entry in item["content"][0].get("logprobs") or ()]
    return {"content": listed, "refusal": None} if messages else None


def _describe_call(item: dict[str, Any], family: str, number: int) -> dict[str, Any]:
    call_id = _name_call(item, family, number)
    if item["type"] == "custom_tool_call":
        custom = {"input": item["input"], "name": item["name"]}
        return {"custom": custom, "id": call_id, "type": "custom"}
    function = {"arguments": item["arguments"], "name": item["name"]}
    return {"function": function, "id": call_id, "type": "function"}


def _name_call(item: dict[str, Any], family: str, number: int) -> str:
    """The id of a call: Kimi counts those of a conversation, Mistral's have nine characters."""
    if family == "kimi":
        return f"functions.{item['name']}:{number}"
    call_id: str = item["call_id"]
    return call_id.removeprefix("call_")[:9] if family == "mistral" else call_id


def _finish(response: dict[str, Any], has_calls: bool) -> str:
    reason = (response["incomplete_details"] or {}).get("reason")
    if reason == "content_filter":
        return "content_filter"
    if reason == "max_output_tokens":
        return "length"
    return "tool_calls" if has_calls else "stop"


def _describe_usage(given: dict[str, Any] | None, count: int, family: str) -> dict[str, Any]:
    usage = given or {}
    output = usage.get("output_tokens", 0) * count
    reasoning = usage.get("output_tokens_details", {}).get("reasoning_tokens", 0) * count
    prompt = usage.get("input_tokens", 0)
    cached = usage.get("input_tokens_details", {}).get("cached_tokens", 0)
    if family in _BRIEF_USAGE:
        return {
            "completion_tokens": output,
            "prompt_tokens": prompt,
            "total_tokens": prompt + output,
        }
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
    choices: list[_Choice],
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
    for choice, parts in choices:
        for delta, reason, results in _deltas(generation, choice, parts):
            part = _part(choice, delta, reason, results)
            chunk = {"choices": [part], **head, **tail}
            if is_obfuscated:
                key = f"{head['id']}{len(chunks)}"
                chunk["obfuscation"] = obfuscate(str(delta.get("content") or ""), key)
            chunks.append(chunk)
        if generation.model.family == "mistral":
            # Unasked, and in the chunk that ends the answer.
            chunks[-1]["usage"] = usage
        if generation.chunking == "async":
            chunks.append({**first, "choices": [_annotate(choice)]})
    if include_usage and generation.model.family != "mistral":
        chunks.append({"choices": [], **head, **tail, "usage": usage})
    return chunks


def _annotate(choice: dict[str, Any]) -> dict[str, Any]:
    """What the asynchronous filter found, in a chunk without a delta (Microsoft's filter page)."""
    end = len(choice["message"]["content"] or "")
    return {
        "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": end},
        "content_filter_results": choice["content_filter_results"],
        "finish_reason": None,
        "index": choice["index"],
    }


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


def _deltas(generation: Generation, choice: dict[str, Any], parts: list[_Part]) -> list[_Delta]:
    calls = choice["message"].get("tool_calls") or []
    opening = {"content": None if calls else "", "refusal": None, "role": "assistant"}
    deltas: list[_Delta] = [(opening, None, {})]
    pending: list[list[_Delta]] = []
    for field, value in parts:
        if field == "call":
            pending.append(_call_deltas(len(pending), value, _call_chunking(generation)))
            continue
        # Text after calls comes after them.
        deltas += _spread(generation, pending)
        pending = [[] for _ in pending]
        # Log probabilities belong to the whole text: it then comes in one delta.
        is_whole = choice["logprobs"] and field == "content"
        pieces = [value] if is_whole else split_deltas(value, generation.chunking)
        safe = dict.fromkeys(_CATEGORIES, _SAFE) if field == "content" else {}
        deltas += [({field: piece}, None, safe) for piece in pieces]
    deltas += _spread(generation, pending)
    results = choice["content_filter_results"]
    is_filtered = choice["finish_reason"] == "content_filter"
    return [*deltas, ({}, choice["finish_reason"], results if is_filtered else {})]


def _call_chunking(generation: Generation) -> str | None:
    """None where a call comes whole, as Mistral sends it."""
    return None if generation.model.family == "mistral" else generation.chunking


def _spread(generation: Generation, calls: list[list[_Delta]]) -> list[_Delta]:
    """The deltas of calls one after the other, or in turns where the prompt asks for that."""
    messages = str(generation.request["messages"][-1].get("content"))
    if "[[azure:interleave]]" not in messages:
        return [delta for call in calls for delta in call]
    rounds = zip_longest(*calls)
    return [delta for turn in rounds for delta in turn if delta is not None]


def _call_deltas(number: int, call: dict[str, Any], chunking: str | None) -> list[_Delta]:
    if chunking is None:
        return [({"tool_calls": [{"index": number, **call}]}, None, {})]
    kind, field = call["type"], "arguments" if call["type"] == "function" else "input"
    opening = {"index": number, **call, kind: {**call[kind], field: ""}}
    deltas: list[_Delta] = [({"tool_calls": [opening]}, None, {})]
    for piece in split_deltas(call[kind][field], chunking):
        part = {"index": number, kind: {field: piece}}
        deltas.append(({"tool_calls": [part]}, None, {}))
    return deltas
