"""The clients behind deployments: which they share, and what they hear of their models."""

from typing import Any

import pytest

from azure_responses import AzureResponses
from azure_responses.errors import ConfigurationError
from azure_responses.router.targets import ClientFactory, Targets, check_connections
from azure_responses.routing.model_list import read_model_list

_BASE = "https://r.services.ai.azure.com"


def _deployments(*params: dict[str, Any]) -> Any:
    entries = [
        {"model_name": "m", "params": {"api_base": _BASE, "api_key": "k", **one}} for one in params
    ]
    return read_model_list(entries, {})


def test_a_client_hears_what_the_entries_say_of_their_models() -> None:
    deployments = _deployments(
        {"model": "azure_ai/a", "base_model": "kimi-k2.5"},
        {"model": "azure_ai/b", "api": "chat"},
        {"model": "azure_ai/c", "facts": {"family": "claude"}},
        {"model": "azure_ai/d"},
    )
    targets = Targets(deployments, ClientFactory(AzureResponses))
    try:
        speaks = []
        for one in deployments:
            converter = targets.of(one).client._configuration.converter
            assert converter is not None
            speaks.append(converter.apis.of(one.model).name)
        assert speaks == ["chat", "chat", "messages", "responses"]
    finally:
        targets.close()


def test_one_deployment_may_be_called_over_two_apis() -> None:
    one, other, same = _deployments(
        {"model": "azure_ai/deepseek", "api": "responses"},
        {"model": "azure_ai/deepseek", "api": "chat"},
        {"model": "azure_ai/grok", "api": "responses"},
    )
    targets = Targets((one, other, same), ClientFactory(AzureResponses))
    try:
        assert targets.of(one).client is not targets.of(other).client
        assert targets.of(one).client is targets.of(same).client
    finally:
        targets.close()


def test_a_key_in_the_variables_of_foundry_serves_its_entries() -> None:
    deployments = _deployments({"model": "azure_ai/kimi", "api_key": None})
    check_connections(deployments, {}, (), {"AZURE_AI_API_KEY": "k"})
    with pytest.raises(ConfigurationError, match="cannot stand in a header"):
        check_connections(deployments, {}, (), {"AZURE_AI_API_KEY": "two words"})
