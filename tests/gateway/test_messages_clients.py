"""The anthropic package against the gateway, over Claude, a GPT and a chat-only deployment."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.gateway.gateways import KEY, Running, serve

anthropic = pytest.importorskip("anthropic", reason="the anthropic package is not installed")

DEPLOYMENTS = {
    "claude": "claude-opus-4-6",
    "gpt": "gpt-5-mini",
    "kimi": "Kimi-K2.5",
}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
HELLO: dict[str, Any] = {
    "max_tokens": 2048,
    "messages": [{"role": "user", "content": "what is 2+3"}],
}


def entry(group: str, name: str, url: str) -> dict[str, Any]:
    model = DEPLOYMENTS[name]
    return {
        "model_name": group,
        "litellm_params": {
            "model": f"azure_ai/{model}",
            "api_base": f"{url}/resources/east",
            "api_key": "key-of-east",
        },
        "model_info": {"id": f"{group}-{name}", "base_model": model},
    }


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    deployments = [EmulatedDeployment(name, model=name) for name in DEPLOYMENTS.values()]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])


@pytest.fixture(scope="module")
def gateway(emulator: Emulator) -> Iterator[Running]:
    with emulator.serve() as running:
        entries = [entry(name, name, running.url) for name in DEPLOYMENTS]
        entries += [entry("any", name, running.url) for name in DEPLOYMENTS]
        settings = {"master_key": KEY, "affinity_secret": "s" * 32}
        with serve({"model_list": entries, "general_settings": settings}) as found:
            yield found


@pytest.fixture(params=["plain", "foundry"])
def client(gateway: Running, request: pytest.FixtureRequest) -> Iterator[Any]:
    options: dict[str, Any] = {"api_key": KEY, "max_retries": 0, "base_url": gateway.url}
    if request.param == "foundry":
        options["base_url"] += "/anthropic"
    make = anthropic.Anthropic if request.param == "plain" else anthropic.AnthropicFoundry
    with make(**options) as opened:
        yield opened


@pytest.mark.parametrize("model", DEPLOYMENTS)
def test_a_message_is_created(client: Any, model: str) -> None:
    message = client.messages.create(model=model, **HELLO)
    assert message.model == model
    assert message.content[-1].text == "2 + 3 = 5"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message._request_id


@pytest.mark.parametrize("model", DEPLOYMENTS)
def test_a_stream_adds_up_to_the_message(client: Any, model: str) -> None:
    with client.messages.stream(model=model, **HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "2 + 3 = 5"
    assert final.model == model
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("model", DEPLOYMENTS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_tools_with_thinking(client: Any, model: str, stream: bool) -> None:
    given = {
        "model": model,
        "max_tokens": 4096,
        "tools": [WEATHER],
        "thinking": {"type": "adaptive"},
        "system": [
            {
                "type": "text",
                "text": "You help.",
                "cache_control": {"type": "ephemeral", "scope": "global"},
            }
        ],
        "metadata": {"user_id": "user_1_account__session_2"},
        "extra_headers": {"anthropic-beta": "prompt-caching-scope-2026-01-05,some-new-beta"},
    }
    messages: list[Any] = [{"role": "user", "content": "weather in Rome and Paris"}]
    for _ in range(5):
        if stream:
            with client.messages.stream(messages=messages, **given) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(messages=messages, **given)
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            break
        assert answer.stop_reason == "tool_use"
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"{call.input}: sunny"}
            for call in calls
        ]
        messages += [answer.to_param(), {"role": "user", "content": results}]
    assert len(messages) >= 3
    assert answer.content[-1].type == "text"


@pytest.mark.parametrize("model", DEPLOYMENTS)
def test_tokens_are_counted(client: Any, model: str) -> None:
    counted = client.messages.count_tokens(model=model, messages=HELLO["messages"])
    assert counted.input_tokens > 0


def test_errors_are_those_of_the_package(client: Any) -> None:
    with pytest.raises(anthropic.NotFoundError) as missing:
        client.messages.create(model="other", **HELLO)
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="sk-wrong-0123456789-abcdef").messages.create(
            model="gpt", **HELLO
        )
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model="claude", max_tokens=0, messages=HELLO["messages"])


def test_async_callers_stream_from_a_group_of_all_kinds(gateway: Running) -> None:
    async def run() -> list[str]:
        options = {"api_key": KEY, "base_url": gateway.url}
        async with anthropic.AsyncAnthropic(**options) as opened:
            texts = []
            for _ in range(9):
                async with opened.messages.stream(model="any", **HELLO) as stream:
                    texts.append("".join([text async for text in stream.text_stream]))
            return texts

    assert set(asyncio.run(run())) == {"2 + 3 = 5"}


def test_models_are_listed(gateway: Running) -> None:
    with anthropic.Anthropic(api_key=KEY, base_url=gateway.url) as opened:
        assert {model.id for model in opened.models.list()} == {*DEPLOYMENTS, "any"}


@pytest.mark.parametrize("model", DEPLOYMENTS)
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("stream", [False, True])
def test_every_api_is_served_over_every_deployment(
    gateway: Running, model: str, path: str, stream: bool
) -> None:
    body: dict[str, Any] = {"model": model, "stream": stream}
    if path.endswith("responses"):
        body["input"] = "what is 2+3"
    else:
        body |= HELLO
    with gateway.client() as opened:
        reply = opened.post(path, json=body)
    assert reply.status_code == 200, reply.text
    # A stream may cut the answer anywhere.
    assert stream or "2 + 3 = 5" in reply.text
    assert reply.headers["x-litellm-model-group"] == model
    if not stream:
        assert float(reply.headers["x-litellm-response-cost"]) > 0


def test_keys_and_limits_hold_for_messages(gateway: Running) -> None:
    reply = httpx.post(f"{gateway.url}/v1/messages", json={"model": "gpt", **HELLO})
    assert reply.status_code == 401
    assert reply.json()["error"]["type"] == "authentication_error"
    assert reply.json()["request_id"] == reply.headers["x-litellm-call-id"]
