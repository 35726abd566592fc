"""Rows of a model list that bring a client along, and the clients of those that do not."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._sync.client import AzureResponses
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.settings import resolve_settings
from azure_responses.routing.deployment import ANY_MODEL, Deployment
from azure_responses.routing.model_list import PARAMS_KEYS

__all__ = [
    "GivenClients",
    "check_connections",
    "make_async_credential",
    "make_credential",
    "take_clients",
]

_KEYS = ("client", "async_client")
# What a client decides before anything is sent.
_DECIDED = (
    "allow_insecure",
    "api_key",
    "api_version",
    "azure_ad_token",
    "azure_ad_token_provider",
    "base_url",
    "credential",
    "endpoint",
    "preview_path",
    "scope",
    "strict_api_version",
)


class GivenClients:
    """The clients that rows brought along, by the place of the row."""

    def __init__(self) -> None:
        self.sync: dict[int, AzureResponses] = {}
        self.asynchronous: dict[int, AsyncAzureResponses] = {}

    def __bool__(self) -> bool:
        return bool(self.sync or self.asynchronous)

    def of(self, deployments: Iterable[Deployment]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The sync and the async clients by deployment id; `deployments` in the rows' order."""
        ids = [deployment.id for deployment in deployments]
        return (
            {ids[place]: client for place, client in self.sync.items()},
            {ids[place]: client for place, client in self.asynchronous.items()},
        )


def take_clients(entries: Any) -> tuple[list[Any], GivenClients]:
    """The rows with the endpoints of the clients in their place, and the clients."""
    given = GivenClients()
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        return entries, given  # type: ignore[return-value]
    rows = []
    for place, entry in enumerate(entries):
        rows.append(_take(place, entry, given) if _has_client(entry) else entry)
    return rows, given


def _has_client(entry: Any) -> bool:
    return isinstance(entry, Mapping) and any(entry.get(key) is not None for key in _KEYS)


def _take(place: int, entry: Mapping[str, Any], given: GivenClients) -> dict[str, Any]:
    row = {name: value for name, value in entry.items() if name not in _KEYS}
    for client in filter(None, (entry.get(key) for key in _KEYS)):
        if isinstance(client, AzureResponses):
            given.sync[place] = client
        elif isinstance(client, AsyncAzureResponses):
            given.asynchronous[place] = client
        else:
            raise ConfigurationError(
                f"model_list entry {place + 1}: its client is a {type(client).__name__}.",
                hint="Pass an AzureResponses as client, an AsyncAzureResponses as async_client.",
            )
        name = next((one for one in PARAMS_KEYS if one in row), "params")
        params = {"model": ANY_MODEL, **(row.get(name) or {}), "api_base": client.endpoint}
        row[name] = params
    return row


def check_connections(
    deployments: Iterable[Deployment],
    arguments: Mapping[str, Any],
    given: Collection[str],
    environ: Mapping[str, str],
) -> None:
    """Find rows of which no client could be made now, and not in the call that first needs it.

    Args:
        deployments: in the rows' order.
        arguments: of every client.
        given: ids of deployments whose rows brought a client along.
        environ: the environment.

    Raises:
        ConfigurationError: an empty key, two credentials, a version Azure does not have, a key
            that would travel unencrypted, …; the row is named.
    """
    for number, one in enumerate(deployments, 1):
        connection = {**arguments, **one.connection}
        decided = {name: connection[name] for name in _DECIDED if name in connection}
        if one.id in given:
            continue
        try:
            resolve_settings(environ, **decided)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"model_list entry {number} ({one.group!r}): {error.message}", hint=error.hint
            ) from None


def make_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for a sync client."""
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(**principal)


def make_async_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for an async client."""
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(**principal)
