"""The prices that hold for one user: those of their own, then those listed less their discounts."""

from collections.abc import Iterable
from decimal import Decimal

from azure_responses.pricing.bill import NOTHING
from azure_responses.pricing.price import Price
from azure_responses.pricing.price_table import (
    ImagePrice,
    PriceTable,
    read_listed_prices,
    spellings,
)

__all__ = ["Catalogue"]


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

    def discount(self, name: str) -> Decimal:
        """The fraction off a model's or tool's price; that of its own wins over the general one."""
        general = self.discounts.get(None, NOTHING)
        own = (self.discounts[name] for name in spellings(name) if name in self.discounts)
        return next(own, general)
