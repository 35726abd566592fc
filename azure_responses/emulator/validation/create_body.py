"""The parameters of a create call: their shapes, what a model takes, and what goes together."""

import json
from typing import Any

from azure_responses.emulator.model_catalog import EmulatedModel
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    missing_parameter,
    out_of_range,
    unknown_parameter,
    unsupported_parameter,
    unsupported_value,
)
from azure_responses.emulator.validation.input_items import INPUT
from azure_responses.emulator.validation.json_schemas import (
    check_function_schema,
    check_output_schema,
)
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    OBJECT,
    Choice,
    Either,
    Fields,
    Integer,
    Listing,
    Number,
    Pairs,
    Shape,
    Tagged,
    Text,
)  # fmt: skip
from azure_responses.emulator.validation.tool_shapes import TOOL, TOOL_CHOICE, check_tool_choice

__all__ = [
    "EFFORTS", "INCLUDABLE", "SHARED", "VERBOSITY", "check_capabilities", "check_combinations",
    "check_compact", "check_parameters",
]  # fmt: skip

INCLUDABLE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
VERBOSITY = Choice("low", "medium", "high")
_SUMMARY = Choice("auto", "concise", "detailed")
_CACHING: dict[str, Shape] = {
    "prompt_cache_key": Text(longest=64),
    "prompt_cache_options": Fields(
        mode=Text(), ttl=Text(), comparison_response_id=Text(), prewarm=FLAG
    ),
    # The documentation writes in-memory, the recordings answer in_memory: both are taken.
    "prompt_cache_retention": Choice("in_memory", "in-memory", "24h"),
}
_TIER = Choice("auto", "default", "flex", "priority", "scale", "fast", "ultrafast")
SHARED: dict[str, Shape] = {
    "metadata": Pairs(16, 64, 512),
    "moderation": OBJECT,
    "parallel_tool_calls": FLAG,
    "safety_identifier": Text(longest=64),
    "service_tier": _TIER,
    "store": FLAG,
    "stream": FLAG,
    "temperature": Number(0, 2),
    "top_logprobs": Integer(0, 20),
    "top_p": Number(0, 1),
    "user": Text(),
    "user_security_context": OBJECT,
    **_CACHING,
}
"""What chat completions and responses both take."""

_FORMAT = Tagged(
    {
        "text": Fields(),
        "json_object": Fields(),
        "json_schema": Fields(
            {"name": Text(longest=64, shortest=1), "schema": OBJECT},
            description=Text(),
            strict=FLAG,
        ),
    }
)
_PARAMETERS: dict[str, Shape] = {
    "model": Text(),
    "input": INPUT,
    "access_programs": OBJECT,
    "background": FLAG,
    "background_options": Fields(completion_window=Text(), continuation_id=Text()),
    # Codex sends it with every request, to Azure too (its provider is OpenAI's or Azure's).
    "client_metadata": OBJECT,
    "context_management": Listing(
        Fields({"type": Choice("compaction")}, compact_threshold=Integer(1000))
    ),
    "conversation": Either("a string or object", text=Text(), record=Fields({"id": Text()})),
    "image": OBJECT,
    "include": Listing(Choice(*INCLUDABLE)),
    "instructions": Text(),
    "max_output_tokens": Integer(16),
    "max_tool_calls": Integer(1),
    "previous_response_id": Text(begins="resp"),
    "prompt": Fields({"id": Text()}, version=Text(), variables=OBJECT),
    "reasoning": Fields(
        effort=Choice(*EFFORTS),
        summary=_SUMMARY,
        generate_summary=_SUMMARY,
        context=Choice("auto", "current_turn", "all_turns"),
        mode=Text(),
    ),
    "stream_options": Fields(include_obfuscation=FLAG),
    "text": Fields(format=_FORMAT, verbosity=VERBOSITY),
    "tool_choice": TOOL_CHOICE,
    "tools": Listing(TOOL, longest=128),
    "truncation": Choice("auto", "disabled"),
    **SHARED,
}
_PREVIEW: dict[str, Shape] = {
    "multi_agent": Fields(enabled=FLAG, max_concurrent_subagents=Integer(1)),
}
_PROJECT: dict[str, Shape] = {
    "agent_reference": Fields({"name": Text(), "type": Choice("agent_reference")}, version=Text()),
    "structured_inputs": OBJECT,
}
_OF_SURFACE = {"preview": _PREVIEW, "project": _PROJECT, "agents": _PROJECT}
_COMPACT = Fields(
    model=Text(),
    input=INPUT,
    instructions=Text(),
    previous_response_id=Text(begins="resp"),
    image=ANYTHING,
    service_tier=_TIER,
    client_metadata=ANYTHING,
    **_CACHING,
)

# Chat completions' names and where they went.
_MOVED = {
    "messages": "input",
    "response_format": "text.format",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "functions": "tools",
    "function_call": "tool_choice",
    "verbosity": "text.verbosity",
}
_REFERENCE = "https://platform.openai.com/docs/api-reference/responses/create"


def check_parameters(body: dict[str, Any], surface: str) -> None:
    """Refuses parameters that are unknown, moved, missing or of the wrong shape."""
    for name, value in body.items():
        # The first parameter that is wrong is the one named, in the order of the body.
        shape = _PARAMETERS.get(name)
        if shape is None:
            shape = _OF_SURFACE.get(surface, {}).get(name)
        if shape is None:
            raise _unknown(name)
        if value is not None:
            shape.check(value, name)
    if not body.get("model"):
        raise missing_parameter("model")
    if body.get("input") is None and not any(
        body.get(name) for name in ("prompt", "conversation", "previous_response_id")
    ):
        raise missing_parameter("input")


def check_compact(body: dict[str, Any]) -> None:
    """Refuses the body of a compaction."""
    _COMPACT.check(body, "")
    if not body.get("model"):
        raise missing_parameter("model")
    if body.get("input") is None and not body.get("previous_response_id"):
        raise missing_parameter("input")


def _unknown(name: str) -> ServiceError:
    moved = _MOVED.get(name)
    if moved is None:
        return unknown_parameter(name)
    message = (
        f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to "
        f"'{moved}'. Try again with the new parameter. See the API documentation for more "
        f"information: {_REFERENCE}."
    )
    # param is null: a reply of Azure's, quoted in egoist/chatwise-releases #1023.
    return invalid_request(message, None, "unsupported_parameter")


# No report shows an error for a default that is written out; chat completions say that it
# is the one value supported.
_DEFAULTS = {"temperature": 1, "top_p": 1, "top_logprobs": 0}


def check_capabilities(body: dict[str, Any], model: EmulatedModel) -> None:
    """Refuses what this model does not take."""
    reasoning = body.get("reasoning")
    if reasoning:
        _check_reasoning(reasoning, model)
    # Whether a model samples depends on the effort: GPT-5.1 and later do so at "none".
    effort = (reasoning or {}).get("effort") or model.default_effort
    _check_sampling(body, model, effort)
    _check_text(body.get("text") or {}, model)
    _check_include(body.get("include") or (), model, effort)
    _check_tier(body.get("service_tier"), model)
    limit = body.get("max_output_tokens")
    if limit is not None and limit > model.max_output:
        raise out_of_range("max_output_tokens", limit, model.max_output, is_above=True)
    for index, tool in enumerate(body.get("tools") or ()):
        if tool["type"] in model.refused_tools:
            message = f"Hosted tool '{tool['type']}' is not supported with {model.name}."
            raise invalid_request(message, "tools")
        # This tool needs the model of the same name.
        if tool["type"] == "computer_use_preview" and model.name != tool["type"].replace("_", "-"):
            message = f"Tool 'computer_use_preview' is not supported with {model.name}."
            raise invalid_request(message, f"tools[{index}]")


def _check_reasoning(reasoning: dict[str, Any], model: EmulatedModel) -> None:
    for name, value in reasoning.items():
        if value is not None and not model.reasoning:
            raise unsupported_parameter(f"reasoning.{name}", "unsupported_parameter")
    effort = reasoning.get("effort")
    if effort is not None and effort not in model.efforts:
        raise unsupported_value("reasoning.effort", effort, model.name, model.efforts)


def _check_sampling(body: dict[str, Any], model: EmulatedModel, effort: str | None) -> None:
    if model.samples(effort):
        return
    for name, default in _DEFAULTS.items():
        if body.get(name) not in (None, default):
            raise unsupported_parameter(name)


def _check_text(text: dict[str, Any], model: EmulatedModel) -> None:
    verbosity = text.get("verbosity")
    if verbosity is not None and verbosity not in model.verbosities:
        raise unsupported_value("text.verbosity", verbosity, model.name, model.verbosities)


def _check_include(include: Any, model: EmulatedModel, effort: str | None) -> None:
    if "reasoning.encrypted_content" in include and not model.reasoning:
        raise invalid_request("Encrypted content is not supported with this model.", "include")
    if "message.output_text.logprobs" in include and not model.samples(effort):
        raise invalid_request("logprobs are not supported with reasoning models.", "include")


def _check_tier(tier: str | None, model: EmulatedModel) -> None:
    if tier == "flex" and not model.supports_flex:
        message = f"Invalid service_tier argument: 'flex' is not supported with '{model.name}'."
        raise invalid_request(message, "service_tier")
    if tier in ("scale", "fast", "ultrafast"):
        message = f"Invalid service_tier argument: '{tier}' is not supported on this deployment."
        raise invalid_request(message, "service_tier")


def check_combinations(body: dict[str, Any], surface: str) -> None:
    """Refuses a body whose parts contradict each other."""
    if body.get("previous_response_id") and body.get("conversation"):
        message = (
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of: 'previous_response_id' or 'conversation'."
        )
        raise invalid_request(message, None, "mutually_exclusive_parameters")
    if body.get("background") and body.get("store") is False:
        message = "Background mode requires 'store' to be true."
        raise invalid_request(message, "background", "unsupported_parameter")
    if body.get("background") and surface == "dated":
        message = "Background mode is not supported with this API version."
        raise invalid_request(message, "background", "unsupported_parameter")
    if body.get("stream_options") and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid_request(message, "stream_options")
    _check_logprobs(body)
    _check_tools(body)
    _check_format(body)


def _check_logprobs(body: dict[str, Any]) -> None:
    included = "message.output_text.logprobs" in (body.get("include") or ())
    if body.get("top_logprobs") and not included:
        message = (
            "'top_logprobs' requires 'message.output_text.logprobs' to be in the 'include' "
            "parameter."
        )
        raise invalid_request(message, "top_logprobs")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    names: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name")
        if name in names:
            raise invalid_request(f"Tool names must be unique: '{name}' is given twice.", "tools")
        if name:
            names.add(name)
        if tool["type"] == "function":
            check_function_schema(tool, f"tools[{index}]")
        elif tool["type"] == "mcp":
            _check_remote(tool, index)
    check_tool_choice(body.get("tool_choice"), tools)


def _check_remote(tool: dict[str, Any], index: int) -> None:
    if not any(tool.get(name) for name in ("server_url", "connector_id", "tunnel_id")):
        raise missing_parameter(f"tools[{index}].server_url")


def _check_format(body: dict[str, Any]) -> None:
    given = (body.get("text") or {}).get("format") or {}
    if given.get("type") == "json_schema":
        check_output_schema(given, "text.format")
    elif given.get("type") == "json_object" and not _mentions_json(body):
        message = (
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'."
        )
        raise invalid_request(message, "input")


def _mentions_json(body: dict[str, Any]) -> bool:
    read = f"{json.dumps(body.get('input'))}{body.get('instructions') or ''}"
    # Earlier turns cannot be seen here, and the word may be in them.
    return "json" in read.lower() or bool(body.get("previous_response_id"))
