"""The models there are: the groups of the router."""

from typing import Any

from pydantic_core import to_json

from azure_responses.errors import NotFoundError
from azure_responses.openai_server.exchange import ApiRequest
from azure_responses.routing.deployment import ANY_MODEL
from azure_responses.routing.deployment_registry import DeploymentRegistry

__all__ = ["list_models", "show_model"]


def list_models(routing: DeploymentRegistry, request: ApiRequest) -> bytes:
    """Every group the caller may ask for, as OpenAI lists models."""
    names = [name for name in routing.groups if name != ANY_MODEL and _may_call(request, name)]
    return to_json({"object": "list", "data": [_describe(name) for name in names]})


def show_model(routing: DeploymentRegistry, name: str | None, request: ApiRequest) -> bytes:
    """One group.

    Raises:
        NotFoundError: there is none of that name, or not for this caller.
    """
    if name is None or not routing.group_of(name) or not _may_call(request, name):
        raise NotFoundError(
            "There is no such model here.",
            status_code=404,
            code="model_not_found",
            type="invalid_request_error",
            param="model",
            hint="GET /v1/models lists what there is.",
        )
    return to_json(_describe(name))


def _may_call(request: ApiRequest, name: str) -> bool:
    return request.may_call is None or request.may_call(name)


def _describe(name: str) -> dict[str, Any]:
    # When a group was set up is not known, and OpenAI's clients insist on a number.
    return {"id": name, "object": "model", "created": 0, "owned_by": "azure"}
