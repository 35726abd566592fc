"""What Cursor sends to a gateway: bodies of Responses on the chat route, flat tools among nested.

Its shapes are described in docs/clients/cursor.md; Cursor itself installs from no registry.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.gateway.gateways import KEY, Running, serve

# The gateway logs what the bridge leaves out or changes.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

READ = {
    "type": "function",
    "name": "Read",
    "description": "Read a file.",
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    },
}
EDIT = {
    "type": "function",
    "function": {"name": "Edit", "parameters": {"type": "object", "properties": {}}},
}
BODY: dict[str, Any] = {
    "input": [
        {"role": "system", "content": "You are a coding assistant."},
        {"role": "user", "content": [{"type": "input_text", "text": "Use Read with path: a.py"}]},
    ],
    "tools": [READ, EDIT],
    "tool_choice": "auto",
    "reasoning": {"effort": "medium", "summary": "auto"},
    "text": {"verbosity": "low"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_retention": "24h",
    "metadata": {"cursorConversationId": "0b6f", "cursorRequestId": "77aa"},
    "user": "someone",
}
MODELS = {"gpt": "gpt-5-mini", "kimi": "Kimi-K2.5", "claude": "claude-sonnet-4-5"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Running]:
    deployments = [EmulatedDeployment(name, model=model) for name, model in MODELS.items()]
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])
    with emulator.serve() as azure:
        entries = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"azure_ai/{name}" if name != "gpt" else "azure/gpt",
                    "api_base": azure.resource_url("east"),
                    "api_key": "key-of-east",
                },
                "model_info": {"base_model": model},
            }
            for name, model in MODELS.items()
        ]
        config = {
            "model_list": entries,
            "general_settings": {"master_key": KEY},
            "litellm_settings": {"drop_params": True},
        }
        with serve(config) as running:
            yield running


def _message(gateway: Running, body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """The message of a completion, put together of its chunks where it is streamed."""
    with gateway.client() as client:
        reply = client.post("/v1/chat/completions", json={**body, "stream": stream})
    assert reply.status_code == 200, reply.text
    if not stream:
        found: dict[str, Any] = reply.json()["choices"][0]["message"]
        return found
    lines = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
    text, calls = "", [""]
    for chunk in map(json.loads, lines):
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or ():
                calls[0] += call["function"].get("name") or ""
    tool_calls = [{"id": "call_1", "type": "function", "function": {"name": calls[0]}}]
    return {"content": text, "tool_calls": tool_calls if calls[0] else None}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_bodies_of_responses_are_answered_as_chats(
    gateway: Running, model: str, stream: bool
) -> None:
    message = _message(gateway, {**BODY, "model": model}, stream=stream)
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["Read"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_chats_with_flat_tools_are_answered(gateway: Running, model: str, stream: bool) -> None:
    chat = {"role": "user", "content": "Use Read with path: a.py"}
    body = {"model": model, "messages": [chat], "tools": [READ, EDIT], "tool_choice": "auto"}
    message = _message(gateway, body, stream=stream)
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["Read"]


@pytest.mark.parametrize("model", MODELS)
def test_a_conversation_goes_on_with_the_results_of_tools(gateway: Running, model: str) -> None:
    first = _message(gateway, {**BODY, "model": model}, stream=False)
    (call,) = first["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "print(1)"}
    items = [
        *BODY["input"],
        {
            "type": "function_call",
            "call_id": call["id"],
            "name": "Read",
            "arguments": call["function"]["arguments"],
        },
        {"type": "function_call_output", "call_id": call["id"], "output": "print(1)"},
    ]
    by_items = _message(gateway, {**BODY, "model": model, "input": items}, stream=False)
    assert by_items["content"]
    messages = [{"role": "user", "content": "Use Read with path: a.py"}, first, result]
    body = {"model": model, "messages": messages, "tools": [READ]}
    assert _message(gateway, body, stream=False)["content"]
