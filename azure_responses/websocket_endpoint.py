"""A WebSocket endpoint in this process, for clients that bring a connection of their own.

The openai package's `responses.connect()` opens a WebSocket itself, past the transport that it was
given. So there is one to connect to: on the loopback, at a URL that holds a secret.
"""

import asyncio
import hmac
import secrets
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import run_in_thread
from azure_responses.openai_server import ApiRequest, AsyncOpenAIServer
from azure_responses.openai_server.served_connection import ServedConnection
from azure_responses.router import Router
from azure_responses.router._async.routed_connection import AsyncRoutedConnection
from azure_responses.router.connection_turn import ConnectionTurn

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

__all__ = ["WebSocketEndpoint"]

_ABNORMAL = 1006


class WebSocketEndpoint:
    """Serves connections while it is entered, by `with` or by `async with`.

    Calls are made in a thread of its own, with an event loop of its own.

    Args:
        router: makes the calls. It is not closed with the endpoint.
        owner: the ids in answers are valid for this owner only; None binds them to no owner.

    Attributes:
        url: what the openai package takes as `websocket_base_url`. It holds a secret, without
            which other programs of this machine are answered 404.
    """

    def __init__(self, router: Router, *, owner: str | None = None) -> None:
        self.url = ""
        self._router = router
        self._owner = owner
        self._path = f"/{secrets.token_urlsafe(32)}/v1"
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], Any] | None = None

    def __enter__(self) -> Self:
        port: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(port)), name="azure-responses", daemon=True
        )
        self._thread.start()
        self.url = f"ws://127.0.0.1:{port.result()}{self._path}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._stop is not None
        assert self._thread is not None
        self._stop()
        self._thread.join()

    async def __aenter__(self) -> Self:
        return await run_in_thread(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await run_in_thread(lambda: self.__exit__(kind, error, traceback))

    async def _serve(self, port: "Future[int]") -> None:
        try:
            from websockets.asyncio.server import serve

            # No page of a browser gets in, and nothing is too large for its own process.
            server = await serve(
                self._handle,
                "127.0.0.1",
                0,
                process_request=self._check,
                origins=[None],
                compression=None,
                max_size=None,
            )
        except ImportError:
            message = "WebSockets need the package websockets from version 15 on."
            hint = "pip install 'azure-responses[websocket]'."
            port.set_exception(ConfigurationError(message, hint=hint))
            return
        except OSError as error:
            port.set_exception(error)
            return
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(over.set)
        port.set_result(next(iter(server.sockets)).getsockname()[1])
        await over.wait()
        server.close()
        await server.wait_closed()
        await self._router.parts.leave_loop()

    def _check(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        path = request.path.partition("?")[0]
        if hmac.compare_digest(path.encode(), f"{self._path}/responses".encode()):
            return None
        return connection.respond(404, "There is no WebSocket at this path.\n")

    async def _handle(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        async def receive() -> str | bytes | None:
            try:
                return await connection.recv()
            except ConnectionClosed:
                return None

        async def send(text: str) -> None:
            try:
                await connection.send(text)
            except ConnectionClosed as error:
                raise ConnectionResetError from error

        assert connection.request is not None
        query = connection.request.path.partition("?")[2]
        close = await self._connection(send, _model_in(query)).run(receive)
        if close.code != _ABNORMAL:
            await connection.close(*close)

    def _connection(
        self, send: Callable[[str], Awaitable[None]], model: str | None
    ) -> ServedConnection:
        parts, server = self._router.parts, AsyncOpenAIServer(self._router)

        def request(body: bytes, turn: ConnectionTurn) -> ApiRequest:
            return ApiRequest("POST", "/v1/responses", "", {}, body, self._owner, turn=turn)

        async def check(body: bytes, turn: ConnectionTurn) -> None:
            server.read(request(body, turn))

        async def perform(body: bytes, turn: ConnectionTurn, reply_to: Any) -> None:
            await _answer(server, request(body, turn), reply_to)

        routed = AsyncRoutedConnection(parts.async_calls, parts.reader, owner=self._owner)
        return ServedConnection(routed, perform, send, model=model, check=check)


async def _answer(
    server: AsyncOpenAIServer, request: ApiRequest, send: Callable[[Any], Awaitable[None]]
) -> None:
    """Answer a request by messages of ASGI."""
    reply = await server.handle(request)
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    if isinstance(reply.body, bytes):
        await send({"type": "http.response.body", "body": reply.body})
        return
    try:
        async for piece in reply.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        await reply.body.aclose()


def _model_in(query: str) -> str | None:
    pairs = parse_qsl(query)
    return next((value for name, value in pairs if name == "model"), None)
