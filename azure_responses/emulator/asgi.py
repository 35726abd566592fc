"""The emulator served: an ASGI application, its guard against browsers, and a loopback port."""

import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import anyio

from azure_responses.emulator.accounts import is_azure_host
from azure_responses.emulator.http_messages import (
    Answerer,
    BodyReader,
    Break,
    Pause,
    PlannedReply,
    ReceivedRequest,
    ReplyStep,
    json_reply,
)

if TYPE_CHECKING:
    import uvicorn

__all__ = [
    "AllowedHosts", "AsgiApplication", "RunningServer", "listen", "make_server",
]  # fmt: skip

_LONGEST_SHOWN = 100


class AllowedHosts:
    """The hosts that requests over the loopback may name: a guard against web pages.

    The keys of an emulator are no secrets, and its control paths take none. By DNS rebinding a
    page's own host name leads to the loopback, and the page may then read what it gets; `Host`
    still has that name. Connections to another address, as in a container, may name any host:
    who can reach that address is decided elsewhere.

    Args:
        allowed: names besides those of the loopback and of Azure; `*` is any.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {name.partition("/")[0].rstrip(".").lower() for name in allowed}

    def check(self, scope: Mapping[str, Any]) -> PlannedReply | None:
        """The error for a request that a browser may have sent, or None."""
        # Without an address the application is called in process, or over a Unix socket.
        server = scope.get("server")
        if "*" in self._allowed or not server or not _is_loopback(str(server[0])):
            return None
        headers = dict(scope["headers"])
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        # Proxies and servers differ in which of two they take.
        if len(given) > 1:
            return _say("A request needs one Host header.", 400)
        if given and not self._is_known(_name(given[0])):
            return _say(f"The emulator does not answer for the host {given[0][:_LONGEST_SHOWN]!r}.")
        # Browsers name the page in Origin, but not for images and the like; there Sec-Fetch-Site
        # says that the page is of another site. Programs send neither.
        site, origin = headers.get(b"sec-fetch-site", b""), headers.get(b"origin")
        is_of_a_page = site.strip().lower() == b"cross-site" if origin is None else True
        if is_of_a_page and not _is_of_this_machine(origin):
            return _say("A page of another site may not call the emulator.")
        return None

    def _is_known(self, name: str) -> bool:
        return _is_loopback(name) or is_azure_host(name) or name in self._allowed


def _name(header: str) -> str:
    name = header.strip().lower()
    if name.startswith("["):
        address, bracket, _ = name[1:].partition("]")
        return address if bracket else ""
    host, _, port = name.partition(":")
    return host.removesuffix(".") if not port or port.isdecimal() else ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    # A dual-stack socket shows IPv4 callers as ::ffff:127.0.0.1.
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_of_this_machine(origin: bytes | None) -> bool:
    try:
        return _is_loopback(urlsplit((origin or b"").decode("latin-1")).hostname or "")
    except ValueError:
        return False


def _say(message: str, status: int = 403) -> PlannedReply:
    hint = "Say allowed_hosts in emulator.yaml, or Emulator(allowed_hosts=[…])."
    error = {"code": "host_not_allowed", "message": f"{message} {hint}"}
    return json_reply({"error": error}, status)


Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-ty"
# Closing with this option set discards what is unsent and answers with a reset.
_LINGER_NOT = struct.pack("ii", 1, 0)


class _Aborted(Exception):
    """The connection was broken on purpose; raised to a server that offers no other way."""


class AsgiApplication:
    """Answers HTTP requests from an emulator. WebSocket connections get a 426 or are closed."""

    def __init__(self, emulator: Answerer, allowed_hosts: Iterable[str] = ()) -> None:
        self._emulator = emulator
        self._hosts = AllowedHosts(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await _refuse_socket(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._hosts.check(scope)
        if error is not None:
            await _send_whole(error, scope, send)
            return
        received = await _receive(scope, receive)
        if received is None:
            return
        reply = self._emulator.handle(received)
        if reply.broken is not None:
            await self._break(reply.broken, receive, send)
        elif reply.steps is None:
            await self._wait(reply.delay)
            await _send_whole(reply, scope, send)
        else:
            await self._stream(reply, reply.steps, receive, send)

    async def _stream(
        self, reply: PlannedReply, steps: Iterator[ReplyStep], receive: Receive, send: Send
    ) -> None:
        """Send step by step until the end, or until the caller has gone."""
        try:
            async with anyio.create_task_group() as group:
                # Only `receive` tells that the caller has gone: a write to a closed connection
                # is dropped in silence.
                group.start_soon(_watch, receive, group.cancel_scope)
                await self._wait(reply.delay)
                await send(_start(reply))
                await self._walk(steps, receive, send)
                group.cancel_scope.cancel()
        finally:
            # A response whose stream was left early is never stored; its generator sees to that.
            close = getattr(steps, "close", None)
            if close is not None:
                close()

    async def _walk(self, steps: Iterator[ReplyStep], receive: Receive, send: Send) -> None:
        for step in steps:
            if isinstance(step, bytes):
                await send({"type": "http.response.body", "body": step, "more_body": True})
            elif isinstance(step, Pause):
                await self._wait(step.seconds)
            else:
                await self._break(step, receive, send)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _break(self, broken: Break, receive: Receive, send: Send) -> None:
        if broken.kind == "stall":
            # Real time, whatever the clock says: the caller's patience is measured in it.
            with anyio.move_on_after(broken.seconds):
                await _gone(receive)
        # ASGI cannot break a connection; uvicorn's `send` is a method of what holds the transport.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise _Aborted(broken.kind)
        if broken.kind == "headers":
            transport.write(_HALF_A_HEAD)
        # A close inside a chunked body or a head is what clients call incomplete.
        if broken.kind in ("disconnected", "incomplete", "headers"):
            transport.close()
        else:
            _reset(transport)
        await _gone(receive)

    async def _wait(self, seconds: float) -> None:
        await anyio.sleep(self._emulator.clock.wait(seconds))


def _reset(transport: Any) -> None:
    if transport.is_closing():
        # The caller has gone first; asyncio and uvloop complain of a socket that is no more.
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


async def _refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    # With 426 Codex goes on over HTTP at once; not every server can send a status here.
    if "websocket.http.response" not in scope.get("extensions", ()):
        await send({"type": "websocket.close", "code": 1000})
        return
    start = {"type": "websocket.http.response.start", "status": 426, "headers": []}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    await _gone(receive)
    scope.cancel()


async def _receive(scope: Scope, receive: Receive) -> ReceivedRequest | None:
    """The whole request, None where the caller left while sending it."""
    received = _head(scope)
    body = BodyReader(received.headers)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return body.finish(received)


def _head(scope: Scope) -> ReceivedRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    # `path` is decoded already, and an id may hold an encoded slash.
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return ReceivedRequest(
        scope["method"],
        _host(headers.get("host", "localhost")),
        raw_path.decode("latin-1").partition("?")[0],
        scope["query_string"].decode("latin-1"),
        headers,
        b"",
        is_loopback=True,
    )


def _host(header: str) -> str:
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def _start(reply: PlannedReply) -> Message:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _send_whole(reply: PlannedReply, scope: Scope, send: Send) -> None:
    start = _start(reply)
    start["headers"].append((b"content-length", b"%d" % len(reply.content)))
    await send(start)
    # Answers to HEAD name the length of the body that they leave out.
    body = b"" if scope["method"] == "HEAD" else reply.content
    await send({"type": "http.response.body", "body": body})


class Served(Protocol):
    """What a server needs of an emulator."""

    @property
    def asgi(self) -> AsgiApplication:
        """The emulator as an ASGI application."""


_START_SECONDS = 10.0


def make_server(emulator: Served) -> "uvicorn.Server":
    """A uvicorn server for an emulator, silent and with the headers of Azure alone."""
    try:
        import uvicorn
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Serving the emulator needs {error.name}: pip install 'azure-responses[cli]'",
            name=error.name,
        ) from None
    # Azure sends its own Date, and no Server header was recorded.
    config = uvicorn.Config(
        emulator.asgi,
        lifespan="off",
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on; port 0 takes any free one.

    Raises OSError, and OverflowError for an invalid port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From now on callers wait in the queue instead of being refused until uvicorn is up.
        listener.listen(2048)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


class RunningServer:
    """A context manager that serves an emulator from a thread; needs the `cli` extra (uvicorn).

    Attributes:
        emulator: the one served.
        port: the port in use, once started.
        url: `http://127.0.0.1:<port>`, which serves as the endpoint of the first resource.
    """

    def __init__(self, emulator: Served, host: str = "127.0.0.1", port: int = 0) -> None:
        self.emulator: Any = emulator
        self._host = host
        self._wanted_port = port

    @property
    def port(self) -> int:
        """The port in use."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """What serves as the endpoint of the first resource."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def resource_url(self, name: str) -> str:
        """The endpoint of one of several resources."""
        return f"{self.url}/resources/{name}"

    def __enter__(self) -> "RunningServer":
        self._server = make_server(self.emulator)
        self._listener = listen(self._host, self._wanted_port)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), daemon=True, name="azure-emulator"
        )
        self._thread.start()
        # Requests would wait in the queue, but a server that fails to start must be noticed.
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the emulator's server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_START_SECONDS)
        self.emulator.close()
        self._listener.close()
