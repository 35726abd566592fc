"""The response object: every key the newest Azure recordings have, and what they echo.

Key set and order from /openai/v1/responses as captured in June and September 2026; the dated
surface leaves out what came after 2025 (recorded by posit-dev/chatlas in December 2025).
"""

from typing import Any

from azure_responses.emulator.engine.declared_tools import echo_tool_choice, echo_tools
from azure_responses.emulator.engine.filters import describe_filters
from azure_responses.emulator.engine.steps import Plan
from azure_responses.emulator.engine.turn import Turn

__all__ = ["close_response", "open_response"]

_SINCE_2026 = (
    "completed_at",
    "frequency_penalty",
    "moderation",
    "presence_penalty",
    "tool_usage",
)


def open_response(turn: Turn, response_id: str) -> dict[str, Any]:
    """The response as `response.created` carries it: no output and no usage yet."""
    response = {"id": response_id, **_begin(turn), **_echo_parameters(turn)}
    _add_optional_echoes(response, turn.request)
    if turn.dated:
        for name in _SINCE_2026:
            del response[name]
    return response


def _begin(turn: Turn) -> dict[str, Any]:
    """What the service says of a response by itself, before there is anything of it."""
    is_background = bool(turn.request.get("background"))
    return {
        "object": "response",
        "created_at": turn.created_at,
        "status": "queued" if is_background else "in_progress",
        "background": is_background,
        "completed_at": None,
        "content_filters": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "model": turn.model.routes_to or turn.deployment,
        "moderation": None,
        "output": [],
        "presence_penalty": 0.0,
        "tool_usage": _count_tool_usage([]),
        "usage": None,
    }


def _echo_parameters(turn: Turn) -> dict[str, Any]:
    """What was asked for, with the service's own words for what was not said."""
    body = turn.request
    return {
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "parallel_tool_calls": _given(body, "parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": _echo_retention(turn),
        "reasoning": _echo_reasoning(turn),
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": body.get("service_tier") or "auto",
        "store": _given(body, "store", True),
        "temperature": float(_given(body, "temperature", 1.0)),
        "text": _echo_text(body),
        "tool_choice": echo_tool_choice(body),
        "tools": echo_tools(body),
        "top_logprobs": _given(body, "top_logprobs", 0),
        "top_p": float(_given(body, "top_p", turn.model.default_top_p)),
        "truncation": body.get("truncation") or "disabled",
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def close_response(
    opened: dict[str, Any], turn: Turn, plan: Plan, output: list[dict[str, Any]], usage: Any
) -> dict[str, Any]:
    """The response as its terminal event carries it."""
    response = {**opened, "status": plan.status, "output": output, "usage": usage}
    if response["service_tier"] == "auto":
        response["service_tier"] = "default"
    if plan.reason:
        response["incomplete_details"] = {"reason": plan.reason}
    response["error"] = plan.error
    if plan.error:
        response["usage"] = None
    if turn.dated:
        return response
    if plan.status == "completed":
        response["completed_at"] = turn.created_at + 1 + usage["output_tokens"] // 100
    response["tool_usage"] = _count_tool_usage(output)
    if not plan.error:
        response["content_filters"] = describe_filters(
            _count_prompt(turn), _count_completion(output), plan.is_blocked
        )
    return response


def _given(body: dict[str, Any], name: str, default: Any) -> Any:
    value = body.get(name)
    return default if value is None else value


def _echo_retention(turn: Turn) -> str | None:
    given: str | None = turn.request.get("prompt_cache_retention")
    if given is None:
        return None if turn.dated else "in_memory"
    # The documentation writes in-memory, the wire answers in_memory.
    return given.replace("-", "_")


def _echo_reasoning(turn: Turn) -> dict[str, Any]:
    asked = turn.request.get("reasoning") or {}
    effort = asked.get("effort") or turn.model.default_effort
    summary = asked.get("summary") or asked.get("generate_summary")
    # Recorded by charmbracelet/fantasy: "auto" asked, "detailed" answered.
    summary = "detailed" if summary == "auto" else summary
    if turn.dated:
        return {"effort": effort, "summary": summary}
    if not turn.model.reasoning:
        return {"context": None, "effort": None, "summary": None}
    context = asked.get("context") or "current_turn"
    context = "current_turn" if context == "auto" else context
    mode = asked.get("mode") or "standard"
    return {"context": context, "effort": effort, "mode": mode, "summary": summary}


def _echo_text(body: dict[str, Any]) -> dict[str, Any]:
    asked = body.get("text") or {}
    given = asked.get("format") or {"type": "text"}
    if given["type"] == "json_schema":
        given = {
            "type": "json_schema",
            "description": given.get("description"),
            "name": given["name"],
            "schema": given["schema"],
            "strict": bool(given.get("strict")),
        }
    return {"format": given, "verbosity": asked.get("verbosity") or "medium"}


def _add_optional_echoes(response: dict[str, Any], body: dict[str, Any]) -> None:
    conversation = body.get("conversation")
    if conversation:
        found = conversation if isinstance(conversation, str) else conversation["id"]
        response["conversation"] = {"id": found}
    if body.get("prompt"):
        response["prompt"] = body["prompt"]
    if body.get("context_management"):
        response["context_management"] = body["context_management"]


def _count_tool_usage(output: list[dict[str, Any]]) -> dict[str, Any]:
    images = sum(item["type"] == "image_generation_call" for item in output)
    searches = sum(item["type"] == "web_search_call" for item in output)
    return {
        "image_gen": {
            "input_tokens": 50 * images,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 50 * images},
            "output_tokens": 1056 * images,
            "output_tokens_details": {"image_tokens": 1056 * images, "text_tokens": 0},
            "total_tokens": 1106 * images,
        },
        "web_search": {"num_requests": searches},
    }


def _count_prompt(turn: Turn) -> int:
    given = turn.request.get("input")
    return len(given) if isinstance(given, str) else 24 * len(given or ())


def _count_completion(output: list[dict[str, Any]]) -> int:
    return sum(
        len(part.get("text") or "")
        for item in output
        if item["type"] == "message"
        for part in item["content"]
    )
