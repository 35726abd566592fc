"""Plays scenarios of a WebSocket: sync, and async under asyncio and trio."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from azure_responses import AsyncAzureResponses, AzureResponses
from azure_responses._async.response_socket import AsyncResponseSocket
from azure_responses._sync.response_socket import ResponseSocket
from azure_responses.protocol.call import Call, Continuation
from azure_responses.protocol.options import Options
from azure_responses.protocol.socket_frames import SocketSettings
from azure_responses.protocol.sse import SSEDecoder
from tests.clients.both import as_async
from tests.clients.websocket_server import WebSocketServer

__all__ = ["KEY", "WHOLE", "Bench", "Scenario", "continuing", "inputs", "play", "play_on", "read"]

KEY = "k" * 32
WHOLE = ["response.created", "response.output_text.delta", "response.completed"]


@dataclass
class Bench:
    """A client's socket, and the server that it talks to."""

    client: Any
    socket: Any
    server: WebSocketServer
    settings: SocketSettings | None = None

    def connect(self, url: str) -> Any:
        """Another socket of the client."""
        if isinstance(self.client, AzureResponses):
            return as_async(ResponseSocket(self.client._executor, url, self.settings))
        return AsyncResponseSocket(self.client._executor, url, self.settings)

    def call(self, headers: Any = None, **parameters: Any) -> Call:
        """The call of a streamed response."""
        options = Options(extra_headers=headers)
        given = {"model": "gpt-4.1", "input": "x", "store": False, **parameters}
        call: Call = self.client._operations.create(given, options, stream=True)
        return call

    async def begin(self, call: Call | None = None, **more: Any) -> Any:
        """The reply of a turn."""
        return await self.socket.open(call or self.call(), more.get("timeout", 5.0))

    async def ask(self, call: Call | None = None, **more: Any) -> list[str]:
        """The types of all events of a turn."""
        reply = await self.begin(call, **more)
        try:
            return [event["type"] for event in await read(reply)]
        finally:
            await reply.aclose()


async def read(reply: Any, seen: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """What is left of a reply; noted in `seen` before whatever is raised after it."""
    events, decoder = seen if seen is not None else [], SSEDecoder()
    while (piece := await reply.read()) is not None:
        events += [json.loads(message.data) for message in decoder.feed(piece)]
    return events


Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


def play(
    runner: str,
    scenario: Scenario,
    server: WebSocketServer,
    *,
    settings: SocketSettings | None = None,
    **arguments: Any,
) -> None:
    """Run a scenario against a server that is started for it; `arguments` are the client's."""
    with server:
        play_on(runner, scenario, server, settings=settings, **arguments)


def play_on(
    runner: str,
    scenario: Scenario,
    server: WebSocketServer,
    *,
    settings: SocketSettings | None = None,
    **arguments: Any,
) -> None:
    """Run a scenario against a running server."""
    url = f"ws{server.url.removeprefix('http')}/openai/v1/responses"
    given = {"endpoint": server.url, "api_key": KEY, "max_retries": 0, **arguments}
    if runner != "sync":
        anyio.run(_play_async, scenario, server, url, settings, given, backend=runner)
        return
    with AzureResponses(**given) as client:
        socket = ResponseSocket(client._executor, url, settings)
        bench = Bench(client, as_async(socket), server, settings)
        with pytest.raises(StopIteration):
            scenario(bench).send(None)
        socket.close()


async def _play_async(
    scenario: Scenario,
    server: WebSocketServer,
    url: str,
    settings: SocketSettings | None,
    given: dict[str, Any],
) -> None:
    async with AsyncAzureResponses(**given) as client:
        socket = AsyncResponseSocket(client._executor, url, settings)
        await scenario(Bench(client, socket, server, settings))
        await socket.aclose()


def continuing(bench: Bench, previous: str, **more: Any) -> Call:
    """A call with both forms: the whole input, and the new items after a response."""
    call = bench.call(input=["all", "of", "it"], **more)
    short = {"model": "gpt-4.1", "input": ["new"], "previous_response_id": previous, "stream": True}
    call.continuation = Continuation(previous, json.dumps(short).encode())
    return call


def inputs(server: WebSocketServer) -> list[tuple[int, Any]]:
    """The input of each request, with the number of its socket."""
    return [(number, request["input"]) for number, request in server.requests]
