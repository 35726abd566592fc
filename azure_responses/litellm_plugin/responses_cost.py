"""What native responses cost, told to LiteLLM where it looks: in hidden parameters.

LiteLLM logs a copy of the event that ends a stream, and copies lose hidden parameters; the copy
of an event made here finds its cost again in `usage.cost`, where LiteLLM's own pricing puts it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import model_validator

from azure_responses.litellm_plugin.call import has_own_prices
from azure_responses.litellm_plugin.connection import read_base_model
from azure_responses.litellm_plugin.installation import litellm_module
from azure_responses.pricing import cost

__all__ = ["price_event", "price_response"]

_ENDS = {
    "response.completed": "ResponseCompletedEvent",
    "response.incomplete": "ResponseIncompleteEvent",
}


def price_response(response: Any, deployment: str, logging_obj: Any) -> None:
    """Add the cost to a response's hidden parameters, if it is known."""
    price = _price(response.model_dump(mode="json"), deployment, logging_obj)
    if price is not None:
        response.hidden_params["response_cost"] = price


def price_event(event: Any, chunk: Mapping[str, Any], deployment: str, logging_obj: Any) -> Any:
    """The event, with its cost if it ends a response that has one."""
    name = _ENDS.get(str(chunk.get("type")))
    body = chunk.get("response")
    if name is None or not isinstance(body, Mapping) or not isinstance(body.get("usage"), Mapping):
        return event
    price = _price(body, deployment, logging_obj)
    if price is None:
        return event
    usage = {**body["usage"], "cost": price}
    try:
        return _priced(name).model_validate({**chunk, "response": {**body, "usage": usage}})
    except ValueError:
        # An item LiteLLM has no model of; the event then goes on without a cost of ours.
        return event


def _price(body: Mapping[str, Any], deployment: str, logging_obj: Any) -> float | None:
    details = getattr(logging_obj, "model_call_details", None) or {}
    about = _about(details)
    if has_own_prices(about):
        return None
    base_model, zone = read_base_model(about)
    priced = cost(dict(body), deployment=deployment, base_model=base_model, zone=zone)
    return None if priced is None else float(priced.total)


def _about(details: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(details.get("litellm_params") or {})
    metadata = settings.get("metadata") or {}
    if not settings.get("model_info"):
        settings["model_info"] = metadata.get("model_info") or {}
    return settings


@cache
def _priced(name: str) -> Any:
    """LiteLLM's event and response, whose cost survives a copy."""
    types = litellm_module("litellm.types.llms.openai")

    class PricedResponse(types.ResponsesAPIResponse):  # type: ignore[misc, name-defined]
        @model_validator(mode="after")
        def _recall_cost(self) -> Any:
            price = getattr(self.usage, "cost", None)
            if price is not None:
                self.hidden_params["response_cost"] = price
            return self

    class PricedEvent(getattr(types, name)):  # type: ignore[misc]
        response: PricedResponse

    return PricedEvent
