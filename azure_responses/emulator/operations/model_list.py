"""The models a resource offers, as the models list shows them."""

from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.model_catalog import MODELS, EmulatedModel
from azure_responses.emulator.service_errors import resource_not_found

__all__ = ["list_models", "retrieve_model"]

_CREATED_AT = 1_754_524_800


def _as_object(model: EmulatedModel) -> dict[str, Any]:
    return {
        "id": model.snapshot,
        "object": "model",
        "created_at": _CREATED_AT,
        "status": "succeeded",
        "lifecycle_status": "generally-available",
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": False,
            "chat_completion": not model.responses_only,
            "embeddings": False,
        },
        "deprecation": {},
    }


def list_models(_call: EmulatedCall) -> PlannedReply:
    """The catalogue of the region, not the deployments: that is what Azure lists."""
    data = [_as_object(model) for model in MODELS.values()]
    return json_reply({"object": "list", "data": data})


def retrieve_model(call: EmulatedCall) -> PlannedReply:
    """`GET /models/{name}`, by name or by snapshot."""
    name = call.route.ids[0]
    for model in MODELS.values():
        if name in (model.name, model.snapshot):
            return json_reply(_as_object(model))
    raise resource_not_found()
