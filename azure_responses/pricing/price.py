"""What a model's tokens cost, and how prices are written."""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from azure_responses.errors import ConfigurationError

__all__ = ["PER_MILLION", "Amount", "Price", "read_amount"]

Amount = Decimal | int | float | str
"""A sum of money as people write it; floats are taken as they print, so 0.1 is a tenth."""

PER_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, as on Azure's price pages.

    `cached_input` is None where the model gives no discount on cached tokens, `cache_write` where
    writing to the cache costs nothing extra: such tokens are charged as input. Microsoft's page on
    prompt caching says that models before gpt-5.6 do not charge for cache writes.
    The price is that of requests of more than `above` input tokens.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    above: int = 0
    source: str = ""
    date: str = ""

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
