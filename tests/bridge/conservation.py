"""Counts what a response says, and what a completion says, by separate readings of their JSON."""

from collections import Counter
from typing import Any

__all__ = ["count_completion", "count_response"]

_CALLS = {
    "function_call",
    "custom_tool_call",
    "apply_patch_call",
    "local_shell_call",
    "computer_call",
    "mcp_approval_request",
}


def _waits(item: dict[str, Any]) -> bool:
    if item["type"] == "shell_call":
        return bool((item.get("environment") or {"type": "local"})["type"] == "local")
    if item["type"] == "tool_search_call":
        return bool(item.get("execution") == "client")
    return bool(item["type"] in _CALLS)


def count_response(body: dict[str, Any]) -> Counter[str]:
    """Characters, calls, citations, items and tokens of a response's JSON."""
    counts: Counter[str] = Counter()
    for item in body.get("output") or []:
        if item["type"] == "message":
            _count_parts(item["content"], counts)
        elif item["type"] == "reasoning":
            counts["reasoning"] += 1
            counts["ciphertext"] += len(item.get("encrypted_content") or "")
            texts = [*(item.get("content") or []), *item["summary"]]
            counts["readable"] += sum(len(part["text"]) for part in texts)
        elif _waits(item):
            counts["calls"] += 1
            counts["arguments"] += len(item.get("arguments") or item.get("input") or "") * (
                item["type"] in ("function_call", "custom_tool_call")
            )
        else:
            counts["hosted"] += 1
            counts["hosted " + item["type"]] += 1
    usage = body.get("usage") or {}
    counts["input"] = usage.get("input_tokens", 0)
    counts["output"] = usage.get("output_tokens", 0)
    counts["cached"] = (usage.get("input_tokens_details") or {}).get("cached_tokens", 0)
    counts["reasoned"] = (usage.get("output_tokens_details") or {}).get("reasoning_tokens", 0)
    counts["filters"] = len(body.get("content_filters") or [])
    return +counts


def _count_parts(parts: list[dict[str, Any]], counts: Counter[str]) -> None:
    for part in parts:
        counts["text"] += len(part.get("text") or "")
        counts["refusal"] += len(part.get("refusal") or "")
        counts["logprobs"] += len(part.get("logprobs") or [])
        for annotation in part.get("annotations") or []:
            counts["citation " + annotation["type"]] += 1


def count_completion(body: dict[str, Any]) -> Counter[str]:
    """The same of a completion's JSON."""
    counts: Counter[str] = Counter()
    (choice,) = body["choices"]
    message = choice["message"]
    # What stands between two messages was written by neither.
    content, commentary = message.get("content") or "", message.get("commentary") or ""
    said = [entry for entry in message.get("output_order") or () if entry.get("text")]
    asides = sum(entry.get("phase") == "commentary" for entry in said)
    gaps = max(len(said) - asides - 1, 0) + max(asides - 1, 0)
    counts["text"] = len(content) + len(commentary) - len("\n\n") * gaps
    counts["refusal"] = len(message.get("refusal") or "")
    counts["logprobs"] = len((choice.get("logprobs") or {}).get("content") or [])
    for annotation in message.get("annotations") or []:
        assert annotation[annotation["type"]]
        counts["citation " + annotation["type"]] += 1
    reasoning = message.get("reasoning_items") or []
    counts["reasoning"] = len(reasoning)
    counts["ciphertext"] = sum(len(item.get("encrypted_content") or "") for item in reasoning)
    texts = [text for item in reasoning for text in _readable(item)]
    counts["readable"] = sum(map(len, texts))
    assert (message.get("reasoning_content") or "") == "\n\n".join(filter(None, texts))
    for call in message.get("tool_calls") or []:
        counts["calls"] += 1
        function, custom = call.get("function") or {}, call.get("custom") or {}
        if not call.get("item"):
            counts["arguments"] += len(function.get("arguments") or custom.get("input") or "")
    for item in message.get("hosted_items") or []:
        counts["hosted"] += 1
        counts["hosted " + item["type"]] += 1
    _count_around(body, choice, counts)
    return +counts


def _readable(item: dict[str, Any]) -> list[str]:
    return [part["text"] for part in [*(item.get("content") or []), *item["summary"]]]


def _count_around(body: dict[str, Any], choice: dict[str, Any], counts: Counter[str]) -> None:
    usage = body.get("usage") or {}
    counts["input"] = usage.get("prompt_tokens", 0)
    counts["output"] = usage.get("completion_tokens", 0)
    counts["cached"] = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    details = usage.get("completion_tokens_details") or {}
    counts["reasoned"] = details.get("reasoning_tokens", 0)
    has_choice = bool(choice.get("content_filter_results"))
    counts["filters"] = len(body.get("prompt_filter_results") or []) + has_choice
