"""Prices by model, zone, tier and size of input, and the list of prices this version knows."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from azure_responses.pricing.price import Price

__all__ = [
    "EVERY_ZONE",
    "ImagePrice",
    "PriceTable",
    "ToolPrice",
    "is_version_of",
    "read_listed_prices",
    "spellings",
]

EVERY_ZONE = "*"

_VERSION = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class ToolPrice:
    """US dollars per call or session of a hosted tool."""

    price: Decimal
    source: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class ImagePrice:
    """US dollars per million tokens of an image model; None where it has no such tokens."""

    text_input: Decimal
    image_input: Decimal
    cached_text_input: Decimal
    cached_image_input: Decimal
    image_output: Decimal
    text_output: Decimal | None = None
    source: str = ""
    date: str = ""


def spellings(model: str) -> Iterator[str]:
    """The names a model may be listed under, most specific first: `gpt-5-2025-08-07`, `gpt-5`."""
    name = model.lower()
    yield name
    bare = _VERSION.sub("", name)
    if bare != name:
        yield bare


def is_version_of(model: str, other: str) -> bool:
    """True for `gpt-5-2025-08-07` and `gpt-5`."""
    return _VERSION.sub("", model.lower()) == other.lower()


@dataclass(slots=True)
class PriceTable:
    """Prices found by model, zone, tier and size of input."""

    prices: dict[str, dict[tuple[str, str, int], Price]] = field(default_factory=dict)
    tools: dict[tuple[str, str | None], ToolPrice] = field(default_factory=dict)
    images: dict[str, ImagePrice] = field(default_factory=dict)

    def add(self, model: str, price: Price, *, zone: str, tier: str, above: int) -> None:
        """Add or replace the price of requests of more than `above` input tokens."""
        rows = self.prices.get(model.lower(), {})
        # A new dict each time: another thread may be reading the old one.
        self.prices[model.lower()] = rows | {(zone, tier, above): replace(price, above=above)}

    def find_model(self, model: str, zone: str) -> str | None:
        """The name under which a model is listed; None if it is not.

        With its date if that version has prices in the zone, else without: a version may be
        listed apart in one zone and not in another.
        """
        names = [name for name in spellings(model) if name in self.prices]
        places = {zone, EVERY_ZONE}
        there = (name for name in names if not places.isdisjoint(self.zones(name)))
        return next(there, next(iter(names), None))

    def find(self, model: str, *, zone: str, tier: str, size: int) -> Price | None:
        """The price of a model under its listed name, for a request of `size` input tokens.

        A model priced by size in any tier is so in all: where the larger size has no price in
        this tier, that of the smaller one is not it, and the answer is None.
        """
        rows = self.prices.get(model, {})
        for where in (zone, EVERY_ZONE):
            steps = [above for (place, _, above) in rows if place == where and above < size]
            above = max(steps, default=0)
            price = rows.get((where, tier, above))
            if price is not None:
                standard = rows.get((where, "standard", above), price)
                return _complete(price, standard) if tier in _CHEAPER else price
        return None

    def zones(self, model: str) -> set[str]:
        """The zones that a model has prices for under this name."""
        return {zone for zone, _, _ in self.prices.get(model, {})}


_CHEAPER = frozenset({"flex", "batch"})


def _complete(price: Price, standard: Price) -> Price:
    """A cheaper tier's price; where it lists none for cached tokens, they cost at most standard's.

    The standard discount on them is larger than that of the tier.
    """
    if price.cached_input is not None or standard.cached_input is None:
        return price
    return replace(price, cached_input=min(price.input, standard.cached_input))


@cache
def read_listed_prices() -> PriceTable:
    """The prices packaged with this version, read on first use; not to be changed."""
    text = resources.files("azure_responses.pricing").joinpath("prices.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    sources: Mapping[str, str] = document["sources"]
    table = PriceTable()
    for row in document["prices"]:
        amounts = _amounts(row, sources)
        at = {name: amounts.pop(name) for name in ("model", "zone", "tier", "above")}
        table.add(
            at["model"], Price(**amounts), zone=at["zone"], tier=at["tier"], above=at["above"]
        )
    for row in document["tools"]:
        amounts = _amounts(row, sources)
        where = amounts.pop("tool"), amounts.pop("model", None)
        del amounts["per"]
        table.tools[where] = ToolPrice(**amounts)
    for row in document["images"]:
        amounts = _amounts(row, sources)
        model = amounts.pop("model")
        table.images[model] = ImagePrice(**amounts)
    return table


_WORDS = frozenset({"model", "zone", "tier", "tool", "per", "date"})


def _amounts(row: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """A row with its sums as Decimals and its source spelt out."""
    values: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) and name not in _WORDS else value
        for name, value in row.items()
        if name != "source"
    }
    return values | {"source": sources[row["source"]]}
