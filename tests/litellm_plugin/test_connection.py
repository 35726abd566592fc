"""Where a deployment's calls go and as whom, by LiteLLM's parameters."""

from typing import Any

import pytest

from azure_responses.emulator import Emulator
from tests.litellm_plugin.conftest import PING, Bench
from tests.litellm_plugin.peer import Peer


def _read(peer: Peer, **given: Any) -> Any:
    return peer.ask("read_connection", **given)["value"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"api_key": "k"}, {"api_key": "k"}),
        ({"azure_ad_token": "t"}, {"azure_ad_token": "t"}),
        ({"api_key": "k", "azure_ad_token": "t"}, {"api_key": "k"}),
        (
            {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
            {"credential": "ClientSecretCredential"},
        ),
        (
            {"azure_username": "u", "azure_password": "p", "client_id": "c", "tenant_id": "t"},
            {"credential": "UsernamePasswordCredential"},
        ),
        (
            {"azure_ad_token": "oidc/x", "tenant_id": "t", "client_id": "c"},
            {"azure_ad_token_provider": "partial"},
        ),
        ({"azure_scope": "s", "api_key": "k"}, {"scope": "s", "api_key": "k"}),
        ({"strict_api_version": True}, {"strict_api_version": True}),
        ({"max_retries": 0, "api_version": "v1"}, {"max_retries": 0, "api_version": "v1"}),
        ({"api_base": "https://r.openai.azure.com"}, {"endpoint": "https://r.openai.azure.com"}),
        ({"settings": {"api_key": "own"}}, {"api_key": "own"}),
        ({"settings": {"api_key": "own"}, "azure_ad_token": "t"}, {"azure_ad_token": "t"}),
    ],
)
def test_the_parameters_of_a_deployment_become_those_of_a_client(
    litellm_peer: Peer, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    read = _read(litellm_peer, **given)
    assert read["connection"] == expected
    # A pooled client is found again only by the same credential.
    assert read["is_same"]


@pytest.mark.parametrize(
    ("base", "environment", "expected"),
    [
        ("https://r.openai.azure.com", "2025-02-01-preview", "v1"),
        ("https://r.openai.azure.com/openai/v1", "2025-04-01-preview", "v1"),
        ("https://r.openai.azure.com", "2025-04-01-preview", None),
        ("https://r.openai.azure.com", "preview", None),
        ("https://r.openai.azure.com/openai/v1", "preview", None),
        ("https://r/openai/responses?api-version=2025-03-01-preview", "2025-02-01-preview", None),
        (None, "2025-02-01-preview", "v1"),
    ],
)
def test_a_version_from_the_environment_counts_if_it_can_be_meant(
    litellm_peer: Peer, base: str | None, environment: str, expected: str | None
) -> None:
    litellm_peer.ask("set_environment", AZURE_API_VERSION=environment)
    try:
        read = _read(litellm_peer, api_base=base)
    finally:
        litellm_peer.ask("set_environment", AZURE_API_VERSION=None)
    assert read["connection"].get("api_version") == expected


@pytest.mark.parametrize("deed", ["completion", "responses"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_token_of_the_deployment_beats_a_key_in_the_environment(
    bench: Bench, deed: str, is_async: bool
) -> None:
    token = bench.emulator.issuer.mint("https://cognitiveservices.azure.com")
    asked: dict[str, Any] = {"messages": PING} if deed == "completion" else {"input": "hi"}
    bench.peer.ask("set_environment", AZURE_API_KEY="stray")
    try:
        answer = bench.ask(deed, api_key=None, azure_ad_token=token, is_async=is_async, **asked)
    finally:
        bench.peer.ask("set_environment", AZURE_API_KEY=None)
    assert "body" in answer
    headers = bench.emulator.requests[-1].headers
    assert "api-key" not in headers
    assert "authorization" in headers


def test_a_missing_endpoint_is_named(served: tuple[Emulator, str], bench: Bench) -> None:
    for deed, asked in (("completion", {"messages": PING}), ("responses", {"input": "hi"})):
        raised = bench.ask(deed, api_base=None, **asked)["raised"]
        assert raised["class"] == "BadRequestError"
        assert "AZURE_OPENAI_ENDPOINT" in raised["message"]
