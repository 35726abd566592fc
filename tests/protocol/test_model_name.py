"""LiteLLM-style model strings."""

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.model_name import (
    ModelName,
    read_deployment,
    read_model_name,
    without_provider,
)


@pytest.mark.parametrize(
    ("model", "deployment"),
    [
        ("gpt-5", "gpt-5"),
        ("azure/gpt-5", "gpt-5"),
        ("azure/responses/my-custom-o1-pro", "my-custom-o1-pro"),
        ("azure/azure/gpt-5", "azure/gpt-5"),
        ("azure/responses/azure/gpt-5", "azure/gpt-5"),
        ("azure/responses", "responses"),
        ("responses/gpt-5", "responses/gpt-5"),
        ("my/azure/gpt-5", "my/azure/gpt-5"),
        ("azure/", "azure/"),
        ("azure_ai/", "azure_ai/"),
        ("azure_ai/kimi-k2.5", "kimi-k2.5"),
        ("azure_ai/azure/gpt-5", "azure/gpt-5"),
        ("azure/o_series/my-own", "my-own"),
        ("azure/gpt5_series/my-own", "my-own"),
        ("azure/o_series/", "o_series/"),
        ("", ""),
    ],
)
def test_the_prefix_is_taken_off_once_from_the_front(model: str, deployment: str) -> None:
    assert read_deployment(model) == deployment


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-5", ModelName("gpt-5")),
        ("azure/gpt-5", ModelName("gpt-5", "azure")),
        ("azure/responses/gpt-4", ModelName("gpt-4", "azure", api="responses")),
        ("azure/o_series/prod", ModelName("prod", "azure", "o-series")),
        ("azure/o_series/o3-mini", ModelName("o3-mini", "azure")),
        ("azure/gpt5_series/prod", ModelName("prod", "azure", "gpt-5")),
        ("azure/gpt5_series/gpt-5.4", ModelName("gpt-5.4", "azure")),
        ("azure_ai/Kimi-K2.5", ModelName("Kimi-K2.5", "azure_ai")),
        ("azure_ai/gpt-5", ModelName("gpt-5", "azure_ai")),
        ("azure_ai/claude-opus-5", ModelName("claude-opus-5", "claude")),
        ("azure/claude-opus-5", ModelName("claude-opus-5", "azure")),
        ("azure_ai/model_router/prod", ModelName("prod", "azure_ai", "model-router")),
        ("azure_ai/model-router", ModelName("model-router", "azure_ai")),
        ("azure_ai/agents/helpdesk", ModelName("agents/helpdesk", "azure_ai", agent="helpdesk")),
        ("azure_ai/agents/a:3", ModelName("agents/a:3", "azure_ai", agent="a:3")),
        ("azure/agents/a", ModelName("agents/a", "azure")),
        ("azure_ai/*", ModelName("*", "azure_ai")),
    ],
)
def test_a_name_tells_provider_family_and_agent(model: str, expected: ModelName) -> None:
    assert read_model_name(model) == expected


@pytest.mark.parametrize("model", ["azure_ai/agents/", "azure_ai/agents/:3", "azure_ai/agents/a:"])
def test_an_agent_has_a_name_and_no_empty_version(model: str) -> None:
    with pytest.raises(ConfigurationError, match="agent"):
        read_model_name(model)


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("azure_ai/kimi-k2.5", "kimi-k2.5"),
        ("azure_ai/model_router/prod", "prod"),
        ("azure/gpt-5", "azure/gpt-5"),
        ("gpt-5", "gpt-5"),
        (None, None),
    ],
)
def test_a_client_takes_off_the_prefix_of_foundry_only(model: str | None, sent: str | None) -> None:
    assert without_provider(model) == sent
