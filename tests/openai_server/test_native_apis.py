"""Chat completions and Messages where the deployment speaks the caller's API: bytes pass."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from tests.openai_server.servers import Asker, open_asker

CHAT = "/v1/chat/completions"
HELLO = {"model": "chat", "messages": [{"role": "user", "content": "Say hello"}]}


def row(model: str, resource: str, **params: Any) -> dict[str, Any]:
    return {
        "model_name": "chat",
        "litellm_params": {
            "model": f"azure/{model}",
            "api_base": f"https://{resource}.openai.azure.com",
            "api_key": f"key-of-{resource}",
            **params,
        },
        "model_info": {"id": f"{model}-{resource}"},
    }


@pytest.fixture
def emulator() -> Emulator:
    deployments = [
        EmulatedDeployment("Kimi-K2.5", model="Kimi-K2.5"),
        EmulatedDeployment("gpt", model="gpt-5-mini"),
    ]
    return Emulator(
        [
            Resource("east", keys=["key-of-east"], deployments=deployments),
            Resource("west", keys=["key-of-west"], deployments=deployments),
        ]
    )


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def ask(kind: str, emulator: Emulator) -> Iterator[Asker]:
    with open_asker(kind, emulator, model_list=[row("Kimi-K2.5", "east")]) as asker:
        yield asker


def test_a_completion_passes_as_the_deployment_wrote_it(ask: Asker, emulator: Emulator) -> None:
    found = ask("POST", CHAT, HELLO)
    assert found.status == 200, found.content
    assert found.json["object"] == "chat.completion"
    assert found.json["model"] == "chat"
    assert found.json["choices"][0]["message"]["content"]
    (sent,) = emulator.requests
    assert sent.path.endswith("/chat/completions")
    assert found.summary.usage is not None
    assert found.summary.usage["input_tokens"] == found.json["usage"]["prompt_tokens"]


def test_chunks_pass_and_usage_is_counted_all_the_same(ask: Asker) -> None:
    found = ask("POST", CHAT, {**HELLO, "stream": True})
    assert found.content.endswith(b"data: [DONE]\n\n")
    assert not any(event.get("usage") for event in found.events)
    assert {event["model"] for event in found.events} == {"chat"}
    assert found.summary.total_tokens
    asked = ask("POST", CHAT, {**HELLO, "stream": True, "stream_options": {"include_usage": True}})
    assert asked.events[-1]["usage"]["prompt_tokens"]


def test_a_body_reaches_the_deployment_byte_for_byte(kind: str, emulator: Emulator) -> None:
    body = b'{"model":"Kimi-K2.5",  "messages":[{"role":"user","content":"Hi"}],"seed":null}'
    rows = [{**row("Kimi-K2.5", "east"), "model_name": "Kimi-K2.5"}]
    with open_asker(kind, emulator, model_list=rows) as ask:
        assert ask("POST", CHAT, body).status == 200
    assert emulator.requests[-1].body == body


def test_a_group_of_both_kinds_answers_by_either(kind: str, emulator: Emulator) -> None:
    rows = [row("gpt", "east"), row("Kimi-K2.5", "west")]
    with open_asker(kind, emulator, model_list=rows) as ask:
        answers = [ask("POST", CHAT, {**HELLO, "stream": n % 2 > 0}) for n in range(16)]
    assert {found.status for found in answers} == {200}
    ids = {found.headers["x-litellm-model-id"] for found in answers}
    assert ids == {"gpt-east", "Kimi-K2.5-west"}
    assert {found.summary.deployment_api for found in answers} == {"responses", "chat"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("broken", ["gpt", "Kimi-K2.5"])
def test_the_other_kind_takes_over(
    kind: str, emulator: Emulator, broken: str, stream: bool
) -> None:
    emulator.faults.add(Fault("http-500", deployment=broken))
    rows = [row("gpt", "east"), row("Kimi-K2.5", "west")]
    with open_asker(kind, emulator, model_list=rows) as ask:
        for _ in range(4):
            found = ask("POST", CHAT, {**HELLO, "stream": stream})
            assert found.status == 200
            assert not found.headers["x-litellm-model-id"].startswith(broken)


def test_messages_of_the_bridge_are_understood_by_a_chat_deployment(
    kind: str, emulator: Emulator
) -> None:
    rows = [row("gpt", "east"), {**row("Kimi-K2.5", "west"), "model_name": "kimi"}]
    with open_asker(kind, emulator, model_list=rows) as ask:
        first = ask("POST", CHAT, {**HELLO, "reasoning_effort": "high"}).json
        said = {**first["choices"][0]["message"], "reasoning_items": [{"type": "reasoning"}]}
        again = [*HELLO["messages"], said, {"role": "user", "content": "And now?"}]
        found = ask("POST", CHAT, {"model": "kimi", "messages": again})
    assert found.status == 200, found.content
    assert b"reasoning_items" not in emulator.requests[-1].body


def test_a_refusal_of_the_deployment_is_told(ask: Asker) -> None:
    found = ask("POST", CHAT, {**HELLO, "messages": []})
    assert found.status == 400
    assert found.json["error"]["message"]


def test_tokens_of_a_response_are_estimated_over_chat(ask: Asker, emulator: Emulator) -> None:
    found = ask("POST", "/v1/responses/input_tokens", {"model": "chat", "input": "word " * 100})
    assert found.status == 200, found.content
    told = {"object": "response.input_tokens", "input_tokens": 125, "is_estimate": True}
    assert found.json == told
    assert not emulator.requests


@pytest.mark.parametrize("params", [{}, {"extra_headers": {"x-a": "1"}}])
def test_tokens_of_a_response_are_counted_by_claude(kind: str, params: dict[str, Any]) -> None:
    deployments = [EmulatedDeployment("claude", model="claude-sonnet-4-5")]
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])
    entry = row("claude", "east", **params)
    entry["model_info"]["base_model"] = "claude-sonnet-4-5"
    with open_asker(kind, emulator, model_list=[entry]) as ask:
        body = {"model": "chat", "input": "How long?", "temperature": 0.5}
        found = ask("POST", "/v1/responses/input_tokens", body)
        assert found.status == 200, found.content
        made = ask("POST", "/v1/responses", body)
    assert found.json["input_tokens"] == made.json["usage"]["input_tokens"]
    assert found.json["object"] == "response.input_tokens"
    assert emulator.requests[0].path.endswith("/count_tokens")
