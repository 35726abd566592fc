"""Connections under asyncio: aiohttp's pool, without an HTTP client's objects around each call.

httpx's own pool scans every connection on every request and collapses at fifty calls in flight;
its request and response objects cost as much again as aiohttp's whole exchange. So the async
shell speaks to aiohttp directly, and this module gives a reply the few methods it needs.
"""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any

import aiohttp
import httpx
from yarl import URL

from azure_responses.fork import leave_socket
from azure_responses.protocol.exchange import Request

__all__ = ["AiohttpConnections", "AiohttpReply"]


@lru_cache(maxsize=512)
def _parse_url(url: str) -> URL:
    # Encoded already, and not to be encoded in another way.
    return URL(url, encoded=True)


class AiohttpReply:
    """A reply whose body is still to be read; the part of httpx.Response that the shells use."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status_code = response.status
        # A multidict that ignores case.
        self.headers: Mapping[str, str] = response.headers

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status_code < 300

    async def aread(self) -> bytes:
        """The whole body, decompressed."""
        return await self._response.read()

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body as it arrives, decompressed."""
        async for chunk in self._response.content.iter_any():
            yield chunk

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._response.release()


class AiohttpConnections:
    """The connections of one event loop.

    Args:
        limits: how many at once, and how long an idle one is kept.
        ssl_context: the TLS settings.
        proxy: where to send everything, or None.
    """

    def __init__(self, limits: httpx.Limits, ssl_context: Any, proxy: httpx.Proxy | None) -> None:
        connector = aiohttp.TCPConnector(
            limit=limits.max_connections or 0,
            keepalive_timeout=limits.keepalive_expiry,
            ssl=ssl_context,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # The service sets no cookies, and a shared jar would leak one caller's into another's.
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
        )
        self._proxy = _proxy_arguments(proxy)

    async def send(
        self, request: Request, headers: Mapping[str, str], phases: Mapping[str, float | None]
    ) -> AiohttpReply:
        """The reply's head; raises aiohttp's exceptions. Redirects are not followed."""
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=phases["pool"],
            sock_connect=phases["connect"],
            sock_read=phases["read"],
        )
        response = await self._session.request(
            request.method,
            _parse_url(request.url),
            data=request.body,
            headers=headers,
            allow_redirects=False,
            timeout=timeout,
            **self._proxy,
        )
        return AiohttpReply(response)

    def leave(self) -> None:
        """Leave the connections to the parent, in a forked process: none is used or closed."""
        connector = self._session.connector
        assert connector is not None
        idle = [each[0] for kept in connector._conns.values() for each in kept]
        for protocol in (*idle, *connector._acquired):
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                leave_socket(transport.get_extra_info("socket"))
        # So that none of its replies gives a connection back, to a loop that is not there.
        connector._closed = True
        self._session.detach()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()


def _proxy_arguments(proxy: httpx.Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    arguments: dict[str, Any] = {"proxy": str(proxy.url), "proxy_headers": dict(proxy.headers)}
    if proxy.auth is not None:
        arguments["proxy_auth"] = aiohttp.BasicAuth(*proxy.auth)
    return arguments
