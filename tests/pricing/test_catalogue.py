from decimal import Decimal

import pytest

from azure_responses.pricing.catalogue import Catalogue
from azure_responses.pricing.price import Price
from azure_responses.pricing.price_table import ToolPrice

_PRICE = Price(Decimal(3), Decimal(3))


def _catalogue() -> Catalogue:
    catalogue = Catalogue()
    catalogue.own.add("mine", _PRICE, zone="us", tier="standard", above=0)
    return catalogue


def test_the_first_model_with_prices_anywhere_is_found() -> None:
    catalogue = _catalogue()
    assert catalogue.find_model(["nobody", "gpt-5.1-2025-11-13", "mine"], "us") == "gpt-5.1"
    assert catalogue.find_model(["mine", "gpt-5.1"], "eu") == "mine"
    assert catalogue.find_model(["nobody"], "us") is None


def test_zones_are_those_of_both_lists() -> None:
    catalogue = _catalogue()
    catalogue.own.add("gpt-5.1", _PRICE, zone="uksouth", tier="standard", above=0)
    assert catalogue.zones("gpt-5.1") == ["eu", "global", "uksouth", "us", "us-gov"]
    assert catalogue.zones("mine") == ["us"]


def test_own_prices_know_no_discount() -> None:
    catalogue = _catalogue()
    catalogue.discounts[None] = Decimal("0.5")
    catalogue.own.tools["web_search", None] = ToolPrice(Decimal(1))
    found = catalogue.find_price("mine", zone="us", tier="standard", size=1)
    assert found is not None
    assert found.input == 3
    assert catalogue.find_tool("web_search", "mine") == 1
    assert catalogue.find_tool("code_interpreter", "mine") == Decimal("0.0165")


def test_what_nobody_listed_is_not_found() -> None:
    catalogue = _catalogue()
    assert catalogue.find_price("mine", zone="eu", tier="standard", size=1) is None
    assert catalogue.find_tool("hammer", "mine") is None
    assert catalogue.find_image_model("mine") is None


@pytest.mark.parametrize("model", ["gpt-image-1", "GPT-Image-1-2026-01-01"])
def test_an_image_model_is_found_with_its_date_or_without(model: str) -> None:
    catalogue = _catalogue()
    catalogue.discounts["gpt-image-1"] = Decimal("0.2")
    found = catalogue.find_image_model(model)
    assert found is not None
    price, discount = found
    assert price.image_output == 40
    assert discount == Decimal("0.2")
