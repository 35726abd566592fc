"""WebSockets in a process that forks: each process has its own, and ends none of another's."""

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_responses import APIConnectionError, AsyncAzureResponses, AzureResponses
from azure_responses._sync.response_socket import ResponseSocket
from tests.clients.both import as_async
from tests.clients.socket_bench import KEY, WHOLE, Bench
from tests.clients.websocket_server import WebSocketServer
from tests.doctor.sockets import make_certificate, tls_context
from tests.test_fork import in_child

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["plain", "tls"])
def server(
    request: pytest.FixtureRequest,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[WebSocketServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = tls_context(*certificate) if request.param == "tls" else None
    with WebSocketServer(context=context) as served:
        yield served


def url_of(server: WebSocketServer) -> str:
    return server.url.replace("http", "ws", 1) + "/openai/v1/responses"


def ask(bench: Bench) -> bool:
    """True where a turn of the sync client brings a whole response."""
    try:
        bench.ask().send(None)
    except StopIteration as ended:
        return bool(ended.value == WHOLE)
    raise AssertionError("The sync client waited.")


def test_a_child_opens_its_own_socket_and_the_parent_keeps_its_own(
    server: WebSocketServer,
) -> None:
    with AzureResponses(server.url, api_key=KEY) as client:
        socket = ResponseSocket(client._executor, url_of(server))
        bench = Bench(client, as_async(socket), server)
        assert ask(bench)
        assert socket.knows("resp_1")

        def work() -> list[bool]:
            return [socket.knows("resp_1"), ask(bench), ask(bench)]

        assert in_child(work) == [False, True, True]

        def leave() -> bool:
            socket.close()
            bench.__dict__.clear()
            return gc.collect() >= 0

        assert in_child(leave)
        assert ask(bench)
        assert len(server.handshakes) == 2
        socket.close()


def test_a_child_cannot_read_the_response_that_its_parent_reads(server: WebSocketServer) -> None:
    with AzureResponses(server.url, api_key=KEY) as client:
        socket = ResponseSocket(client._executor, url_of(server))
        bench = Bench(client, as_async(socket), server)
        reply = socket.open(bench.call(), 5.0)

        def work() -> bool:
            reply.read()
            with pytest.raises(APIConnectionError):
                reply.read()
            reply.close()
            return ask(bench)

        assert in_child(work)
        assert [reply.read() is None for _ in range(4)] == [False, False, False, True]
        reply.close()
        socket.close()


def test_a_child_of_an_async_program_opens_its_own_socket(server: WebSocketServer) -> None:
    client = AsyncAzureResponses(server.url, api_key=KEY)
    bench: Any = Bench(client, None, server)
    bench.socket = bench.connect(url_of(server))

    async def close() -> None:
        await bench.socket.aclose()
        await client.aclose()

    with asyncio.Runner() as runner:
        assert runner.run(bench.ask()) == WHOLE
        assert in_child(lambda: asyncio.run(bench.ask())) == WHOLE
        assert runner.run(bench.ask()) == WHOLE
        runner.run(close())
    assert len(server.handshakes) == 2
