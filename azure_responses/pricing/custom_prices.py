"""The prices that one entry of a model list sets: they hold for its calls, and for no others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from math import inf
from typing import Any

from azure_responses.pricing.prices import NOTHING, AudioPrice, Catalogue, ImagePrice, Price

__all__ = ["SEARCH_SIZES", "CustomCatalogue", "CustomPrices"]

_STANDARD, _BATCH = "standard", "batch"
_PARTS = (
    "input",
    "output",
    "cached_input",
    "cache_write",
    "reasoning",
    "audio_input",
    "audio_output",
)
SEARCH_SIZES = ("low", "medium", "high")
"""What the tool `web_search` takes as `search_context_size`; "medium" is its default."""

_Listed = Callable[[str], Price | None]


@dataclass(frozen=True, eq=False)
class CustomPrices:
    """What an entry of a model list says of prices; amounts in US dollars.

    What is not set is as LiteLLM 1.110 has it: without a price of input or of output, such tokens
    cost nothing if the other one has a price; a tier without prices of its own has the listed ones
    of the model, or else the standard price of the entry, and `batch` half of that. Tokens in the
    cache have the listed price of the model, but cost no more than other input.

    Attributes:
        tokens: tier and size of input from which it holds → part of a `Price` → dollars per million
            tokens.
        tools: dollars per use or session, by the names of `pricing.register_tool`.
        searches: dollars per web search, by its `search_context_size`.
        audio: of the APIs of audio, where the entry has a price of its own for them.
        image_tokens: dollars per million tokens of images given and made.
        image: dollars per image made.
        discount: a fraction that is taken off all that a call costs.
        margin: a fraction that is added, after the discount.
        fee: dollars that are added to each call.
    """

    tokens: Mapping[tuple[str, int], Mapping[str, Decimal]] = field(default_factory=dict)
    tools: Mapping[str, Decimal] = field(default_factory=dict)
    searches: Mapping[str, Decimal] = field(default_factory=dict)
    audio: AudioPrice | None = None
    image_tokens: tuple[Decimal | None, Decimal | None] = (None, None)
    image: Decimal | None = None
    discount: Decimal = NOTHING
    margin: Decimal = NOTHING
    fee: Decimal = NOTHING

    @cached_property
    def is_complete(self) -> bool:
        """True where the entry prices tokens by itself, and does not only change a listed price."""
        base = self.tokens.get((_STANDARD, 0), {})
        return "input" in base or "output" in base

    @cached_property
    def is_free(self) -> bool:
        """True where all that it says of tokens is that they cost nothing."""
        return self.is_complete and not any(
            amount for parts in self.tokens.values() for amount in parts.values()
        )

    @cached_property
    def factor(self) -> Decimal:
        """What a cost is multiplied by, for the discount and the margin."""
        return (1 - self.discount) * (1 + self.margin)

    @cached_property
    def first_step(self) -> float:
        """The size of input above which the entry has another price."""
        return min((above for _, above in self.tokens if above), default=inf)

    def adjust(self, cost: Decimal) -> Decimal:
        """A cost with the discount, the margin and the fee of the entry."""
        return cost * self.factor + self.fee

    def price(self, tier: str, size: int, listed: _Listed) -> Price | None:
        """The price of a request of `size` input tokens; None where only a listed one could say.

        Args:
            tier: "standard", "priority", "flex", "batch"…
            listed: tier → the listed price of the model for this size.
        """
        parts: dict[str, Any] = {name: self._part(name, tier, size, listed) for name in _PARTS}
        given, made = parts.pop("input"), parts.pop("output")
        if given is None or made is None:
            return None
        cached, write = parts["cached_input"], parts["cache_write"]
        if cached is not None and self._own("cached_input", tier, size) is None:
            parts["cached_input"] = min(cached, given)
        if write is not None and not given and self._own("cache_write", tier, size) is None:
            parts["cache_write"] = NOTHING
        above = max((step for _, step in self.tokens if step < size), default=0)
        return Price(given, made, **parts, above=above, source="custom")

    def _part(self, name: str, tier: str, size: int, listed: _Listed) -> Decimal | None:
        own = self._own(name, tier, size)
        if own is not None:
            return own
        if tier == _BATCH and self.is_complete:
            standard = self._part(name, _STANDARD, size, listed)
            return None if standard is None else standard / 2
        if tier == _STANDARD:
            return self._standard_part(name, listed)
        price = None if self.is_free else listed(tier)
        found = None if price is None else getattr(price, name)
        return self._part(name, _STANDARD, size, listed) if found is None else found

    def _standard_part(self, name: str, listed: _Listed) -> Decimal | None:
        if self.is_complete and name in ("input", "output"):
            return NOTHING
        price = None if self.is_free else listed(_STANDARD)
        found: Decimal | None = None if price is None else getattr(price, name)
        return found

    def _own(self, name: str, tier: str, size: int) -> Decimal | None:
        steps = sorted((above for at, above in self.tokens if at == tier), reverse=True)
        reached = (self.tokens[tier, above] for above in steps if above < size or not above)
        return next((parts[name] for parts in reached if name in parts), None)

    def image_price(self) -> ImagePrice | None:
        """The price of images by their tokens; None where the entry has none."""
        given, made = self.image_tokens
        base = self.tokens.get((_STANDARD, 0), {})
        if not self.is_complete and given is None and made is None:
            return None
        text = base.get("input", NOTHING)
        image = text if given is None else given
        cached = base.get("cached_input")
        return ImagePrice(
            text_input=text,
            image_input=image,
            cached_text_input=text if cached is None else cached,
            cached_image_input=image if cached is None else cached,
            image_output=base.get("output", NOTHING) if made is None else made,
            text_output=base.get("output"),
        )

    def audio_price(self) -> AudioPrice | None:
        """The price of the APIs of audio; None where the entry has none."""
        base = self.tokens.get((_STANDARD, 0), {})
        if self.audio is None and not self.is_complete:
            return None
        text_input, text_output = base.get("input", NOTHING), base.get("output", NOTHING)
        return replace(
            self.audio or AudioPrice(),
            text_input=text_input,
            text_output=text_output,
            audio_input=base.get("audio_input", text_input),
            audio_output=base.get("audio_output", text_output),
        )


class CustomCatalogue(Catalogue):
    """Finds the prices of an entry before those of a catalogue.

    Args:
        prices: of the entry.
        catalogue: what holds besides.
        search_size: the `search_context_size` of the call's web searches.
        is_media: a call of the API of images or of audio.
    """

    def __init__(
        self,
        prices: CustomPrices,
        catalogue: Catalogue,
        search_size: str | None = None,
        *,
        is_media: bool = False,
    ) -> None:
        self.own = catalogue.own
        self.discounts = catalogue.discounts
        self._prices = prices
        self._search_size = search_size
        self._is_media = is_media

    def find_model(self, models: Iterable[str], zone: str) -> str | None:
        """The first model that is listed; where the entry has prices, else the first one."""
        names = tuple(models)
        listed = super().find_model(names, zone)
        if listed is None and self._prices.tokens:
            return next(iter(names), "a model not named")
        return listed

    def find_price(self, model: str, *, zone: str, tier: str, size: int) -> Price | None:
        """The price of a request of `size` input tokens to a model that was found."""
        find = super().find_price
        if not self._prices.tokens:
            return find(model, zone=zone, tier=tier, size=size)
        return self._prices.price(tier, size, lambda at: find(model, zone=zone, tier=at, size=size))

    def short_input(self, model: str) -> float:
        """The largest input, in tokens, for which a model has the price of a small one."""
        return min(self._prices.first_step, super().short_input(model))

    def find_tool(self, tool: str, model: str | None) -> Decimal | None:
        """US dollars for one use of a hosted tool."""
        if tool == "web_search" and self._prices.searches:
            found = self._prices.searches.get(self._search_size or "medium")
        else:
            found = self._prices.tools.get(tool)
        return super().find_tool(tool, model) if found is None else found

    def find_image_model(self, model: str) -> tuple[ImagePrice, Decimal] | None:
        """The price of an image model and the discount on it; that of an entry has none."""
        # The images of a tool are made by another model than the entry's.
        is_priced = self._is_media or self._prices.image_tokens != (None, None)
        found = self._prices.image_price() if is_priced else None
        return super().find_image_model(model) if found is None else (found, NOTHING)

    def find_audio_model(self, model: str) -> AudioPrice | None:
        """The price of a model that reads or writes audio."""
        found = self._prices.audio_price()
        return super().find_audio_model(model) if found is None else found

    @property
    def image(self) -> Decimal | None:
        """US dollars per image made, where the entry prices images and not their tokens."""
        return self._prices.image

    @property
    def has_routing_fee(self) -> bool:
        """False where the entry's own prices are all that its tokens cost."""
        return not self._prices.is_complete
