"""A response before its output, with what it repeats of the request; and its usage."""

from collections.abc import Mapping
from typing import Any

__all__ = ["begin_response", "usage_of"]

# What a response says where the request says nothing. The Open Responses schema wants numbers, so
# the API's defaults stand there as they do in Azure's replies.
_DEFAULTS: Mapping[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
# Every field in its order. A copy of a whole dict takes a third of the time of writing it out.
_BEGUN: dict[str, Any] = {
    "id": "",
    "object": "response",
    "created_at": 0,
    "status": "in_progress",
    "completed_at": None,
    "content_filters": None,
    "error": None,
    "incomplete_details": None,
    "model": "",
    "output": None,
    **_DEFAULTS,
    "metadata": None,
    "reasoning": None,
    "text": None,
    "tools": None,
    "usage": None,
}
# A function says less when it is asked for than when it is repeated; strict is the API's default.
_FUNCTION = {"type": "function", "description": None, "parameters": None, "strict": True}


def begin_response(
    parameters: Mapping[str, Any], *, response_id: str, model: str, created_at: float
) -> dict[str, Any]:
    """The response before any output: in progress, with what it repeats of the request.

    Args:
        parameters: the request as the caller made it.
        response_id: the response's own id.
        model: what it names where the request names no model.
        created_at: unix seconds.
    """
    response = _BEGUN.copy()
    for name, value in parameters.items():
        if value is not None and name in _DEFAULTS:
            response[name] = value
    response["id"] = response_id
    response["created_at"] = int(created_at)
    response["model"] = parameters.get("model") or model
    response["output"] = []
    response["metadata"] = dict(parameters.get("metadata") or {})
    reasoning, text = parameters.get("reasoning"), parameters.get("text")
    response["reasoning"] = {"effort": None, "summary": None, **(reasoning or {})}
    response["text"] = {"format": {"type": "text"}, **(text or {})}
    response["tools"] = [_repeat_tool(tool) for tool in parameters.get("tools") or ()]
    return response


def _repeat_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {**_FUNCTION, **tool} if tool.get("type") == "function" else dict(tool)


def usage_of(
    input_tokens: int,
    output_tokens: int,
    *,
    cached_tokens: int = 0,
    reasoning_tokens: int = 0,
    cache_write_tokens: int = 0,
) -> dict[str, Any]:
    """The usage of a response; `input_tokens` counts the cached ones, too."""
    return {
        "input_tokens": input_tokens,
        # Both are required by the openai package, which reads them unchecked.
        "input_tokens_details": {
            "cached_tokens": cached_tokens,
            "cache_write_tokens": cache_write_tokens,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
        "total_tokens": input_tokens + output_tokens,
    }
