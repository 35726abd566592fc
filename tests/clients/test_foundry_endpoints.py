"""Deployments of every API, called by every form of endpoint."""

from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.clients.both import run

_HOST = "https://emulator.services.ai.azure.com"
_V1 = "/openai/v1/chat/completions"
_MESSAGES = "/anthropic/v1/messages"


@pytest.fixture
def foundry() -> Emulator:
    """A resource with a deployment of each API."""
    names = ("Kimi-K2.5", "claude-opus-4-8", "gpt-4", "gpt-5-mini")
    deployments = [EmulatedDeployment(name) for name in names]
    deployments.append(EmulatedDeployment("kimi", model="Kimi-K2.5"))
    return Emulator([Resource("emulator", deployments=deployments)])


@pytest.mark.parametrize(
    ("endpoint", "arguments", "model", "path"),
    [
        (_HOST, {}, "Kimi-K2.5", _V1),
        (f"{_HOST}/anthropic/v1/messages", {}, "Kimi-K2.5", _V1),
        (_HOST, {"models_path": True}, "Kimi-K2.5", "/models/chat/completions"),
        ("https://kimi.eastus2.models.ai.azure.com", {}, "kimi", "/chat/completions"),
        ("https://emulator.openai.azure.com", {"api_version": "2025-04-01-preview"}, "gpt-4",
            "/openai/deployments/gpt-4/chat/completions"),
        (f"{_HOST}/anthropic", {}, "claude-opus-4-8", _MESSAGES),
        (_HOST, {}, "claude-opus-4-8", _MESSAGES),
        ("https://emulator.openai.azure.com", {}, "claude-opus-4-8", _MESSAGES),
        ("https://emulator.cognitiveservices.azure.com", {}, "claude-opus-4-8", _MESSAGES),
        (f"{_HOST}/anthropic", {}, "gpt-5-mini", "/openai/v1/responses"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_key", [True, False])
def test_a_deployment_is_called_over_its_api_from_any_form_of_endpoint(
    runner: str,
    foundry: Emulator,
    endpoint: str,
    arguments: dict[str, Any],
    model: str,
    path: str,
    has_key: bool,
) -> None:
    async def scenario(client: Any) -> None:
        answered = await client.responses.create(model=model, input="hi", max_output_tokens=2000)
        assert answered.output_text
        assert list(foundry.requests)[-1].path == path

    if not has_key:
        arguments = {**arguments, "credential": foundry.token_credential()}
    run(runner, foundry, scenario, endpoint=endpoint, **arguments)


def test_a_pasted_url_of_the_older_inference_api_works_and_warns(
    runner: str, foundry: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        answered = await client.responses.create(model="Kimi-K2.5", input="hi")
        assert answered.output_text

    url = f"{_HOST}/models/chat/completions?api-version=2024-05-01-preview"
    with pytest.warns(UserWarning, match="models_path=True"):
        run(runner, foundry, scenario, endpoint=url)
    assert {request.path for request in foundry.requests} == {_V1}
