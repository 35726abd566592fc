"""The emulator as a plain ASGI application."""

import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

import anyio

from azure_responses.emulator.exchange import Answerer, Break, Pause, Received, Reply, Step
from azure_responses.emulator.hosts import Hosts

__all__ = ["AsgiApplication"]

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
    """Answers HTTP requests from an emulator. WebSocket connections are refused.

    With 426 where the server can say so: Codex goes on over HTTP at once after it.
    """

    def __init__(self, emulator: Answerer, allowed_hosts: Iterable[str] = ()) -> None:
        self._emulator = emulator
        self._hosts = Hosts(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await _refuse_socket(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._hosts.refuse(scope)
        if refusal is not None:
            await _send_whole(refusal, scope, send)
            return
        body = await _read_body(receive)
        if body is None:
            return
        reply = self._emulator.handle(_received(scope, body))
        if reply.broken is not None:
            await self._break(reply.broken, receive, send)
        elif reply.steps is None:
            await self._wait(reply.delay)
            await _send_whole(reply, scope, send)
        else:
            await self._stream(reply, reply.steps, receive, send)

    async def _stream(
        self, reply: Reply, steps: Iterator[Step], receive: Receive, send: Send
    ) -> None:
        """Send step by step until the end, or until the caller has gone."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_watch, receive, group.cancel_scope)
                await self._wait(reply.delay)
                await send(_start(reply))
                await self._walk(steps, receive, send)
                group.cancel_scope.cancel()
        finally:
            close = getattr(steps, "close", None)
            if close is not None:
                close()

    async def _walk(self, steps: Iterator[Step], receive: Receive, send: Send) -> None:
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
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise _Aborted(broken.kind)
        if broken.kind == "headers":
            transport.write(_HALF_A_HEAD)
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


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, None where the caller left while sending it."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


def _received(scope: Scope, body: bytes) -> Received:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return Received(
        scope["method"],
        _host(headers.get("host", "localhost")),
        raw_path.decode("latin-1").partition("?")[0],
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        is_loopback=True,
    )


def _host(header: str) -> str:
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def _start(reply: Reply) -> Message:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _send_whole(reply: Reply, scope: Scope, send: Send) -> None:
    start = _start(reply)
    start["headers"].append((b"content-length", b"%d" % len(reply.content)))
    await send(start)
    body = b"" if scope["method"] == "HEAD" else reply.content
    await send({"type": "http.response.body", "body": body})
