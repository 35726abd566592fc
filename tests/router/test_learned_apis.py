"""A router learns from one refusal what a deployment speaks."""

from typing import Any

import httpx

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
