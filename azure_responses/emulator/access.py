"""Who may call: keys, tokens, roles and networks, with the bodies the service refuses with."""

from collections.abc import Sequence
from typing import Any

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import UPGRADE
from azure_responses.emulator.resources import Resource
from azure_responses.emulator.service_errors import (
    AUDIENCES,
    ServiceError,
    access_denied,
    gateway_error,
    token_refused,
)

__all__ = ["authorise"]

_GOVERNMENT = "https://cognitiveservices.azure.us"
# The host of a region instead of a resource: it takes keys, but no tokens.
_FOUNDRY = ".services.ai.azure.com"
_REGIONAL = ".api.cognitive.microsoft.com"
_ROLES = frozenset(
    {
        "Cognitive Services OpenAI User",
        "Cognitive Services OpenAI Contributor",
        "Azure AI User",
        "Foundry User",
    }
)
_NETWORK = {
    "firewall": "Access denied due to Virtual Network/Firewall rules.",
    "private": "Public access is disabled. Please configure private endpoint.",
    "blocked": (
        "Your resource has been temporarily blocked because we detected behavior that may violate "
        "our content policy."
    ),
}


def authorise(call: EmulatedCall) -> None:
    """Raise the ServiceError that the service would answer with, or return.

    Where both `api-key` and `Authorization` are sent, `api-key` decides: callers of the plain
    OpenAI client put the key there and a placeholder into `Authorization`.
    """
    resource, headers, surface = call.account.resource, call.received.headers, call.route.surface
    if resource.network != "open":
        raise _network_refused(resource.network)
    key = _find_key(call)
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    bearer = credential.strip() if scheme.lower() == "bearer" else ""
    if surface in ("project", "agents"):
        _check_token(call, bearer)
    elif key is not None:
        _check_key(key, resource)
    # The v1 surface takes a key as a bearer, as OpenAI's client sends it; a JWT has two dots.
    elif bearer and bearer.count(".") != 2 and surface != "dated":
        _check_key(bearer, resource)
    elif bearer:
        if call.received.host.endswith(_REGIONAL):
            raise gateway_error(
                400,
                "BadRequest",
                "Please provide a custom subdomain for token authentication, otherwise API key is "
                "required.",
            )
        _check_token(call, bearer)
    else:
        raise access_denied()


def _find_key(call: EmulatedCall) -> str | None:
    """The key of a header of its own."""
    headers = call.received.headers
    # Microsoft's page on WebSockets names `Authorization` alone, for keys and for tokens.
    if call.received.method == UPGRADE and not call.account.websocket.api_key_header:
        return None
    # The anthropic package sends both.
    names = ("x-api-key", "api-key") if call.route.surface == "anthropic" else ("api-key",)
    return next((headers[name] for name in names if name in headers), None)


def _check_key(key: str, resource: Resource) -> None:
    if key not in resource.keys:
        raise access_denied()
    if not resource.keys_enabled:
        message = "Key based authentication is disabled for this resource."
        raise gateway_error(403, "AuthenticationTypeDisabled", message)


def _check_token(call: EmulatedCall, token: str) -> None:
    account, audiences = call.account, _audiences(call)
    claims = account.issuer.read(token) if token else None
    if claims is None or not _is_current(claims, call.now) or not _is_for(claims, audiences):
        raise token_refused(audiences, is_dated=call.route.surface == "dated")
    # A token of another tenant is in order, but the resource is not found in that tenant.
    if claims["tid"] != account.resource.tenant:
        message = "Unable to get resource information."
        raise gateway_error(500, "InternalServerError", message)
    _check_roles(call, claims)


def _audiences(call: EmulatedCall) -> tuple[str, ...]:
    """What `aud` may be; a dated 401 names the first alone, as in 2024."""
    if call.route.surface in ("project", "agents"):
        return AUDIENCES[1:]
    host, wanted = call.received.host, call.account.resource.audiences
    if host.endswith(".azure.us"):
        return (_GOVERNMENT,)
    if wanted == "by-host":
        return AUDIENCES[1:] if host.endswith(_FOUNDRY) else AUDIENCES[:1]
    return tuple(wanted or AUDIENCES)


def _is_current(claims: dict[str, Any], now: float) -> bool:
    # The clocks of caller and service may differ by a second.
    return bool(claims["nbf"] <= now + 1 and now < claims["exp"])


def _is_for(claims: dict[str, Any], audiences: tuple[str, ...]) -> bool:
    return str(claims["aud"]).rstrip("/") in audiences


def _check_roles(call: EmulatedCall, claims: dict[str, Any]) -> None:
    assigned = call.account.resource.role_assignments
    roles: Sequence[str] = claims.get("roles", ())
    if assigned is not None:
        roles = assigned.get(claims["oid"], ())
    if _ROLES.intersection(roles):
        return
    action = call.route.operation.data_action
    message = "Principal does not have access to API/Operation."
    if roles and action is not None:
        message = (
            f"The principal `{claims['oid']}` lacks the required data action "
            f"`Microsoft.CognitiveServices/accounts/OpenAI/{action}` to perform "
            f"`{call.received.method} {call.received.path}` operation."
        )
    raise gateway_error(401, "PermissionDenied", message)


def _network_refused(network: str) -> ServiceError:
    error = gateway_error(403, "403", _NETWORK[network])
    if network != "blocked":
        # Recorded by Azure-Samples/azure-sql-db-chatbot #3.
        error.headers["policy-id"] = "ThrowExceptionDueToTrafficDenied"
    return error
