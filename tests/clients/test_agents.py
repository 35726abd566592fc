"""Foundry agents, asked by the clients."""

from typing import Any

import pytest

from azure_responses.emulator import EmulatedAgent, Emulator, Resource
from azure_responses.errors import APIStatusError, ConfigurationError
from azure_responses.types import Response
from azure_responses.types.parameters import AgentReference
from tests.clients.both import run

MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example.com"}
AGENTS = [
    EmulatedAgent("helper"),
    EmulatedAgent("helper", version="2", instructions="Reply with exactly: second"),
    EmulatedAgent("hosted", kind="hosted"),
    EmulatedAgent("asker", tools=[MCP], consent_link="https://consent.example.com"),
    EmulatedAgent("reader", tools=[MCP]),
]
PROJECT = "/api/projects/p"


@pytest.fixture
def project() -> Emulator:
    return Emulator([Resource("test", agents=AGENTS)])


def settings(emulator: Emulator, path: str = PROJECT) -> dict[str, Any]:
    host = emulator.endpoint.replace(".openai.azure.com", ".services.ai.azure.com")
    return {
        "endpoint": host + path,
        "credential": emulator.token_credential(),
        "deployment": None,
    }


def test_an_agent_answers_by_name_and_version(runner: str, project: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(agent="helper:1", input="hi")
        assert isinstance(response, Response)
        assert response.output_text
        reference = response.agent_reference
        assert isinstance(reference, AgentReference)
        assert (reference.name, reference.version) == ("helper", "1")
        sent = project.requests[-1].json()
        assert sent["agent_reference"] == {
            "type": "agent_reference",
            "name": "helper",
            "version": "1",
        }
        assert "model" not in sent
        by_model = await client.responses.create(model="azure_ai/agents/helper", input="hi")
        assert by_model.agent_reference.version == "2"
        follow_up = await client.responses.create(
            agent="helper", input="on", previous_response_id=by_model.id
        )
        assert follow_up.previous_response_id == by_model.id
        given = {"name": "helper"}
        whole = {"agent_reference": {"type": "agent_reference", **given}}
        typed = AgentReference(name="helper")
        for arguments in (
            {"agent_reference": given},
            {"agent_reference": typed},
            {"extra_body": whole},
        ):
            assert (await client.responses.create(input="hi", **arguments)).output_text
        async with client.responses.stream(agent="helper", input="hi") as stream:
            assert (await stream.get_final_response()).agent_reference.name == "helper"

    run(runner, project, scenario, **settings(project))


def test_what_an_agent_decides_is_refused_before_anything_is_sent(
    runner: str, project: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="tools, temperature"):
            await client.responses.create(agent="helper", input="hi", tools=[], temperature=1)
        assert not len(project.requests)

    run(runner, project, scenario, **settings(project))


def test_drop_params_leaves_out_what_an_agent_decides(runner: str, project: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.warns(UserWarning, match="temperature was left out"):
            await client.responses.create(agent="helper", input="hi", temperature=1)

    run(runner, project, scenario, drop_params=True, **settings(project))


def test_an_agent_needs_a_project(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="Foundry project"):
            await client.responses.create(agent="helper", input="hi")

    run(runner, emulator, scenario)


def test_an_agent_in_preview_needs_a_header_which_the_hint_names(
    runner: str, project: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(APIStatusError) as caught:
            await client.responses.create(agent="hosted", input="hi")
        assert "Foundry-Features" in (caught.value.hint or "")
        features = {"Foundry-Features": "HostedAgents=V1Preview"}
        response = await client.responses.create(agent="hosted", input="hi", extra_headers=features)
        assert response.output_text

    run(runner, project, scenario, **settings(project))


def test_consent_and_approval_are_asked_for_by_typed_items(runner: str, project: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(agent="asker", input="look it up")
        [consent] = [item for item in response.output if item.type == "oauth_consent_request"]
        assert consent.consent_link == "https://consent.example.com"
        assert consent.server_label == "docs"
        response = await client.responses.create(agent="reader", input="look it up")
        requests = [item for item in response.output if item.type == "mcp_approval_request"]
        for request in requests:
            answer = {
                "type": "mcp_approval_response",
                "approval_request_id": request.id,
                "approve": True,
            }
            response = await client.responses.create(
                agent="reader", input=[answer], previous_response_id=response.id
            )
        assert response.status == "completed"

    run(runner, project, scenario, **settings(project))


def test_the_url_of_one_agent_needs_neither_a_model_nor_a_name(
    runner: str, project: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.create(input="hi")
        assert response.output_text
        assert "model" not in project.requests[-1].json()

    path = f"{PROJECT}/agents/helper/endpoint/protocols/openai/responses?api-version=v1"
    run(runner, project, scenario, **settings(project, path))
