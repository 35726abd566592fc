"""The clients behind the plug-in's chat completions: one for each way of connecting."""

import asyncio
import atexit
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from azure_responses.async_client import AsyncAzureResponses
from azure_responses.client import AzureResponses
from azure_responses.functions import ClientPool

__all__ = ["async_client", "sync_client"]

_clients: ClientPool[AzureResponses] = ClientPool(AzureResponses)
atexit.register(_clients.clear, AzureResponses.close)
# An async client's connections belong to one event loop.
_async_clients: WeakKeyDictionary[Any, ClientPool[AsyncAzureResponses]] = WeakKeyDictionary()


def sync_client(connection: Mapping[str, Any]) -> AzureResponses:
    """The client for these arguments, made on first use."""
    return _clients.get(connection)


def async_client(connection: Mapping[str, Any]) -> AsyncAzureResponses:
    """The client for these arguments in the running event loop."""
    loop = asyncio.get_running_loop()
    return _async_clients.setdefault(loop, ClientPool(AsyncAzureResponses)).get(connection)
