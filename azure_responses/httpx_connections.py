"""httpx's connection pools after a fork: each process has its own."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import httpx

from azure_responses.fork import leave_socket

__all__ = ["leave_client", "leave_transport", "proxy_of", "show_proxy"]


def leave_client(client: httpx.Client | httpx.AsyncClient) -> None:
    """Leave the parent's connections of an HTTP client; see `leave_transport`."""
    for transport in (client._transport, *client._mounts.values()):
        leave_transport(transport)


def leave_transport(transport: object) -> None:
    """Let a forked process open its own connections, and close none of the parent's.

    Knows httpx's own transports, also inside of others that wrap them. A transport of another kind
    is left as it is.
    """
    if isinstance(transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
        transport._pool = _renew(transport._pool)
    elif isinstance(transport, httpx.BaseTransport | httpx.AsyncBaseTransport):
        for wrapped in vars(transport).values() if hasattr(transport, "__dict__") else ():
            leave_transport(wrapped)


def _renew(pool: Any) -> Any:
    """An empty pool with the same settings. Replies that are under way keep the old one."""
    for stream in _streams(pool):
        inherited = stream.get_extra_info("socket")
        if hasattr(pool, "handle_request"):
            # Says no goodbye to the other side, neither of TCP nor of TLS.
            inherited.close()
        else:
            leave_socket(inherited)
    renewed = copy(pool)
    renewed._connections, renewed._requests = [], []
    renewed._optional_thread_lock = type(pool._optional_thread_lock)()
    # Another thread may have held it; a reply that is closed takes it.
    pool._optional_thread_lock = type(pool._optional_thread_lock)()
    return renewed


def _streams(pool: Any) -> Iterator[Any]:
    for connection in pool.connections:
        # A tunnel or a connection that is being made has the real one inside.
        while connection is not None and not hasattr(connection, "_network_stream"):
            connection = getattr(connection, "_connection", None)
        if connection is not None:
            yield connection._network_stream


def proxy_of(given: object, url: str) -> str | None:
    """The proxy that a request to the URL takes, without user and password, or None.

    `given` is an HTTP client, whose mounts decide, or a transport.
    """
    if isinstance(given, httpx.Client | httpx.AsyncClient):
        given = given._transport_for_url(httpx.URL(url))
    proxy = getattr(getattr(given, "_pool", None), "_proxy_url", None)
    if proxy is None:
        return None
    port = f":{proxy.port}" if proxy.port else ""
    return f"{proxy.scheme.decode()}://{proxy.host.decode()}{port}"


def show_proxy(url: httpx.URL) -> str:
    """A proxy's URL without user and password."""
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}"
