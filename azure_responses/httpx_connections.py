"""What httpx's connection pools leave undone: after a fork, and after a reply with excess bytes.

httpcore gives each read the same number of seconds, so that a server which sends a byte now and
then is never late. A `TimeLimit` in the place of that number is asked again before each read.
"""

import math
from collections.abc import Iterable, Iterator
from copy import copy
from functools import partial
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore
import httpx

from azure_responses.fork import leave_socket
from azure_responses.timeouts import TimeLimit

__all__ = [
    "TimedBackend",
    "TimedStream",
    "leave_client",
    "leave_transport",
    "proxy_of",
    "refuse_excess",
    "show_proxy",
]

# Behind these attributes httpx and httpcore have the connection of a reply.
_LAYERS = ("_stream", "_httpcore_stream", "_connection")


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


def refuse_excess(response: httpx.Response) -> httpx.Response:
    """A reply whose connection is not used again if bytes came that belong to no request.

    The parser keeps what follows the end of a reply, and would give it to the next caller as the
    answer. The pool asks each idle connection whether something is there to be read: a connection
    with such bytes says yes, and is closed.
    """
    stream = response.extensions.get("network_stream")
    # An in-process transport has no stream; and each connection is prepared once.
    if stream is not None and "get_extra_info" not in getattr(stream, "__dict__", ()):
        parser = _parser_of(response.stream)
        if parser is not None:
            stream.get_extra_info = partial(_tell, stream.get_extra_info, parser)
    return response


def _parser_of(layer: Any) -> Any:
    """What parses the replies of an HTTP/1.1 connection, or None."""
    while layer is not None:
        parser = getattr(layer, "_h11_state", None)
        if parser is not None:
            return parser
        layer = next((getattr(layer, name) for name in _LAYERS if hasattr(layer, name)), None)
    return None


def _tell(get_extra_info: Any, parser: Any, name: str) -> Any:
    if name == "is_readable" and parser.trailing_data[0]:
        return True
    return get_extra_info(name)


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


# A write of httpcore ends only when all is written: a large body is handed over in pieces.
_PIECE = 256 * 1024


class TimedStream(httpcore.NetworkStream):
    """A connection that obeys a `TimeLimit`."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.close = stream.close  # type: ignore[method-assign]

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived; raises httpcore.ReadTimeout."""
        return self._stream.read(max_bytes, _seconds(timeout, httpcore.ReadTimeout))

    # A large body may take longer to send than a whole reply: each piece gets what is left of the
    # time, so that a server which stops reading is noticed.
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything; raises httpcore.WriteTimeout."""
        if len(buffer) <= _PIECE:
            self._stream.write(buffer, _seconds(timeout, httpcore.WriteTimeout))
            return
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._stream.write(piece, _seconds(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))


class TimedBackend(httpcore.SyncBackend):
    """Opens connections that obey a `TimeLimit`."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a host."""
        return TimedStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


def _seconds(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    if not isinstance(timeout, TimeLimit):
        return timeout
    # As `TimeLimit.left`, without a call: this is asked at each read and write.
    left = timeout.until - monotonic()
    if left <= 0:
        raise late("The time is over.")
    return None if left == math.inf else left
