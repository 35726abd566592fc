"""The emulator as an ASGI application, and its guard against browsers."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import anyio

from azure_responses.emulator.accounts import is_azure_host
from azure_responses.emulator.broken_connections import (
    Message,
    Receive,
    Scope,
    Send,
    break_connection,
    gone,
)
from azure_responses.emulator.http_messages import (
    HOST_PREFIX,
    UPGRADE,
    Answerer,
    BodyReader,
    Pause,
    PlannedReply,
    ReceivedRequest,
    ReplyStep,
    json_reply,
)
from azure_responses.emulator.websocket_handshake import serve_connection

__all__ = ["AllowedHosts", "AsgiApplication"]

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


class AsgiApplication:
    """Answers HTTP requests and WebSocket connections from an emulator."""

    def __init__(self, emulator: Answerer, allowed_hosts: Iterable[str] = ()) -> None:
        self._emulator = emulator
        self._hosts = AllowedHosts(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._connect(scope, receive, send)

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
            await break_connection(reply.broken, receive, send)
        elif reply.steps is None:
            await self._wait(reply.delay)
            await _send_whole(reply, scope, send)
        else:
            await self._stream(reply, reply.steps, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        received = _head({**scope, "method": UPGRADE})
        reply = self._hosts.check(scope) or self._emulator.handle(received)
        await serve_connection(self._emulator, received, reply, scope, receive, send)

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
                await break_connection(step, receive, send)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _wait(self, seconds: float) -> None:
        await anyio.sleep(self._emulator.clock.wait(seconds))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    await gone(receive)
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
    host, path = (
        _host(headers.get("host", "localhost")),
        raw_path.decode("latin-1").partition("?")[0],
    )
    # What `EmulatorTransport.websocket_url` writes: the host that the caller means.
    is_meant = path.startswith(HOST_PREFIX)
    if is_meant:
        host, _, path = path.removeprefix(HOST_PREFIX).partition("/")
        path = "/" + path
    query = scope["query_string"].decode("latin-1")
    return ReceivedRequest(
        scope["method"], host, path, query, headers, b"", is_loopback=not is_meant
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
