"""The credentials of calls that LiteLLM sends: kept, so that a token is fetched once.

Chat has them in its clients; native responses only need the header.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from azure_responses.arguments import configure
from azure_responses.credentials import AsyncCredentials, Credentials
from azure_responses.functions import ClientPool
from azure_responses.protocol.settings import Settings

__all__ = ["async_credentials", "credentials"]


def _settings(connection: Mapping[str, Any]) -> Settings:
    rest = {name: value for name, value in connection.items() if name != "endpoint"}
    return configure(connection.get("endpoint"), rest).settings


def _make(**connection: Any) -> Credentials:
    return Credentials(_settings(connection))


def _make_async(**connection: Any) -> AsyncCredentials:
    return AsyncCredentials(_settings(connection))


_pool: ClientPool[Credentials] = ClientPool(_make)
_async_pools: WeakKeyDictionary[Any, ClientPool[AsyncCredentials]] = WeakKeyDictionary()


def credentials(connection: Mapping[str, Any]) -> Credentials:
    """Where the credential header for these arguments comes from."""
    return _pool.get(connection)


def async_credentials(connection: Mapping[str, Any]) -> AsyncCredentials:
    """The same for the running event loop."""
    loop = asyncio.get_running_loop()
    return _async_pools.setdefault(loop, ClientPool(_make_async)).get(connection)
