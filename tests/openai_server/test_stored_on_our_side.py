"""Responses of deployments that store nothing: continued, read, listed, deleted, owned, purged."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from tests.openai_server.servers import Asker, open_asker

CREATE = "/v1/responses"
HELLO = {"model": "chat", "input": "Say hello"}


def row(model: str, resource: str, group: str = "chat") -> dict[str, Any]:
    return {
        "model_name": group,
        "litellm_params": {
            "model": f"azure/{model}",
            "api_base": f"https://{resource}.openai.azure.com",
            "api_key": f"key-of-{resource}",
        },
        "model_info": {"id": f"{group}:{model}-{resource}"},
    }


@pytest.fixture
def emulator() -> Emulator:
    deployments = [
        EmulatedDeployment("Kimi-K2.5", model="Kimi-K2.5"),
        EmulatedDeployment("gpt", model="gpt-5-mini"),
    ]
    return Emulator(
        [Resource(name, keys=[f"key-of-{name}"], deployments=deployments) for name in ("a", "b")]
    )


ROWS = [
    row("Kimi-K2.5", "a"),
    row("Kimi-K2.5", "b"),
    row("gpt", "a", "gpt"),
    row("gpt", "a", "mixed"),
    row("Kimi-K2.5", "a", "mixed"),
]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Asker]:
    with open_asker(request.param, emulator, model_list=ROWS) as asker:
        yield asker


def test_the_life_of_a_response_over_a_chat_deployment(ask: Asker, emulator: Emulator) -> None:
    made = ask("POST", CREATE, HELLO)
    assert made.status == 200, made.content
    assert made.summary.deployment_api == "chat"
    path = f"{CREATE}/{made.json['id']}"
    sent = len(emulator.requests)
    assert ask("GET", path).json["output"][-1]["content"] == made.json["output"][-1]["content"]
    items = ask("GET", f"{path}/input_items", query="order=asc").json
    assert items["data"][0]["content"][0]["text"] == "Say hello"
    assert ask("POST", f"{path}/cancel").status == 400
    assert ask("GET", path, owner="bob").status == 404
    assert ask("DELETE", path).json["deleted"] is True
    assert ask("GET", path).status == 404
    assert len(emulator.requests) == sent


@pytest.mark.parametrize("stream", [False, True])
def test_a_follow_up_prefers_its_resource_and_can_go_elsewhere(
    ask: Asker, emulator: Emulator, stream: bool
) -> None:
    first = ask("POST", CREATE, {**HELLO, "stream": stream})
    response = first.events[-1]["response"] if stream else first.json
    assert response["id"].startswith("resp_azr1_")
    body = {**HELLO, "input": "Again", "previous_response_id": response["id"]}
    maker = first.headers["x-litellm-model-id"]
    for _ in range(4):
        assert ask("POST", CREATE, body).headers["x-litellm-model-id"] == maker
    emulator.faults.add(Fault("http-503", resource=maker[-1]))
    moved = ask("POST", CREATE, body)
    assert moved.status == 200
    assert moved.headers["x-litellm-model-id"] != maker
    messages = emulator.requests[-1].json()["messages"]
    assert [message["role"] for message in messages][-3:] == ["user", "assistant", "user"]


def test_a_conversation_moves_to_a_model_that_speaks_responses(
    ask: Asker, emulator: Emulator
) -> None:
    asked = {**HELLO, "include": ["reasoning.encrypted_content"]}
    first = ask("POST", CREATE, asked).json
    reasoning = [item for item in first["output"] if item["type"] == "reasoning"]
    assert reasoning[0]["encrypted_content"]
    moved = ask("POST", CREATE, {"model": "gpt", "input": "?", "previous_response_id": first["id"]})
    assert moved.status == 200, moved.content
    stateless = [{"role": "user", "content": "Hi"}, *first["output"]]
    again = [*stateless, {"role": "user", "content": "?"}]
    sent = ask("POST", CREATE, {"model": "gpt", "input": again, "store": False})
    assert sent.status == 200, sent.content
    assert b"arsealed1" not in emulator.requests[-1].body


def test_a_response_of_the_service_is_continued_where_it_can_be_read(ask: Asker) -> None:
    first = ask("POST", CREATE, {**HELLO, "model": "gpt"}).json["id"]
    body = {**HELLO, "model": "mixed", "previous_response_id": first}
    for _ in range(6):
        found = ask("POST", CREATE, body)
        assert (found.status, found.headers["x-litellm-model-id"]) == (200, "mixed:gpt-a")


def test_a_chat_deployment_continues_a_response_that_its_resource_stores(
    ask: Asker, emulator: Emulator
) -> None:
    first = ask("POST", CREATE, {"model": "gpt", "input": "Remember the word lighthouse."}).json
    body = {**HELLO, "model": "chat", "previous_response_id": first["id"]}
    found = ask("POST", CREATE, body)
    assert found.status == 200, found.content
    assert found.json["previous_response_id"] == first["id"]
    assert b"lighthouse" in emulator.requests[-1].body


def test_a_purge_erases_what_is_stored_here(ask: Asker) -> None:
    made = ask("POST", CREATE, {**HELLO, "safety_identifier": "carol"}, owner=None).json
    receipt = ask.router.purge(end_user="carol")
    assert not receipt.failed
    assert ask("GET", f"{CREATE}/{made['id']}", owner=None).status == 404
