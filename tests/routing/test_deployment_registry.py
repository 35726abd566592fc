"""Which deployments a call may use."""

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.route_request import Pin
from tests.routing.fleet import ask, deployment, fleet


def test_deployments_are_found_by_every_name() -> None:
    routing = fleet("a", deployment("b", "other", resource="resource-a"), aliases={"x": "other"})
    a, b = routing.deployments
    assert routing.by_id("a") is a
    assert routing.by_id("zzz") is None
    assert routing.by_tag("tag-b") is b
    assert routing.of_resource("resource-a") == (a, b)
    assert routing.of_resource("zzz") == ()
    assert routing.group_of("x") == routing.group_of("other") == (b,)
    assert routing.group_of("zzz") == ()


def test_the_sole_resource_of_a_group_is_known() -> None:
    routing = fleet("a", "b", deployment("c", "one"), deployment("d", "one", resource="resource-c"))
    assert routing.sole_resource("gpt") is None
    assert routing.sole_resource("one") == "resource-c"
    assert routing.sole_resource("zzz") is None


def test_a_star_serves_any_model_that_has_no_group() -> None:
    routing = fleet("a", deployment("b", "*", model="*"))
    assert [d.id for d in routing.group_of("o3")] == ["b"]
    assert [d.id for d in routing.group_of("gpt")] == ["a"]


def test_scopes_of_models_nobody_named_are_not_remembered() -> None:
    routing = fleet(deployment("b", "*", model="*"))
    for n in range(20):
        assert routing.scope(f"m{n}", ask(), Pin("resource-b")) is not None
    assert not routing._pinned
    fixed = ask(can_move=False)
    assert routing.scope("m0", fixed, Pin("resource-b")) is routing.scope(
        "m1", fixed, Pin("resource-b")
    )


def test_no_deployments_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no deployments"):
        fleet()


@pytest.mark.parametrize("twin", [{}, {"tag": "other"}])
def test_two_deployments_of_one_id_are_refused(twin: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="one id"):
        fleet("a", deployment("a", **twin))


def test_an_alias_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'x' stands for 'zzz'"):
        fleet("a", aliases={"x": "zzz"})
