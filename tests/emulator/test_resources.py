"""Configuration of resources and deployments."""

from dataclasses import fields
from typing import Any

import pytest

import azure_responses.emulator
from azure_responses.emulator import Assumptions, EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import create, open_client
from tests.tree import PACKAGE


def test_any_deployment_name_is_taken_as_a_model_by_default() -> None:
    emulator = Emulator()
    assert (emulator.endpoint, emulator.api_key) == (
        "https://emulator.openai.azure.com",
        "emulator-key",
    )
    with open_client(emulator) as client:
        assert create(client, model="anything").json()["model"] == "anything"


def test_strict_deployments_refuse_every_unknown_name() -> None:
    with open_client(Emulator(strict_deployments=True)) as client:
        assert create(client).json()["error"]["code"] == "DeploymentNotFound"


@pytest.mark.parametrize(
    ("resource", "is_strict"),
    [
        (Resource("r"), False),
        (Resource("r", strict_deployments=True), True),
        (Resource("r", deployments=[]), True),
        (Resource("r", deployments=[], strict_deployments=False), False),
    ],
)
def test_named_deployments_are_the_whole_truth_unless_said_otherwise(
    resource: Resource, is_strict: bool
) -> None:
    assert resource.is_strict is is_strict
    assert (resource.find_deployment("x") is None) is is_strict


def test_a_deployment_runs_the_model_it_names_and_echoes_its_own_name() -> None:
    resource = Resource(
        "r", deployments=[EmulatedDeployment("mine", "gpt-4.1"), EmulatedDeployment("gpt-4.1")]
    )
    assert resource.find_deployment("mine") == EmulatedDeployment("mine", "gpt-4.1")
    assert [item.model_name for item in resource.deployments or ()] == ["gpt-4.1", "gpt-4.1"]
    with open_client(Emulator([resource])) as client:
        assert create(client, model="mine").json()["model"] == "mine"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "ptu"}, "kind is one of standard, provisioned"),
        ({"limit_reply": "A"}, "limit_reply is one of http"),
        ({"rate_limit_headers": "no"}, "rate_limit_headers is one of absent"),
        ({"chunking": "sync"}, "chunking is one of default, async"),
        ({"tokens_per_minute": "10k"}, "tokens_per_minute is a whole number"),
        ({"requests_per_minute": -1}, "requests_per_minute is a whole number"),
        ({"requests_per_minute": True}, "requests_per_minute is a whole number"),
    ],
)
def test_a_deployment_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EmulatedDeployment("d", **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keys": "one"}, "keys is a list"),
        ({"keys": []}, "keys is a list"),
        ({"network": "shut"}, "network is one of open"),
        ({"missing_deployment": "404"}, "missing_deployment is one of DeploymentNotFound"),
        ({"deployments": [EmulatedDeployment("d"), EmulatedDeployment("d")]}, "different names"),
    ],
)
def test_a_resource_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Resource("r", **fields)


def test_strictness_is_said_on_each_resource_of_ones_own() -> None:
    with pytest.raises(ValueError, match="strict_deployments is for the default resource"):
        Emulator([Resource("r")], strict_deployments=True)


def test_a_reset_forgets_everything_but_the_configuration() -> None:
    emulator = Emulator(
        [Resource("r", deployments=[EmulatedDeployment("gpt-4.1", requests_per_minute=1)])]
    )
    with open_client(emulator) as client:
        first = create(client).json()["id"]
        assert create(client).status_code == 429
        emulator.reset()
        assert client.get(f"/openai/v1/responses/{first}").status_code == 404
        assert create(client).status_code == 200
    assert len(emulator.requests) == 2


def test_every_assumption_is_on_the_page_and_holds_by_default() -> None:
    page = (PACKAGE.parent / "docs" / "emulator.md").read_text(encoding="utf-8")
    for field in fields(Assumptions):
        assert f"| `{field.name}` |" in page
        assert field.default is True


def test_the_former_name_of_a_deployment_still_works_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="EmulatedDeployment"):
        former = getattr(azure_responses.emulator, "Deployment")  # noqa: B009
    assert former is EmulatedDeployment
    with pytest.raises(AttributeError, match="Nothing"):
        getattr(azure_responses.emulator, "Nothing")  # noqa: B009
