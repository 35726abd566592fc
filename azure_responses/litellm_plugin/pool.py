"""The clients behind the plug-in's chat completions: one for each way of connecting."""

import atexit
from collections.abc import Mapping
from typing import Any

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._sync.client import AzureResponses
from azure_responses.functions import ClientPool

__all__ = ["async_client", "sync_client"]

_clients: ClientPool[AzureResponses] = ClientPool(AzureResponses)
atexit.register(_clients.clear, AzureResponses.close)
_async_clients: ClientPool[AsyncAzureResponses] = ClientPool(AsyncAzureResponses)


def sync_client(connection: Mapping[str, Any]) -> AzureResponses:
    """The client for these arguments, made on first use."""
    return _clients.get(connection)


def async_client(connection: Mapping[str, Any]) -> AsyncAzureResponses:
    """The async client for these arguments, made on first use; any event loop may use it."""
    return _async_clients.get(connection)
