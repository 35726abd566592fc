"""Connections that a server breaks on purpose, which ASGI has no message for."""

import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

from azure_responses.emulator.http_messages import Break

__all__ = ["Message", "Receive", "Scope", "Send", "break_connection", "gone"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HALF_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-ty"
# Closing with this option set discards what is unsent and answers with a reset.
_LINGER_NOT = struct.pack("ii", 1, 0)


class _Aborted(Exception):
    """The connection was broken on purpose; raised to a server that offers no other way."""


async def break_connection(broken: Break, receive: Receive, send: Send) -> None:
    """Break the connection that `send` writes to, and wait until the server knows."""
    # ASGI cannot break a connection; uvicorn's `send` is a method of what holds the transport.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if broken.kind == "half-open" and transport is not None:
        # What the caller sends is no longer read: pings stay without an answer.
        transport.pause_reading()
    if broken.kind in ("stall", "half-open"):
        # Real time, whatever the clock says: the caller's patience is measured in it.
        with anyio.move_on_after(broken.seconds):
            await gone(receive)
    if transport is None:
        raise _Aborted(broken.kind)
    if broken.kind == "headers":
        transport.write(_HALF_A_HEAD)
    # A close inside a chunked body or a head is what clients call incomplete.
    if broken.kind in ("disconnected", "incomplete", "headers"):
        transport.close()
    else:
        _reset(transport)
    await gone(receive)


def _reset(transport: Any) -> None:
    if transport.is_closing():
        # The caller has left first: asyncio and uvloop raise an error for a socket that is closed.
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


async def gone(receive: Receive) -> None:
    """Wait until the caller has left; what they send meanwhile is dropped."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
