"""`GET /v1/models` as Codex reads it."""

from typing import Any

from azure_responses.openai_server.codex_models import codex_models, expects_codex
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry


def _registry(*deployments: Deployment) -> DeploymentRegistry:
    return DeploymentRegistry(deployments)


def _deployment(group: str, **more: Any) -> Deployment:
    name = f"{group}-{more.get('id', 1)}"
    return Deployment(
        **{"id": name, "group": group, "model": group, "tag": name, "resource": "r", **more}
    )


def test_only_a_request_that_names_the_version_of_codex_is_one_of_codex() -> None:
    assert expects_codex("client_version=0.171.0")
    assert not expects_codex("")
    assert not expects_codex("a=client_version")


def test_the_efforts_are_those_that_every_deployment_takes() -> None:
    routing = _registry(_deployment("gpt-5-mini"), _deployment("gpt-4.1"))
    mini, older = codex_models(routing, ["gpt-5-mini", "gpt-4.1"])
    efforts = [level["effort"] for level in mini["supported_reasoning_levels"]]
    assert efforts == ["minimal", "low", "medium", "high"]
    assert mini["default_reasoning_level"] == "medium"
    assert older["supported_reasoning_levels"] == []
    assert "default_reasoning_level" not in older


def test_the_context_window_is_the_smallest_that_the_entries_state() -> None:
    routing = _registry(
        _deployment("own", id="a", tag="a", max_input_tokens=200_000),
        _deployment("own", id="b", tag="b", max_input_tokens=100_000),
        _deployment("other"),
    )
    own, other = codex_models(routing, ["own", "other"])
    assert own["context_window"] == 100_000
    assert other["context_window"] == 272_000
