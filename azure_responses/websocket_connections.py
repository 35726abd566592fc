"""WebSockets over the package `websockets`: under asyncio, under trio, and in threads.

A WebSocket here connects, sends text, receives text within a time limit, and closes. The code
that waits for a frame checks by pings that the other side still answers. `websockets` could send
them itself, but it would also close a socket whose reader is slow: it reads no pongs while its
queue is full.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from time import monotonic
from typing import Any, NoReturn, Self

import anyio

from azure_responses.connection_errors import mapped_socket_errors
from azure_responses.errors import APIConnectionError, APITimeoutError, ConfigurationError
from azure_responses.event_loop import end_unawaited, fail_after, running_loop, start_task
from azure_responses.fork import generation, keep_for_ever, leave_socket
from azure_responses.protocol.http_message import LARGEST_REPLY, Reply
from azure_responses.protocol.socket_frames import SocketSettings
from azure_responses.timeouts import TimeLimit, seconds_of

__all__ = [
    "AsyncWebSocket",
    "HandshakeError",
    "SocketNetwork",
    "WebSocket",
    "async_open_websocket",
    "open_websocket",
]

_OPEN = 1
# Characters of a frame that the operating system takes although the server does not read.
_AT_ONCE = 2**15
# Seconds; timers overflow at a few hundred years.
_LONGEST = 1e8
# What websockets says of an answer that is no handshake, and of none at all.
_NOT_A_HANDSHAKE = frozenset(
    {"InvalidHandshake", "InvalidHeader", "InvalidHeaderValue", "InvalidMessage", "InvalidUpgrade"}
)


class HandshakeError(APIConnectionError):
    """The other side was reached, and answered otherwise than a WebSocket's server does."""


@dataclass(frozen=True)
class SocketNetwork:
    """How to reach the network.

    Attributes:
        ssl_context: the TLS settings.
        proxy: its URL, with user and password.
        shown_proxy: its URL without them, for messages.
    """

    ssl_context: ssl.SSLContext
    proxy: str | None = None
    shown_proxy: str | None = None


class _Socket:
    """What the sockets of all libraries share: their life, and when to doubt it."""

    def __init__(self, connection: Any, network: SocketNetwork, settings: SocketSettings) -> None:
        self.headers: Mapping[str, str] = _headers_of(connection.response)
        self._connection = connection
        self._settings = settings
        self._find_proxy = lambda: network.shown_proxy
        self._heard_at = monotonic()
        self._pinged_at = self._heard_at
        self._pong: Any = None
        self._is_left = False

    @property
    def is_open(self) -> bool:
        """True until either side has said goodbye, as far as is known."""
        return not self._is_left and self._connection.state == _OPEN

    @property
    def is_doubtful(self) -> bool:
        """True when nothing has been heard for so long that a dead socket would look the same."""
        return monotonic() - self._heard_at > self._settings.ping_interval

    def leave(self) -> None:
        """Leave the socket to the parent, in a forked process."""
        self._is_left = True
        leave_socket(_socket_of(self._connection))
        keep_for_ever(self._connection)

    def _patience(self, limit: TimeLimit) -> float:
        """Seconds to wait for a frame before something has to be done about its absence."""
        left = limit.left()
        if left <= 0:
            raise APITimeoutError("The service did not answer in time.")
        since = max(self._heard_at, self._pinged_at)
        return max(0.0, min(left, since + self._settings.ping_interval - monotonic()))

    def _heard(self) -> None:
        self._heard_at = monotonic()
        self._pong = None

    def _note_pong(self) -> bool:
        """True when another ping is due; raises where the last one was not answered."""
        if monotonic() - max(self._heard_at, self._pinged_at) < self._settings.ping_interval:
            return False
        pong, self._pong = self._pong, None
        if pong is not None and not _is_done(pong):
            raise APIConnectionError("The WebSocket broke off: the service answers no pings.")
        self._pinged_at = monotonic()
        return True

    def _refuse_left(self) -> None:
        if self._is_left:
            raise APIConnectionError("The WebSocket belongs to the process that was forked.")


class AsyncWebSocket(_Socket):
    """A WebSocket of one event loop.

    Attributes:
        headers: of the reply to the handshake.
    """

    def __init__(
        self,
        connection: Any,
        network: SocketNetwork,
        settings: SocketSettings,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(connection, network, settings)
        self._loop = running_loop()
        self._close = close
        # A task of trio's run ends with it, and its socket with the task.
        self._guard = _abort_with_loop(getattr(connection, "transport", None))

    @property
    def is_open(self) -> bool:
        """True in its own event loop, until either side has said goodbye."""
        return super().is_open and self._loop is running_loop()

    async def send(self, text: str, limit: TimeLimit) -> None:
        """Send a frame; raises APIConnectionError."""
        self._refuse_left()
        with mapped_socket_errors(self._find_proxy):
            async with fail_after(limit.left()):
                await self._connection.send(text)

    async def receive(self, limit: TimeLimit) -> str | bytes:
        """The next frame.

        Raises:
            APIConnectionError: the socket is of no use any more; an APITimeoutError: the time is
                over.
        """
        self._refuse_left()
        while True:
            try:
                async with fail_after(self._patience(limit)):
                    text: str | bytes = await self._connection.recv()
            except TimeoutError:
                if self._note_pong():
                    with mapped_socket_errors(self._find_proxy):
                        self._pong = await self._connection.ping()
                continue
            except Exception:
                # Entered only now: every frame comes this way, and a context manager is not free.
                with mapped_socket_errors(self._find_proxy):
                    raise
            self._heard()
            return text

    async def probe(self, limit: TimeLimit) -> bool:
        """True when the other side answers a ping."""
        seconds = min(limit.left(), self._settings.ping_interval / 4)
        try:
            async with fail_after(seconds):
                pong = await self._connection.ping()
                await (pong.wait() if hasattr(pong, "wait") else pong)
        except Exception:
            return False
        self._heard()
        return True

    async def aclose(self) -> None:
        """Say goodbye, and close."""
        if self._is_left or self._loop is not running_loop():
            return
        try:
            with suppress(Exception):
                await self._close()
        finally:
            await self._guard.aclose()

    async def guard(self) -> Self:
        """Let the socket end with its event loop, or with its last reference."""
        await anext(self._guard)
        return self

    def leave(self) -> None:
        """Leave the socket to the parent, in a forked process."""
        super().leave()
        end_unawaited(self._guard)


async def _abort_with_loop(transport: Any) -> AsyncGenerator[None, None]:
    """Gives a socket up that was not closed when its event loop ends, or is forgotten.

    Without a goodbye: by then websockets cannot say one.
    """
    process = generation()
    try:
        yield
    finally:
        if transport is not None and process == generation():
            transport.abort()
            # The loop closes the socket in its next round.
            await asyncio.sleep(0)


class WebSocket(_Socket):
    """A WebSocket of the sync shell.

    Attributes:
        headers: of the reply to the handshake.
    """

    def send(self, text: str, limit: TimeLimit) -> None:
        """Send a frame; raises APIConnectionError."""
        self._refuse_left()
        with mapped_socket_errors(self._find_proxy):
            if len(text) < _AT_ONCE:
                self._connection.send(text)
                return
            with _shut_after(_socket_of(self._connection), seconds_of(limit)):
                self._connection.send(text)

    def receive(self, limit: TimeLimit) -> str | bytes:
        """The next frame.

        Raises:
            APIConnectionError: the socket is of no use any more; an APITimeoutError: the time is
                over.
        """
        self._refuse_left()
        while True:
            try:
                text: str | bytes = self._connection.recv(self._patience(limit))
            except TimeoutError:
                if self._note_pong():
                    with mapped_socket_errors(self._find_proxy):
                        self._pong = self._connection.ping()
                continue
            except Exception:
                # Entered only now: every frame comes this way, and a context manager is not free.
                with mapped_socket_errors(self._find_proxy):
                    raise
            self._heard()
            return text

    def probe(self, limit: TimeLimit) -> bool:
        """True when the other side answers a ping."""
        seconds = min(limit.left(), self._settings.ping_interval / 4)
        try:
            is_alive: bool = self._connection.ping().wait(seconds)
        except Exception:
            return False
        if is_alive:
            self._heard()
        return is_alive

    def close(self) -> None:
        """Say goodbye, and close."""
        if not self._is_left:
            with suppress(Exception):
                self._connection.close()


async def async_open_websocket(
    url: str,
    headers: Mapping[str, str],
    network: SocketNetwork,
    settings: SocketSettings,
    limit: TimeLimit,
) -> AsyncWebSocket | Reply:
    """A WebSocket, or the HTTP reply that refuses it. Redirects are not followed.

    Raises:
        APIConnectionError: nothing answered in time; a HandshakeError: not as a WebSocket does.
        ConfigurationError: the package `websockets` is missing, or too old.
    """
    arguments = _arguments(url, headers, network, settings)
    seconds = min(settings.connect_timeout, limit.left())
    is_asyncio = isinstance(running_loop(), asyncio.AbstractEventLoop)
    try:
        with mapped_socket_errors(lambda: network.shown_proxy):
            if is_asyncio:
                connect = _find("asyncio")
                async with fail_after(seconds):
                    connection = await connect(url, **arguments)
                close = connection.close
            else:
                keeper = _TrioKeeper(_find("trio")(url, **arguments))
                connection = await keeper.open(seconds)
                close = keeper.aclose
        return await AsyncWebSocket(connection, network, settings, close).guard()
    except APIConnectionError as error:
        return _refusal(error)


def open_websocket(
    url: str,
    headers: Mapping[str, str],
    network: SocketNetwork,
    settings: SocketSettings,
    limit: TimeLimit,
) -> WebSocket | Reply:
    """`async_open_websocket`, blocking."""
    arguments = _arguments(url, headers, network, settings)
    arguments["open_timeout"] = max(0.001, min(settings.connect_timeout, limit.left()))
    try:
        with mapped_socket_errors(lambda: network.shown_proxy):
            connection = _find("sync")(url, **arguments)
            # Says that the connection is closed by us; websockets 17 warns without it.
            connection.__enter__()
            return WebSocket(connection, network, settings)
    except APIConnectionError as error:
        return _refusal(error)


def _arguments(
    url: str, headers: Mapping[str, str], network: SocketNetwork, settings: SocketSettings
) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "additional_headers": dict(headers),
        "user_agent_header": headers.get("user-agent"),
        "compression": None,
        "open_timeout": None,
        # Keeps routers in between from forgetting the connection. Whether a pong comes is looked
        # at where a frame is waited for.
        "ping_interval": settings.ping_interval,
        "ping_timeout": None,
        "close_timeout": settings.close_timeout,
        "max_size": LARGEST_REPLY,
        "max_queue": settings.most_queued,
        "proxy": network.proxy,
    }
    if url.startswith("wss:"):
        arguments["ssl"] = network.ssl_context
    if network.proxy is not None and network.proxy.startswith("https:"):
        arguments["proxy_ssl"] = network.ssl_context
    return arguments


def _refusal(error: APIConnectionError) -> Reply:
    """The reply in the exception that a refused handshake was mapped from; raises any other."""
    cause = error.__cause__
    kind = type(cause).__name__
    if kind == "InvalidStatus":
        response: Any = cause.response  # type: ignore[union-attr]
        return Reply(response.status_code, _headers_of(response), bytes(response.body or b""))
    if kind in _NOT_A_HANDSHAKE:
        raise HandshakeError(error.message, hint=error.hint) from cause
    raise error


def _headers_of(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.raw_items()}


@lru_cache(maxsize=3)
def _find(kind: str) -> Any:
    """What connects, without following redirects: they would carry the token elsewhere."""
    try:
        module = import_module(f"websockets.{kind}.client")
    except ImportError as error:
        _explain(kind, error)
    if not hasattr(import_module("websockets.exceptions"), "InvalidProxy"):
        _explain(kind, None)
    # From 16 on the class `reconnect` is what the function `connect` of the sync side uses.
    base = getattr(module, "reconnect", module.connect)
    if not isinstance(base, type):
        return base
    found = type("connect", (base,), {"process_redirect": lambda _self, error: error})
    return found if kind != "sync" else partial(_connect_sync, found)


def _connect_sync(connect: Any, url: str, **arguments: Any) -> Any:
    return connect(url, **arguments).connect()


def _explain(kind: str, cause: ImportError | None) -> NoReturn:
    if kind == "trio":
        raise ConfigurationError(
            "WebSockets under trio need the package websockets from version 17 on.",
            hint="pip install 'websockets>=17'.",
        ) from cause
    raise ConfigurationError(
        "WebSockets need the package websockets from version 15 on.",
        hint="pip install 'azure-responses[websocket]'.",
    ) from cause


class _TrioKeeper:
    """The task that a WebSocket of trio lives in: there it exists in a block of `async with` only.

    Args:
        connect: not entered yet.
    """

    def __init__(self, connect: AbstractAsyncContextManager[Any]) -> None:
        self._connect = connect
        self._is_settled = anyio.Event()
        self._closes = anyio.Event()
        self._is_closed = anyio.Event()
        self._scope = anyio.CancelScope()
        self._outcome: Any = None

    async def open(self, seconds: float) -> Any:
        """The connection; raises what connecting ended with, or TimeoutError."""
        start_task(self._keep)
        try:
            with anyio.fail_after(seconds):
                await self._is_settled.wait()
        except BaseException:
            self._scope.cancel()
            raise
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def aclose(self) -> None:
        """Say goodbye, and wait until the task has ended."""
        self._closes.set()
        await self._is_closed.wait()

    async def _keep(self) -> None:
        try:
            with self._scope:
                async with self._connect as self._outcome:
                    self._is_settled.set()
                    await self._closes.wait()
                    await self._outcome.aclose()
                    # websockets 17.4 does not end while its queue is full.
                    self._scope.cancel()
        except Exception as error:
            # It would end the program.
            self._outcome = error
        finally:
            self._is_settled.set()
            self._is_closed.set()


@contextmanager
def _shut_after(connected: Any, seconds: float | None) -> Iterator[None]:
    """Ends a send to a server that does not read.

    A timeout of the socket would also end the reads of the thread that websockets reads in.
    """
    is_over = threading.Event()

    def shut() -> None:
        is_over.set()
        with suppress(OSError):
            # Not the method of a TLS socket, which would also forget its encryption.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(_LONGEST if seconds is None else seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if is_over.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


def _is_done(pong: Any) -> bool:
    """True when a pong has come: what each library gives for it is of another kind."""
    return pong.done() if isinstance(pong, asyncio.Future) else bool(pong.is_set())


def _socket_of(connection: Any) -> Any:
    """The TCP socket, also below TLS."""
    transport = getattr(connection, "transport", None)
    if transport is not None:
        return transport.get_extra_info("socket")
    layer = getattr(connection, "socket", None) or getattr(connection, "stream", None)
    while layer is not None and not isinstance(layer, socket.socket):
        names = ("transport_stream", "ssl_socket", "socket", "_sock")
        layer = next((getattr(layer, name) for name in names if hasattr(layer, name)), None)
    return layer
