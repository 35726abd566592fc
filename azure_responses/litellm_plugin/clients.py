"""What LiteLLM says about a deployment → the clients and credentials that serve it."""

import atexit
import os
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._async.credentials import AsyncCredentials
from azure_responses._sync.client import AzureResponses
from azure_responses._sync.credentials import Credentials
from azure_responses.call_options import configure
from azure_responses.errors import ConfigurationError
from azure_responses.fork import in_forked_child
from azure_responses.functions import ClientPool
from azure_responses.protocol.endpoint import FIRST_DATED_VERSION, PUBLIC_SCOPE
from azure_responses.protocol.environment import ENVIRONMENT
from azure_responses.protocol.settings import Settings

__all__ = [
    "CONNECTION_NAMES",
    "async_client",
    "async_credentials",
    "credentials",
    "is_installed",
    "litellm",
    "litellm_class",
    "litellm_module",
    "read_base_model",
    "read_connection",
    "sync_client",
]

PROVIDER = "azure_responses"
"""The name under which LiteLLM knows the plug-in, unless `register` got another one."""

# Arguments of our client that a deployment may name and LiteLLM does not know.
_OWN = (
    "credential",
    "preview_path",
    "reasoning_cache",
    "scope",
    "strict_api_version",
    "allow_insecure",
)

CONNECTION_NAMES = frozenset(
    {
        *_OWN,
        "api_base",
        "api_key",
        "api_version",
        "azure_ad_token",
        "azure_ad_token_provider",
        "azure_password",
        "azure_scope",
        "azure_username",
        "base_model",
        "client_id",
        "client_secret",
        "max_retries",
        "model_info",
        "tenant_id",
    }
)
"""The parameters that say where and with which credential to call, not what to send."""


def read_connection(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a client for a deployment's parameters; absent ones stay absent.

    A key or token of the deployment goes before LiteLLM's settings, and those go before the
    environment.
    """
    connection = {name: given[name] for name in _OWN if given.get(name) is not None}
    if given.get("azure_scope"):
        connection.setdefault("scope", given["azure_scope"])
    api_base = given.get("api_base") or litellm().api_base
    if api_base:
        connection["endpoint"] = api_base
    if given.get("max_retries") is not None:
        connection["max_retries"] = given["max_retries"]
    version = given.get("api_version") or litellm().api_version or _replace_default(api_base)
    if version:
        connection["api_version"] = version
    if "credential" not in connection:
        connection |= _read_secret(given)
    return connection


def read_base_model(given: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The model behind a deployment and its price zone, of LiteLLM's `base_model`.

    It has one of the forms `gpt-5`, `azure/gpt-5` and `azure/eu/gpt-5`.
    """
    info = given.get("model_info") or {}
    named = given.get("base_model") or info.get("base_model")
    if not isinstance(named, str) or not named:
        return None, None
    *path, model = named.split("/")
    zone = path[-1] if path and path[-1] in ("us", "eu", "apac", "global") else None
    return model, zone


def _replace_default(api_base: str | None) -> str | None:
    """`v1` where the version of the environment cannot be intended; None leaves it valid.

    LiteLLM's proxy puts a version of its own into AZURE_API_VERSION (`--api_version`, by default
    2025-02-01-preview), which is older than the Responses API, over the user's own value.
    """
    named = (os.environ.get(variable) for variable in ENVIRONMENT["api_version"])
    version = next(filter(None, named), None)
    # A version in the URL was chosen with it.
    if version is None or "api-version=" in (api_base or ""):
        return None
    is_too_old = version < FIRST_DATED_VERSION
    # A dated version with a v1 URL would be an error of the configuration.
    contradicts = version[0].isdigit() and "/openai/v1" in (api_base or "")
    return "v1" if is_too_old or contradicts else None


def _read_secret(given: Mapping[str, Any]) -> dict[str, Any]:
    """One credential, the most specific that the deployment names."""
    if given.get("api_key"):
        return {"api_key": given["api_key"]}
    if given.get("azure_ad_token_provider"):
        return {"azure_ad_token_provider": given["azure_ad_token_provider"]}
    who = tuple(given.get(name) for name in ("tenant_id", "client_id"))
    token = given.get("azure_ad_token")
    if all(who) and given.get("client_secret"):
        return {"credential": _client_secret(*who, given["client_secret"])}
    if given.get("azure_username") and given.get("azure_password") and who[1]:
        names = ("client_id", "azure_username", "azure_password", "tenant_id")
        return {"credential": _user_password(*(given.get(name) for name in names))}
    if token and token.startswith("oidc/") and all(who):
        scope = given.get("azure_scope") or PUBLIC_SCOPE
        return {"azure_ad_token_provider": _oidc(token, *who, scope)}
    if token:
        return {"azure_ad_token": token}
    # LiteLLM's Azure provider reads both of these.
    key = litellm().api_key or litellm().azure_key
    return {"api_key": key} if key else {}


# One object for each identity: the pool finds a client by it, and it keeps its token.
@lru_cache(maxsize=128)
def _client_secret(tenant_id: str, client_id: str, client_secret: str) -> Any:
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(tenant_id, client_id, client_secret)


@lru_cache(maxsize=128)
def _user_password(client_id: str, username: str, password: str, tenant_id: str | None) -> Any:
    from azure.identity import UsernamePasswordCredential

    options = {"tenant_id": tenant_id} if tenant_id else {}
    return UsernamePasswordCredential(client_id, username, password, **options)


# Azure's credentials keep connections open, which a forked process must not share.
in_forked_child(_client_secret, lambda cached: cached.cache_clear())
in_forked_child(_user_password, lambda cached: cached.cache_clear())


@lru_cache(maxsize=128)
def _oidc(token: str, tenant_id: str, client_id: str, scope: str) -> Callable[[], Any]:
    exchange = litellm_module("litellm.llms.azure.common_utils").get_azure_ad_token_from_oidc
    return partial(
        exchange,
        azure_ad_token=token,
        azure_client_id=client_id,
        azure_tenant_id=tenant_id,
        scope=scope,
    )


def is_installed() -> bool:
    """True where LiteLLM can be imported."""
    return find_spec("litellm") is not None


def litellm_class(name: str) -> Any:
    """One of its classes as a base class; `object` where LiteLLM is not installed."""
    return getattr(litellm(), name) if is_installed() else object


def litellm() -> Any:
    """The package.

    Raises:
        ConfigurationError: it is not installed.
    """
    return litellm_module("litellm")


@cache
def litellm_module(name: str) -> Any:
    """One of its modules; raises as `litellm` does."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The LiteLLM plug-in needs {error.name}, which is not installed.",
            hint="pip install 'azure-responses[litellm]'",
        ) from error


_clients: ClientPool[AzureResponses] = ClientPool(AzureResponses)
atexit.register(_clients.clear, AzureResponses.close)
_async_clients: ClientPool[AsyncAzureResponses] = ClientPool(AsyncAzureResponses)


def sync_client(connection: Mapping[str, Any]) -> AzureResponses:
    """The client for these arguments, made on first use."""
    return _clients.get(connection)


def async_client(connection: Mapping[str, Any]) -> AsyncAzureResponses:
    """The async client for these arguments, made on first use; any event loop may use it."""
    return _async_clients.get(connection)


def _settings(connection: Mapping[str, Any]) -> Settings:
    rest = {name: value for name, value in connection.items() if name != "endpoint"}
    return configure(connection.get("endpoint"), rest).settings


def _make(**connection: Any) -> Credentials:
    return Credentials(_settings(connection))


def _make_async(**connection: Any) -> AsyncCredentials:
    return AsyncCredentials(_settings(connection))


# Kept, so that a token is fetched once. LiteLLM sends native calls itself and needs only the
# header; the clients of chat have credentials of their own.
_credentials: ClientPool[Credentials] = ClientPool(_make)
_async_credentials: ClientPool[AsyncCredentials] = ClientPool(_make_async)


def credentials(connection: Mapping[str, Any]) -> Credentials:
    """The source of the credential header for these arguments."""
    return _credentials.get(connection)


def async_credentials(connection: Mapping[str, Any]) -> AsyncCredentials:
    """The same for async calls; any event loop may use it."""
    return _async_credentials.get(connection)
