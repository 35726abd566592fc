"""Responses of Foundry agents: how an agent is named, and what it refuses."""

from collections.abc import Mapping
from typing import Any

import pytest

from azure_responses.bridge.messages_over_responses import MessagesOverResponses
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.agents import (
    AgentConversion,
    agent_of,
    check_project,
    complete_reference,
    for_agent,
    is_agents_own,
)
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.deployment_apis import DeploymentAPIs
from azure_responses.protocol.endpoint import resolve_endpoint
from azure_responses.protocol.families import facts_of
from azure_responses.types.parameters import AgentReference

PROJECT = "https://r.services.ai.azure.com/api/projects/p"
NAMES = [
    ({"agent": "helper"}, "helper"),
    ({"agent": "helper:3"}, "helper:3"),
    ({"model": "azure_ai/agents/helper:3"}, "helper:3"),
    ({"model": "gpt-4.1"}, None),
    ({"model": "teams/agents/x"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("parameters", "expected"), NAMES)
def test_an_agent_is_named_by_an_argument_or_by_the_model(
    parameters: dict[str, Any], expected: str | None
) -> None:
    assert agent_of(parameters) == expected


@pytest.mark.parametrize("agent", ["", "helper:", ":3", 3])
def test_what_cannot_name_an_agent_is_refused(agent: object) -> None:
    with pytest.raises(ConfigurationError):
        agent_of({"agent": agent})


def test_the_body_names_the_agent_and_no_model() -> None:
    body, warnings = for_agent({"agent": "helper:3", "input": "hi"}, "helper:3")
    reference = {"type": "agent_reference", "name": "helper", "version": "3"}
    assert body == {"agent_reference": reference, "input": "hi"}
    assert warnings == ()
    body, _ = for_agent({"model": "azure_ai/agents/helper", "input": "hi"}, "helper")
    assert body["agent_reference"] == {"type": "agent_reference", "name": "helper"}
    assert "model" not in body


def test_what_the_definition_decides_is_refused_all_at_once() -> None:
    given = {"agent": "a", "model": "gpt", "tools": [], "top_p": 1, "text": None}
    with pytest.raises(ConfigurationError, match="model, tools, top_p") as caught:
        for_agent(given, "a")
    assert caught.value.param == "model"
    assert caught.value.hint


def test_what_the_definition_decides_is_left_out_with_a_warning() -> None:
    given = {"agent": "a", "temperature": 1, "instructions": "x", "previous_response_id": "r"}
    body, warnings = for_agent(given, "a", drops_params=True)
    assert body.keys() == {"agent_reference", "previous_response_id"}
    assert [warning.split()[0] for warning in warnings] == ["temperature", "instructions"]


def test_instructions_are_for_the_first_turn() -> None:
    assert for_agent({"instructions": "x"}, "a")[0]["instructions"] == "x"
    with pytest.raises(ConfigurationError, match="instructions"):
        for_agent({"instructions": "x", "previous_response_id": "r"}, "a")


def test_only_a_project_has_agents() -> None:
    check_project(resolve_endpoint(PROJECT), "a")
    with pytest.raises(ConfigurationError, match="Foundry project"):
        check_project(resolve_endpoint("https://r.openai.azure.com"), "a")


def test_the_endpoint_of_one_agent_is_recognised() -> None:
    own = f"{PROJECT}/agents/helper/endpoint/protocols/openai/responses?api-version=v1"
    assert is_agents_own(resolve_endpoint(own))
    assert not is_agents_own(resolve_endpoint(PROJECT))


@pytest.mark.parametrize("reference", [{"name": "a"}, AgentReference(name="a")])
def test_a_reference_says_what_it_is(reference: object) -> None:
    made = complete_reference({"agent_reference": reference, "input": "hi"})
    assert made["agent_reference"]["type"] == "agent_reference"
    assert made["agent_reference"]["name"] == "a"


def test_a_body_without_a_reference_stays() -> None:
    assert complete_reference({"input": "hi"}) == {"input": "hi"}


class _NoSealer:
    """For calls without reasoning."""

    def seal(self, family: str, content: Mapping[str, Any]) -> str:
        raise AssertionError("nothing is sealed")

    def open(self, family: str, text: str) -> dict[str, Any] | None:
        return None


def _from_messages(*, drops_params: bool) -> AgentConversion:
    context = ConversionContext(
        "agents/kimi-helper:3", facts_of("x"), _NoSealer(), lambda prefix: f"{prefix}1", 0.0
    )
    messages = [{"role": "user", "content": "Hi"}]
    parameters = {"model": "m", "max_tokens": 100, "messages": messages, "temperature": 0.2}
    conversion = MessagesOverResponses(parameters, context)
    return AgentConversion(conversion, "kimi-helper:3", drops_params=drops_params)


def test_what_a_conversion_writes_names_the_agent_and_not_the_model() -> None:
    conversion = _from_messages(drops_params=True)
    body = conversion.write()
    assert body["agent_reference"] == {
        "type": "agent_reference",
        "name": "kimi-helper",
        "version": "3",
    }
    assert not {"model", "temperature", "include"} & body.keys()
    assert conversion.warnings[-1].startswith("temperature was left out.")
    assert (conversion.caller, conversion.upstream) == ("messages", "responses")
    assert conversion.shortened("too long") is None
    assert conversion.stream().final is None
    answer = {"id": "resp_1", "status": "completed", "output": [], "model": "gpt-5"}
    assert conversion.read(answer)["type"] == "message"
    with pytest.raises(ConfigurationError, match="temperature"):
        _from_messages(drops_params=False).write()


def test_the_name_of_an_agent_does_not_say_what_it_speaks() -> None:
    apis = DeploymentAPIs("auto", lambda deployment: facts_of(deployment).api)
    assert apis.of("agents/kimi-helper:3").name == "responses"
    assert apis.of("kimi-helper").name == "chat"
