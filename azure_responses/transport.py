"""The ways to the network: httpx for sync clients and trio, aiohttp under asyncio.

Everything that is sent goes through here: another HTTP library would need another pair of these
functions.
"""

import asyncio
import platform
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary, ref

import httpx

from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import end_unawaited, forget_closed_loops, running_loop
from azure_responses.fork import generation, in_forked_child
from azure_responses.httpx_connections import (
    TimedBackend,
    leave_transport,
    proxy_of,
    refuse_excess,
    show_proxy,
)
from azure_responses.protocol.call import Call
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.object_request import Content
from azure_responses.timeouts import (
    TimeLimit,
    Timeout,
    limited_phases,
    patience_of,
    phases_of,
    read_timeout,
)
from azure_responses.version import __version__
from azure_responses.websocket_connections import SocketNetwork

__all__ = [
    "NetworkOptions",
    "AsyncIncomingReply",
    "IncomingReply",
    "SyncTransport",
    "async_send_through",
    "LoopTransport",
    "Timeout",
    "build_headers",
    "build_request",
    "environment_proxy",
    "framing_of",
    "is_event_stream",
    "make_socket_network",
    "make_transport",
    "merge_request",
    "parse_url",
    "patience_of",
    "phases_of",
    "read_timeout",
    "refuse_wrong_client",
    "send_through",
]

_USER_AGENT = f"azure-responses/{__version__} python/{platform.python_version()}"

# aiohttp and httpx both open a connection per call in flight; the service's own limits come first.
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60.0)

parse_url = lru_cache(maxsize=512)(httpx.URL)


@dataclass(frozen=True)
class NetworkOptions:
    """How to reach the network; nothing here is particular to Azure.

    Attributes:
        proxy: a proxy URL; None obeys HTTPS_PROXY and NO_PROXY.
        verify: True for SSL_CERT_FILE, SSL_CERT_DIR or else certifi's certificates; the path of a
            CA file or folder; an SSLContext; or False.
        cert: a client certificate's path, or (certificate, key[, password]).
        limits: connection limits.
    """

    proxy: str | httpx.Proxy | None = None
    verify: bool | str | ssl.SSLContext = True
    cert: Any = None
    limits: httpx.Limits = field(default_factory=lambda: _LIMITS)

    def ssl_context(self) -> ssl.SSLContext:
        """The TLS settings as one context.

        Raises ConfigurationError for certificates that cannot be read.
        """
        try:
            context = self._trusting_context()
            if self.cert:
                chain = (self.cert,) if isinstance(self.cert, str) else tuple(self.cert)
                context.load_cert_chain(*chain)
        except OSError as error:
            raise ConfigurationError(
                f"The certificates cannot be read: {error}",
                hint="verify and cert take paths of PEM files.",
            ) from error
        return context

    def _trusting_context(self) -> ssl.SSLContext:
        if not isinstance(self.verify, str):
            return httpx.create_ssl_context(verify=self.verify)
        if Path(self.verify).is_dir():
            return ssl.create_default_context(capath=self.verify)
        return ssl.create_default_context(cafile=self.verify)


def make_transport(connection: NetworkOptions, origin: str) -> httpx.BaseTransport:
    """The default sync transport for one origin.

    A transport and not a client: an httpx.Client parses cookies, follows the environment and
    copies headers on every call, which costs a third of the call and serves none of ours.
    """
    with _explained_socks():
        transport = httpx.HTTPTransport(
            proxy=_choose_proxy(connection, origin),
            verify=connection.ssl_context(),
            limits=connection.limits,
        )
    # httpcore's pools take a backend; httpx has no argument to pass one on.
    transport._pool._network_backend = TimedBackend()
    return transport


IncomingReply = httpx.Response


class AsyncIncomingReply(Protocol):
    """A reply whose body is still to be read, from whichever library."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; look-ups ignore case."""

    @property
    def is_success(self) -> bool:
        """True for 2xx."""

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body as it arrives, decompressed."""

    async def aclose(self) -> None:
        """Release the connection."""


class _Sockets:
    """How WebSockets reach the network: as the other connections of a transport do."""

    def __init__(self, connection: NetworkOptions, origin: str) -> None:
        self._connection = connection
        self._origin = origin
        self._network: SocketNetwork | None = None

    def socket_network(self) -> SocketNetwork:
        """Proxy and TLS settings of WebSockets."""
        # Once: the certificates take as long to read as a handshake.
        if self._network is None:
            self._network = make_socket_network(self._connection, self._origin)
        return self._network


class SyncTransport(_Sockets):
    """The default sync way to the network; safe to share between threads."""

    def __init__(self, connection: NetworkOptions, origin: str) -> None:
        super().__init__(connection, origin)
        self._transport = make_transport(connection, origin)
        in_forked_child(self._transport, leave_transport)

    def send(
        self, request: Request, headers: dict[str, str], timeout: Timeout, limit: TimeLimit
    ) -> httpx.Response:
        """Send one attempt, whose reads obey the limit; raises httpx's exceptions."""
        reply = self._transport.handle_request(build_request(request, headers, timeout, limit))
        return refuse_excess(reply)

    def proxy(self) -> str | None:
        """The URL of the proxy in between, without user and password."""
        return proxy_of(self._transport, "")

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()


class LoopTransport(_Sockets):
    """The default async way to the network: aiohttp's pool under asyncio, httpx's under trio.

    Connections belong to the event loop they were opened in and are closed when it ends. Several
    loops may share a transport, by turns or each in a thread of its own: each has its own.
    """

    def __init__(self, connection: NetworkOptions, origin: str) -> None:
        super().__init__(connection, origin)
        self._held: WeakKeyDictionary[Any, _Held] = WeakKeyDictionary()
        in_forked_child(self, LoopTransport._leave_parent)

    async def send(
        self, request: Request, headers: dict[str, str], timeout: Timeout, limit: TimeLimit
    ) -> AsyncIncomingReply:
        """Send one attempt; raises httpx's or aiohttp's exceptions.

        The caller ends what takes longer than the limit.
        """
        loop = running_loop()
        held = self._held.get(loop) or await self._adopt(loop)
        return await held.connections.send(request, headers, phases_of(timeout))

    async def aclose(self) -> None:
        """Close every connection of this loop."""
        held = self._held.get(running_loop())
        if held is not None:
            await held.guard.aclose()

    async def _adopt(self, loop: Any) -> "_Held":
        # Those that were closed without ending their generators first.
        forget_closed_loops(self._held)
        connections = self._make(loop)
        guard = _close_with_loop(connections, partial(_forget, ref(self), loop))
        # Before anything is awaited: a second call of this loop is to find the same.
        held = self._held[loop] = _Held(connections, guard)
        await anext(guard)
        return held

    def proxy(self) -> str | None:
        """The URL of the proxy in between, without user and password."""
        proxy = _choose_proxy(self._connection, self._origin)
        return None if proxy is None else show_proxy(proxy.url)

    def _forget(self, loop: Any) -> None:
        self._held.pop(loop, None)

    def _leave_parent(self) -> None:
        inherited, self._held = list(self._held.values()), WeakKeyDictionary()
        for held in inherited:
            held.connections.leave()
            end_unawaited(held.guard)

    def _make(self, loop: object) -> "_Connections":
        proxy = _choose_proxy(self._connection, self._origin)
        limits, context = self._connection.limits, self._connection.ssl_context()
        if not isinstance(loop, asyncio.AbstractEventLoop):
            with _explained_socks():
                return _HTTPXConnections(
                    httpx.AsyncHTTPTransport(proxy=proxy, verify=context, limits=limits)
                )
        if proxy is not None and _is_socks(proxy):
            raise ConfigurationError(
                "The async client cannot go through a SOCKS proxy by itself.",
                hint="Give an http:// proxy, or install httpx[socks] and pass "
                "http_client=httpx.AsyncClient(proxy='socks5://…').",
            )
        # Imported only here: a sync program has no use for aiohttp.
        from azure_responses.aiohttp_connections import AiohttpConnections

        return AiohttpConnections(limits, context, proxy)


class _Connections(Protocol):
    async def send(
        self, request: Request, headers: dict[str, str], phases: dict[str, float | None]
    ) -> AsyncIncomingReply: ...

    async def aclose(self) -> None: ...

    def leave(self) -> None: ...


class _HTTPXConnections:
    """httpx's own pool, for trio."""

    def __init__(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._transport = transport
        self.aclose = transport.aclose
        self.leave = partial(leave_transport, transport)

    async def send(
        self, request: Request, headers: dict[str, str], phases: dict[str, float | None]
    ) -> AsyncIncomingReply:
        reply = await self._transport.handle_async_request(_build(request, headers, phases))
        return refuse_excess(reply)


@dataclass(frozen=True)
class _Held:
    """The connections of one loop, and what closes them."""

    connections: _Connections
    guard: AsyncGenerator[None, None]


async def _close_with_loop(
    connections: _Connections, forget: Callable[[], None]
) -> AsyncGenerator[None, None]:
    """Closes the connections when their event loop ends.

    asyncio and trio close the async generators that are still suspended when their `run` ends,
    which is the last moment at which a pooled connection can be closed in its own loop.
    """
    process = generation()
    try:
        yield
    finally:
        # First, so that a call made meanwhile opens other connections; and because connections
        # know their loop, which could not be collected while they are referenced.
        forget()
        if process == generation():
            await connections.aclose()


def _forget(transport: "ref[LoopTransport]", loop: Any) -> None:
    # A weak reference: a client that was never closed is freed at once, not at the next collection
    # of garbage.
    held_by = transport()
    if held_by is not None:
        held_by._forget(loop)


def _choose_proxy(connection: NetworkOptions, origin: str) -> httpx.Proxy | None:
    given = connection.proxy or environment_proxy(origin)
    if given is None or isinstance(given, httpx.Proxy):
        return given
    try:
        return httpx.Proxy(given)
    except (TypeError, ValueError, httpx.InvalidURL):
        # Without its cause, which shows the URL: a password may stand in it.
        raise ConfigurationError(
            "The proxy is not the URL of a proxy.",
            hint="Give one such as http://proxy.example.com:8080, as proxy= or in HTTPS_PROXY.",
        ) from None


def make_socket_network(connection: NetworkOptions, origin: str) -> SocketNetwork:
    """Proxy and TLS settings of WebSockets to an origin.

    Headers of a proxy are not sent: user and password of its URL are all that it gets.
    """
    context, proxy = connection.ssl_context(), _choose_proxy(connection, origin)
    if proxy is None:
        return SocketNetwork(context)
    url = str(proxy.url)
    if proxy.auth is not None:
        user, password = (quote(part, safe="") for part in proxy.auth)
        url = url.replace("://", f"://{user}:{password}@", 1)
    return SocketNetwork(context, url, show_proxy(proxy.url))


def _is_socks(proxy: httpx.Proxy) -> bool:
    return proxy.url.scheme.startswith("socks")


@contextmanager
def _explained_socks() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            "The proxy is a SOCKS proxy, which needs a package of its own.",
            hint="pip install 'httpx[socks]', or give an http:// proxy.",
        ) from error


def environment_proxy(origin: str) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an origin."""
    scheme, _, host = origin.partition("://")
    proxies = getproxies()
    if not proxies or proxy_bypass(host):
        return None
    proxy = proxies.get(scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def build_request(
    request: Request, headers: dict[str, str], timeout: Timeout, limit: TimeLimit
) -> httpx.Request:
    """One attempt as a request for our own sync transport, which obeys the limit at each read."""
    return _build(request, headers, limited_phases(timeout, limit))


def send_through(
    http_client: httpx.Client,
    request: Request,
    headers: dict[str, str],
    timeout: Timeout,
    limit: TimeLimit,
) -> httpx.Response:
    """One attempt through the caller's client; the reply's body is still to be read."""
    merged = merge_request(http_client, request, headers, timeout)
    phases = merged.extensions["timeout"]
    phases |= limited_phases(timeout, limit)
    phases["read"] = min(float(limit), max(0.001, limit.left()))
    # A redirect would carry the credential to wherever it points.
    response = http_client.send(merged, stream=True, follow_redirects=False)
    # httpcore looks up how long to read for the headers, and once more for the body.
    phases["read"] = limit
    return refuse_excess(response)


async def async_send_through(
    http_client: httpx.AsyncClient,
    request: Request,
    headers: dict[str, str],
    timeout: Timeout,
    limit: TimeLimit,
) -> httpx.Response:
    """`send_through`, awaited; the caller ends what takes longer than the limit."""
    merged = merge_request(http_client, request, headers, timeout)
    # A redirect would carry the credential to wherever it points.
    response = await http_client.send(merged, stream=True, follow_redirects=False)
    return refuse_excess(response)


def _build(
    request: Request, headers: dict[str, str], phases: dict[str, float | None]
) -> httpx.Request:
    """The request with its two headers of HTTP itself.

    Given a body as `content`, httpx looks for them among the others and writes all headers twice,
    which takes as long as everything else that this package does to send a request.
    """
    url, host = _parse_target(request.url)
    framing = {} if "host" in headers else {"Host": host}
    own = {**framing, **headers}
    body = request.body
    if body is not None and not isinstance(body, bytes):
        return httpx.Request(
            request.method,
            url,
            headers={**own, **framing_of(body)},
            stream=_SentPieces(body),
            extensions={"timeout": phases},
        )
    if body:
        own["Content-Length"] = str(len(body))
    elif request.method == "POST":
        own["Content-Length"] = "0"
    built = httpx.Request(
        request.method,
        url,
        headers=own,
        stream=httpx.ByteStream(body or b""),
        extensions={"timeout": phases},
    )
    # Programs that record or trace what httpx sends look at its `content`.
    built.read()
    return built


@lru_cache(maxsize=512)
def _parse_target(url: str) -> tuple[httpx.URL, str]:
    """A URL, and what the Host header says of it."""
    parsed = parse_url(url)
    return parsed, parsed.netloc.decode("ascii")


def merge_request(
    http_client: httpx.Client | httpx.AsyncClient,
    request: Request,
    headers: dict[str, str],
    timeout: Timeout,
) -> httpx.Request:
    """One attempt as a request of the caller's client, with its own headers and cookies."""
    body: Any = request.body
    if not isinstance(body, bytes | None):
        headers = {**headers, **framing_of(body)}
        if isinstance(http_client, httpx.AsyncClient):
            body = _AsyncPieces(body)
    return http_client.build_request(
        request.method,
        request.url,
        headers=headers,
        content=body,
        extensions={"timeout": phases_of(timeout)},
    )


def framing_of(content: Content) -> dict[str, str]:
    """The header that says where the body ends."""
    if content.length is None:
        return {"Transfer-Encoding": "chunked"}
    return {"Content-Length": str(content.length)}


class _AsyncPieces(httpx.AsyncByteStream):
    """Content for httpx's async side, which takes what can also be iterated for its sync side."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._content)


class _SentPieces(_AsyncPieces, httpx.SyncByteStream):
    """Content for both sides of httpx."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._content)


def build_headers(call: Call, credential: tuple[str, str] | None) -> dict[str, str]:
    """The headers of one attempt; notes on `call` which secret they carry."""
    headers = {"user-agent": _USER_AGENT, **call.request.headers}
    if credential is not None:
        name, value = credential
        headers[name] = value
        if call.api == "messages" and name == "api-key":
            # Anthropic's package sends a Foundry key in both.
            headers["x-api-key"] = value
        call.secret = value.removeprefix("Bearer ")
    return headers


def refuse_wrong_client(http_client: object, expected: type) -> None:
    """Raise ConfigurationError for an `http_client` of another kind than `expected`."""
    if not isinstance(http_client, expected):
        kind = type(http_client)
        raise ConfigurationError(
            f"http_client is a {kind.__module__}.{kind.__name__}; expected an "
            f"httpx.{expected.__name__}.",
            hint=f"Pass an httpx.{expected.__name__}, or leave http_client out: proxy, verify, "
            "cert and limits are arguments of the client. The clients of openai 3 are of httpx2.",
        )


def is_event_stream(response: httpx.Response | AsyncIncomingReply) -> bool:
    """True for a successful reply that streams events."""
    # A missing Content-Type is tolerated: some gateways drop it, and the decoder finds out.
    kind = response.headers.get("content-type", "text/event-stream").lower()
    return response.is_success and "event-stream" in kind
