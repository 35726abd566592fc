"""Amounts of money as whole numbers, so that sums are exact."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

__all__ = ["PICO", "show_dollars", "to_dollars", "to_pico"]

_WIDE = Context(prec=60)

PICO = 10**12
"""Parts of a dollar.

The cheapest token in the packaged prices is far below a millionth of a dollar, so a sum in
millionths would lose part of most calls. A price per million tokens with six decimals is a whole
number of these. A column of 64 bits holds nine million dollars of them.
"""


def to_pico(dollars: Decimal) -> int:
    """US dollars as millionths of a millionth; what is finer than that is rounded, half to even."""
    return int(dollars.scaleb(12, _WIDE).to_integral_value(ROUND_HALF_EVEN, _WIDE))


def to_dollars(pico: int) -> Decimal:
    """The US dollars of a sum, exactly."""
    return Decimal(pico).scaleb(-12, _WIDE)


def show_dollars(pico: int, digits: int = 2) -> str:
    """The US dollars of a sum to read: with so many digits, and more where it is finer."""
    whole, _, parts = f"{to_dollars(pico):.12f}".partition(".")
    return f"{whole}.{parts[:digits]}{parts[digits:].rstrip('0')}"
