"""A reply of chat completions or Messages in the terms of a response.

Routing, prices, budgets and logs look at the model, the status and the tokens of an answer. They
know one shape, that of a response; `as_response` puts these facts of another API's reply into it.
The content is left out: code that needs it reads the reply itself.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.protocol.conversion import APIName

__all__ = ["as_response", "chat_usage", "messages_usage", "status_of_stop"]

_NOTHING: Mapping[str, Any] = {}
# `finish_reason` of chat completions and `stop_reason` of Messages (anthropic 2.14,
# types/stop_reason.py) → why a response is incomplete. Every other reason is that of a whole one.
_INCOMPLETE: Mapping[str, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}


def as_response(api: APIName, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a whole reply; of a response the reply itself."""
    if api == "responses":
        return body
    if api == "chat":
        reason, usage = _finish_reason(body), chat_usage(body.get("usage"))
    else:
        reason, usage = body.get("stop_reason"), messages_usage(body.get("usage"))
    facts = {name: body[name] for name in ("id", "model", "service_tier") if name in body}
    # No later request can name it: routing and purges have nothing to remember.
    return {**facts, "object": "response", "store": False, **status_of_stop(reason), "usage": usage}


def status_of_stop(reason: Any) -> dict[str, Any]:
    """`status` and `incomplete_details` of an answer that stopped for this reason."""
    why = _INCOMPLETE.get(reason) if isinstance(reason, str) else None
    if why is None:
        return {"status": "completed"}
    return {"status": "incomplete", "incomplete_details": {"reason": why}}


def chat_usage(usage: Any) -> dict[str, Any] | None:
    """The usage of a chat completion under the names of a response; None where it has none."""
    if not isinstance(usage, Mapping) or usage.get("prompt_tokens") is None:
        return None
    read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    of_read = _mapping(usage.get("prompt_tokens_details"))
    of_written = _mapping(usage.get("completion_tokens_details"))
    # DeepSeek's own name for what was cached; others have it in the details.
    cached = of_read.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
    return {
        "input_tokens": read,
        "input_tokens_details": {**of_read, "cached_tokens": cached or 0},
        "output_tokens": written,
        "output_tokens_details": {
            **of_written,
            "reasoning_tokens": of_written.get("reasoning_tokens") or 0,
        },
        "total_tokens": read + written,
    }


def messages_usage(usage: Any) -> dict[str, Any] | None:
    """The usage of a Messages reply under the names of a response; None where it has none."""
    if not isinstance(usage, Mapping) or usage.get("input_tokens") is None:
        return None
    cached = _count(usage, "cache_read_input_tokens")
    stored = _count(usage, "cache_creation_input_tokens")
    # Anthropic's input leaves out both what was read from the cache and what was written to it.
    read = _count(usage, "input_tokens") + cached + stored
    written = _count(usage, "output_tokens")
    thought = _count(_mapping(usage.get("output_tokens_details")), "thinking_tokens")
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": stored},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }


def _finish_reason(body: Mapping[str, Any]) -> Any:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return _mapping(first).get("finish_reason")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    # True is an int to Python.
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
