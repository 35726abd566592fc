"""The errors of a call that no deployment can serve, and what is added to the service's own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from azure_responses.errors import (
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseNotFoundError,
)
from azure_responses.routing.deployment import Group
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.explain import Verdict, describe_obstacle
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Pin, RouteRequest
from azure_responses.routing.signed_id import show_id

__all__ = [
    "deadline_passed",
    "no_deployment_serves",
    "no_model_given",
    "no_such_model",
    "origin_unknown",
    "require_origin",
    "unknown_model",
    "unlabelled_id",
    "with_context",
]

# A message goes into logs with each call, and explain() lists them all.
_MOST_LISTED = 8

E = TypeVar("E", bound=AzureResponsesError)


def unknown_model(model: str, similar: str | None) -> NotFoundError:
    """No entry of the model list has that name."""
    return NotFoundError(
        f"No deployment is configured for the model {model!r}.",
        status_code=404,
        code="model_not_found",
        param="model",
        hint=f"Did you mean {similar!r}?" if similar else "Add it to the model list.",
    )


def deadline_passed(request: RouteRequest) -> APITimeoutError:
    """Time ran out before any attempt."""
    return APITimeoutError(
        f"The deadline of the call to {request.group!r} passed before a deployment could serve it.",
        hint="Allow a longer timeout, or add deployments.",
    )


def origin_unknown(
    pin: Pin, registry: DeploymentRegistry, request: RouteRequest
) -> ResponseNotFoundError:
    """No deployment that could serve this call is on the resource it is pinned to."""
    if any(registry.of_resource(resource) for resource in pin.resources):
        message = (
            f"{pin.field} refers to what a deployment on another resource made, and no deployment "
            f"of {request.group!r} is on that resource."
        )
        hint = "Ask for the model that made it, or start anew without it."
    else:
        message = (
            f"{pin.field} refers to what a deployment made that is not configured here any more."
        )
        hint = "Put its resource back into the model list, or start anew without it."
    return ResponseNotFoundError(
        message, status_code=404, code="deployment_not_configured", param=pin.field, hint=hint
    )


def require_origin(registry: DeploymentRegistry, entry: LedgerEntry) -> None:
    """Raise where no deployment is left of the resource that stores a response.

    Raises:
        ConfigurationError: no deployment here can delete it, or say that it is gone.
    """
    if not registry.of_resource(entry.resource):
        raise ConfigurationError(
            "No entry of model_list is on the resource that stores it.",
            hint="Put an entry of that resource back, and purge again.",
        )


def no_deployment_serves(
    registry: DeploymentRegistry,
    request: RouteRequest,
    scopes: Sequence[Group],
    full: Mapping[str, float],
    now: float,
    pin: Pin | None = None,
) -> APIStatusError:
    """No deployment can take the call now: 429 when limits are the reason for all, else 503.

    `full` is until when the state store had no room on a deployment. `retry_after` is the time
    until the first of them can.
    """
    # A wish ties it to nothing.
    is_tied = pin is not None and not pin.is_wish
    verdicts = list(_obstacles(registry, request, scopes, full, now, is_pinned=is_tied))
    waits = [verdict.until for verdict in verdicts if verdict.until is not None]
    is_limit = bool(waits) and all(v.is_limited for v in verdicts if v.until is not None)
    # Clients and proxies treat 429 as "slow down" and 503 as an outage; obstacles that time does
    # not change, such as a weight of 0, say nothing about either.
    kind = RateLimitError if is_limit else InternalServerError
    reason = f" ({pin.field} ties it to its resource)" if pin and is_tied else ""
    listed = "; ".join(map(str, verdicts[:_MOST_LISTED])) or "none takes calls"
    if len(verdicts) > _MOST_LISTED:
        listed += f"; and {len(verdicts) - _MOST_LISTED} more"
    return kind(
        f"No deployment of {request.group!r} can serve this call now{reason}: {listed}.",
        status_code=429 if is_limit else 503,
        code="rate_limit_exceeded" if is_limit else "no_deployment_available",
        retry_after=min(waits, default=None),
        hint="Wait for retry_after, or add deployments or fallbacks."
        if waits
        else "Give an entry of the group a weight above 0, or add deployments or fallbacks.",
    )


def _obstacles(
    registry: DeploymentRegistry,
    request: RouteRequest,
    scopes: Iterable[Group],
    full: Mapping[str, float],
    now: float,
    *,
    is_pinned: bool,
) -> Iterable[Verdict]:
    members = {d.id: (d, scope) for scope in scopes for d in scope.deployments}
    for deployment, scope in members.values():
        verdict = describe_obstacle(
            deployment,
            registry.health,
            now,
            full=max(full.get(deployment.id, now) - now, 0.0),
            is_pinned=is_pinned,
            is_too_small=not scope.holds(deployment, request.input_tokens),
        )
        if verdict is not None:
            yield verdict


def with_context(error: E, fallbacks: Sequence[str], retry_after: float | None) -> E:
    """The error, which names the groups tried besides and when to come back."""
    if fallbacks:
        tried = f"Fallbacks tried without success: {', '.join(fallbacks)}."
        error.hint = f"{error.hint} {tried}" if error.hint else tried
    # The hint of the service is for one deployment. The caller may come back as soon as any of the
    # group can serve, so that this time replaces it.
    if isinstance(error, RateLimitError | InternalServerError) and retry_after is not None:
        error.retry_after = retry_after
    return error


def no_such_model(model: str) -> NotFoundError:
    """A request names a model that does not exist."""
    return NotFoundError(
        f"The model {model[:200]!r} does not exist here.",
        status_code=404,
        code="model_not_found",
        type="invalid_request_error",
        param="model",
        hint="GET /v1/models lists what there is.",
    )


def unlabelled_id(name: str, text: str) -> BadRequestError:
    """An id without a label, in the field `name`, could be of several resources."""
    return BadRequestError(
        f"{name} {show_id(text)} was not given out here, and several resources could store it.",
        status_code=400,
        code="unknown_origin",
        type="invalid_request_error",
        param=name,
        hint="Send the id that router.import_id(id, deployment=…) makes of it.",
    )


def no_model_given(choices: Mapping[str, Sequence[str]]) -> BadRequestError:
    """Nothing says at which resource an object is made; `choices` are resources → groups."""
    if not choices:
        return BadRequestError(
            "None of the models that may be called here is on a resource that stores objects.",
            status_code=400,
            code="unsupported_model",
            type="invalid_request_error",
            param="model",
            hint="Use a key that may call a model of OpenAI's.",
        )
    names = " or ".join(dict.fromkeys(name for groups in choices.values() for name in groups))
    return BadRequestError(
        f"No model was given, and {len(choices)} resources could store this.",
        status_code=400,
        code="missing_required_parameter",
        type="invalid_request_error",
        param="model",
        hint=f"Name a model at whose resource it belongs, in the header x-azr-model or the field "
        f"model: {names}.",
    )
