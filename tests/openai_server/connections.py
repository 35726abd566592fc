"""A caller's WebSocket connection in this process: its frames go through queues."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from azure_responses.emulator import Emulator
from azure_responses.openai_server import ApiRequest, AsyncOpenAIServer
from azure_responses.openai_server.served_connection import Close, ServedConnection
from azure_responses.openai_server.turn_queue import WebSocketLimits
from azure_responses.router import Router
from azure_responses.router._async.routed_connection import AsyncRoutedConnection

__all__ = [
    "SSE",
    "TERMINAL",
    "Caller",
    "Perform",
    "open_caller",
    "open_caller_of",
    "perform_over",
    "sse",
]

TERMINAL = frozenset(
    {"error", "response.completed", "response.failed", "response.incomplete", "response.cancelled"}
)
SSE = [(b"content-type", b"text/event-stream")]

Perform = Callable[[bytes, Any, Callable[[Any], Awaitable[None]]], Awaitable[None]]


def sse(*events: dict[str, Any]) -> bytes:
    """Events as the bytes of a stream."""
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


class Caller:
    """The caller's end of a connection."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.outbox: asyncio.Queue[str] = asyncio.Queue()
        self.has_left = False
        self.connection: ServedConnection
        self.task: asyncio.Task[Close]

    async def take(self, text: str) -> None:
        if self.has_left:
            raise ConnectionResetError
        await self.outbox.put(text)

    def send(self, frame: Any) -> None:
        is_raw = frame is None or isinstance(frame, str | bytes)
        self.inbox.put_nowait(frame if is_raw else json.dumps(frame))

    def create(self, **body: Any) -> None:
        self.send({"type": "response.create", **body})

    async def receive(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.outbox.get(), 10))
        return found

    async def turn(self, **body: Any) -> list[dict[str, Any]]:
        """The frames of one turn."""
        self.create(**body)
        return await self.rest()

    async def rest(self) -> list[dict[str, Any]]:
        """Frames until a terminal one."""
        frames = [await self.receive()]
        while frames[-1]["type"] not in TERMINAL:
            frames.append(await self.receive())
        return frames

    async def closed(self) -> Close:
        return await asyncio.wait_for(asyncio.shield(self.task), 10)


@asynccontextmanager
async def open_caller_of(
    router: Router,
    perform: Perform,
    limits: WebSocketLimits | None = None,
    *,
    owner: str | None = None,
    **options: Any,
) -> AsyncIterator[Caller]:
    """A connection whose turns are made by `perform`."""
    caller = Caller()
    routed = AsyncRoutedConnection(router.parts.async_calls, router.parts.reader, owner=owner)
    caller.connection = ServedConnection(routed, perform, caller.take, limits, **options)
    caller.task = asyncio.create_task(caller.connection.run(caller.inbox.get))
    try:
        yield caller
    finally:
        caller.send(None)
        await caller.closed()


def perform_over(router: Router, owner: str | None = None) -> Perform:
    """Turns that the OpenAI server answers, as if they had come as a POST."""
    server = AsyncOpenAIServer(router)

    async def perform(body: bytes, turn: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        request = ApiRequest("POST", "/v1/responses", "", {}, body, owner, turn=turn)
        reply = await server.handle(request)
        start = {"status": reply.status, "headers": reply.headers}
        await send({"type": "http.response.start", **start})
        if isinstance(reply.body, bytes):
            await send({"type": "http.response.body", "body": reply.body})
            return
        try:
            async for piece in reply.body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await reply.body.aclose()

    return perform


@asynccontextmanager
async def open_caller(
    emulator: Emulator,
    model_list: list[dict[str, Any]],
    limits: WebSocketLimits | None = None,
    *,
    owner: str | None = "alice",
    **options: Any,
) -> AsyncIterator[Caller]:
    """A connection to a router over emulated resources."""
    async with httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client:
        router = Router(model_list, async_http_client=http_client, affinity_secret="s" * 32)
        try:
            perform = perform_over(router, owner)
            async with open_caller_of(router, perform, limits, owner=owner, **options) as caller:
                yield caller
        finally:
            await router.aclose()
