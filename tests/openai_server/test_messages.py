"""POST /v1/messages: Anthropic's API over deployments that speak another one."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from tests.clients.listeners import Collector
from tests.openai_server.servers import Asker, open_asker

MESSAGES = "/v1/messages"
HELLO: dict[str, Any] = {
    "model": "chat",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Say hello"}],
}


def row(model: str, resource: str) -> dict[str, Any]:
    return {
        "model_name": "chat",
        "litellm_params": {
            "model": f"azure/{model}",
            "api_base": f"https://{resource}.openai.azure.com",
            "api_key": f"key-of-{resource}",
        },
        "model_info": {"id": f"{model}-{resource}", "base_model": "gpt-5-mini"},
    }


@pytest.fixture
def emulator() -> Emulator:
    deployments = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    return Emulator(
        [Resource(name, keys=[f"key-of-{name}"], deployments=deployments) for name in ("a", "b")]
    )


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Asker]:
    with open_asker(request.param, emulator, model_list=[row("gpt", "a")]) as asker:
        yield asker


def test_a_message_is_answered_over_responses(ask: Asker) -> None:
    found = ask("POST", MESSAGES, HELLO)
    assert found.status == 200, found.content
    assert found.json["type"] == "message"
    assert found.json["model"] == "chat"
    assert found.json["content"][-1]["type"] == "text"
    assert found.json["usage"]["output_tokens"] > 0
    assert float(found.headers["x-litellm-response-cost"]) > 0
    assert found.summary.deployment_api == "responses"
    assert found.summary.total_tokens


@pytest.mark.parametrize("path", ["/messages", "/anthropic/v1/messages", "/v1/messages"])
def test_a_stream_has_the_events_of_messages(ask: Asker, path: str) -> None:
    found = ask("POST", path, {**HELLO, "stream": True}, query="beta=true")
    assert found.status == 200, found.content
    kinds = [event["type"] for event in found.events]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert found.events[0]["message"]["model"] == "chat"
    assert found.summary.total_tokens


def test_errors_have_anthropics_shape(ask: Asker, emulator: Emulator) -> None:
    found = ask("POST", MESSAGES, {**HELLO, "model": "other"}, call_id="call-1")
    assert found.status == 404
    assert found.json["type"] == "error"
    assert found.json["error"]["type"] == "not_found_error"
    assert found.json["request_id"] == "call-1"
    emulator.faults.add(Fault("http-503"))
    for stream in (False, True):
        failed = ask("POST", MESSAGES, {**HELLO, "stream": stream})
        assert failed.status == 529
        assert failed.json["error"]["type"] == "overloaded_error"


def test_an_error_within_a_stream_is_an_event(ask: Asker, emulator: Emulator) -> None:
    emulator.faults.add(Fault("reset-mid-body", after_events=9, streamed=True))
    found = ask("POST", MESSAGES, {**HELLO, "stream": True})
    assert found.events[-1]["type"] == "error"
    assert found.events[-1]["error"]["type"] == "api_error"


def test_tokens_are_estimated_where_no_claude_is(ask: Asker, emulator: Emulator) -> None:
    body = {"model": "chat", "messages": HELLO["messages"], "system": "word " * 100}
    found = ask("POST", f"{MESSAGES}/count_tokens", body)
    assert found.json.keys() == {"input_tokens"}
    assert found.json["input_tokens"] > 100
    assert not emulator.requests


def test_models_are_listed_as_the_caller_reads_them(ask: Asker) -> None:
    ask.headers["anthropic-version"] = "2023-06-01"
    found = ask("GET", "/v1/models").json
    assert found["data"][0] == {
        "type": "model",
        "id": "chat",
        "display_name": "chat",
        "created_at": "1970-01-01T00:00:00Z",
    }
    assert found["has_more"] is False
    assert ask("GET", "/v1/models/chat").json["type"] == "model"
    assert ask("GET", "/v1/models/x").json["type"] == "error"


def test_what_no_deployment_of_the_group_can_do_is_refused_by_name(
    ask: Asker, emulator: Emulator
) -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    for stream in (False, True):
        found = ask("POST", MESSAGES, {**HELLO, "tools": tools, "stream": stream, "top_k": 5})
        assert found.status == 400, found.content
        assert found.json["error"]["type"] == "invalid_request_error"
        assert (
            "top_k" in found.json["error"]["message"]
            or "web_search" in found.json["error"]["message"]
        )
    assert not emulator.requests
    assert ask("POST", MESSAGES, HELLO).status == 200


def test_thinking_goes_back_to_the_resource_that_can_read_it(emulator: Emulator) -> None:
    rows = [row("gpt", "a"), row("gpt", "b")]
    asked = {**HELLO, "max_tokens": 4000, "thinking": {"type": "adaptive"}}
    with open_asker("sync", emulator, model_list=rows) as ask:
        for _ in range(4):
            first = ask("POST", MESSAGES, asked)
            thinking = [one for one in first.json["content"] if one["type"] == "thinking"]
            assert thinking
            said = {"role": "assistant", "content": first.json["content"]}
            messages = [*HELLO["messages"], said, {"role": "user", "content": "And now?"}]
            for _ in range(3):
                found = ask("POST", MESSAGES, {**asked, "messages": messages})
                assert found.status == 200, found.content
                assert found.headers["x-litellm-model-id"] == first.headers["x-litellm-model-id"]
                assert emulator.requests[-1].body.count(b'"encrypted_content"') == 1
        # The other one answers without it.
        emulator.faults.add(Fault("http-500", resource=first.headers["x-litellm-model-id"][-1]))
        moved = ask("POST", MESSAGES, {**asked, "messages": messages})
        assert moved.status == 200, moved.content
        assert b'encrypted_content":' not in emulator.requests[-1].body


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_of_messages_is_one_in_telemetry(kind: str, emulator: Emulator) -> None:
    collector = Collector()
    with open_asker(
        kind, emulator, model_list=[row("gpt", "a")], **collector.arguments
    ) as ask_watched:
        assert ask_watched("POST", MESSAGES, HELLO).status == 200
    assert collector.attributes()["openai.api.type"] == "messages"
