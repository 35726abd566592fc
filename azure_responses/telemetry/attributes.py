"""The names and forms OpenTelemetry's GenAI conventions give to what is known of a call.

The conventions live in open-telemetry/semantic-conventions-genai and still move, and no package
carries their constants; so they are written out here. Our own names start with `azure_responses.`.
Content (what people and models wrote) is in attributes of its own, for programs that ask for it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from azure_responses.protocol.call import Call
from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.protocol.operation_table import OPERATIONS
from azure_responses.telemetry.record import CallRecord
from azure_responses.types.model import Model
from azure_responses.types.response import CompactedResponse, Response
from azure_responses.types.usage import Usage

__all__ = [
    "Attributes",
    "Naming",
    "exception_attributes",
    "measure_attributes",
    "read_naming",
    "request_attributes",
    "request_content",
    "response_attributes",
    "response_content",
    "retry_attributes",
    "span_name",
    "start_attributes",
    "uses_tokens",
]

Attributes = dict[str, Any]

# The conventions' names for this service and its resource type.
_PROVIDER = "azure.ai.openai"
_NAMESPACE = "Microsoft.CognitiveServices"
# Parameters of a request that the conventions name and that are plain values.
_PARAMETERS: Mapping[str, str] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "previous_response_id": "gen_ai.request.previous_response.id",
    "service_tier": "openai.request.service_tier",
}
_OUTPUT_TYPES: Mapping[str, str] = {
    "text": "text",
    "json_object": "json",
    "json_schema": "json",
}
_LATEST = "gen_ai_latest_experimental"


@dataclass(frozen=True, slots=True)
class Naming:
    """Which names are used: those of before 2026, the latest, or both."""

    uses_old: bool = True
    uses_latest: bool = False


def read_naming(opt_in: str | None) -> Naming:
    """The names that the variable OTEL_SEMCONV_STABILITY_OPT_IN selects.

    `gen_ai_latest_experimental` selects the latest, `gen_ai_latest_experimental/dup` both.
    """
    # The variable is shared with other instrumentations, which have values of their own.
    wanted = {value.strip() for value in (opt_in or "").split(",")}
    if f"{_LATEST}/dup" in wanted:
        return Naming(True, True)
    return Naming(False, True) if _LATEST in wanted else Naming()


def span_name(call: Call) -> str:
    """`chat my-deployment`, or the operation alone where no model is named."""
    operation, model = _operation(call.context.operation), call.context.deployment
    return f"{operation} {model}" if model else operation


def start_attributes(call: Call) -> Attributes:
    """The attributes that a sampler can use and that all metrics have."""
    place = urlsplit(call.request.url)
    return _without_none(
        {
            "gen_ai.operation.name": _operation(call.context.operation),
            "gen_ai.provider.name": _PROVIDER,
            "gen_ai.request.model": call.context.deployment,
            "server.address": place.hostname,
            # The conventions want the port that is used, even where the URL names none.
            "server.port": place.port or (80 if place.scheme == "http" else 443),
        }
    )


def request_attributes(call: Call, *, is_stream: bool) -> Attributes:
    """What the request holds besides `start_attributes` and content."""
    given = call.parameters
    named: Attributes = {
        name: value
        for parameter, name in _PARAMETERS.items()
        if isinstance(value := given.get(parameter), str | int | float)
    }
    prompt = given.get("prompt")
    return named | _without_none(
        {
            "openai.api.type": call.api_type,
            "azure.resource_provider.namespace": _NAMESPACE,
            "azure_responses.deployment": call.context.deployment,
            "azure_responses.client_request_id": call.request.headers.get("x-ms-client-request-id"),
            "gen_ai.request.stream": True if is_stream else None,
            "gen_ai.request.stream_cursor": _stream_cursor(call) if is_stream else None,
            "gen_ai.request.reasoning.level": _text_in(given.get("reasoning"), "effort"),
            "gen_ai.output.type": _output_type(given.get("text")),
            "gen_ai.conversation.id": _conversation(given.get("conversation")),
            "gen_ai.prompt.name": _text_in(prompt, "id"),
            "gen_ai.prompt.version": _text_in(prompt, "version"),
        }
    )


def response_attributes(record: CallRecord, naming: Naming) -> Attributes:
    """What the answer holds, and how the call ended; no content."""
    response = record.response
    attributes = {
        "gen_ai.response.id": record.response_id,
        "gen_ai.response.model": record.model,
        "gen_ai.response.finish_reasons": _finish_reasons(response),
        "gen_ai.response.time_to_first_chunk": record.time_to_first_token,
        "gen_ai.conversation.id": _conversation(getattr(response, "conversation", None)),
        "openai.response.service_tier": record.service_tier,
        "azure_responses.api": _other_api(record),
        "azure_responses.attempts": record.attempts,
        "azure_responses.region": record.region,
        "azure_responses.served_deployment": record.served_deployment,
        "azure_responses.spillover_from": record.spillover_from,
        "azure_responses.request_id": record.request_id,
        "azure_responses.abandoned": True if record.is_abandoned else None,
        "error.type": record.error_type,
    }
    # Only the conventions of fetching a response have its status.
    if record.operation == "retrieve":
        attributes["gen_ai.response.status"] = record.status
    if uses_tokens(record):
        cost = record.cost
        attributes["azure_responses.cost"] = None if cost is None else float(cost)
        attributes |= _usage_attributes(record.usage, naming)
    return _without_none(attributes)


def uses_tokens(record: CallRecord) -> bool:
    """True for calls that spend the tokens their answer names.

    Fetching an answer spends none, but the first call that shows the end of a background response
    tells what that has spent.
    """
    if record.operation in ("retrieve", "cancel") and record.is_charged:
        return True
    row = EVERY_OPERATION.get(record.operation)
    is_answer = isinstance(record.response, Response | CompactedResponse)
    return row is not None and row.is_billed and is_answer


def _usage_attributes(usage: Usage | None, naming: Naming) -> Attributes:
    if usage is None:
        return {}
    # The latest conventions renamed the tokens written to the cache; the others kept their names.
    written = usage.cache_write_tokens
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": written if naming.uses_old else None,
        "gen_ai.usage.cache_write.input_tokens": written if naming.uses_latest else None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }


def retry_attributes(record: CallRecord) -> Attributes:
    """The event `azure_responses.retry`: the attempt that failed, and when the next one is."""
    return _without_none(
        {
            "error.type": record.error_type,
            "http.response.status_code": record.http_status,
            "azure_responses.attempt": record.attempts,
            "azure_responses.retry_delay": record.retry_delay,
            "azure_responses.request_id": record.request_id,
            "azure_responses.region": record.region,
        }
    )


def exception_attributes(error: BaseException) -> Attributes:
    """The event of an error, without a stack trace.

    The message is left out where it may quote the answer: validation errors do.
    """
    kind = type(error)
    return _without_none(
        {
            "exception.type": f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": getattr(error, "message", None),
        }
    )


def measure_attributes(start: Attributes, record: CallRecord) -> Attributes:
    """The attributes of metrics: never content, an id or the name of a person."""
    return start | _without_none(
        {"gen_ai.response.model": record.model, "azure_responses.api": _other_api(record)}
    )


def _other_api(record: CallRecord) -> str | None:
    """What the deployment was sent; None for the Responses API, as nearly every call is."""
    return record.api if record.api != "responses" else None


def _operation(name: str) -> str:
    row = EVERY_OPERATION.get(name)
    return row.span or name if row is not None else name


def _without_none(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _text_in(holder: Any, name: str) -> str | None:
    # Callers pass dicts and models alike, and values of any type.
    value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    return value if isinstance(value, str) else None


def _conversation(given: Any) -> str | None:
    return given if isinstance(given, str) else _text_in(given, "id")


def _output_type(text: Any) -> str | None:
    kind = text.get("format") if isinstance(text, Mapping) else getattr(text, "format", None)
    return _OUTPUT_TYPES.get(_text_in(kind, "type") or "")


def _stream_cursor(call: Call) -> str | None:
    # Where a stream is resumed: only the URL of the request has it.
    values = parse_qs(urlsplit(call.request.url).query).get("starting_after")
    return values[0] if values else None


def _finish_reasons(response: Any) -> list[str] | None:
    """Why the model stopped, in the words of chat completions, which the conventions use."""
    status = getattr(response, "status", None)
    if status == "completed":
        return ["tool_calls" if _calls_a_tool(response.output) else "stop"]
    if status == "failed":
        return ["error"]
    if status != "incomplete":
        return None
    reason = _text_in(getattr(response, "incomplete_details", None), "reason")
    return ["length" if reason == "max_output_tokens" else reason or "incomplete"]


def _calls_a_tool(output: Iterable[Any]) -> bool:
    kinds = {str(getattr(item, "type", None)) for item in output}
    return not kinds.isdisjoint({"function_call", "custom_tool_call"})


_Part = dict[str, Any]


def request_content(call: Call) -> dict[str, str]:
    """Instructions, input and tools of a request, each as the JSON of an attribute."""
    content = call.request.body
    # The fields and files of a form have no attributes.
    if not isinstance(content, bytes) or call.context.operation not in OPERATIONS:
        return {}
    body = json.loads(content)
    instructions = body.get("instructions")
    found = {
        "gen_ai.system_instructions": [_text(instructions)] if instructions else None,
        "gen_ai.input.messages": _read_input(body.get("input")),
        "gen_ai.tool.definitions": body.get("tools"),
    }
    return {name: _encode(value) for name, value in found.items() if value}


def response_content(response: Any, finish_reason: str | None = None) -> dict[str, str]:
    """The output of a response, as the JSON of an attribute."""
    # The conventions have one message per choice, and a response has one choice of many items.
    output = response.to_dict().get("output") if isinstance(response, Model) else None
    if not isinstance(output, list):
        return {}
    parts = [part for item in output for part in _read_item(item)["parts"]]
    if not parts:
        return {}
    message = {"role": "assistant", "parts": parts, "finish_reason": finish_reason or "unknown"}
    return {"gen_ai.output.messages": _encode([message])}


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(text: Any) -> _Part:
    return {"type": "text", "content": text}


def _read_input(given: Any) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "parts": [_text(given)]}]
    return [_read_item(item) for item in given or []]


def _read_item(item: Any) -> dict[str, Any]:
    """An item of input or output as one message."""
    if not isinstance(item, Mapping):
        return {"role": "user", "parts": [{"type": "unknown", "content": item}]}
    kind = item.get("type") or "message"
    return _READERS.get(kind, _read_other)(item)


def _read_message(item: Mapping[str, Any]) -> dict[str, Any]:
    content = item.get("content")
    parts = [content] if isinstance(content, str) else content or []
    return {"role": item.get("role") or "assistant", "parts": [_read_part(part) for part in parts]}


def _read_part(part: Any) -> _Part:
    if isinstance(part, str):
        return _text(part)
    kind = part.get("type") if isinstance(part, Mapping) else None
    # What the conventions have no form for goes on as it came: they allow parts of other types.
    if kind in ("input_text", "output_text", "text"):
        return _text(part.get("text"))
    if kind == "refusal":
        return {"type": "refusal", "content": part.get("refusal")}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "uri", "modality": "image", "uri": part["image_url"]}
    if kind in ("input_image", "input_file") and part.get("file_id"):
        return {"type": "file", "modality": kind[6:], "file_id": part["file_id"]}
    return dict(part) if isinstance(part, Mapping) else {"type": "unknown", "content": part}


def _read_reasoning(item: Mapping[str, Any]) -> dict[str, Any]:
    texts = [*(item.get("content") or []), *(item.get("summary") or [])]
    parts = [{"type": "reasoning", "content": text.get("text")} for text in texts]
    return {"role": "assistant", "parts": parts}


def _read_call(item: Mapping[str, Any]) -> dict[str, Any]:
    part = {
        "type": "tool_call",
        "id": item.get("call_id"),
        "name": item.get("name"),
        "arguments": item.get("arguments", item.get("input")),
    }
    return {"role": "assistant", "parts": [part]}


def _read_answer(item: Mapping[str, Any]) -> dict[str, Any]:
    part = {
        "type": "tool_call_response",
        "id": item.get("call_id"),
        "response": item.get("output"),
    }
    return {"role": "tool", "parts": [part]}


def _read_other(item: Mapping[str, Any]) -> dict[str, Any]:
    # Encrypted reasoning and compacted history are opaque, and may be megabytes.
    part = {name: value for name, value in item.items() if name != "encrypted_content"}
    return {"role": "assistant", "parts": [part]}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "message": _read_message,
    "reasoning": _read_reasoning,
    "function_call": _read_call,
    "custom_tool_call": _read_call,
    "function_call_output": _read_answer,
    "custom_tool_call_output": _read_answer,
}
