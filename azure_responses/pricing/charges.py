"""What each part of a call costs by a catalogue: its tokens, its routing, its hosted tools."""

from collections.abc import Collection
from decimal import Decimal

from azure_responses.pricing.bill import (
    NOTHING,
    TokenCost,
    UnpriceableError,
    price_images,
    price_tokens,
)
from azure_responses.pricing.catalogue import Catalogue
from azure_responses.pricing.price import PER_MILLION
from azure_responses.pricing.terms import GLOBAL, Terms
from azure_responses.pricing.tool_use import ToolUse
from azure_responses.pricing.use import Tokens

__all__ = ["TOOLS", "charge_routing", "charge_tokens", "charge_tools"]

TOOLS = ("web_search", "file_search", "code_interpreter")
"""The hosted tools that are priced by the use."""


def charge_tokens(
    tokens: Tokens, terms: Terms, model: str | None, catalogue: Catalogue
) -> TokenCost:
    """What the tokens of a model cost; nothing where they are provisioned.

    Raises:
        UnpriceableError: no price is known, or the counts contradict each other.
    """
    if terms.is_provisioned:
        return TokenCost()
    if model is None:
        names = " or ".join(terms.models) or "a model that the reply does not name"
        raise UnpriceableError(
            names,
            f"there is no price of {names}; name the model with base_model=, or set a price "
            "with azure_responses.pricing.register()",
        )
    if tokens.audio:
        raise UnpriceableError(f"audio {model}", f"there is no price of audio tokens of {model}")
    price = catalogue.find_price(model, zone=terms.zone, tier=terms.tier, size=tokens.input)
    if price is None:
        raise UnpriceableError(
            f"{model} {terms.zone} {terms.tier}",
            f"{model} has no price in zone {terms.zone}, tier {terms.tier} for {tokens.input} "
            f"input tokens, but it has prices in {', '.join(catalogue.zones(model))}; "
            "set one with azure_responses.pricing.register()",
        )
    return price_tokens(tokens, price)


def charge_routing(tokens: Tokens, terms: Terms, catalogue: Catalogue) -> Decimal:
    """What the model router takes for every input token, whatever model it chooses.

    Microsoft's FAQ on the model router: a fee per million input tokens, plus the model's use.
    """
    if not terms.is_routed:
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
    sessions = tools.sessions + len(tools.containers - set(paid_containers))
    counts = (tools.web_searches, tools.file_searches, sessions)
    amounts: dict[str, Decimal | None] = {"image_generation": NOTHING}
    for tool, count in zip(TOOLS, counts, strict=True):
        price = catalogue.find_tool(tool, model) if count else NOTHING
        amounts[tool] = None if price is None else price * count
    if tools.images or tools.image_tokens:
        amounts["image_generation"] = _charge_images(tools, image_model, catalogue)
    unpriced = tuple(sorted(tool for tool, amount in amounts.items() if amount is None))
    return sum((amount for amount in amounts.values() if amount), NOTHING), unpriced


def _charge_images(tools: ToolUse, image_model: str | None, catalogue: Catalogue) -> Decimal | None:
    """None where the model of the images is not known, or nobody counted their tokens."""
    found = catalogue.find_image_model(image_model or tools.image_model or "")
    if found is None or tools.image_tokens is None:
        return None
    price, discount = found
    return price_images(tools.image_tokens, price) * (1 - discount)
