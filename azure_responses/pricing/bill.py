"""The arithmetic: token counts and tool uses times prices."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from azure_responses.pricing.price import PER_MILLION, Price
from azure_responses.pricing.price_table import ImagePrice
from azure_responses.pricing.tool_use import ImageTokens
from azure_responses.pricing.use import Tokens

__all__ = ["NOTHING", "Cost", "TokenCost", "UnpriceableError", "price_images", "price_tokens"]

NOTHING = Decimal(0)


class UnpriceableError(Exception):
    """Why a call cannot be priced, and `subject`, of which one warning is enough."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost.

    `total` is `input` + `cached_input` + `output` + `tools`. `input` is what was not read from
    the cache and has `cache_write` and `routing_fee` in it, `output` has `reasoning` in it.

    Attributes:
        currency: always `USD`.
        priced_as: the row that set the price, as `gpt-5.4 (us, priority, above 272000)`.
        tier: `standard`, `priority`, `flex`, `batch`, or `provisioned` where the tokens were paid
            for by the hour and cost nothing more.
        unpriced: hosted tools that were used and are not in `total`, since no price is known.
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
    plain = tokens.input - tokens.cached - tokens.cache_write
    if plain < 0 or tokens.reasoning > tokens.output:
        raise UnpriceableError("token counts", f"parts of the count exceed the whole: {tokens}")
    cached = price.input if price.cached_input is None else price.cached_input
    write = price.input if price.cache_write is None else price.cache_write
    cache_write = tokens.cache_write * write / PER_MILLION
    return TokenCost(
        input=plain * price.input / PER_MILLION + cache_write,
        cached_input=tokens.cached * cached / PER_MILLION,
        cache_write=cache_write,
        output=tokens.output * price.output / PER_MILLION,
        reasoning=tokens.reasoning * price.output / PER_MILLION,
        above=price.above,
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
