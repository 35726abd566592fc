"""Who may call: keys, tokens, roles and networks, with the bodies the service refuses with."""

from collections.abc import Sequence
from typing import Any

from azure_responses.emulator.http_messages import ReceivedRequest
from azure_responses.emulator.resources import Resource
from azure_responses.emulator.routes import MatchedRoute
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.token_issuer import TokenIssuer

__all__ = ["authorise", "token_refused"]

_AI = "https://ai.azure.com"
_COGNITIVE = "https://cognitiveservices.azure.com"
_GOVERNMENT = "https://cognitiveservices.azure.us"
_REGIONAL = ".api.cognitive.microsoft.com"
_ROLES = frozenset(
    {
        "Cognitive Services OpenAI User",
        "Cognitive Services OpenAI Contributor",
        "Azure AI User",
        "Foundry User",
    }
)
_ACTIONS = {
    "create": "responses/write",
    "cancel": "responses/write",
    "compact": "responses/write",
    "retrieve": "responses/read",
    "input_items": "responses/read",
    "delete": "responses/delete",
    "chat": "deployments/chat/completions/action",
}
_NETWORK = {
    "firewall": "Access denied due to Virtual Network/Firewall rules.",
    "private": "Public access is disabled. Please configure private endpoint.",
    "blocked": (
        "Your resource has been temporarily blocked because we detected behavior that may violate "
        "our content policy."
    ),
}


def authorise(
    received: ReceivedRequest,
    resource: Resource,
    route: MatchedRoute,
    issuer: TokenIssuer,
    now: float,
) -> None:
    """Raise the Refusal the service would answer with, or return.

    Where both `api-key` and `Authorization` are sent, `api-key` decides: callers of the plain
    OpenAI client put the key there and a placeholder into `Authorization`.
    """
    if resource.network != "open":
        raise _network_refused(resource.network)
    key = received.headers.get("api-key")
    scheme, _, credential = received.headers.get("authorization", "").partition(" ")
    bearer = credential.strip() if scheme.lower() == "bearer" else ""
    audiences = _audiences(received.host, route)
    if route.surface == "project":
        _check_token(bearer, received, resource, route, issuer, now, audiences)
    elif key is not None:
        _check_key(key, resource)
    elif _is_key(bearer) and route.surface != "dated":
        _check_key(bearer, resource)
    elif bearer:
        if received.host.endswith(_REGIONAL):
            raise _subdomain_needed()
        _check_token(bearer, received, resource, route, issuer, now, audiences)
    else:
        raise _key_refused()


def _is_key(bearer: str) -> bool:
    return bool(bearer) and bearer.count(".") != 2


def _check_key(key: str, resource: Resource) -> None:
    if key not in resource.keys:
        raise _key_refused()
    if not resource.keys_enabled:
        raise _error(
            403,
            "AuthenticationTypeDisabled",
            "Key based authentication is disabled for this resource.",
        )


def _audiences(host: str, route: MatchedRoute) -> tuple[str, ...]:
    """What `aud` may be, worded as the 401 names it: one on the dated surface, as in 2024."""
    if route.surface == "project":
        return (_AI,)
    if host.endswith(".azure.us"):
        return (_GOVERNMENT,)
    return (_COGNITIVE, _AI)


def _check_token(
    token: str,
    received: ReceivedRequest,
    resource: Resource,
    route: MatchedRoute,
    issuer: TokenIssuer,
    now: float,
    audiences: tuple[str, ...],
) -> None:
    claims = issuer.read(token) if token else None
    if claims is None or not _is_current(claims, now) or not _is_for(claims, audiences):
        raise token_refused(audiences, is_dated=route.surface == "dated")
    if claims["tid"] != resource.tenant:
        raise _error(500, "InternalServerError", "Unable to get resource information.")
    _check_roles(claims, received, resource, route)


def _is_current(claims: dict[str, Any], now: float) -> bool:
    return bool(claims["nbf"] <= now + 1 and now < claims["exp"])


def _is_for(claims: dict[str, Any], audiences: tuple[str, ...]) -> bool:
    return str(claims["aud"]).rstrip("/") in audiences


def _check_roles(
    claims: dict[str, Any], received: ReceivedRequest, resource: Resource, route: MatchedRoute
) -> None:
    roles: Sequence[str] = claims.get("roles", ())
    if resource.role_assignments is not None:
        roles = resource.role_assignments.get(claims["oid"], ())
    if _ROLES.intersection(roles):
        return
    action = _ACTIONS.get(route.operation)
    if not roles or action is None:
        message = "Principal does not have access to API/Operation."
    else:
        message = (
            f"The principal `{claims['oid']}` lacks the required data action "
            f"`Microsoft.CognitiveServices/accounts/OpenAI/{action}` to perform "
            f"`{received.method} {received.path}` operation."
        )
    raise _error(401, "PermissionDenied", message)


def token_refused(
    audiences: Sequence[str] = (_COGNITIVE, _AI), is_dated: bool = False
) -> ServiceError:
    """The flat 401: run-llama #12484 names one audience, azure-sdk-for-net #50872 two."""
    if is_dated:
        named = audiences[0]
    else:
        named = "/ or ".join(audiences) + ("/" if len(audiences) > 1 else "")
    message = (
        "Unauthorized. Access token is missing, invalid, audience is incorrect "
        f"({named}), or have expired."
    )
    return ServiceError(401, {"statusCode": 401, "message": message})


def _key_refused() -> ServiceError:
    return _error(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
        "provide a valid key for an active subscription and use a correct regional API endpoint "
        "for your resource.",
    )


def _subdomain_needed() -> ServiceError:
    return _error(
        400,
        "BadRequest",
        "Please provide a custom subdomain for token authentication, otherwise API key is "
        "required.",
    )


def _network_refused(network: str) -> ServiceError:
    refusal = _error(403, "403", _NETWORK[network])
    if network != "blocked":
        # Recorded by Azure-Samples/azure-sql-db-chatbot #3.
        refusal.headers["policy-id"] = "ThrowExceptionDueToTrafficDenied"
    return refusal


def _error(status: int, code: str, message: str) -> ServiceError:
    return ServiceError(status, {"error": {"code": code, "message": message}})
