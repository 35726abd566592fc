"""What an answer used and cost, in one line."""

from decimal import Decimal

from azure_responses.types.response import Response
from azure_responses.types.usage import Usage

__all__ = ["describe_cost", "describe_tokens", "show_cost", "summarise"]

_SMALLEST = Decimal("0.000001")


def summarise(response: Response) -> str:
    """Tokens and cost of a response."""
    tokens = describe_tokens(response.usage)
    cost = describe_cost(response.cost)
    return f"{tokens}, {cost}"


def describe_tokens(usage: Usage | None) -> str:
    """Token counts, with what of them was cached or spent on reasoning."""
    if usage is None:
        return "tokens unknown"
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    reasoning = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
    return (
        f"{usage.input_tokens:,} input{cached} + {usage.output_tokens:,} output{reasoning} tokens"
    )


def describe_cost(cost: Decimal | None) -> str:
    """US dollars, with as many digits as a small amount needs."""
    if cost is None:
        return "price unknown"
    return f"${cost:,.2f}" if cost >= 10 else f"${show_cost(cost)}"


def show_cost(cost: Decimal) -> str:
    """An amount with six digits after the point, and more where it would look like nothing."""
    return f"{cost:.6f}" if not cost or cost >= _SMALLEST else f"{cost:.12f}".rstrip("0")
