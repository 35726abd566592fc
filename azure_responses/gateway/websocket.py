"""One WebSocket connection of a caller: its handshake, its turns as requests, its end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from azure_responses.call_options import new_call_id
from azure_responses.errors import APIStatusError
from azure_responses.gateway.admission import Admitted
from azure_responses.gateway.asgi_reply import (
    DISCONNECT,
    TURN,
    WEBSOCKET,
    Disconnect,
    ErrorResponse,
    Receive,
    Scope,
    Send,
    error_headers,
)
from azure_responses.gateway.body_reader import (
    LARGE,
    SHORT,
    BodyMemory,
    Refused,
    check_json,
)
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.request_headers import read_headers
from azure_responses.gateway.schema import GatewaySettings
from azure_responses.gateway.websocket_handshake import Handshake
from azure_responses.openai_server import ApiRequest
from azure_responses.openai_server.served_connection import ServedConnection, read_frame_json
from azure_responses.openai_server.turn_queue import WebSocketLimits
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from azure_responses.router.connection_turn import ConnectionTurn

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["WebSocketHandler"]

_LEFT, _POLICY = 1006, 1008
# Of frames that wait for turns before them, of one connection.
_MOST_WAITING_BYTES = 16 * 1024 * 1024

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Counts:
    """Counts, after each turn, what one connection keeps and how often it connected again.

    Args:
        gateway: bounds what all connections keep, and those of each key.
        routed: the connection, which forgets its items where there is no room for them.
        key: of its caller.
    """

    def __init__(self, gateway: "Gateway", routed: AsyncRoutedConnection, key: str) -> None:
        self._memory: BodyMemory = gateway.kept_items
        self._metrics = gateway.metrics
        self._routed = routed
        self._key = key
        self._counted = 0
        self._reconnects: Counter[str] = Counter()

    def note_turn(self) -> None:
        """A turn has ended."""
        reconnects = self._routed.reconnects()
        # Only what is new: the difference of counters has no zeros.
        for deployment, count in (reconnects - self._reconnects).items():
            self._metrics.note_reconnects(deployment, count)
        self._reconnects = reconnects
        self._count_kept()

    def _count_kept(self) -> None:
        self.release()
        size = self._routed.kept_bytes
        try:
            if size:
                self._memory.take(self._key, size)
            self._counted = size
        except Refused:
            self._routed.forget()

    def release(self) -> None:
        """Count nothing of it any more."""
        if self._counted:
            self._memory.give_back(self._key, self._counted)
            self._counted = 0


class WebSocketHandler:
    """Serves one connection, and is made for it.

    1. The handshake is refused with an HTTP status, or accepted.
    2. `ServedConnection` reads the frames, keeps the order of turns and what they continue, and
       says how the connection ends.
    3. Each turn is a request of its own to the application, with the headers of the handshake: it
       is authenticated, admitted, made, recorded and refused as a POST is. So a key that was
       revoked meanwhile has no further turn.
    4. Before the process ends, the turns under way end.

    Args:
        gateway: that serves it.
        application: answers a turn.
        scope, receive, send: of the ASGI server.
    """

    def __init__(
        self,
        gateway: "Gateway",
        application: Application,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._gateway = gateway
        self._application = application
        self._scope = scope
        self._receive = receive
        self._send = send
        self._handshake = Handshake(scope)
        self._turn_scope = self._handshake.turn_scope()
        self._id = new_call_id()

    async def run(self) -> None:
        """Serve the connection to its end."""
        gateway = self._gateway
        await self._receive()
        caller = await self._handshake.check(gateway)
        if not isinstance(caller, ErrorResponse):
            caller = gateway.websockets.enter(caller.key_id) or caller
        if isinstance(caller, ErrorResponse):
            await self._refuse(caller)
            return
        try:
            await self._serve(caller)
        except OSError:
            # The caller has left.
            pass
        finally:
            gateway.websockets.leave(caller.key_id)

    async def _refuse(self, error: ErrorResponse) -> None:
        self._gateway.metrics.refuse(error.status)
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": _POLICY})
            return
        body = to_json(error.body)
        kind = "websocket.http.response"
        headers = error_headers(error, self._id, len(body))
        await self._send({"type": f"{kind}.start", "status": error.status, "headers": headers})
        await self._send({"type": f"{kind}.body", "body": body})

    async def _serve(self, caller: ApiCaller) -> None:
        websocket, hold = self._scope.get(WEBSOCKET), self._holder(caller)
        if websocket is not None:
            websocket.hold = hold
        await self._send(
            {
                "type": "websocket.accept",
                "subprotocol": self._handshake.subprotocol,
                "headers": [(b"x-request-id", self._id.encode())],
            }
        )
        shutdown, routed = self._gateway.shutdown, self._routed(caller)
        counts = _Counts(self._gateway, routed, caller.key_id)
        connection = self._connection(routed, counts, hold)

        def drain() -> None:
            connection.drain(shutdown.error)

        shutdown.connections.add(drain)
        try:
            code, reason = await connection.run(self._receive_message)
            if code != _LEFT:
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        finally:
            shutdown.connections.discard(drain)
            counts.release()

    def _routed(self, caller: ApiCaller) -> AsyncRoutedConnection:
        parts = self._gateway.router.parts
        return AsyncRoutedConnection(parts.async_calls, parts.reader, owner=caller.owner)

    def _connection(
        self, routed: AsyncRoutedConnection, counts: _Counts, hold: Callable[[int], bool]
    ) -> ServedConnection:
        return ServedConnection(
            routed,
            self._perform,
            self._send_frame,
            _limits(self._gateway.settings),
            model=self._handshake.model,
            check=self._check,
            read=self._read,
            ended=counts.note_turn,
            hold=hold,
        )

    def _holder(self, caller: ApiCaller) -> Callable[[int], bool]:
        """What counts the parts of a long message, and turns that wait, as bodies."""
        bodies, key = self._gateway.bodies, caller.key_id

        def hold(size: int) -> bool:
            if size < 0:
                bodies.give_back(key, -size)
                return True
            try:
                bodies.take(key, size)
            except Refused:
                return False
            return True

        return hold

    async def _receive_message(self) -> str | bytes | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        return bytes(message["bytes"]) if text is None else text

    async def _send_frame(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _read(self, content: bytes) -> dict[str, Any]:
        """The JSON of a frame, whose values are counted first."""
        if len(content) > SHORT:
            check = partial(check_json, content, self._gateway.settings.max_body_values)
            try:
                if len(content) < LARGE:
                    check()
                else:
                    await asyncio.to_thread(check)
            except Refused as refused:
                raise _as_exception(refused.error) from None
        return await read_frame_json(content)

    async def _perform(self, body: bytes, turn: ConnectionTurn, send: Send) -> None:
        """Answer one turn."""
        # The task is that of the request: it is what a shutdown waits for, and cuts.
        await asyncio.create_task(self._answer(body, turn, send))

    async def _answer(self, body: bytes, turn: ConnectionTurn, send: Send) -> None:
        pieces = iter((body,))

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": next(pieces, b""), "more_body": False}

        # The connection cancels its turns by itself when its caller leaves.
        scope = {**self._turn_scope, TURN: turn, DISCONNECT: Disconnect()}
        await self._application(scope, receive, send)

    async def _check(self, body: bytes, turn: ConnectionTurn) -> None:
        """Refuse a warm-up that is answered here as a call would be; it counts as a request."""
        gateway = self._gateway
        caller = await self._handshake.check(gateway)
        if isinstance(caller, ErrorResponse):
            raise _as_exception(caller)
        read = partial(gateway.server.read, self._request(body, caller, turn))
        computer = gateway.worker_threads.choose(0, len(body))
        call = read() if computer is None else await computer(read)
        admitted = await gateway.admission_queue.admit(caller, call)
        if not isinstance(admitted, Admitted):
            raise _as_exception(admitted)
        gateway.admission.settle(admitted, tokens=0)

    def _request(self, body: bytes, caller: ApiCaller, turn: ConnectionTurn) -> ApiRequest:
        return ApiRequest(
            "POST",
            self._handshake.path,
            headers=read_headers(self._turn_scope),
            body=body,
            owner=caller.owner,
            may_call=caller.may_call,
            is_operator=False,
            turn=turn,
        )


def _limits(settings: GatewaySettings) -> WebSocketLimits:
    return WebSocketLimits(
        most_waiting_bytes=_MOST_WAITING_BYTES,
        idle_seconds=settings.websocket_idle_seconds,
        max_seconds=settings.websocket_max_seconds,
    )


def _as_exception(refusal: ErrorResponse) -> APIStatusError:
    """A refusal as what a call raises."""
    error: Mapping[str, Any] = refusal.body["error"]
    return APIStatusError(
        error["message"],
        status_code=refusal.status,
        code=error["code"],
        type=error["type"],
        param=error["param"],
        retry_after=refusal.retry_after,
    )
