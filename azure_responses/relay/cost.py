"""What an answer cost, read from its JSON and the headers it came with."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from azure_responses.pricing import Deployment, default_book
from azure_responses.pricing.use import read_use

__all__ = ["cost_of"]


def cost_of(
    result: Mapping[str, Any],
    headers: Mapping[str, str],
    *,
    deployment: str | None,
    base_model: str | None,
) -> Decimal | None:
    """US dollars; None where no price is known, and for what has no token counts.

    Args:
        result: a response or a chat completion, with Azure's own name of the model.
        headers: look-ups in lower case.
        deployment: the name called at Azure.
        base_model: the model behind it, where the row says so.
    """
    use = read_use(result)
    if use.tokens is None:
        return None
    spilled_from = headers.get("x-ms-spillover-from-deployment")
    use = replace(
        use,
        deployment=headers.get("x-ms-deployment-name"),
        region=headers.get("x-ms-region"),
        is_spilled=bool(spilled_from) or headers.get("x-ms-is-spilled-over", "").lower() == "true",
        spilled_from=spilled_from,
    )
    said = Deployment(base_model=base_model) if base_model else None
    cost = default_book.price(use, deployment, said)
    return None if cost is None else cost.total
