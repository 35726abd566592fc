"""The response object: every key the newest Azure recordings have, and what they echo.

Key set and order from /openai/v1/responses as captured in June and September 2026; the dated
surface leaves out what came after 2025 (recorded by posit-dev/chatlas in December 2025).
"""

from typing import Any

from azure_responses.emulator.engine.generation import Generation, OutputPlan
from azure_responses.emulator.engine.tool_calls import HOSTED_TOOLS, close_objects, find_hosted

__all__ = ["PROMPT_BLOCKED", "close_response", "open_response", "prompt_results"]

_CHARGES = {row.call_type: row.charge for row in HOSTED_TOOLS.values() if row.charge}
# The dated surface was recorded before these fields came.
_SINCE_2026 = (
    "completed_at",
    "frequency_penalty",
    "moderation",
    "presence_penalty",
    "tool_usage",
)


def open_response(generation: Generation, response_id: str) -> dict[str, Any]:
    """The response as `response.created` carries it: no output and no usage yet."""
    response = {"id": response_id, **_begin(generation), **_echo_parameters(generation)}
    _add_optional_echoes(response, generation.request)
    if generation.dated:
        for name in _SINCE_2026:
            del response[name]
    return response


def _begin(generation: Generation) -> dict[str, Any]:
    """What the service says of a response by itself, before there is anything of it."""
    is_background = bool(generation.request.get("background"))
    return {
        "object": "response",
        "created_at": generation.created_at,
        "status": "queued" if is_background else "in_progress",
        "background": is_background,
        "completed_at": None,
        "content_filters": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "model": generation.model.routes_to or generation.deployment,
        "moderation": None,
        "output": [],
        "presence_penalty": 0.0,
        "tool_usage": _count_tool_usage([]),
        "usage": None,
    }


def _echo_parameters(generation: Generation) -> dict[str, Any]:
    """What was asked for, with the service's own words for what was not said."""
    body = generation.request
    return {
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "parallel_tool_calls": _given(body, "parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": _echo_retention(generation),
        "reasoning": _echo_reasoning(generation),
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": body.get("service_tier") or "auto",
        "store": _given(body, "store", True),
        "temperature": float(_given(body, "temperature", 1.0)),
        "text": _echo_text(body),
        "tool_choice": _echo_tool_choice(body),
        "tools": _echo_tools(body),
        "top_logprobs": _given(body, "top_logprobs", 0),
        "top_p": float(_given(body, "top_p", generation.model.default_top_p)),
        "truncation": body.get("truncation") or "disabled",
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def close_response(
    opened: dict[str, Any],
    generation: Generation,
    plan: OutputPlan,
    output: list[dict[str, Any]],
    usage: Any,
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
    if generation.dated:
        return response
    if plan.status == "completed":
        # An estimate, for no clock runs here: an emulator with a latency writes its own time.
        response["completed_at"] = generation.created_at + 1 + usage["output_tokens"] // 100
    response["tool_usage"] = _count_tool_usage(output)
    if not plan.error:
        response["content_filters"] = _describe_filters(
            _count_prompt(generation), _count_completion(output), plan.is_blocked
        )
    return response


def _given(body: dict[str, Any], name: str, default: Any) -> Any:
    value = body.get(name)
    return default if value is None else value


def _echo_retention(generation: Generation) -> str | None:
    given: str | None = generation.request.get("prompt_cache_retention")
    if given is None:
        return None if generation.dated else "in_memory"
    # The documentation writes in-memory, the wire answers in_memory.
    return given.replace("-", "_")


def _echo_reasoning(generation: Generation) -> dict[str, Any]:
    asked = generation.request.get("reasoning") or {}
    effort = asked.get("effort") or generation.model.default_effort
    summary = asked.get("summary") or asked.get("generate_summary")
    # Recorded by charmbracelet/fantasy: "auto" asked, "detailed" answered.
    summary = "detailed" if summary == "auto" else summary
    if generation.dated:
        return {"effort": effort, "summary": summary}
    if not generation.model.reasoning:
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
    if body.get("agent_reference"):
        response["agent_reference"] = body["agent_reference"]
    if body.get("prompt"):
        response["prompt"] = body["prompt"]
    if body.get("context_management"):
        response["context_management"] = body["context_management"]


def _count_tool_usage(output: list[dict[str, Any]]) -> dict[str, Any]:
    calls = [item["type"] for item in output]
    return {name: count(calls.count(call)) for call, (name, count) in _CHARGES.items()}


def _count_prompt(generation: Generation) -> int:
    # Offsets were recorded for texts only: those of items are estimated.
    given = generation.request.get("input")
    return len(given) if isinstance(given, str) else 24 * len(given or ())


def _count_completion(output: list[dict[str, Any]]) -> int:
    return sum(
        len(part.get("text") or "")
        for item in output
        if item["type"] == "message"
        for part in item["content"]
    )


# Tools and tool_choice as a response repeats them: with the defaults that the service fills in.


def _echo_tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [_echo_tool(tool) for tool in body.get("tools") or ()]


def _echo_tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool["type"] == "function":
        return _echo_function(tool)
    row = find_hosted(tool["type"])
    return row.echo(tool) if row else tool


def _echo_tool_choice(body: dict[str, Any]) -> Any:
    choice = body.get("tool_choice")
    if choice is not None:
        return choice
    # Recorded: null with the preview of the computer tool.
    tools = body.get("tools") or ()
    return None if any(tool["type"] == "computer_use_preview" for tool in tools) else "auto"


def _echo_function(tool: dict[str, Any]) -> dict[str, Any]:
    parameters, strict = tool.get("parameters"), tool.get("strict")
    if strict is None:
        # Left out, strict is attempted: the schema is closed and every property required.
        parameters, strict = close_objects(parameters), True
    echoed = {
        "type": "function",
        "description": tool.get("description"),
        "name": tool["name"],
        "parameters": parameters,
        "strict": strict,
    }
    return {**echoed, **{name: value for name, value in tool.items() if name not in echoed}}


# `content_filters`: what Azure's content filter says of the prompt and of the completion. Shapes
# as recorded on /openai/v1/responses from February to September 2026.

# The offsets count hidden system text too: the prompt's `end_offset` lies beyond the prompt.
_HIDDEN_PROMPT = 846
_CATEGORIES = ("hate", "sexual", "violence", "self_harm")


def prompt_results(is_blocked: bool = False) -> dict[str, Any]:
    """Results for a prompt; a blocked one was taken for a jailbreak."""
    jailbreak = {"detected": is_blocked, "filtered": is_blocked}
    return {**_severities(), "jailbreak": jailbreak}


def _completion_results(is_blocked: bool = False) -> dict[str, Any]:
    """Results for a completion; a blocked one was violent."""
    undetected = {"detected": False, "filtered": False}
    results = {
        "protected_material_text": dict(undetected),
        "protected_material_code": dict(undetected),
        **_severities(),
    }
    if is_blocked:
        results["violence"] = {"filtered": True, "severity": "high"}
    return results


def _severities() -> dict[str, Any]:
    return {name: {"filtered": False, "severity": "safe"} for name in _CATEGORIES}


def _filter_entry(
    source: str, is_blocked: bool, results: dict[str, Any], end: int
) -> dict[str, Any]:
    return {
        "blocked": is_blocked,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": results,
        "content_filter_offsets": {"start_offset": 0, "end_offset": end, "check_offset": 0},
    }


def _describe_filters(prompt: int, completion: int, is_blocked: bool) -> list[dict[str, Any]]:
    """The array of a finished response; lengths in characters."""
    return [
        _filter_entry("prompt", False, prompt_results(), prompt + _HIDDEN_PROMPT),
        _filter_entry("completion", is_blocked, _completion_results(is_blocked), completion),
    ]


# The body of a 400 for a prompt the filter stopped, as users reported it in 2026.
PROMPT_BLOCKED: dict[str, Any] = {
    "error": {
        "message": (
            "The response was filtered due to the prompt triggering Azure OpenAI’s content "
            "management policy. Please modify your prompt and retry. To learn more about our "
            "content filtering policies please read our documentation: "
            "https://go.microsoft.com/fwlink/?linkid=2198766"
        ),
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "content_filter",
        "content_filters": [_filter_entry("prompt", True, prompt_results(True), _HIDDEN_PROMPT)],
        "innererror": {"code": "ContentFiltered"},
    }
}
