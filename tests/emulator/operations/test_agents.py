"""Agents of a Foundry project: definitions, their responses, and what those refuse."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import EmulatedAgent, Emulator, Resource
from tests.emulator.callers import event_types, events_of, open_client

ENDPOINT = "https://r.services.ai.azure.com"
PROJECT = "/api/projects/p"
RESPONSES = f"{PROJECT}/openai/v1/responses"
MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example.com"}
AGENTS = [
    EmulatedAgent("greeter", instructions="[[azure:length:1]]"),
    EmulatedAgent("greeter", instructions="[[azure:length:2]]", version="2"),
    EmulatedAgent("plain"),
    EmulatedAgent("reader", tools=[MCP]),
    EmulatedAgent("guarded", tools=[MCP], consent_link="https://consent.example.com/login"),
    EmulatedAgent("hosted", kind="hosted"),
    EmulatedAgent("elsewhere", project="q"),
]


def open_project(emulator: Emulator) -> httpx.Client:
    client = open_client(emulator, ENDPOINT, key="")
    client.headers["authorization"] = f"Bearer {emulator.issuer.mint('https://ai.azure.com')}"
    return client


@pytest.fixture
def project() -> Iterator[httpx.Client]:
    with open_project(Emulator([Resource("r", agents=AGENTS)])) as opened:
        yield opened


def named(name: str, version: str | None = None) -> dict[str, Any]:
    return {"type": "agent_reference", "name": name, **({"version": version} if version else {})}


def ask(client: httpx.Client, name: str, prompt: Any = "Hello", **fields: Any) -> httpx.Response:
    version = fields.pop("version", None)
    path = fields.pop("path", RESPONSES)
    body = {"agent_reference": named(name, version), "input": prompt, **fields}
    return client.post(path, json=body)


def text_of(response: dict[str, Any]) -> str:
    return str(response["output"][-1]["content"][0]["text"])


# --- responses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "said", "echoed"),
    [(None, "word word", "2"), ("1", "word", "1"), ("2", "word word", "2")],
)
def test_an_agent_answers_with_its_definition(
    project: httpx.Client, version: str | None, said: str, echoed: str
) -> None:
    response = ask(project, "greeter", version=version).json()
    assert text_of(response) == said
    assert response["agent_reference"] == named("greeter", echoed)
    assert response["model"] == "gpt-4.1"


def test_the_reference_is_echoed_in_every_event(project: httpx.Client) -> None:
    reply = ask(project, "greeter", stream=True)
    echoed = [event["response"]["agent_reference"] for event in events_of(reply)
              if "response" in event]  # fmt: skip
    assert event_types(reply)[-1] == "response.completed"
    assert echoed == [named("greeter", "2")] * 3


@pytest.mark.parametrize(
    ("name", "version"), [("nobody", None), ("greeter", "9"), ("elsewhere", None)]
)
def test_an_unknown_agent_is_a_404(project: httpx.Client, name: str, version: str | None) -> None:
    reply = ask(project, name, version=version)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")


def test_an_agent_of_another_project_is_found_there(project: httpx.Client) -> None:
    path = "/api/projects/q/openai/v1/responses"
    assert ask(project, "elsewhere", path=path).status_code == 200


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"temperature": 0.5, "top_p": 0.5}, ["temperature", "top_p"]),
        ({"tools": [MCP]}, ["tools"]),
        ({"text": {"verbosity": "low"}}, ["text"]),
        ({"reasoning": {"effort": "low"}}, ["reasoning"]),
        ({"model": "gpt-5"}, ["model"]),
        ({"tool_choice": "auto"}, ["tool_choice"]),
        ({"instructions": "x", "previous_response_id": "resp_1"}, ["instructions"]),
    ],
)
def test_what_the_definition_decides_is_refused(
    project: httpx.Client, fields: dict[str, Any], refused: list[str]
) -> None:
    reply = ask(project, "greeter", **fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (400, "invalid_payload")
    assert [detail["param"] for detail in error["details"]] == refused
    assert {detail["message"] for detail in error["details"]} == {
        "Not allowed when agent is specified."
    }


def test_the_older_property_is_deprecated(project: httpx.Client) -> None:
    reply = project.post(RESPONSES, json={"agent": named("greeter"), "input": "x"})
    assert reply.status_code == 400
    message = "The 'agent' property is deprecated. Use 'agent_reference' instead."
    assert reply.json()["error"]["message"] == message


@pytest.mark.parametrize("reference", [{"name": "greeter"}, {"type": "agent_reference"}, "greeter"])
def test_an_invalid_reference_is_refused(project: httpx.Client, reference: Any) -> None:
    reply = project.post(RESPONSES, json={"agent_reference": reference, "input": "x"})
    assert reply.json()["error"]["details"][0]["param"] == "agent_reference"


def test_instructions_and_the_model_of_the_agent_are_taken(project: httpx.Client) -> None:
    reply = ask(project, "plain", instructions="[[azure:length:3]]", model="gpt-4.1")
    assert text_of(reply.json()) == "word word word"


def test_a_resource_has_no_agents(project: httpx.Client) -> None:
    project.headers["api-key"] = "emulator-key"
    reply = ask(project, "greeter", path="/openai/v1/responses", model="gpt-4.1")
    assert reply.json()["error"]["code"] == "unknown_parameter"


def test_any_name_is_an_agent_where_none_are_listed() -> None:
    with open_project(Emulator()) as client:
        response = ask(client, "anyone", "Reply with exactly: pong").json()
    assert text_of(response) == "pong"
    assert response["agent_reference"] == named("anyone", "1")


# --- ids of the project ---------------------------------------------------------------------------


def test_responses_and_conversations_are_the_projects(project: httpx.Client) -> None:
    conversation = project.post(f"{PROJECT}/openai/v1/conversations", json={}).json()["id"]
    ask(project, "plain", "My name is Ada.", conversation=conversation)
    response = ask(project, "plain", "What is my name?", conversation=conversation).json()
    assert "Ada" in text_of(response)
    follow_up = ask(project, "plain", "Hello", previous_response_id=response["id"])
    assert follow_up.status_code == 200
    elsewhere = "/api/projects/q/openai/v1/responses"
    assert project.get(f"{RESPONSES}/{response['id']}").status_code == 200
    assert project.get(f"{elsewhere}/{response['id']}").status_code == 404
    reply = project.post(elsewhere, json={"model": "gpt-4.1", "input": "x",
                                          "previous_response_id": response["id"]})  # fmt: skip
    assert reply.json()["error"]["code"] == "previous_response_not_found"
    project.headers["api-key"] = "emulator-key"
    assert project.get(f"/openai/v1/responses/{response['id']}").status_code == 404


def test_limits_are_shared_with_the_resource() -> None:
    from azure_responses.emulator import EmulatedDeployment

    deployments = [EmulatedDeployment("gpt-4.1", requests_per_minute=1)]
    with open_project(Emulator([Resource("r", deployments=deployments)])) as client:
        assert ask(client, "a").status_code == 200
        path = "/api/projects/q/openai/v1/responses"
        assert ask(client, "a", path=path).status_code == 429


# --- approval and consent -------------------------------------------------------------------------


def test_a_remote_tool_is_approved_and_called(project: httpx.Client) -> None:
    asked = ask(project, "reader", "search for cats").json()
    request = asked["output"][-1]
    assert request["type"] == "mcp_approval_request"
    answer = {
        "type": "mcp_approval_response",
        "approval_request_id": request["id"],
        "approve": True,
    }
    called = ask(project, "reader", [answer], previous_response_id=asked["id"]).json()
    assert [item["type"] for item in called["output"]] == ["mcp_call", "message"]


@pytest.mark.parametrize("stream", [False, True])
def test_consent_is_asked_for_once_in_a_conversation(project: httpx.Client, stream: bool) -> None:
    reply = ask(project, "guarded", "search for cats", stream=stream)
    asked = events_of(reply)[-1]["response"] if stream else reply.json()
    (item,) = asked["output"]
    assert item["type"] == "oauth_consent_request"
    assert item["id"].startswith("oauthreq_")
    assert item["consent_link"] == "https://consent.example.com/login"
    if stream:
        assert event_types(reply)[2:4] == [
            "response.output_item.added",
            "response.output_item.done",
        ]
    following = ask(project, "guarded", "search for cats", previous_response_id=asked["id"]).json()
    assert following["output"][-1]["type"] == "mcp_approval_request"
    # Sent back as an item of the input, it counts as well.
    again = ask(project, "guarded", [item, {"role": "user", "content": "search for cats"}]).json()
    assert again["output"][-1]["type"] == "mcp_approval_request"


# --- the endpoint of an agent ---------------------------------------------------------------------

OWN = f"{PROJECT}/agents/greeter/endpoint/protocols/openai"


def test_an_agent_has_an_endpoint_of_its_own(project: httpx.Client) -> None:
    reply = project.post(f"{OWN}/responses?api-version=v1", json={"input": "Hello"})
    assert text_of(reply.json()) == "word word"
    assert reply.json()["agent_reference"] == named("greeter", "2")
    got = project.get(f"{OWN}/responses/{reply.json()['id']}?api-version=v1")
    assert got.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (f"{OWN}/responses", 400, "Missing required query parameter: api-version"),
        (f"{OWN}/v1/responses", 400, "Missing required query parameter: api-version"),
        (f"{OWN}/v1/responses?api-version=v1", 404, "Resource not found"),
        (f"{OWN}/responses?api-version=2025-11-15-preview", 404, "Resource not found"),
        (f"{PROJECT}/agents", 400, "Missing required query parameter: api-version"),
    ],
)
def test_the_endpoint_wants_its_version(
    project: httpx.Client, path: str, status: int, message: str
) -> None:
    method = "GET" if path.endswith("agents") else "POST"
    reply = project.request(method, path, json={"input": "Hello"})
    assert (reply.status_code, reply.json()["error"]["message"]) == (status, message)


def test_the_endpoint_refuses_a_reference_and_a_model(project: httpx.Client) -> None:
    body = {"input": "x", "agent_reference": named("greeter"), "model": "gpt-5"}
    reply = project.post(f"{OWN}/responses?api-version=v1", json=body)
    details = reply.json()["error"]["details"]
    assert [detail["param"] for detail in details] == ["model", "agent_reference"]


@pytest.mark.parametrize("way", ["reference", "endpoint"])
def test_a_kind_in_preview_wants_its_feature(project: httpx.Client, way: str) -> None:
    path = f"{PROJECT}/agents/hosted/endpoint/protocols/openai/responses?api-version=v1"

    def call() -> httpx.Response:
        if way == "endpoint":
            return project.post(path, json={"input": "Hello"})
        return ask(project, "hosted")

    reply = call()
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (403, "preview_feature_required")
    assert error["param"] == "Foundry-Features"
    assert "HostedAgents=V1Preview" in error["message"]
    project.headers["Foundry-Features"] = "WorkflowAgents=V1Preview, HostedAgents=V1Preview"
    assert call().status_code == 200


@pytest.mark.parametrize("audience", ["https://cognitiveservices.azure.com", None])
def test_a_project_takes_tokens_of_one_audience_and_no_keys(audience: str | None) -> None:
    emulator = Emulator()
    with open_client(emulator, ENDPOINT, key=None if audience is None else "") as client:
        if audience:
            client.headers["authorization"] = f"Bearer {emulator.issuer.mint(audience)}"
        reply = client.post(f"{OWN}/responses?api-version=v1", json={"input": "x"})
    assert reply.status_code == 401
    assert "audience is incorrect (https://ai.azure.com)" in reply.json()["message"]


@pytest.mark.parametrize(
    ("audiences", "host", "audience", "status"),
    [
        ("by-host", "services.ai", "https://ai.azure.com", 200),
        ("by-host", "services.ai", "https://cognitiveservices.azure.com", 401),
        ("by-host", "openai", "https://cognitiveservices.azure.com", 200),
        ("by-host", "openai", "https://ai.azure.com", 401),
        (["https://cognitiveservices.azure.com"], "services.ai",
         "https://cognitiveservices.azure.com", 200),
        (["https://cognitiveservices.azure.com"], "services.ai", "https://ai.azure.com", 401),
        (None, "services.ai", "https://cognitiveservices.azure.com", 200),
    ],
)  # fmt: skip
def test_a_resource_may_insist_on_an_audience(
    audiences: Any, host: str, audience: str, status: int
) -> None:
    emulator = Emulator([Resource("r", audiences=audiences)])
    with open_client(emulator, f"https://r.{host}.azure.com", key="") as client:
        client.headers["authorization"] = f"Bearer {emulator.issuer.mint(audience)}"
        reply = client.post("/openai/v1/responses", json={"model": "gpt-4.1", "input": "x"})
    assert reply.status_code == status
    if status == 401:
        assert "audience is incorrect" in reply.json()["message"]


def test_audiences_are_a_list_or_by_host() -> None:
    with pytest.raises(ValueError, match="audiences is a list"):
        Resource("r", audiences="https://ai.azure.com")


# --- definitions ----------------------------------------------------------------------------------


def test_definitions_have_versions(project: httpx.Client) -> None:
    def call(method: str, path: str, **fields: Any) -> httpx.Response:
        url = f"{PROJECT}/agents{path}?api-version=v1"
        return project.request(method, url, json=fields or None)

    definition = {"kind": "prompt", "model": "gpt-5-mini", "instructions": "[[azure:length:1]]"}
    first = call("POST", "/new/versions", definition=definition, description="d").json()
    assert (first["object"], first["version"], first["id"]) == ("agent.version", "1", "new:1")
    second = call("POST", "/new/versions", definition={**definition, "instructions": "x"}).json()
    assert second["version"] == "2"
    assert call("GET", "/new/versions/1").json() == first
    assert call("GET", "/new").json()["versions"]["latest"] == second
    listed = call("GET", "/new/versions").json()["data"]
    assert [one["version"] for one in listed] == ["2", "1"]
    names = [agent["name"] for agent in call("GET", "").json()["data"]]
    assert names == ["new", "hosted", "guarded", "reader", "plain", "greeter"]
    assert text_of(ask(project, "new", version="1").json()) == "word"
    assert call("DELETE", "/new/versions/2").json()["object"] == "agent.version.deleted"
    assert call("GET", "/new").json()["versions"]["latest"] == first
    assert call("DELETE", "/new").json() == {
        "object": "agent.deleted", "name": "new", "deleted": True
    }  # fmt: skip
    for method, path in (("DELETE", "/new"), ("DELETE", "/new/versions/1"), ("GET", "/new"),
                         ("GET", "/new/versions"), ("GET", "/new/versions/1")):  # fmt: skip
        assert call(method, path).status_code == 404
    assert call("GET", "/new/other").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"description": "x"}, 400),
        ({"definition": {"model": "gpt-4.1"}}, 400),
        ({"definition": {"kind": "prompt"}}, 400),
        ({"definition": {"kind": "hosted"}}, 403),
        ({"definition": {"kind": "prompt", "model": "gpt-4.1"}}, 200),
    ],
)
def test_a_definition_needs_its_kind_and_model(
    project: httpx.Client, fields: dict[str, Any], status: int
) -> None:
    reply = project.post(f"{PROJECT}/agents/new/versions?api-version=v1", json=fields)
    assert reply.status_code == status


def test_a_reset_brings_the_declared_agents_back(project: httpx.Client) -> None:
    emulator = Emulator([Resource("r", agents=AGENTS)])
    with open_project(emulator) as client:
        client.delete(f"{PROJECT}/agents/greeter?api-version=v1")
        assert ask(client, "greeter").status_code == 404
        emulator.reset()
        assert ask(client, "greeter").status_code == 200


def test_an_unknown_kind_of_agent_is_refused() -> None:
    with pytest.raises(ValueError, match="kind is one of prompt"):
        EmulatedAgent("a", kind="robot")  # type: ignore[arg-type]
