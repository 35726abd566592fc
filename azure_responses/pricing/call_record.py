"""A call in the package's log: what it used up and cost, as one JSON object."""

from decimal import Decimal
from typing import Any

from azure_responses.pricing.use import RECORD, Tokens, Use, read_use

__all__ = ["to_record"]


def to_record(
    result: Any,
    *,
    cost: Decimal | None = None,
    deployment: str | None = None,
    end_user: str | None = None,
) -> dict[str, Any]:
    """What `azure-responses cost --from-log` reads, for one line of a log.

    The keys are `record` ("azure_responses.call", by which a line is known), `id`, `model`,
    `deployment`, `served_deployment`, `spillover_from`, `region`, `service_tier`, `status`,
    `end_user`, `usage` (as the Responses API has it), `tools` (uses by tool), `cost` (text, or
    None where it is not known) and `currency`. A log may add others.

    Raises:
        ConfigurationError: `result` has no cost.
    """
    use = read_use(result)
    return {
        "record": RECORD,
        "id": use.id,
        "model": use.model,
        "deployment": deployment or use.deployment,
        "served_deployment": use.deployment,
        "spillover_from": use.spilled_from,
        "region": use.region,
        "service_tier": use.tier,
        "status": use.status,
        "end_user": end_user or use.end_user,
        "usage": _usage(use),
        "tools": use.tools.counts(),
        "cost": None if cost is None else format(cost, "f"),
        "currency": "USD",
    }


def _usage(use: Use) -> dict[str, Any] | None:
    if use.tokens is None:
        return None
    tokens: Tokens = use.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_write,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }
