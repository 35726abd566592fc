"""The arithmetic: token counts and tool uses times prices."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from math import inf
from typing import Any, NamedTuple

from azure_responses.pricing.prices import NOTHING, PER_MILLION, Catalogue, ImagePrice, Price
from azure_responses.pricing.terms import GLOBAL, Terms
from azure_responses.pricing.use import ImageTokens, Tokens, ToolUse
from azure_responses.types.tools import CHARGES

__all__ = [
    "TOOLS",
    "Cost",
    "Rates",
    "TokenCost",
    "UnpriceableError",
    "charge_routing",
    "charge_tokens",
    "charge_tools",
    "find_rates",
    "price_images",
    "price_tokens",
]


class UnpriceableError(Exception):
    """Why a call cannot be priced, and `subject`, of which one warning is enough."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost.

    `total` is `input` + `cached_input` + `output` + `tools` + `call_fee`. `input` is what was not
    read from the cache and has `cache_write` and `routing_fee` in it, `output` has `reasoning` in
    it. The discount and the margin of an entry are in all of them.

    Attributes:
        currency: always `USD`.
        priced_as: the row that set the price, as `gpt-5.4 (us, priority, above 272000)`.
        tier: `standard`, `priority`, `flex`, `batch`, or `provisioned` where the tokens were paid
            for by the hour and cost nothing more.
        unpriced: hosted tools that were used and are not in `total`, since no price is known.
        call_fee: a fixed amount that the entry of a model list adds to each call.
    """

    total: Decimal
    input: Decimal
    cached_input: Decimal
    output: Decimal
    reasoning: Decimal
    tools: Decimal
    currency: str
    priced_as: str
    tier: str = "standard"
    zone: str = "global"
    cache_write: Decimal = NOTHING
    routing_fee: Decimal = NOTHING
    unpriced: tuple[str, ...] = ()
    call_fee: Decimal = NOTHING

    def adjust(self, factor: Decimal, fee: Decimal) -> "Cost":
        """The same with all sums multiplied, and with a fixed amount added."""
        sums = {name: getattr(self, name) * factor for name in _SUMS}
        return replace(self, **sums, total=self.total * factor + fee, call_fee=fee)

    @property
    def is_provisioned(self) -> bool:
        """True where the tokens were paid for by the hour."""
        return self.tier == "provisioned"

    def to_dict(self) -> dict[str, Any]:
        """The cost as JSON has it, sums as text so that they stay exact."""
        return {
            name: format(value.normalize(), "f") if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
        } | {"unpriced": list(self.unpriced)}


_SUMS = ("input", "cached_input", "output", "reasoning", "tools", "cache_write", "routing_fee")


@dataclass(frozen=True, slots=True)
class TokenCost:
    """What a model's tokens cost; `cache_write` is part of input, `reasoning` of output.

    `above` is the size of input from which the price holds.
    """

    input: Decimal = NOTHING
    cached_input: Decimal = NOTHING
    cache_write: Decimal = NOTHING
    output: Decimal = NOTHING
    reasoning: Decimal = NOTHING
    above: int = 0


def price_tokens(tokens: Tokens, price: Price) -> TokenCost:
    """Token counts times a price.

    Raises:
        UnpriceableError: the counts contradict each other.
    """
    # Tokens read from the cache or written to it are part of the input, at prices of their own.
    plain = tokens.input - tokens.cached - tokens.cache_write
    if plain < 0 or tokens.reasoning > tokens.output:
        raise UnpriceableError("token counts", f"parts of the count exceed the whole: {tokens}")
    cached = price.input if price.cached_input is None else price.cached_input
    # Models before gpt-5.6 do not charge for cache writes: such tokens are plain input.
    write = price.input if price.cache_write is None else price.cache_write
    cache_write = tokens.cache_write * write / PER_MILLION
    thought = price.output if price.reasoning is None else price.reasoning
    reasoning = tokens.reasoning * thought / PER_MILLION
    heard, spoken = _price_audio(tokens, price)
    return TokenCost(
        input=plain * price.input / PER_MILLION + cache_write + heard,
        cached_input=tokens.cached * cached / PER_MILLION,
        cache_write=cache_write,
        output=(tokens.output - tokens.reasoning) * price.output / PER_MILLION + reasoning + spoken,
        reasoning=reasoning,
        above=price.above,
    )


def _price_audio(tokens: Tokens, price: Price) -> tuple[Decimal, Decimal]:
    """What audio tokens of input and output cost more, or less, than tokens of text."""
    if not tokens.audio:
        return NOTHING, NOTHING
    heard = tokens.audio - tokens.audio_output
    more_input = heard * ((price.audio_input or NOTHING) - price.input)
    more_output = tokens.audio_output * ((price.audio_output or NOTHING) - price.output)
    return more_input / PER_MILLION, more_output / PER_MILLION


def _has_audio_price(tokens: Tokens, price: Price) -> bool:
    is_heard, is_spoken = tokens.audio > tokens.audio_output, tokens.audio_output
    return not (is_heard and price.audio_input is None) and not (
        is_spoken and price.audio_output is None
    )


def price_images(tokens: ImageTokens, price: ImagePrice) -> Decimal:
    """An image tool's token counts times the price of its model."""
    text = tokens.text_input - tokens.cached_text_input
    image = tokens.image_input - tokens.cached_image_input
    amount = text * price.text_input + tokens.cached_text_input * price.cached_text_input
    amount += image * price.image_input + tokens.cached_image_input * price.cached_image_input
    amount += tokens.image_output * price.image_output
    # A model without a price for text it writes counts that text as part of the image.
    amount += tokens.text_output * (price.text_output or price.image_output)
    return amount / PER_MILLION


STORAGE = "vector_storage"
"""The name of the price of what vector stores hold."""

TOOLS = (
    *dict.fromkeys(charge.price for charge in CHARGES.values() if charge.unit != "tokens"),
    STORAGE,
)
"""The hosted tools that are priced by the use or by the session, and storage."""


class Rates(NamedTuple):
    """What each token costs on one set of terms, in US dollars, fees included.

    `up_to` is the largest input for which that holds: longer ones may have another price.
    `reasoning` is what a token of reasoning costs more than other output.
    """

    input: Decimal
    cached: Decimal
    cache_write: Decimal
    output: Decimal
    up_to: float
    reasoning: Decimal = NOTHING

    def cost(self, tokens: Tokens) -> Decimal | None:
        """The cost of token counts; None for counts that these rates do not cover."""
        # Odd counts go the long way, whose error says what is wrong with them.
        fresh = tokens.input - tokens.cached - tokens.cache_write
        is_odd = fresh < 0 or tokens.audio or tokens.reasoning > tokens.output
        if is_odd or tokens.input > self.up_to:
            return None
        cost = (
            self.input * fresh
            + self.cached * tokens.cached
            + self.cache_write * tokens.cache_write
            + self.output * tokens.output
        )
        return cost + self.reasoning * tokens.reasoning if self.reasoning else cost


def find_rates(terms: Terms, catalogue: Catalogue) -> Rates:
    """The rates of calls on these terms.

    Raises:
        UnpriceableError: no price is known.
    """
    model = catalogue.find_model(terms.models, terms.zone)
    # One token of each kind: per token the arithmetic is that of every other call.
    fee = charge_routing(Tokens(input=1), terms, catalogue)

    def rate(**tokens: int) -> TokenCost:
        return charge_tokens(Tokens(**tokens), terms, model, catalogue)

    up_to = inf if model is None else catalogue.short_input(model)
    output = rate(output=1).output
    return Rates(
        fee + rate(input=1).input,
        fee + rate(input=1, cached=1).cached_input,
        fee + rate(input=1, cache_write=1).cache_write,
        output,
        up_to,
        rate(output=1, reasoning=1).reasoning - output,
    )


def charge_tokens(
    tokens: Tokens, terms: Terms, model: str | None, catalogue: Catalogue
) -> TokenCost:
    """What the tokens of a model cost; nothing where they are provisioned.

    Raises:
        UnpriceableError: no price is known, or the counts contradict each other.
    """
    # Paid for by the hour, or none at all, as where a container begins a session: then a price need
    # not even be known.
    if terms.is_provisioned or (model is None and not any(tokens)):
        return TokenCost()
    if model is None:
        names = " or ".join(terms.models) or "a model that the reply does not name"
        raise UnpriceableError(
            names,
            f"there is no price of {names}; name the model with base_model=, or set a price "
            "with azure_responses.pricing.register()",
        )
    price = catalogue.find_price(model, zone=terms.zone, tier=terms.tier, size=tokens.input)
    if price is None:
        raise UnpriceableError(
            f"{model} {terms.zone} {terms.tier}",
            f"{model} has no price in zone {terms.zone}, tier {terms.tier} for {tokens.input} "
            f"input tokens, but it has prices in {', '.join(catalogue.zones(model))}; "
            "set one with azure_responses.pricing.register()",
        )
    # The list has no prices of audio tokens, and those of text tokens would be wrong for them.
    if tokens.audio and not _has_audio_price(tokens, price):
        raise UnpriceableError(f"audio {model}", f"there is no price of audio tokens of {model}")
    return price_tokens(tokens, price)


def charge_routing(tokens: Tokens, terms: Terms, catalogue: Catalogue) -> Decimal:
    """What the model router takes for every input token, whatever model it chooses.

    Microsoft's FAQ on the model router: a fee per million input tokens, plus the model's use.
    """
    if not (terms.is_routed and catalogue.has_routing_fee):
        return NOTHING
    price = catalogue.find_price("model-router", zone=GLOBAL, tier="standard", size=0)
    return NOTHING if price is None else tokens.input * price.input / PER_MILLION


def charge_tools(
    tools: ToolUse,
    model: str | None,
    image_model: str | None,
    paid_containers: Collection[str],
    catalogue: Catalogue,
) -> tuple[Decimal, tuple[str, ...]]:
    """What the hosted tools cost, and those used whose price is not known."""
    # A session lasts an hour and serves any number of calls: who keeps a container pays it once.
    sessions = tools.sessions + len(tools.containers - set(paid_containers))
    # Sessions of every tool that runs in containers are priced as the code interpreter's.
    amounts: dict[str, Decimal | None] = {"image_generation": NOTHING}
    for tool, count in {**tools.uses, "code_interpreter": sessions}.items():
        price = catalogue.find_tool(tool, model) if count else NOTHING
        amounts[tool] = None if price is None else price * count
    if tools.images or tools.image_tokens:
        amounts["image_generation"] = _charge_images(tools, image_model, catalogue)
    unpriced = tuple(sorted(tool for tool, amount in amounts.items() if amount is None))
    return sum((amount for amount in amounts.values() if amount), NOTHING), unpriced


def _charge_images(tools: ToolUse, image_model: str | None, catalogue: Catalogue) -> Decimal | None:
    """None where the model of the images is not known, or their tokens were not counted."""
    # Images are made by a model of their own, and billed by its tokens.
    found = catalogue.find_image_model(image_model or tools.image_model or "")
    if found is None or tools.image_tokens is None:
        return None
    price, discount = found
    return price_images(tools.image_tokens, price) * (1 - discount)
