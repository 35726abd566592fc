"""Five turns with tools over each kind of deployment, against the emulator.

The emulator shares no code with the conversions. It checks the shape of each request, the
signatures of Claude's thinking, and the encrypted reasoning of the Responses API.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.bridge.chat_over_messages import ChatOverMessages
from azure_responses.bridge.messages_over_chat import MessagesOverChat
from azure_responses.bridge.messages_over_responses import MessagesOverResponses
from azure_responses.emulator import Emulator

from .anthropic_sdk import check_events, context, in_pieces, read_message, stream_message
from .openai_sdk import read_completion

_PLACES = ("Rome", "Paris", "Oslo", "Bern", "Lima")
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_ROUTES = {
    MessagesOverResponses: "/openai/v1/responses",
    MessagesOverChat: "/openai/v1/chat/completions",
    ChatOverMessages: "/anthropic/v1/messages",
}


class _Caller:
    """Sends the calls of one kind of conversion to one deployment."""

    def __init__(self, client: httpx.Client, kind: Any, deployment: str) -> None:
        self._client = client
        self._kind = kind
        self._deployment = deployment
        self.sent: dict[str, Any] = {}

    def ask(self, parameters: dict[str, Any], *, streams: bool) -> dict[str, Any]:
        conversion = self._kind({**parameters, "stream": streams}, context(self._deployment))
        self.sent = conversion.write()
        reply = self._client.post(_ROUTES[self._kind], json=self.sent)
        assert reply.status_code == 200, reply.text
        if not streams:
            whole: dict[str, Any] = conversion.read(reply.json())
            return whole
        stream = conversion.stream()
        body = in_pieces(stream, reply.content, 700)
        assert stream.final is not None
        if self._kind is not ChatOverMessages:
            check_events(body)
            assert stream_message(body) == stream.final
        final: dict[str, Any] = stream.final
        return final


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    emulator = Emulator()
    with httpx.Client(
        transport=emulator.httpx_transport(),
        base_url="https://emulator.services.ai.azure.com",
        headers={
            "api-key": emulator.api_key,
            "x-api-key": emulator.api_key,
            "anthropic-version": "2023-06-01",
        },
    ) as made:
        yield made


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("kind", "deployment"),
    [
        (MessagesOverResponses, "gpt-5"),
        (MessagesOverChat, "kimi-k2.5"),
        (MessagesOverChat, "mistral-large-3"),
    ],
)
def test_a_messages_caller_loops_with_tools_and_thinking(
    client: httpx.Client, kind: Any, deployment: str, streams: bool
) -> None:
    caller = _Caller(client, kind, deployment)
    about: dict[str, Any] = {
        "max_tokens": 9000,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "get_weather", "input_schema": _SCHEMA}],
    }
    turns: list[dict[str, Any]] = []
    for place in _PLACES:
        turns.append({"role": "user", "content": f"weather in {place} [[azure:reason:Hm]]"})
        called = caller.ask({**about, "messages": turns}, streams=streams)
        assert read_message(called) == called
        assert called["stop_reason"] == "tool_use"
        uses = [block for block in called["content"] if block["type"] == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": use["id"], "content": f"{place}: sunny"}
            for use in uses
        ]
        turns += [
            {"role": "assistant", "content": called["content"]},
            {"role": "user", "content": results},
        ]
        answered = caller.ask({**about, "messages": turns}, streams=streams)
        assert answered["stop_reason"] == "end_turn"
        assert f"{place}: sunny" in answered["content"][-1]["text"]
        turns.append({"role": "assistant", "content": answered["content"]})
    if deployment == "gpt-5":
        kinds = [item["type"] for item in caller.sent["input"]]
        assert kinds.count("reasoning") >= len(_PLACES)
    if deployment == "kimi-k2.5":
        told = [message for message in caller.sent["messages"] if "reasoning_content" in message]
        assert len(told) >= len(_PLACES)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("deployment", ["claude-opus-4-8", "claude-opus-4-6", "claude-haiku-4-5"])
def test_a_chat_caller_loops_with_tools_and_thinking(
    client: httpx.Client, deployment: str, streams: bool
) -> None:
    caller = _Caller(client, ChatOverMessages, deployment)
    function = {"name": "get_weather", "parameters": _SCHEMA}
    about: dict[str, Any] = {
        "reasoning_effort": "low",
        "max_tokens": 9000,
        "tools": [{"type": "function", "function": function}],
    }
    turns: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    for place in _PLACES:
        prompt = f"weather in {place} [[azure:reason:A]] [[azure:reason:B]] [[azure:redact]]"
        turns.append({"role": "user", "content": prompt})
        called = caller.ask({**about, "messages": turns}, streams=streams)
        assert read_completion(called) == called
        (choice,) = called["choices"]
        assert choice["finish_reason"] == "tool_calls"
        assert len(choice["message"]["thinking_blocks"]) >= 2
        turns.append(choice["message"])
        turns += [
            {"role": "tool", "tool_call_id": call["id"], "content": f"{place}: sunny"}
            for call in choice["message"]["tool_calls"]
        ]
        answered = caller.ask({**about, "messages": turns}, streams=streams)
        (choice,) = answered["choices"]
        assert choice["finish_reason"] == "stop"
        assert f"{place}: sunny" in choice["message"]["content"]
        turns.append(choice["message"])
