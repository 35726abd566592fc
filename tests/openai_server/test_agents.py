"""Foundry agents as entries of a router and of the gateway."""

from collections.abc import Iterator

import pytest

from azure_responses.emulator import EmulatedAgent, Emulator, Resource
from tests.openai_server.servers import Asker, open_asker

AGENTS = [EmulatedAgent("helper")]
HELLO = {"model": "chat", "input": "Say hello"}


@pytest.fixture
def emulator() -> Emulator:
    return Emulator([Resource("test", agents=AGENTS)])


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Asker]:
    host = emulator.endpoint.replace(".openai.azure.com", ".services.ai.azure.com")
    params = {
        "model": "azure_ai/agents/helper:1",
        "api_base": f"{host}/api/projects/p",
        "azure_ad_token": emulator.token_credential()
        .get_token("https://ai.azure.com/.default")
        .token,
    }
    rows = [{"model_name": "chat", "litellm_params": params, "model_info": {"id": "agent"}}]
    with open_asker(request.param, emulator, model_list=rows) as asker:
        yield asker


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_answers_in_the_place_of_a_model(
    ask: Asker, emulator: Emulator, stream: bool
) -> None:
    found = ask("POST", "/v1/responses", {**HELLO, "stream": stream})
    assert found.status == 200, found.content
    response = found.events[-1]["response"] if stream else found.json
    assert response["agent_reference"]["name"] == "helper"
    sent = emulator.requests[-1].json()
    reference = {"type": "agent_reference", "name": "helper", "version": "1"}
    assert sent["agent_reference"] == reference
    assert "model" not in sent
    body = {**HELLO, "previous_response_id": response["id"]}
    assert ask("POST", "/v1/responses", body).json["previous_response_id"] == response["id"]


def test_what_the_agent_decides_is_refused_by_name(ask: Asker, emulator: Emulator) -> None:
    found = ask("POST", "/v1/responses", {**HELLO, "temperature": 0.2})
    assert found.status == 400
    assert found.json["error"]["param"] == "temperature"
    assert not emulator.requests
    kept = ask("POST", "/v1/responses", {**HELLO, "temperature": 0.2, "drop_params": True})
    assert kept.status == 200, kept.content
    assert "temperature" in kept.headers["x-azure-responses-warning"]


def test_typed_callers_ask_an_agent_too(ask: Asker) -> None:
    response = ask.router.responses(model="chat", input="hi")
    assert response.agent_reference is not None
    assert response.output_text
