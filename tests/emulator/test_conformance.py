"""The engine's answers beside what others recorded, and against the published description.

`pytest -s` prints one line per recording.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any

import jsonschema
import pytest

from azure_responses.emulator import engine
from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation import validate_chat, validate_create
from tests.emulator.engine.generations import make_generation
from tests.recordings import Exchange, exchanges, openapi

_DESCRIPTION = "openai.openapi.json"

_WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
        "additionalProperties": False,
    },
    "strict": True,
}
_CALCULATOR = {
    "type": "function",
    "name": "calculator",
    "description": "A minimal calculator for basic arithmetic. Call it once per step.",
    "parameters": {
        "type": "object",
        "properties": {
            "a": {"type": "number"},
            "b": {"type": "number"},
            "op": {"type": "string", "enum": ["add", "subtract", "multiply", "divide"]},
        },
        "required": ["a", "b", "op"],
        "additionalProperties": False,
    },
    "strict": True,
}
_IMAGE_HEADER = {"x-ms-oai-image-generation-deployment": "gpt-image-1"}

# Recording (part of its id) -> the same kind of request.
_SAME_KIND: dict[str, dict[str, Any]] = {
    "azure-text.1": {"model": "gpt-5.1", "input": "Say one word"},
    "azure-tool-call.1": {
        "model": "gpt-5.1",
        "input": "What is the weather in San Francisco?",
        "tools": [_WEATHER],
    },
    "azure-code-interpreter-tool.1": {
        "model": "gpt-5-mini",
        "input": "Write and run a program that adds 3 + 4",
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
        "include": ["code_interpreter_call.outputs"],
    },
    "azure-image-generation-tool.1": {
        "model": "gpt-4.1-mini",
        "input": "Draw a cute raccoon",
        "tools": [{"type": "image_generation", "partial_images": 1}],
        "headers": _IMAGE_HEADER,
    },
    "azure-web-search-preview-tool.1": {
        "model": "gpt-4.1-mini",
        "input": "Search for the top news",
        "tools": [{"type": "web_search_preview"}],
    },
    "azure-reasoning-encrypted-content.1": {
        "model": "gpt-5.1-codex-max",
        "input": "Calculate (12 + 7) * 3 * 10",
        "tools": [_CALCULATOR],
        "store": False,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    },
}

_NEWER = "echoed since June or September 2026, after these recordings"


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    description = openapi(_DESCRIPTION)
    schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
    return jsonschema.Draft202012Validator(schema)


@cache
def _event_schemas() -> dict[str, str]:
    """Schema names by event type."""
    schemas = openapi(_DESCRIPTION)["components"]["schemas"]
    found = {}
    for option in schemas["ResponseStreamEvent"]["anyOf"]:
        name = option["$ref"].rpartition("/")[2]
        found[schemas[name]["properties"]["type"]["enum"][0]] = name
    return found


# Answers to validate, beside those of the same kind as a recording.
_SHELL = {"type": "shell", "environment": {"type": "container_auto"}}
_MCP = {"type": "mcp", "server_label": "dice", "server_url": "https://example.com/mcp"}
_PERSON = {
    "type": "json_schema",
    "name": "person",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    },
}
_ANSWERS: dict[str, dict[str, Any]] = {
    "text": {"input": "Hello"},
    "background": {"input": "Hello", "background": True},
    "incomplete": {"input": "Tell me a story", "max_output_tokens": 16},
    "filtered": {"input": "[[azure:block-output]] Tell me a story"},
    "failed": {"input": "[[azure:fail:server_error]]"},
    "refusal": {"input": "[[azure:refuse]]"},
    "structured": {"input": "I am Ada", "text": {"format": _PERSON}},
    "logprobs": {
        "input": "Hello",
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
    },
    "phase": {"model": "gpt-5.4", "input": "Hello"},
    "flex": {"model": "gpt-5.6-sol", "input": "Hello", "service_tier": "flex"},
    "custom tool": {"input": "use exec", "tools": [{"type": "custom", "name": "exec"}]},
    "computer": {"input": "take a screenshot", "tools": [{"type": "computer"}]},
    "shell": {"input": "run `ls`", "tools": [_SHELL]},
    "local shell": {"input": "run `ls`", "tools": [{"type": "local_shell"}]},
    "patch": {"input": "create a.txt", "tools": [{"type": "apply_patch"}]},
    "file search": {
        "input": "find it in the files",
        "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "include": ["file_search_call.results"],
        "search": lambda _stores, _query: [("assistant-1", "a.txt", "It is here. Or there.")],
    },
    "approval": {"input": "roll the dice", "tools": [_MCP]},
    "remote call": {"input": "roll", "tools": [{**_MCP, "require_approval": "never"}]},
    "remote failure": {
        "input": "[[azure:mcp-fail]] roll",
        "tools": [{**_MCP, "require_approval": "never"}],
    },
    "compaction": {
        "model": "gpt-5.4",
        "input": [{"role": "user", "content": "word " * 1200}],
        "context_management": [{"type": "compaction", "compact_threshold": 1000}],
    },
}

# What the description forbids and Azure or OpenAI sends all the same: event or place -> why.
_TOLERATED_EVENTS = {
    "response.apply_patch_call_operation_diff.delta": "recorded by langchain-openai, undocumented",
    "response.apply_patch_call_operation_diff.done": "recorded by langchain-openai, undocumented",
}
_TOLERATED_PLACES = {
    "user": "null in every recording",
    "usage": "null until the response is complete, and in failed ones, in every recording",
    "tools[].server_description": "null where not given, recorded by langchain-openai",
    "text.format.description": "null where not given, recorded by langchain-openai",
    "$": "function_call_arguments.done has no name in any recording",
    "item": "image_generation_call begins without a result, recorded by vercel/ai on Azure",
}


@pytest.mark.parametrize("name", [*_ANSWERS, *_SAME_KIND])
def test_every_reply_and_event_validates_against_the_published_description(name: str) -> None:
    given = _ANSWERS.get(name) or _SAME_KIND[name]
    answer = engine.create_response(make_generation(**given))
    faults = set(_find_faults("Response", answer.response))
    for event in answer.events:
        if event["type"] not in _TOLERATED_EVENTS:
            faults |= set(_find_faults(_event_schemas()[event["type"]], event))
    assert sorted(faults) == []


def _find_faults(name: str, value: Any) -> Iterator[str]:
    for error in _validator(name).iter_errors(value):
        deepest = jsonschema.exceptions.best_match([error])
        place = re.sub(r"\[\d+\]", "[]", deepest.json_path).removeprefix("$.")
        if place.removeprefix("response.") not in _TOLERATED_PLACES:
            yield f"{name}: {place}: {deepest.message[:200]}"


def _split_responses(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """A recording may hold several responses back to back."""
    found: list[list[dict[str, Any]]] = []
    for event in events:
        if event["type"] == "response.created":
            found.append([])
        found[-1].append(event)
    return found


def _order(events: list[dict[str, Any]]) -> list[str]:
    """Event types, runs of the same type as one."""
    return [kind for kind, _ in groupby(event["type"] for event in events)]


def _firsts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first event of each run."""
    return [next(run) for _, run in groupby(events, key=lambda event: event["type"])]


def _recordings() -> list[Exchange]:
    return [
        exchange
        for exchange in exchanges()
        if exchange.provider == "azure" and any(name in exchange.id for name in _SAME_KIND)
    ]


def _same_kind(exchange: Exchange) -> dict[str, Any]:
    return next(given for name, given in _SAME_KIND.items() if name in exchange.id)


def _keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key with the path that leads to it; schemas, which are data, are not entered."""
    if isinstance(value, list):
        for element in value:
            yield from _keys(element, path)
    if not isinstance(value, dict):
        return
    tag = f"<{value['type']}>" if "output" in path.split(".")[-1:] or path == "item" else ""
    for name, inner in value.items():
        place = f"{path}{tag}.{name}" if path else name
        yield place
        if name not in ("parameters", "content_filter_results", "tool_usage", "metadata"):
            yield from _keys(inner, place)


# Keys that one side has and the other has not -> why; "+" the engine's, "-" the recording's.
_KEY_DIFFERENCES = {
    "+frequency_penalty": _NEWER,
    "+presence_penalty": _NEWER,
    "+moderation": _NEWER,
    "+tool_usage": _NEWER,
    "+reasoning.context": _NEWER,
    "+reasoning.mode": _NEWER,
    "+usage.input_tokens_details.cache_write_tokens": _NEWER,
    "+completed_at": "in recordings since February 2026",
    "+prompt_cache_retention": "in recordings since December 2025",
    "+tools.partial_images": "the request names it; what the recorded one named is not known",
}


def _is_explained(difference: str) -> bool:
    sign, place = difference[0], difference[1:].removeprefix("response.")
    if place.startswith("content_filters") and sign == "+":
        # Null in completed responses before February 2026, an array since.
        return True
    return f"{sign}{place}" in _KEY_DIFFERENCES


def _compare(ours: dict[str, Any], theirs: dict[str, Any]) -> set[str]:
    mine, recorded = set(_keys(ours)), set(_keys(theirs))
    differences = {f"+{key}" for key in mine - recorded} | {f"-{key}" for key in recorded - mine}
    return {difference for difference in differences if not _is_explained(difference)}


def _streams() -> list[Any]:
    return [
        pytest.param(exchange, events, id=f"{exchange.id.rpartition('/')[2]}.{number}")
        for exchange in _recordings()
        for number, events in enumerate(_split_responses(exchange.event_objects()))
    ]


def _answer_like(exchange: Exchange, response: dict[str, Any]) -> engine.GeneratedResponse:
    """The engine's answer to a request of the same kind; a later turn gets a tool's output."""
    given = {**_same_kind(exchange), "model": response["model"]}
    kinds = [item["type"] for item in response["output"]]
    if kinds[-1] == "message" and given.get("tools") == [_CALCULATOR]:
        call = {"type": "function_call", "call_id": "c", "name": "calculator", "arguments": "{}"}
        result = {"type": "function_call_output", "call_id": "c", "output": "570"}
        given["input"] = [{"role": "user", "content": given["input"]}, call, result]
    if kinds == ["function_call"] and given.get("tools") == [_CALCULATOR]:
        # Recorded: the second step of a calculation is called without a reasoning item.
        given["reasoning"] = {**given["reasoning"], "effort": "none"}
        given["include"] = []
    return engine.create_response(make_generation(**given))


@pytest.mark.parametrize(("exchange", "events"), _streams())
def test_streams_have_the_recorded_order_and_keys(
    exchange: Exchange, events: list[dict[str, Any]]
) -> None:
    answer = _answer_like(exchange, events[-1]["response"])
    ours, theirs = _order(answer.events), _order(events)
    differences = set()
    for mine, recorded in zip(_firsts(answer.events), _firsts(events), strict=False):
        differences |= {f"{recorded['type']} {text}" for text in _compare(mine, recorded)}
    print(
        f"\n{exchange.id.rpartition('/')[2]}: {len(theirs)} recorded kinds of event in order, "
        f"{len(ours)} emulated, order {'same' if ours == theirs else 'DIFFERENT'}, "
        f"unexplained keys: {sorted(differences) or 'none'}"
    )
    assert ours == theirs
    assert differences == set()


def _bodies() -> list[Any]:
    return [
        pytest.param(exchange, id=exchange.id.rpartition("/")[2])
        for exchange in _recordings()
        if isinstance(exchange.body, dict)
    ]


@pytest.mark.parametrize("exchange", _bodies())
def test_replies_have_the_recorded_keys(exchange: Exchange) -> None:
    answer = _answer_like(exchange, exchange.body)
    differences = _compare(answer.response, exchange.body)
    print(f"\n{exchange.id.rpartition('/')[2]}: unexplained keys: {sorted(differences) or 'none'}")
    assert differences == set()


def test_requests_that_were_accepted_when_recorded_are_accepted_here() -> None:
    refused, accepted = set(), 0
    for exchange in exchanges():
        body, url = exchange.request, (exchange.url or "").split("?")[0]
        if not isinstance(body, dict) or (exchange.status or 200) >= 400:
            continue
        try:
            if url.endswith("/responses") and exchange.authenticity == "recorded":
                validate_create(body, find_model(body["model"]), surface="v1")
            elif url.endswith("chat/completions") and exchange.provider in ("azure", "openai"):
                validate_chat(body, find_model(body["model"]))
            else:
                continue
            accepted += 1
        except ServiceError as refusal:
            refused.add(refusal.body["error"]["message"])
    print(f"\n{accepted} recorded requests accepted")
    assert refused == set()
    assert accepted > 200


_CHAT_NEWER = {
    "+choices.message.annotations": "in recordings since 2025",
    "+choices.message.refusal": "in recordings since 2024-08",
    "+choices.delta.refusal": "in recordings since 2024-08",
    "+choices.logprobs": "null where not asked for; left out of some chunks in 2024",
    "+obfuscation": "in recordings since 2025",
    "+prompt_filter_results.content_filter_results": "empty where the filter is off",
    "+usage": "null in chunks where include_usage is asked for",
    "-usage": "null in every chunk of one recording, which asked for usage",
    "-choices.delta.role": "repeated in some chunks",
}


def _is_explained_in_chat(difference: str) -> bool:
    return difference in _CHAT_NEWER or "usage." in difference or "content_filter" in difference


def _chats() -> list[Any]:
    names = (
        "azure-chat-basic",
        "test_azure/test_chat.yaml#0",
        "test_azure/test_chat_streaming.yaml#0",
        "azure-model-router",
    )
    return [
        pytest.param(exchange, id=exchange.id.rpartition("/")[2])
        for exchange in exchanges()
        if any(name in exchange.id for name in names)
    ]


@pytest.mark.parametrize("exchange", _chats())
def test_chat_completions_have_the_recorded_keys(exchange: Exchange) -> None:
    options = {"include_usage": True}
    turn = make_generation(messages=[{"role": "user", "content": "Hello"}], stream_options=options)
    completion, chunks = engine.create_chat_completion(turn)
    if isinstance(exchange.body, dict):
        pairs = [(completion, exchange.body)]
    else:
        recorded = exchange.event_objects()
        pairs = [(chunks[0], recorded[0]), (chunks[1], recorded[1]), (chunks[2], recorded[2])]
    differences = set()
    for mine, theirs in pairs:
        ours, others = set(_keys(mine)), set(_keys(theirs))
        differences |= {f"+{key}" for key in ours - others} | {f"-{key}" for key in others - ours}
    unexplained = {text for text in differences if not _is_explained_in_chat(text)}
    print(f"\n{exchange.id.rpartition('/')[2]}: unexplained keys: {sorted(unexplained) or 'none'}")
    assert unexplained == set()


def test_chat_completions_validate_against_the_published_description() -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    messages = [{"role": "user", "content": "weather in Rome?"}]
    for given in ({"tools": [tool]}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}):
        completion, chunks = engine.create_chat_completion(
            make_generation(messages=messages, **given)
        )
        assert list(_find_chat_faults("CreateChatCompletionResponse", completion)) == []
        for chunk in chunks[1:]:
            assert list(_find_chat_faults("CreateChatCompletionStreamResponse", chunk)) == []


_CHAT_TOLERATED = {
    "$.system_fingerprint": "null, recorded by envoyproxy/ai-gateway",
    "$.choices[].logprobs.refusal": "null where the model did not refuse",
    "$.choices[].logprobs": "null where not asked for, in every recording",
    "$.choices[].finish_reason": "null until the last chunk, in every recording",
}


def _find_chat_faults(name: str, value: Any) -> Iterator[str]:
    for error in _validator(name).iter_errors(value):
        place = re.sub(r"\[\d+\]", "[]", error.json_path)
        if place not in _CHAT_TOLERATED:
            yield f"{place}: {error.message[:200]}"
