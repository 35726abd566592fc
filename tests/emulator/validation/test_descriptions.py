"""Whatever the published descriptions say may be in a request is accepted, or there is a reason."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_compact_params import ResponseCompactParams
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from azure_responses.emulator.model_catalog import EmulatedModel
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation import validate_chat, validate_compact, validate_create
from tests.emulator.validation.walking import walk
from tests.recordings import openapi, wire_folder

_TIERS = "Azure's page on flex processing: auto, default, flex, priority"
# What is refused although a description has it -> who says so. Words are the refusal's beginning.
_REFUSED = {
    "Invalid service_tier argument: 'scale'": _TIERS,
    "Invalid service_tier argument: 'fast'": _TIERS,
    "Invalid service_tier argument: 'ultrafast'": _TIERS,
    "Unknown parameter: 'input[0].status'.": "of reasoning: litellm#13484",
    "Invalid value: 'text'. Supported values are: 'compaction'.": "the description's own words",
    "logprobs are not supported with reasoning models.": "where they reason, as temperature",
    "Unsupported parameter: 'top_logprobs' is not supported": "where they reason, as temperature",
    "Missing required parameter: 'model'.": "Azure finds the deployment by it",
    "Missing required parameter: 'input[0].role'.": "an item that says nothing at all",
    "Missing required parameter: 'input[0].content'.": "a message without anything in it",
    "Tool choice 'text' not found": "the name of a tool that is not declared",
    "Invalid schema for function 'text': schema must be": "strict without parameters: the guide",
}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Takes everything that some model takes: what one model refuses is tested with the models.
_MODEL = EmulatedModel(
    "computer-use-preview",
    "computer-use-preview",
    efforts=_EFFORTS,
    default_effort="none",
    verbosities=("low", "medium", "high"),
    supports_flex=True,
)
_ADDRESSES = ("server_url", "connector_id", "tunnel_id")
_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
# What descriptions say in words, if at all.
_SAMPLES: dict[str, Any] = {
    "schema": _SCHEMA,
    "parameters": _SCHEMA,
    "tools": {"type": "function", "name": "text"},
    "container": "cntr_1",
    "previous_response_id": "resp_1",
    "max_output_tokens": 100,
    "compact_threshold": 1000,
}
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}
_TOOLS = [
    {"type": "function", "name": "text", "parameters": _SCHEMA},
    {"type": "custom", "name": "text2"},
    {"type": "mcp", "server_label": "text", "server_url": "https://example.com/mcp"},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    *({"type": name} for name in (
        "web_search_preview", "computer", "image_generation", "shell", "apply_patch",
        "programmatic_tool_calling", "local_shell", "tool_search",
    )),
]  # fmt: skip


def _complete(value: Any) -> Any:
    """The value with what descriptions do not say: the prefixes of ids."""
    if isinstance(value, list):
        return [_complete(part) for part in value]
    if not isinstance(value, dict):
        return value
    completed = {name: _complete(part) for name, part in value.items()}
    kind = completed.get("type") or ("message" if "role" in completed else None)
    if completed.get("id") == "text" and kind in _PREFIXES:
        completed["id"] = f"{_PREFIXES[kind]}_1"
    return completed


def _create_body(given: dict[str, Any]) -> dict[str, Any]:
    body = {
        "model": "d",
        "input": "Say it in JSON",
        "stream": True,
        "include": ["message.output_text.logprobs"],
        **_complete(given),
    }
    if body["input"] is None:
        body.setdefault("previous_response_id", "resp_1")
    for tool in body.get("tools") or ():
        if tool["type"] == "mcp" and not any(map(tool.get, _ADDRESSES)):
            tool["server_url"] = "https://example.com/mcp"
    choice = body.get("tool_choice")
    return {**body, "tools": _TOOLS} if choice and "tools" not in given else body


def _compact_body(given: dict[str, Any]) -> dict[str, Any]:
    body = {"model": "d", "input": "Hi", **_complete(given)}
    return body if body["input"] is not None else {"previous_response_id": "resp_1", **body}


def _chat_body(given: dict[str, Any]) -> dict[str, Any]:
    body = _complete(given)
    messages = body.get("messages") or [{"role": "user", "content": "Hi"}]
    first = messages[0]
    if first["role"] == "tool":
        call = {"id": first["tool_call_id"], "type": "function", "function": {"name": "f"}}
        messages = [{"role": "assistant", "tool_calls": [call]}, first]
    called = [call["id"] for call in first.get("tool_calls") or ()]
    answers = [{"role": "tool", "tool_call_id": name, "content": "x"} for name in called]
    body = {"model": "d", **body, "messages": [*messages, *answers]}
    if body.get("tool_choice") and "tools" not in given:
        body["tools"] = [{"type": "function", "function": {"name": "text"}},
                         {"type": "custom", "custom": {"name": "text"}}]  # fmt: skip
    return body


def _refuse(kind: str, given: dict[str, Any]) -> str | None:
    """What a request of the kind is told that has `given` in it; None where it is accepted."""
    try:
        if kind == "create":
            validate_create(_create_body(given), _MODEL, surface="preview")
        elif kind == "chat":
            validate_chat(_chat_body(given), _MODEL)
        else:
            validate_compact(_compact_body(given))
    except ServiceError as refusal:
        return str(refusal.body["error"]["message"])
    return None


def _judge(kind: str, schema: dict[str, Any], root: dict[str, Any]) -> int:
    """Fails for the first of all requests that is refused without a reason; counts them."""
    seen: Counter[bool] = Counter()
    for path, given in walk(schema, root, _SAMPLES):
        message = _refuse(kind, given)
        is_explained = message is not None and any(map(message.startswith, _REFUSED))
        assert message is None or is_explained, f"{path}: {message}"
        seen[message is None] += 1
    return seen[True]


@pytest.mark.parametrize(
    ("kind", "description", "name", "least"),
    [
        ("create", "openai.openapi.json", "CreateResponse", 2000),
        ("create", "openai.openapi.json", "BetaCreateResponse", 2000),
        ("create", "azure-v1.openapi.json", "AzureCreateResponse", 100),
        ("compact", "openai.openapi.json", "CompactResponseMethodPublicBody", 1000),
        ("chat", "openai.openapi.json", "CreateChatCompletionRequest", 300),
        ("chat", "azure-v1.openapi.json", "AzureCreateChatCompletionRequest", 100),
    ],
)
def test_what_a_published_description_has_is_accepted(
    kind: str, description: str, name: str, least: int
) -> None:
    schema = {"$ref": f"#/components/schemas/{name}"}
    assert _judge(kind, schema, openapi(description)) >= least


@pytest.mark.parametrize(
    ("kind", "parameters", "least"),
    [
        ("create", ResponseCreateParamsNonStreaming, 2000),
        ("compact", ResponseCompactParams, 1000),
        ("chat", CompletionCreateParamsNonStreaming, 300),
    ],
)
def test_what_the_openai_package_can_send_is_accepted(
    kind: str, parameters: Any, least: int
) -> None:
    schema = TypeAdapter(parameters).json_schema()
    assert _judge(kind, schema, schema) >= least


def _recorded() -> Iterator[dict[str, Any]]:
    text = (wire_folder() / "client-requests.jsonl").read_text(encoding="utf-8")
    yield from map(json.loads, text.splitlines())


def test_what_clients_were_recorded_to_send_is_accepted() -> None:
    kinds = {"/responses": "create", "/chat/completions": "chat"}
    judged = 0
    for sent in _recorded():
        path = sent["path"].partition("?")[0]
        for ending, kind in kinds.items():
            if path.endswith(ending):
                assert _refuse(kind, sent["body"]) is None, sent["body"]
                judged += 1
    assert judged > 10
