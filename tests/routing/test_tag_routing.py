"""Which deployments a call with tags may go to."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError
from azure_responses.routing import deployment_registry
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import read_settings
from azure_responses.routing.tag_routing import matching, take_tags


def deployment(name: str, *tags: str) -> Deployment:
    return Deployment(name, "gpt", "m", f"tag-{name}", name, tags=tags)


FREE, PAID, BOTH, USUAL, BARE = (
    deployment("free", "free"),
    deployment("paid", "paid"),
    deployment("both", "free", "paid"),
    deployment("usual", "default"),
    deployment("bare"),
)


@pytest.mark.parametrize(
    ("deployments", "tags", "any_of", "found"),
    [
        ([FREE, PAID, BOTH], ["free"], True, [FREE, BOTH]),
        ([FREE, PAID, BOTH], ["free", "paid"], True, [FREE, PAID, BOTH]),
        ([FREE, PAID, BOTH], ["free", "paid"], False, [BOTH]),
        ([FREE, USUAL], ["paid"], True, [USUAL]),
        ([FREE, BARE], ["paid"], True, []),
        ([FREE, USUAL, BARE], [], True, [USUAL]),
        ([FREE, BARE], [], True, [FREE, BARE]),
    ],
)
def test_deployments_are_chosen_as_in_litellm(
    deployments: Any, tags: Any, any_of: bool, found: Any
) -> None:
    assert list(matching(deployments, tags, any_of=any_of)) == found


@pytest.mark.parametrize(
    ("body", "headers", "tags", "left"),
    [
        ({"tags": ["b", "a", "a"]}, None, ("a", "b"), {}),
        ({"metadata": {"tags": ["a"], "x": "1"}}, {}, ("a",), {"metadata": {"x": "1"}}),
        ({"litellm_metadata": {"tags": ["a"]}}, {}, ("a",), {"litellm_metadata": {}}),
        ({"metadata": {"tags": "own"}}, {}, (), {"metadata": {"tags": "own"}}),
        ({"tags": "own", "metadata": 3}, {}, (), {"tags": "own", "metadata": 3}),
        ({}, {"x-litellm-tags": " a, ,b "}, ("a", "b"), {}),
        ({"tags": [1, "a"]}, {}, ("a",), {}),
    ],
)
def test_tags_are_taken_out_of_the_body(body: Any, headers: Any, tags: Any, left: Any) -> None:
    assert take_tags(body, headers) == tags
    assert body == left


def reserve(registry: DeploymentRegistry, *tags: str) -> str:
    call = RoutedCall(registry, RouteRequest("gpt", tags=tags), 0.0)
    step: Any = call.next_step(0.0, 0.5)
    return str(step.candidates[0].deployment.id)


def test_a_call_goes_by_its_tags_where_the_settings_say_so() -> None:
    registry = DeploymentRegistry([FREE, PAID], read_settings({"enable_tag_filtering": True}))
    for _ in range(2):
        assert reserve(registry, "free") == "free"
        assert reserve(registry, "paid", "other") == "paid"
    with pytest.raises(BadRequestError, match="tags of this call: other"):
        reserve(registry, "other")
    assert reserve(DeploymentRegistry([FREE]), "paid") == "free"


def test_names_of_tags_cannot_fill_the_memory() -> None:
    registry = DeploymentRegistry([FREE, USUAL], read_settings({"enable_tag_filtering": True}))
    for number in range(100):
        assert reserve(registry, f"unknown-{number}") == "usual"
    assert len(registry._pinned) == 1


def test_a_full_table_of_parts_of_groups_changes_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_registry, "_MOST_PINNED", 0)
    registry = DeploymentRegistry([FREE, PAID], read_settings({"enable_tag_filtering": True}))
    assert reserve(registry, "paid") == "paid"
    assert not registry._pinned
