"""The parameters of a create call, and the ones people bring along from chat completions."""

from typing import Any

from azure_responses.emulator.refusal import Refusal
from azure_responses.emulator.validation.errors import missing_parameter, refuse, unknown_parameter
from azure_responses.emulator.validation.items import INPUT
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    Choice,
    Either,
    Integer,
    Listing,
    Number,
    Pairs,
    Record,
    Shape,
    Tagged,
    Text,
    optional,
)
from azure_responses.emulator.validation.tools import TOOL, TOOL_CHOICE

__all__ = ["CACHING", "INCLUDABLE", "TIER", "check_parameters"]

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
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARY = Choice("auto", "concise", "detailed")
_OBJECT = Record(is_open=True)
TIER = Choice("auto", "default", "flex", "priority", "scale", "fast", "ultrafast")
CACHING = optional(
    prompt_cache_key=Text(longest=64),
    prompt_cache_options=Record(
        optional(mode=Text(), ttl=Text(), comparison_response_id=Text(), prewarm=FLAG)
    ),
    # The documentation writes in-memory, the recordings answer in_memory: both are taken.
    prompt_cache_retention=Choice("in_memory", "in-memory", "24h"),
)
_FORMAT = Tagged(
    {
        "text": Record({"type": ANYTHING}),
        "json_object": Record({"type": ANYTHING}),
        "json_schema": Record(
            {"type": ANYTHING, "name": Text(longest=64, shortest=1), "schema": _OBJECT}
            | optional(description=Text(), strict=FLAG),
            ("name", "schema"),
        ),
    }
)

_PARAMETERS: dict[str, Shape] = {
    "model": Text(),
    "input": INPUT,
    "stream": FLAG,
    **optional(
        access_programs=_OBJECT,
        background=FLAG,
        background_options=Record(optional(completion_window=Text(), continuation_id=Text())),
        # Codex sends it with every request, to Azure too (its provider is OpenAI's or Azure's).
        client_metadata=_OBJECT,
        context_management=Listing(
            Record(
                {"type": Choice("compaction")} | optional(compact_threshold=Integer(1000)),
                ("type",),
            )
        ),
        conversation=Either(
            "a string or object", text=Text(), record=Record({"id": Text()}, ("id",))
        ),
        image=_OBJECT,
        include=Listing(Choice(*INCLUDABLE)),
        instructions=Text(),
        max_output_tokens=Integer(16),
        max_tool_calls=Integer(1),
        metadata=Pairs(16, 64, 512),
        moderation=_OBJECT,
        parallel_tool_calls=FLAG,
        previous_response_id=Text(begins="resp"),
        prompt=Record(
            {"id": Text()} | optional(version=Text(), variables=_OBJECT), ("id",)
        ),
        **CACHING,
        reasoning=Record(
            optional(
                effort=Choice(*_EFFORTS),
                summary=_SUMMARY,
                generate_summary=_SUMMARY,
                context=Choice("auto", "current_turn", "all_turns"),
                mode=Text(),
            )
        ),
        safety_identifier=Text(longest=64),
        service_tier=TIER,
        store=FLAG,
        stream_options=Record(optional(include_obfuscation=FLAG)),
        temperature=Number(0, 2),
        text=Record(optional(format=_FORMAT, verbosity=Choice("low", "medium", "high"))),
        tool_choice=TOOL_CHOICE,
        tools=Listing(TOOL, longest=128),
        top_logprobs=Integer(0, 20),
        top_p=Number(0, 1),
        truncation=Choice("auto", "disabled"),
        user=Text(),
        user_security_context=_OBJECT,
    ),
}  # fmt: skip

_PREVIEW: dict[str, Shape] = {
    "multi_agent": Record(optional(enabled=FLAG, max_concurrent_subagents=Integer(1))),
}

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
        shape = _PARAMETERS.get(name)
        if shape is None and surface == "preview":
            shape = _PREVIEW.get(name)
        if shape is None:
            raise _refuse_unknown(name)
        if value is not None:
            shape.check(value, name)
    if not body.get("model"):
        raise missing_parameter("model")
    if body.get("input") is None and not any(
        body.get(name) for name in ("prompt", "conversation", "previous_response_id")
    ):
        raise missing_parameter("input")


def _refuse_unknown(name: str) -> Refusal:
    moved = _MOVED.get(name)
    if moved is None:
        return unknown_parameter(name)
    message = (
        f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to "
        f"'{moved}'. Try again with the new parameter. See the API documentation for more "
        f"information: {_REFERENCE}."
    )
    # param is null: a reply of Azure's, quoted in egoist/chatwise-releases #1023.
    return refuse(message, None, "unsupported_parameter")
