"""What an answer used up and cost, read from its JSON and the headers it came with.

A gateway prices every call before it answers, so the usual one has a short way: an answer without
hosted tools is read directly, and a price that is the same for every token is asked for once.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from azure_responses.pricing import Deployment, default_book
from azure_responses.pricing.use import Tokens, Use, read_use

__all__ = ["price", "use_of"]

# Items that cost nothing but their tokens.
_PLAIN = frozenset({"message", "reasoning", "function_call", "custom_tool_call", "compaction"})
# Longer inputs may have a price of their own.
_SHORT_INPUT = 100_000
# Prices may be registered while calls are made.
_RATES_SECONDS = 1.0
_MOST_RATES = 500


class _Rates(NamedTuple):
    """US dollars per token; None where the price is not known."""

    until: float
    input: Decimal | None
    cached: Decimal
    cache_write: Decimal
    output: Decimal


_rates: dict[tuple[Any, ...], _Rates] = {}


def use_of(result: Mapping[str, Any], headers: Mapping[str, str]) -> Use:
    """What an answer used up.

    Args:
        result: a response or a chat completion, with Azure's own name of the model.
        headers: look-ups in lower case.
    """
    served = headers.get("x-ms-deployment-name")
    region = headers.get("x-ms-region")
    spilled_from = headers.get("x-ms-spillover-from-deployment")
    is_spilled = bool(spilled_from) or headers.get("x-ms-is-spilled-over", "").lower() == "true"
    tokens = _plain_tokens(result)
    if tokens is None:
        return replace(
            read_use(result),
            deployment=served,
            region=region,
            is_spilled=is_spilled,
            spilled_from=spilled_from,
        )
    created = result.get("created_at")
    return Use(
        id=_text(result.get("id")),
        model=_text(result.get("model")),
        status=_text(result.get("status")),
        tier=_text(result.get("service_tier")),
        tokens=tokens,
        end_user=_text(result.get("safety_identifier")) or _text(result.get("user")),
        created_at=created if isinstance(created, int | float) else None,
        deployment=served,
        region=region,
        is_spilled=is_spilled,
        spilled_from=spilled_from,
    )


def price(use: Use, *, deployment: str | None, base_model: str | None) -> Decimal | None:
    """US dollars; None where no price is known, and for what has no token counts.

    Args:
        deployment: the name called at Azure.
        base_model: the model behind it, where the row says so.
    """
    tokens = use.tokens
    if tokens is None:
        return None
    if tokens.input > _SHORT_INPUT or tokens.audio or use.tools != _NO_TOOLS:
        return _route_request(use, deployment, base_model)
    rates = _rates_for(use, deployment, base_model)
    if rates.input is None:
        return None
    fresh = tokens.input - tokens.cached - tokens.cache_write
    if fresh < 0:
        return _route_request(use, deployment, base_model)
    return (
        rates.input * fresh
        + rates.cached * tokens.cached
        + rates.cache_write * tokens.cache_write
        + rates.output * tokens.output
    )


_NO_TOOLS = Use().tools


def _rates_for(use: Use, deployment: str | None, base_model: str | None) -> _Rates:
    key = (
        deployment,
        base_model,
        use.model,
        use.tier,
        use.deployment,
        use.region,
        use.is_spilled,
        use.spilled_from,
    )
    rates, now = _rates.get(key), time.monotonic()
    if rates is None or now >= rates.until:
        if len(_rates) >= _MOST_RATES:
            _rates.clear()
        rates = _rates[key] = _find_rates(use, deployment, base_model, now + _RATES_SECONDS)
    return rates


def _find_rates(use: Use, deployment: str | None, base_model: str | None, until: float) -> _Rates:
    samples = (
        Tokens(input=1),
        Tokens(input=1, cached=1),
        Tokens(input=1, cache_write=1),
        Tokens(output=1),
    )
    found = [_route_request(replace(use, tokens=one), deployment, base_model) for one in samples]
    zero = Decimal(0)
    return _Rates(until, found[0], *(one or zero for one in found[1:]))


def _route_request(use: Use, deployment: str | None, base_model: str | None) -> Decimal | None:
    said = Deployment(base_model=base_model) if base_model else None
    cost = default_book.price(use, deployment, said)
    return None if cost is None else cost.total


def _plain_tokens(result: Mapping[str, Any]) -> Tokens | None:
    """The tokens of an answer that used no hosted tools; None where there is more to read."""
    usage, output = result.get("usage"), result.get("output")
    if type(usage) is not dict or type(output) is not list:
        return None
    if result.get("tools") or _is_used(result.get("tool_usage")) or not _is_plain(output):
        return None
    given = usage.get("input_tokens_details") or _NOTHING
    made = usage.get("output_tokens_details") or _NOTHING
    if type(given) is not dict or type(made) is not dict:
        return None
    if "audio_tokens" in given or "audio_tokens" in made:
        return None
    return _counted(
        usage.get("input_tokens"),
        given.get("cached_tokens", 0),
        given.get("cache_write_tokens", 0),
        usage.get("output_tokens"),
        made.get("reasoning_tokens", 0),
    )


def _is_used(tool_usage: Any) -> bool:
    """True where the service counts the use of a tool, or something this does not know."""
    return tool_usage is not None and tool_usage not in _UNUSED


def _is_plain(output: list[Any]) -> bool:
    return all(type(item) is dict and item.get("type") in _PLAIN for item in output)


def _counted(*counts: Any) -> Tokens | None:
    for count in counts:
        if type(count) is not int or count < 0:
            return None
    return Tokens(*counts)


_NOTHING: dict[str, Any] = {}
_NO_TOKENS = {"image_tokens": 0, "text_tokens": 0}
_NO_IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": _NO_TOKENS,
    "output_tokens": 0,
    "output_tokens_details": _NO_TOKENS,
    "total_tokens": 0,
}
# What Azure says of a response that used no tools.
_UNUSED: tuple[dict[str, Any], ...] = (
    {},
    {"image_gen": _NO_IMAGES, "web_search": {"num_requests": 0}},
)


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None
