"""What was done, though the connection broke before the answer came."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import trio

from azure_responses import (
    APIConnectionError,
    AsyncAzureResponses,
    AzureResponses,
    ResponseNotFoundError,
    Router,
)
from azure_responses.types.response import DeletedResponse
from tests.clients.socket_server import SocketServer
from tests.gateway.gateways import KEY, serve

_GONE: dict[str, Any] = {"error": {"code": "not_found", "message": "No response with that id."}}
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "output": [],
}


class _Service:
    """Deletes a response, and breaks the connection instead of saying so."""

    def __init__(self) -> None:
        self.has_it = True
        self.loses = True
        self.deletions = 0

    def answer(self, connection: socket.socket, request: bytes) -> None:
        status, body = 200, _RESPONSE
        if request.startswith(b"DELETE"):
            self.deletions += 1
            had, self.has_it = self.has_it, False
            if had and self.loses:
                raise ConnectionError
            status, body = (200, {**_RESPONSE, "deleted": True}) if had else (404, _GONE)
        content = json.dumps(body).encode()
        head = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % (status, len(content)) + content)


@pytest.fixture
def running() -> Iterator[tuple[SocketServer, _Service]]:
    service = _Service()
    with SocketServer(lambda c: service.answer(c, server.requests[-1])) as server:
        yield server, service


def _delete(url: str) -> DeletedResponse:
    with AzureResponses(url, api_key="k") as client:
        return client.responses.delete("resp_1")


async def _delete_async(url: str) -> DeletedResponse:
    async with AsyncAzureResponses(url, api_key="k") as client:
        return await client.responses.delete("resp_1")


def _router(url: str) -> Router:
    parameters = {"model": "azure/gpt", "api_base": url, "api_key": "k"}
    rows = [{"model_name": "chat", "litellm_params": parameters}]
    return Router(rows, affinity_secret="s" * 32, retry_delay=0.01)


def _delete_routed(url: str) -> DeletedResponse:
    with _router(url) as router:
        made: Any = router.responses(model="chat", input="x")
        return router.delete(made.id)


async def _delete_routed_async(url: str) -> DeletedResponse:
    async with _router(url) as router:
        made: Any = await router.aresponses(model="chat", input="x")
        return await router.adelete(made.id)


_WAYS: dict[str, Callable[[str], DeletedResponse]] = {
    "sync": _delete,
    "asyncio": lambda url: asyncio.run(_delete_async(url)),
    "trio": lambda url: trio.run(_delete_async, url),
    "sync router": _delete_routed,
    "async router": lambda url: asyncio.run(_delete_routed_async(url)),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_deletion_whose_answer_was_lost_is_done(
    running: tuple[SocketServer, _Service], way: str
) -> None:
    server, service = running
    assert _WAYS[way](server.url).deleted
    assert service.deletions == 2


def _retrieve(url: str) -> None:
    with AzureResponses(url, api_key="k", max_retries=0) as client:
        client.responses.retrieve("resp_1")


async def _retrieve_async(url: str) -> None:
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        await client.responses.retrieve("resp_1")


@pytest.mark.parametrize(
    "retrieve",
    [
        _retrieve,
        lambda url: asyncio.run(_retrieve_async(url)),
        lambda url: trio.run(_retrieve_async, url),
    ],
    ids=["sync", "asyncio", "trio"],
)
def test_without_retries_a_call_whose_answer_is_lost_is_made_once(
    retrieve: Callable[[str], None],
) -> None:
    def hang_up(_connection: socket.socket) -> None:
        raise ConnectionError

    # aiohttp would repeat a GET by itself.
    with SocketServer(hang_up) as server:
        with pytest.raises(APIConnectionError):
            retrieve(server.url)
        assert len(server.requests) == 1


def test_a_response_that_never_was_is_not_found(
    running: tuple[SocketServer, _Service],
) -> None:
    server, service = running
    service.has_it = False
    with pytest.raises(ResponseNotFoundError):
        _delete(server.url)


def test_a_gateway_confirms_a_deletion_whose_answer_was_lost(
    running: tuple[SocketServer, _Service],
) -> None:
    server, service = running
    parameters = {"model": "azure/gpt", "api_base": server.url, "api_key": "k"}
    config = {
        "model_list": [{"model_name": "chat", "litellm_params": parameters}],
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32},
        "router_settings": {"retry_delay": 0.01},
    }
    headers = {"authorization": f"Bearer {KEY}"}
    with serve(config) as gateway, httpx.Client(base_url=gateway.url, headers=headers) as client:
        made = client.post("/v1/responses", json={"model": "chat", "input": "x"}).json()["id"]
        reply = client.delete(f"/v1/responses/{made}")
    assert (reply.status_code, reply.json()["deleted"], reply.json()["id"]) == (200, True, made)
    assert service.deletions == 2
