"""Rows of a model list that bring a client along, and the clients of those that do not."""

from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.async_client import AsyncAzureResponses
from azure_responses.client import AzureResponses
from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import ANY_MODEL, Deployment

__all__ = ["GivenClients", "make_async_credential", "make_credential", "take_clients"]

_PARAMS = ("params", "litellm_params", "dheera_ai_params")
_KEYS = ("client", "async_client")


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
        name = next((one for one in _PARAMS if one in row), "params")
        params = {"model": ANY_MODEL, **(row.get(name) or {}), "api_base": client.endpoint}
        row[name] = params
    return row


def make_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for a sync client."""
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(**principal)


def make_async_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for an async client."""
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(**principal)
