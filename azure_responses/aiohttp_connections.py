"""Connections under asyncio: aiohttp's pool, without an HTTP client's objects around each call.

httpx's own pool scans every connection on every request and collapses at fifty calls in flight;
its request and response objects cost as much again as aiohttp's whole exchange. So the async
shell speaks to aiohttp directly, and this module gives a reply the few methods it needs.
"""

import asyncio
import io
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache, partial
from typing import Any, cast

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from azure_responses.fork import leave_socket
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.object_request import Content
from azure_responses.timeouts import TimeLimit

__all__ = ["AiohttpConnections", "AiohttpReply", "Alarm"]

_END_OF_HEAD = b"\r\n\r\n"
_LARGE_BODY = 2**20


@lru_cache(maxsize=512)
def _parse_url(url: str) -> URL:
    # Encoded already, and not to be encoded in another way.
    return URL(url, encoded=True)


class _Protocol(ResponseHandler):
    """Passes on to the reader of a body what aiohttp keeps to itself.

    Bytes that cannot be parsed close the connection, but a reader that waits for more of the body
    does not learn of it and waits for ever. And what arrives together with such bytes is thrown
    away with them. So the head of a reply, whose status the caller needs, is parsed separately.
    """

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        while self._payload is None or self._payload.is_eof():
            end = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
            if not len(_END_OF_HEAD) <= end < len(data):
                break
            super().data_received(data[:end])
            data = data[end:]
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """The connection is of no use any more."""
        super().set_exception(exc, *cause)
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(exc)

    def close(self) -> None:
        """The connection is closed at once, with what was still to be sent.

        The rest of a large body would keep it open until the other side reads or leaves.
        """
        transport = self.transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()
        super().close()

    def is_connected(self) -> bool:
        """False also when something is there that no request asked for; asked before each reuse.

        aiohttp would give it to the next caller as the answer.
        """
        return super().is_connected() and not (self._buffer or self._tail)


class _Connector(aiohttp.TCPConnector):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        # aiohttp has no argument for it.
        self._factory = cast(Any, partial(_Protocol, loop=self._loop))


class Alarm:
    """Interrupts the reading of a body when its time is over.

    One timer, which is set again only when it has rung: a timeout around each read would cost more
    than the read.

    Attributes:
        is_on: the body is being read; a caller may take his time between two reads.
    """

    def __init__(self, content: aiohttp.StreamReader, limit: TimeLimit) -> None:
        self.is_on = False
        self._content = content
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.set(min(limit, limit.left()))

    def set(self, seconds: float) -> None:
        """Look at the limit again in so many seconds."""
        self.cancel()
        self._timer = self._loop.call_later(seconds, self._ring)

    def cancel(self) -> None:
        """The body is not read any further."""
        if self._timer is not None:
            self._timer.cancel()
            # It knows the reader, and with that the connection.
            self._timer = None

    def _ring(self) -> None:
        left = min(self._limit.left(), self._limit)
        if self.is_on and left <= 0:
            self._content.set_exception(TimeoutError("The time is over."))
        else:
            self.set(left if self.is_on else self._limit)


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

    def alarm(self, limit: TimeLimit) -> Alarm:
        """Lets reads fail with TimeoutError when the limit is over."""
        return Alarm(self._response.content, limit)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body as it arrives, decompressed."""
        content = self._response.content
        try:
            async for chunk in content.iter_any():
                yield chunk
        except Exception:
            # What came before the body broke is read first, as everywhere: it may end the stream.
            rest = content._read_nowait(-1)
            if rest:
                yield rest
            raise

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
        connector = _Connector(
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
        # aiohttp repeats a GET or DELETE by itself when the connection breaks. How often a call is
        # made is for the retry policy, which also knows what a lost answer means.
        self._session._retry_connection = False
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
        body = request.body
        if body is not None and not isinstance(body, bytes) and body.length is not None:
            # Without it aiohttp sends pieces in chunks, which not every proxy takes.
            headers = {**headers, "Content-Length": str(body.length)}
        response = await self._session.request(
            request.method,
            _parse_url(request.url),
            data=_in_pieces(body),
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


def _in_pieces(body: bytes | Content | None) -> Any:
    # aiohttp warns (ResourceWarning) of more than a megabyte of bytes, which it writes at once.
    is_large = isinstance(body, bytes) and len(body) > _LARGE_BODY
    return io.BytesIO(cast("bytes", body)) if is_large else body


def _proxy_arguments(proxy: httpx.Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    headers = dict(proxy.headers)
    if proxy.auth is not None:
        # aiohttp makes it the Proxy-Authorization of the request for a tunnel, or of the call.
        encoded = b64encode(":".join(proxy.auth).encode()).decode()
        headers["Authorization"] = f"Basic {encoded}"
    return {"proxy": str(proxy.url), "proxy_headers": headers}
