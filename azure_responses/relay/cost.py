"""What an answer used up and cost, read from its JSON and the headers it came with."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from azure_responses.pricing import Deployment, default_book
from azure_responses.pricing.use import Use, read_use

__all__ = ["price", "use_of"]


def use_of(result: Mapping[str, Any], headers: Mapping[str, str]) -> Use:
    """What an answer used up.

    Args:
        result: a response or a chat completion, with Azure's own name of the model.
        headers: look-ups in lower case.
    """
    use = read_use(result)
    spilled_from = headers.get("x-ms-spillover-from-deployment")
    return replace(
        use,
        deployment=headers.get("x-ms-deployment-name"),
        region=headers.get("x-ms-region"),
        is_spilled=bool(spilled_from) or headers.get("x-ms-is-spilled-over", "").lower() == "true",
        spilled_from=spilled_from,
    )


def price(use: Use, *, deployment: str | None, base_model: str | None) -> Decimal | None:
    """US dollars; None where no price is known, and for what has no token counts.

    Args:
        deployment: the name called at Azure.
        base_model: the model behind it, where the row says so.
    """
    said = Deployment(base_model=base_model) if base_model else None
    cost = default_book.price(use, deployment, said)
    return None if cost is None else cost.total
