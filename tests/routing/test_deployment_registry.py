"""The deployments of a router, and the chains of its groups."""

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment_registry import FallbackKind, Fallbacks
from azure_responses.routing.route_request import Pin
from azure_responses.routing.settings import read_settings
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


def test_a_call_with_copies_stays_on_their_resources() -> None:
    routing = fleet("a", deployment("b", weight=0), "c", deployment("d", "other", resource="x"))
    pin = Pin("resource-a", others=("resource-b", "x"))
    scope = routing.scope("gpt", ask(), pin)
    assert scope is not None
    assert {one.id for one in scope.deployments} == {"a", "b"}
    # A weight of 0 keeps calls away that another resource can serve.
    assert [one.id for tier in scope.tiers for one in tier.deployments] == ["a"]
    last = routing.scope("gpt", ask(), Pin("resource-b", others=("nowhere",)))
    assert last is not None
    assert [one.id for tier in last.tiers for one in tier.deployments] == ["b"]
    fixed = routing.scope("gpt", ask(can_move=False), pin)
    assert fixed is not None
    assert {one.id for one in fixed.deployments} == {"a", "b", "d"}


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


_GROUPS = {"gpt", "backup", "long"}


def test_each_kind_has_its_own_chain_and_only_general_ones_a_default() -> None:
    options = {
        "fallbacks": [{"gpt": ["backup"]}],
        "context_window_fallbacks": [{"gpt": ["long"]}],
        "default_fallbacks": ["long"],
    }
    fallbacks = Fallbacks(read_settings(options), _GROUPS)
    assert fallbacks.chain("general", "gpt") == ("backup",)
    assert fallbacks.chain("general", "backup") == ("long",)
    assert fallbacks.chain("context window", "gpt") == ("long",)
    assert fallbacks.chain("context window", "backup") == ()
    assert fallbacks.chain("content policy", "gpt") == ()


def test_aliases_stand_for_their_groups() -> None:
    options = {"fallbacks": {"gpt": ["spare"]}, "aliases": {"spare": "backup"}}
    assert Fallbacks(read_settings(options), _GROUPS).chain("general", "gpt") == ("backup",)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("fallbacks", "general"),
        ("context_window_fallbacks", "context window"),
        ("content_policy_fallbacks", "content policy"),
    ],
)
def test_a_chain_may_be_written_for_an_alias(key: str, kind: FallbackKind) -> None:
    chains = [{"chat": ["backup"]}, {"gpt": ["long"]}]
    fallbacks = Fallbacks(read_settings({key: chains, "aliases": {"chat": "gpt"}}), _GROUPS)
    assert fallbacks.chain(kind, "gpt") == ("backup", "long")


@pytest.mark.parametrize(
    "key", ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"]
)
def test_a_group_that_does_not_exist_is_refused(key: str) -> None:
    for chain in ({"gpt": ["bakcup"]}, {"bakcup": ["gpt"]}):
        with pytest.raises(ConfigurationError, match=rf"{key} .* Did you mean 'backup'"):
            Fallbacks(read_settings({key: [chain]}), _GROUPS)
    with pytest.raises(ConfigurationError, match="Add it to the model list"):
        Fallbacks(read_settings({"default_fallbacks": ["zzz"]}), _GROUPS)


def test_with_a_star_any_name_may_be_a_group() -> None:
    fallbacks = Fallbacks(read_settings({"fallbacks": {"o3": ["o4"]}}), {"*"})
    assert fallbacks.chain("general", "o3") == ("o4",)


def test_batches_go_to_batch_deployments_unless_the_gateway_executes_them() -> None:
    routing = fleet("a", deployment("b", is_batch=True, weight=0.0))
    a, b = routing.deployments
    assert routing.batch_deployments("gpt") == (b,)
    assert routing.batch_deployments("zzz") == ()
    own = fleet("a", deployment("b", is_batch=True, executes="gateway"))
    assert own.batch_deployments("gpt") == ()
    assert fleet("a").batch_deployments("gpt") == ()
    assert a.weight == 1.0


def test_answers_of_batches_are_those_of_a_deployment_that_goes_on() -> None:
    there = {"resource": "r"}
    batch = deployment("b", is_batch=True, **there)
    single = deployment("a", **there)
    other = deployment("o", "other", is_batch=True, **there)
    assert fleet(single, batch).batch_origin("r") == (single, "gpt")
    assert fleet(batch).batch_origin("r") == (batch, "gpt")
    assert fleet(single).batch_origin("r") is None
    assert fleet(single, batch).batch_origin("zzz") is None
    # Of which model an answer is, is not known.
    assert fleet(batch, other).batch_origin("r") == (batch, None)


def test_a_pinned_single_call_never_goes_to_a_batch_deployment() -> None:
    routing = fleet(
        deployment("a", resource="r"), deployment("b", resource="r", is_batch=True, weight=0.0)
    )
    scope = routing.scope("gpt", ask(), Pin("r"))
    assert scope is not None
    assert [one.id for one in scope.deployments] == ["a"]
    stored = routing.scope("gpt", ask()._replace(can_move=False), Pin("r"))
    assert stored is not None
    assert len(stored.deployments) == 2
    only = fleet(deployment("b", resource="r", is_batch=True, weight=0.0))
    assert only.scope("gpt", ask(), Pin("r")) is None
