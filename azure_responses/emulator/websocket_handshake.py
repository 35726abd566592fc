"""The handshake of a WebSocket: what was planned for it is an HTTP status or a connection."""

import anyio

from azure_responses.emulator.broken_connections import Receive, Scope, Send, break_connection
from azure_responses.emulator.http_messages import Answerer, PlannedReply, ReceivedRequest
from azure_responses.emulator.websocket import Connection

__all__ = ["serve_connection"]


async def serve_connection(
    emulator: Answerer,
    received: ReceivedRequest,
    reply: PlannedReply,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer a handshake with what was planned, and serve the connection where it is accepted."""
    if reply.broken is not None:
        await break_connection(reply.broken, receive, send)
        return
    await anyio.sleep(emulator.clock.wait(reply.delay))
    if reply.status != 101:
        await _refuse(reply, scope, send)
        return
    offered = scope.get("subprotocols") or [None]
    accept = {"type": "websocket.accept", "subprotocol": offered[0], "headers": _headers(reply)}
    await send(accept)
    await Connection(emulator, received, receive, send).serve(reply.steps or iter(()))


def _headers(reply: PlannedReply) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers]


async def _refuse(reply: PlannedReply, scope: Scope, send: Send) -> None:
    # Not every server can send a status here.
    if "websocket.http.response" not in scope.get("extensions", ()):
        await send({"type": "websocket.close", "code": 1000})
        return
    start = {
        "type": "websocket.http.response.start",
        "status": reply.status,
        "headers": _headers(reply),
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": reply.content})
