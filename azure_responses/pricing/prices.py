"""What a model's tokens cost, and how prices are written."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from math import inf
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = [
    "EVERY_ZONE",
    "NOTHING",
    "PER_MILLION",
    "Amount",
    "AudioPrice",
    "Catalogue",
    "ImagePrice",
    "Price",
    "PriceTable",
    "ToolPrice",
    "is_version_of",
    "read_amount",
    "read_listed_prices",
    "spellings",
]

Amount = Decimal | int | float | str
"""A sum of money as people write it; floats are taken as they print, so 0.1 is a tenth."""

NOTHING = Decimal(0)
PER_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, as on Azure's price pages.

    `cached_input` is None where the model gives no discount on cached tokens, `cache_write` where
    writing to the cache costs nothing extra: such tokens are charged as input. Microsoft's page on
    prompt caching says that models before gpt-5.6 do not charge for cache writes. `reasoning` is
    None where it is charged as output. Without a price of audio tokens a call that has some has
    none. The price is that of requests of more than `above` input tokens.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    above: int = 0
    source: str = ""
    date: str = ""
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None

    def discount(self, fraction: Decimal) -> "Price":
        """The price less a fraction of it."""
        rest = 1 - fraction
        return replace(
            self,
            input=self.input * rest,
            output=self.output * rest,
            cached_input=None if self.cached_input is None else self.cached_input * rest,
            cache_write=None if self.cache_write is None else self.cache_write * rest,
        )


def read_amount(value: Amount, name: str) -> Decimal:
    """A sum of money as a Decimal.

    Raises:
        ConfigurationError: it is not a number, or negative.
    """
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise ConfigurationError(
            f"{name} is {value!r}, not a sum of money.",
            hint="Write US dollars as a number that is not negative.",
        )
    return amount


# A price registered without a zone holds in all of them.
EVERY_ZONE = "*"

# Replies name the snapshot that served; price pages name the model. Claude's have no dashes.
_VERSION = re.compile(r"-\d{4}-\d{2}-\d{2}$|(?<=\d)[-@]20\d{6}$")


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


@dataclass(frozen=True, slots=True)
class AudioPrice:
    """US dollars per million tokens, per second or per character; None without a price."""

    text_input: Decimal | None = None
    audio_input: Decimal | None = None
    text_output: Decimal | None = None
    audio_output: Decimal | None = None
    second: Decimal | None = None
    character: Decimal | None = None
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
    audio: dict[str, AudioPrice] = field(default_factory=dict)

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
        # The zone's own prices first; one row of it hides nothing of the other tiers and sizes.
        for where in (zone, EVERY_ZONE):
            steps = [above for (place, _, above) in rows if place == where and above < size]
            above = max(steps, default=0)
            price = rows.get((where, tier, above))
            if price is not None:
                standard = rows.get((where, "standard", above), price)
                return _complete(price, standard) if tier in _CHEAPER else price
        return None

    def first_step(self, model: str) -> float:
        """The size of input above which a model has another price in some tier or zone."""
        steps = (above for _, _, above in self.prices.get(model, {}) if above)
        return min(steps, default=inf)

    def zones(self, model: str) -> set[str]:
        """The zones that a model has prices for under this name."""
        return {zone for zone, _, _ in self.prices.get(model, {})}


# Tiers whose prices are often listed without one for cached tokens.
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
    for row in document["audio"]:
        amounts = _amounts(row, sources)
        model = amounts.pop("model")
        table.audio[model] = AudioPrice(**amounts)
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


class Catalogue:
    """Finds prices.

    Attributes:
        own: registered prices, which no discount changes.
        discounts: fractions off the listed prices, by model or tool; that under None is general.
    """

    def __init__(self) -> None:
        self.own = PriceTable()
        self.discounts: dict[str | None, Decimal] = {}

    def find_model(self, models: Iterable[str], zone: str) -> str | None:
        """The first model that has prices anywhere, under the name it is listed by."""
        for model in models:
            for table in (self.own, read_listed_prices()):
                name = table.find_model(model, zone)
                if name is not None:
                    return name
        return None

    def find_price(self, model: str, *, zone: str, tier: str, size: int) -> Price | None:
        """The price of a request of `size` input tokens to a model that was found."""
        price = self.own.find(model, zone=zone, tier=tier, size=size)
        if price is not None:
            return price
        price = read_listed_prices().find(model, zone=zone, tier=tier, size=size)
        return price.discount(self.discount(model)) if price and self.discounts else price

    def short_input(self, model: str) -> float:
        """The largest input, in tokens, for which a model has the price of a small one."""
        return min(self.own.first_step(model), read_listed_prices().first_step(model))

    @property
    def image(self) -> Decimal | None:
        """US dollars per image made; the listed models are billed by tokens."""
        return None

    @property
    def has_routing_fee(self) -> bool:
        """The model router takes a fee besides the price of the model it chooses."""
        return True

    def zones(self, model: str) -> list[str]:
        """The zones a model has prices for."""
        return sorted({*self.own.zones(model), *read_listed_prices().zones(model)})

    def find_tool(self, tool: str, model: str | None) -> Decimal | None:
        """US dollars for one use of a hosted tool by a model; None where no price is known."""
        places = ((tool, model), (tool, None))
        own = next((self.own.tools[place] for place in places if place in self.own.tools), None)
        if own is not None:
            return own.price
        tools = read_listed_prices().tools
        listed = next((tools[place] for place in places if place in tools), None)
        return None if listed is None else listed.price * (1 - self.discount(tool))

    def find_image_model(self, model: str) -> tuple[ImagePrice, Decimal] | None:
        """The listed price of an image model and the discount on it."""
        prices = read_listed_prices().images
        name = next((name for name in spellings(model) if name in prices), None)
        return None if name is None else (prices[name], self.discount(name))

    def find_audio_model(self, model: str) -> AudioPrice | None:
        """The listed price of a model that reads or writes audio; no discount is in it."""
        prices = read_listed_prices().audio
        return next((prices[name] for name in spellings(model) if name in prices), None)

    def discount(self, name: str) -> Decimal:
        """The fraction off a model's or tool's price; that of its own wins over the general one."""
        general = self.discounts.get(None, NOTHING)
        own = (self.discounts[name] for name in spellings(name) if name in self.discounts)
        return next(own, general)
