"""What the engine decides, as it looks on the wire."""

import re

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import create, event_types, events_of, open_client

ID = re.compile(
    r"(resp|msg|rs)_0[0-9a-f]{15}0[01](?P<seconds>[0-9a-f]{8})[0-9a-f]{4}819[0-9a-f]{17}"
)


@pytest.mark.parametrize("stream", [True, False])
def test_a_blocked_prompt_is_a_400_even_for_a_stream(client: httpx.Client, stream: bool) -> None:
    reply = create(client, input="[[azure:block-prompt]]", stream=stream)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (400, "content_filter", "prompt")
    assert error["content_filters"][0]["blocked"] is True
    assert error["content_filters"][0]["source_type"] == "prompt"


def test_a_blocked_output_is_an_incomplete_response(client: httpx.Client) -> None:
    response = create(client, input="[[azure:block-output]]").json()
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    blocked = [entry for entry in response["content_filters"] if entry["blocked"]]
    assert [entry["source_type"] for entry in blocked] == ["completion"]


def test_the_image_tool_needs_its_header(client: httpx.Client) -> None:
    tools = [{"type": "image_generation"}]
    reply = create(client, model="gpt-5", tools=tools)
    assert reply.status_code == 400
    assert reply.json() == {
        "error": {
            "message": (
                "imagegen deployment must be provided through header: "
                "x-ms-oai-image-generation-deployment"
            ),
            "type": "image_generation_user_error",
            "param": "tools",
            "code": "invalid_request_error",
        }
    }
    client.headers["x-ms-oai-image-generation-deployment"] = "gpt-image-1"
    assert create(client, model="gpt-5", tools=tools).status_code == 200


def test_ids_carry_the_time_of_creation(client: httpx.Client) -> None:
    response = create(client, model="gpt-5").json()
    for identifier in (response["id"], *(item["id"] for item in response["output"])):
        match = ID.fullmatch(identifier)
        assert match is not None, identifier
        assert int(match["seconds"], 16) == response["created_at"]


def test_the_dated_surface_completes_without_content_filters(client: httpx.Client) -> None:
    body = {"model": "gpt-4.1", "input": "x", "stream": True}
    reply = client.post("/openai/responses?api-version=2025-04-01-preview", json=body)
    assert event_types(reply)[-1] == "response.completed"
    assert events_of(reply)[-1]["response"]["content_filters"] is None


def test_the_asynchronous_filter_sends_more_and_smaller_deltas() -> None:
    deployments = [
        EmulatedDeployment("calm", "gpt-4.1"),
        EmulatedDeployment("quick", "gpt-4.1", chunking="async"),
    ]
    with open_client(Emulator([Resource("r", deployments=deployments)])) as client:
        counts = [
            event_types(create(client, model=name, input="[[azure:length:60]]", stream=True)).count(
                "response.output_text.delta"
            )
            for name in ("calm", "quick")
        ]
    assert counts[1] > 2 * counts[0]


def test_a_provisioned_deployment_that_is_full_says_when_in_milliseconds() -> None:
    full = EmulatedDeployment("ptu", "gpt-4.1", kind="provisioned", requests_per_minute=0)
    with open_client(Emulator([Resource("r", deployments=[full])])) as client:
        reply = create(client, model="ptu")
    assert reply.status_code == 429
    assert reply.headers["retry-after-ms"] == "60000"
