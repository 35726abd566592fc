"""A router learns from one refusal what a deployment speaks."""

from typing import Any

import httpx
import pytest

from azure_responses import Router
from azure_responses.emulator import EmulatedDeployment, Emulator, Resource


def make(model: str) -> tuple[Emulator, Router]:
    deployments = [EmulatedDeployment("mine", model=model)]
    emulator = Emulator([Resource("test", deployments=deployments)])
    entry: dict[str, Any] = {
        "model_name": "m",
        "litellm_params": {
            "model": "azure/mine",
            "api_base": emulator.endpoint,
            "api_key": emulator.api_key,
        },
    }
    http_client = httpx.Client(transport=emulator.httpx_transport())
    return emulator, Router([entry], http_client=http_client)


def test_a_refused_chat_is_sent_as_the_chat_that_it_was() -> None:
    emulator, router = make("kimi-k2.5")
    with router:
        for _ in range(2):
            completion = router.completion(model="m", messages=[{"role": "user", "content": "hi"}])
            # Converted to a response and back it would have another id.
            assert completion.id.startswith("chatcmpl-")
    assert [request.status for request in emulator.requests] == [400, 200, 200]


def test_a_refused_response_is_converted_and_can_be_continued() -> None:
    emulator, router = make("kimi-k2.5")
    with router:
        first = router.responses(model="m", input="hi")
        second = router.responses(model="m", input="on", previous_response_id=first.id)
        assert second.output_text
    assert [request.status for request in emulator.requests] == [400, 200, 200]
    assert len(emulator.requests[-1].json()["messages"]) == 3


@pytest.mark.parametrize("model", ["kimi-k2.5", "claude-sonnet-4-5"])
@pytest.mark.parametrize("include", [[], ["reasoning.encrypted_content"]])
def test_output_of_another_api_is_carried_to_a_deployment_of_openai(
    model: str, include: list[str]
) -> None:
    emulator = Emulator(
        [Resource("test", deployments=[*map(EmulatedDeployment, (model, "gpt-4.1"))])]
    )
    http_client = httpx.Client(transport=emulator.httpx_transport())
    place = {"api_base": emulator.endpoint, "api_key": emulator.api_key}
    names = (model, "gpt-4.1")
    entries = [
        {"model_name": name, "litellm_params": {"model": f"azure/{name}", **place}}
        for name in names
    ]
    question = {"role": "user", "content": "on"}
    with Router(entries, http_client=http_client) as router:
        effort = {"effort": "high"}
        made = router.responses(model=model, input="hi", include=include, reasoning=effort)
        items = [question, *(item.to_dict() for item in made.output), question]
        with pytest.warns(UserWarning, match="reasoning was left out"):
            assert router.responses(model="gpt-4.1", input=items).output_text
        reference = {"type": "item_reference", "id": made.output[-1].id}
        assert router.responses(model="gpt-4.1", input=[reference, question]).output_text
    for request in list(emulator.requests)[-2:]:
        assert [item.get("type") for item in request.json()["input"]][-2:] == ["message", None]
