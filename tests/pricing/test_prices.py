import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing import prices
from azure_responses.pricing.prices import (
    EVERY_ZONE,
    Catalogue,
    ImagePrice,
    Price,
    PriceTable,
    ToolPrice,
    is_version_of,
    read_amount,
    read_listed_prices,
    spellings,
)


@pytest.mark.parametrize("value", [Decimal("0.1"), 0.1, "0.1"])
def test_an_amount_is_read_as_it_is_written(value: Any) -> None:
    assert read_amount(value, "input") == Decimal("0.1")


@pytest.mark.parametrize("value", ["a lot", "", -1, "NaN", "Infinity", None, True])
def test_what_is_no_sum_of_money_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="cached_input is"):
        read_amount(value, "cached_input")


def test_a_discount_lowers_every_price_there_is() -> None:
    half = Decimal("0.5")
    price = Price(Decimal(2), Decimal(8), Decimal(1), Decimal(3), above=10, source="a page")
    assert price.discount(half) == Price(
        Decimal(1), Decimal(4), half, Decimal("1.5"), above=10, source="a page"
    )


def test_a_discount_invents_no_price() -> None:
    price = Price(Decimal(2), Decimal(8)).discount(Decimal("0.5"))
    assert price.cached_input is None
    assert price.cache_write is None


_ROOT = Path(__file__).parent.parent.parent
_PACKAGED = Path(prices.__file__).with_name("prices.json")


def _price(input: int, cached: str | None = None) -> Price:
    return Price(Decimal(input), Decimal(8), Decimal(cached) if cached else None)


def _table(**rows: Price) -> PriceTable:
    """Prices of one model by `zone_tier_above`."""
    table = PriceTable()
    for name, price in rows.items():
        zone, tier, above = name.split("_")
        zone = EVERY_ZONE if zone == "all" else zone
        table.add("gpt", price, zone=zone, tier=tier, above=int(above))
    return table


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("gpt-5", ["gpt-5"]),
        ("GPT-5-2025-08-07", ["gpt-5-2025-08-07", "gpt-5"]),
        ("gpt-4-0613", ["gpt-4-0613"]),
        # A fine-tuned model costs something else.
        ("gpt-4o-2024-08-06.ft-1", ["gpt-4o-2024-08-06.ft-1"]),
    ],
)
def test_a_model_is_listed_with_its_date_or_without(model: str, names: list[str]) -> None:
    assert list(spellings(model)) == names


def test_a_version_is_of_the_model_without_its_date() -> None:
    assert is_version_of("gpt-5-2025-08-07", "GPT-5")
    assert not is_version_of("gpt-5-mini-2025-08-07", "gpt-5")


def test_a_price_is_found_by_zone_and_tier() -> None:
    table = _table(us_standard_0=_price(1), eu_standard_0=_price(2), us_priority_0=_price(3))
    found = table.find("gpt", zone="us", tier="priority", size=5)
    assert found == _price(3)
    assert table.find("gpt", zone="eu", tier="priority", size=5) is None
    assert table.find("other", zone="eu", tier="standard", size=5) is None


@pytest.mark.parametrize(("size", "input"), [(0, 1), (272_000, 1), (272_001, 2)])
def test_a_larger_price_holds_above_its_size_and_not_at_it(size: int, input: int) -> None:
    table = _table(us_standard_0=_price(1), us_standard_272000=_price(2))
    found = table.find("gpt", zone="us", tier="standard", size=size)
    assert found is not None
    assert found.input == input


def test_the_smaller_price_does_not_hold_for_a_size_that_has_its_own_in_another_tier() -> None:
    table = _table(us_standard_0=_price(1), us_standard_9=_price(2), us_priority_0=_price(3))
    assert table.find("gpt", zone="us", tier="priority", size=10) is None


def test_a_price_for_every_zone_holds_where_there_is_none_of_the_zone() -> None:
    table = _table(all_standard_0=_price(1), us_standard_0=_price(2))
    for zone, input in (("us", 2), ("eu", 1)):
        found = table.find("gpt", zone=zone, tier="standard", size=1)
        assert found is not None
        assert found.input == input


@pytest.mark.parametrize("tier", ["flex", "batch"])
@pytest.mark.parametrize(
    ("standard", "listed", "cached"),
    [("0.5", None, "0.5"), ("1.5", None, "1"), ("0.5", "0.2", "0.2"), (None, None, None)],
)
def test_cached_tokens_of_a_cheaper_tier_cost_at_most_what_they_cost_in_standard(
    tier: str, standard: str | None, listed: str | None, cached: str | None
) -> None:
    table = _table(**{"us_standard_0": _price(2, standard), f"us_{tier}_0": _price(1, listed)})
    found = table.find("gpt", zone="us", tier=tier, size=1)
    assert found is not None
    assert found.cached_input == (Decimal(cached) if cached else None)


def test_cached_tokens_of_a_dearer_tier_do_not_borrow_the_standard_discount() -> None:
    table = _table(us_standard_0=_price(2, "1"), us_priority_0=_price(4))
    found = table.find("gpt", zone="us", tier="priority", size=1)
    assert found is not None
    assert found.cached_input is None


def test_a_cheaper_tier_alone_is_taken_as_it_is() -> None:
    found = _table(us_flex_0=_price(2)).find("gpt", zone="us", tier="flex", size=1)
    assert found == _price(2)


def test_a_version_listed_apart_in_one_zone_is_its_model_in_another() -> None:
    table = _table(us_standard_0=_price(1), eu_standard_0=_price(1))
    table.add("gpt-2026-01-01", _price(2), zone="us", tier="standard", above=0)
    assert table.find_model("GPT-2026-01-01", "us") == "gpt-2026-01-01"
    assert table.find_model("gpt-2026-01-01", "eu") == "gpt"
    assert table.find_model("gpt-2026-01-01", "mars") == "gpt-2026-01-01"
    assert table.find_model("gpt-9", "us") is None


def test_adding_a_price_does_not_disturb_who_reads() -> None:
    table = _table(us_standard_0=_price(1))
    before = table.prices["gpt"]
    table.add("gpt", _price(2), zone="eu", tier="standard", above=0)
    assert len(before) == 1


def _rows(kind: str) -> list[dict[str, Any]]:
    document = json.loads(_PACKAGED.read_text("utf-8"))
    rows: list[dict[str, Any]] = document[kind]
    return rows


def test_every_listed_row_has_a_source_and_a_date() -> None:
    listed = read_listed_prices()
    prices = [price for rows in listed.prices.values() for price in rows.values()]
    rows: list[Price | ToolPrice | ImagePrice]
    rows = [*prices, *listed.tools.values(), *listed.images.values()]
    for row in rows:
        assert row.source
        assert re.fullmatch(r"202\d-\d\d", row.date)


def test_every_packaged_row_is_read() -> None:
    listed = read_listed_prices()
    assert sum(map(len, listed.prices.values())) == len(_rows("prices")) > 400
    assert len(listed.tools) == len(_rows("tools"))
    assert len(listed.images) == len(_rows("images"))


def test_listed_prices_are_of_a_plausible_size() -> None:
    for model, rows in read_listed_prices().prices.items():
        for price in rows.values():
            assert 0 < price.input <= 150, model
            assert 0 <= price.output <= 300, model
            assert price.cached_input is None or price.cached_input <= price.input, model
            assert price.cache_write is None or price.cache_write >= price.input, model


def test_a_data_zone_costs_more_than_the_world() -> None:
    prices = read_listed_prices().prices
    there = {
        (model, place): price
        for model, rows in prices.items()
        for place, price in rows.items()
        if place[0] in ("us", "eu", "apac")
    }
    assert len(there) > 150
    for (model, (_, tier, above)), price in there.items():
        world = prices[model].get(("global", tier, above))
        # Embeddings cost the same everywhere.
        is_embedding = model.startswith("text-embedding")
        assert world is None or world.input < price.input + is_embedding, model


def test_the_packaged_prices_are_those_the_script_builds_from_a_clone(tmp_path: Path) -> None:
    script = _ROOT / "scripts" / "build-prices"
    if not script.is_file():
        pytest.skip("the script that builds prices is not in this distribution")
    built = tmp_path / "prices.json"
    subprocess.run(
        [sys.executable, str(script), "--output", str(built)],
        check=True,
        capture_output=True,
    )
    assert built.read_text("utf-8") == _PACKAGED.read_text("utf-8")


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


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("Kimi-K2.5", "kimi-k2.5"),
        ("DeepSeek-V3.2", "deepseek-v3.2"),
        ("Mistral-Large-3", "mistral-large-3"),
        ("Codestral-2501", "codestral-2501"),
        ("grok-4", "grok-4"),
        ("Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"),
        ("Llama-4-Maverick-17B-128E-Instruct-FP8", "llama-4-maverick-17b-128e-instruct-fp8"),
        ("MAI-DS-R1", "mai-ds-r1"),
        ("gpt-oss-120b", "gpt-oss-120b"),
        ("gpt-35-turbo", "gpt-35-turbo"),
        ("model-router", "model-router"),
        ("claude-opus-4-8", "claude-opus-4-8"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        # Another date is another model, whose price may differ.
        ("mistral-large-2411", None),
        ("deepseek-r1-0528", None),
    ],
)
def test_every_family_of_a_foundry_resource_has_its_price(model: str, listed: str | None) -> None:
    table = read_listed_prices()
    assert table.find_model(model, "global") == listed
