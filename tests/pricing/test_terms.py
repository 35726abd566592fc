import pytest

from azure_responses.pricing.terms import (
    DATA_ZONES,
    PricedDeployment,
    Terms,
    read_zone,
    settle_terms,
)
from azure_responses.pricing.use import Use


def _models(served: str | None, base: str | None = None, name: str | None = None) -> list[str]:
    return list(settle_terms(Use(model=served), PricedDeployment(base_model=base), name).models)


@pytest.mark.parametrize(
    ("served", "base", "name", "models"),
    [
        ("gpt-5.1", None, None, ["gpt-5.1"]),
        (None, "gpt-5.1", None, ["gpt-5.1"]),
        ("prod", "gpt-5.1", "prod", ["gpt-5.1", "prod"]),
        ("gpt-4.1", "gpt-5.1", "prod", ["gpt-5.1", "gpt-4.1", "prod"]),
        # The reply says which version of the base model it was.
        ("gpt-4o-2024-05-13", "gpt-4o", None, ["gpt-4o-2024-05-13", "gpt-4o"]),
        ("test-deployment", None, "gpt-5-mini", ["test-deployment", "gpt-5-mini"]),
        ("GPT-5.1", None, "azure/responses/prod", ["gpt-5.1", "prod"]),
        ("DeepSeek-V4-Pro", "azure_ai/deepseek-v4-pro", None, ["deepseek-v4-pro"]),
        (None, None, None, []),
        ("mistralai/small", None, None, ["mistralai/small"]),
    ],
)
def test_the_base_model_comes_first_then_the_reply_then_the_name(
    served: str | None, base: str | None, name: str | None, models: list[str]
) -> None:
    assert _models(served, base, name) == models


@pytest.mark.parametrize(
    ("base", "name", "is_routed"),
    [
        ("model-router", "prod", True),
        ("azure/model_router", None, True),
        (None, "model-router", True),
        ("gpt-5.1", "model-router", False),
        (None, "prod", False),
    ],
)
def test_the_router_is_known_by_base_model_or_name(
    base: str | None, name: str | None, is_routed: bool
) -> None:
    terms = settle_terms(Use(model="gpt-4.1-nano"), PricedDeployment(base_model=base), name)
    assert terms.is_routed is is_routed


def test_the_router_is_priced_as_the_model_that_served_alone() -> None:
    said = PricedDeployment(base_model="model-router")
    terms = settle_terms(Use(model="gpt-4.1-nano"), said, "prod")
    assert terms.models == ("gpt-4.1-nano",)


@pytest.mark.parametrize(
    ("served", "said", "tier"),
    [
        (None, None, "standard"),
        ("default", None, "standard"),
        ("auto", None, "standard"),
        ("priority", None, "priority"),
        ("Flex", None, "flex"),
        ("default", "batch", "batch"),
        ("ultrafast", None, "ultrafast"),
    ],
)
def test_the_tier_served_counts_unless_one_is_said(
    served: str | None, said: str | None, tier: str
) -> None:
    assert settle_terms(Use(tier=served), PricedDeployment(tier=said), None).tier == tier


@pytest.mark.parametrize(
    ("zone", "region", "row"),
    [
        (None, None, "global"),
        (None, "East US 2", "global"),
        ("Global Standard", "East US 2", "global"),
        ("us", None, "us"),
        ("EU", "eastus", "eu"),
        ("data-zone", "Sweden Central", "eu"),
        ("DataZoneStandard", "eastus2", "us"),
        ("data zone", "japaneast", "apac"),
        ("data-zone", "uksouth", "data-zone"),
        ("regional", "Sweden Central", "swedencentral"),
        ("Standard", "swedencentral", "swedencentral"),
        ("regional", None, "regional"),
        (None, "USGov Virginia", "us-gov"),
        ("regional", "usgovarizona", "us-gov"),
        ("us-gov", None, "us-gov"),
        ("swedencentral", None, "swedencentral"),
    ],
)
def test_the_zone_of_a_price(zone: str | None, region: str | None, row: str) -> None:
    assert read_zone(zone, region) == row


def test_no_region_is_in_two_data_zones() -> None:
    regions = [region for places in DATA_ZONES.values() for region in places]
    assert len(regions) == len(set(regions))


def test_a_base_model_may_name_its_zone() -> None:
    said = PricedDeployment(base_model="azure/us/gpt-5.1")
    assert settle_terms(Use(), said, None) == Terms(("gpt-5.1",), "us", "standard")
    assert settle_terms(Use(), PricedDeployment(zone="eu").over(said), None).zone == "eu"


def test_the_region_of_the_reply_serves_where_none_is_said() -> None:
    use = Use(region="Sweden Central")
    assert settle_terms(use, PricedDeployment(zone="data-zone"), None).zone == "eu"
    assert settle_terms(use, PricedDeployment(zone="data-zone", region="eastus"), None).zone == "us"


def test_provisioned_tokens_that_spilled_over_are_not() -> None:
    said = PricedDeployment(provisioned=True)
    assert settle_terms(Use(), said, None).is_provisioned
    assert not settle_terms(Use(is_spilled=True), said, None).is_provisioned


def test_what_is_said_later_covers_what_was_registered() -> None:
    registered = PricedDeployment(base_model="gpt-5.1", zone="us", provisioned=True)
    said = PricedDeployment(zone="eu", provisioned=False)
    assert said.over(registered) == PricedDeployment("gpt-5.1", zone="eu", provisioned=False)
    assert said.over(None) is said
