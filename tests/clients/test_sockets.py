"""What the clients do with real connections."""

import asyncio
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
import trio

from azure_responses import (
    APIConnectionError,
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    StreamInterruptedError,
)
from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer
from tests.clients.socket_server import SocketServer, event, streaming_head

_RESPONSE = '{"id":"resp_1","object":"response","status":"%s","output":[]}'
_CREATED = event(
    "response.created",
    '{"type":"response.created","sequence_number":0,"response":' + _RESPONSE % "in_progress" + "}",
)
_DELTA = event(
    "response.output_text.delta",
    '{"type":"response.output_text.delta","sequence_number":1,"item_id":"m","output_index":0,'
    '"content_index":0,"delta":"once","logprobs":[]}',
)


def _endless(connection: socket.socket) -> None:
    """Send the start of an answer and then nothing, until the client hangs up."""
    connection.sendall(streaming_head() + _CREATED + _DELTA)
    connection.recv(1)
    raise ConnectionError


@pytest.fixture
def endless() -> Iterator[SocketServer]:
    """A server whose streams never end."""
    with SocketServer(_endless) as server:
        yield server


def _break(client: AzureResponses) -> None:
    stream = client.responses.create(model="m", input="x", stream=True)
    for seen in stream:
        if seen.type == "response.output_text.delta":
            break


def _raise(client: AzureResponses) -> None:
    stream = client.responses.create(model="m", input="x", stream=True)
    with pytest.raises(LookupError):
        _raise_at_delta(stream)


def _raise_at_delta(stream: Any) -> None:
    for seen in stream:
        if seen.type == "response.output_text.delta":
            raise LookupError


def _close(client: AzureResponses) -> None:
    stream = client.responses.create(model="m", input="x", stream=True)
    assert next(stream).type == "response.created"
    stream.close()


def _leave_block(client: AzureResponses) -> None:
    with client.responses.stream(model="m", input="x") as stream:
        assert next(stream).type == "response.created"


def _forget(client: AzureResponses) -> None:
    iterator = client.responses.create(model="m", input="x", stream=True).text_deltas()
    assert next(iterator) == "once"
    del iterator
    gc.collect()


@pytest.mark.parametrize("leave", [_break, _raise, _close, _leave_block, _forget])
def test_leaving_a_sync_stream_early_releases_its_connection(
    endless: SocketServer, leave: Callable[[AzureResponses], None]
) -> None:
    with AzureResponses(endless.url, api_key="k") as client:
        leave(client)
        assert endless.wait_for_release()


async def _break_async(client: AsyncAzureResponses) -> None:
    stream = await client.responses.create(model="m", input="x", stream=True)
    async for seen in stream:
        if seen.type == "response.output_text.delta":
            break
    # The loop closes the forgotten iterator in a task of its own.
    await anyio.sleep(0.05)


async def _close_async(client: AsyncAzureResponses) -> None:
    stream = await client.responses.create(model="m", input="x", stream=True)
    assert (await anext(stream)).type == "response.created"
    await stream.aclose()


async def _raise_async(client: AsyncAzureResponses) -> None:
    with pytest.raises(LookupError):
        await _raise_in_block(client)


async def _raise_in_block(client: AsyncAzureResponses) -> None:
    async with client.responses.stream(model="m", input="x") as stream:
        async for _ in stream:
            raise LookupError


async def _cancel(client: AsyncAzureResponses) -> None:
    async def read() -> None:
        async with client.responses.stream(model="m", input="x") as stream:
            async for _ in stream:
                pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _time_out(client: AsyncAzureResponses) -> None:
    with anyio.move_on_after(0.1):
        async with client.responses.stream(model="m", input="x") as stream:
            async for _ in stream:
                pass


@pytest.mark.parametrize("leave", [_break_async, _close_async, _raise_async, _cancel, _time_out])
def test_leaving_an_async_stream_early_releases_its_connection(
    endless: SocketServer, leave: Callable[[AsyncAzureResponses], Any]
) -> None:
    async def main() -> None:
        async with AsyncAzureResponses(endless.url, api_key="k") as client:
            await leave(client)
            assert await anyio.to_thread.run_sync(endless.wait_for_release)

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:Async generator.*httpx:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_leaving_a_stream_under_trio_releases_its_connection(endless: SocketServer) -> None:
    # httpx's own generators are not finished when a stream is cut, which trio always reports.
    async def main() -> None:
        async with AsyncAzureResponses(endless.url, api_key="k") as client:
            await _raise_async(client)
            assert await trio.to_thread.run_sync(endless.wait_for_release)

    trio.run(main)
    gc.collect()


def _answer_with_a_stream(connection: socket.socket) -> None:
    completed = '{"type":"response.completed","sequence_number":1,"response":%s}'
    done = event("response.completed", completed % (_RESPONSE % "completed"))
    connection.sendall(streaming_head() + _CREATED + done + b"0\r\n\r\n")


def test_a_stream_read_to_its_end_keeps_its_connection_for_the_next_call() -> None:
    with SocketServer(_answer_with_a_stream) as server:
        with AzureResponses(server.url, api_key="k") as client:
            for _ in range(3):
                list(client.responses.create(model="m", input="x", stream=True))
        assert server.opened == 1

        async def call() -> None:
            async with AsyncAzureResponses(server.url, api_key="k") as client:
                for _ in range(3):
                    stream = await client.responses.create(model="m", input="x", stream=True)
                    assert [seen.type async for seen in stream][-1] == "response.completed"

        asyncio.run(call())
        assert server.opened == 2
        trio.run(call)
        assert server.opened == 3


def test_events_are_handed_out_as_they_arrive_and_not_at_the_end(endless: SocketServer) -> None:
    with (
        AzureResponses(endless.url, api_key="k") as client,
        client.responses.stream(model="m", input="x") as stream,
    ):
        assert next(stream).type == "response.created"
        assert next(stream).type == "response.output_text.delta"


def test_a_silent_stream_ends_in_a_timeout_of_the_read_phase(endless: SocketServer) -> None:
    timeout = httpx.Timeout(5, read=0.1)
    with AzureResponses(endless.url, api_key="k", timeout=timeout) as client:
        stream = client.responses.create(model="m", input="x", stream=True)
        with pytest.raises(Exception, match="broke off") as caught:
            list(stream)
        assert isinstance(caught.value.__cause__, APITimeoutError)


def test_a_stream_whose_client_was_closed_meanwhile_says_so(endless: SocketServer) -> None:
    async def read_after_closing() -> None:
        client = AsyncAzureResponses(endless.url, api_key="k", max_retries=0)
        stream = await client.responses.create(model="m", input="x", stream=True)
        async with stream:
            await client.aclose()
            with pytest.raises((APIConnectionError, StreamInterruptedError)):
                async for _ in stream:
                    pass

    asyncio.run(read_after_closing())


def test_a_host_that_does_not_listen_is_a_connection_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        AzureResponses(f"http://127.0.0.1:{port}", api_key="k", max_retries=0) as client,
        pytest.raises(APIConnectionError),
    ):
        client.responses.create(model="m", input="x")


def _answer_plainly(connection: socket.socket) -> None:
    body = (_RESPONSE % "completed").encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nset-cookie: a=b\r\n\r\n"
    connection.sendall(head.encode() + body)


def test_calls_go_through_the_proxy_that_is_given_or_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = "http://127.0.0.1:9"
    with SocketServer(_answer_plainly) as proxy:
        with AzureResponses(target, api_key="k", proxy=proxy.url) as client:
            client.responses.create(model="m", input="x")

        async def call(**arguments: Any) -> None:
            async with AsyncAzureResponses(target, api_key="k", **arguments) as async_client:
                await async_client.responses.create(model="m", input="x")

        asyncio.run(call(proxy=proxy.url))
        trio.run(lambda: call(proxy=proxy.url))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        asyncio.run(call())
        trio.run(call)
        with AzureResponses(target, api_key="k") as client:
            client.responses.create(model="m", input="x")
        assert len(proxy.requests) == 6
        assert all(b"POST http://127.0.0.1:9/openai/v1" in line for line in proxy.requests)


def test_cookies_of_one_reply_are_not_sent_with_the_next() -> None:
    with SocketServer(_answer_plainly) as server:
        with AzureResponses(server.url, api_key="k") as client:
            client.responses.create(model="m", input="x")
            client.responses.create(model="m", input="x")

        async def call() -> None:
            async with AsyncAzureResponses(server.url, api_key="k") as client:
                await client.responses.create(model="m", input="x")
                await client.responses.create(model="m", input="x")

        asyncio.run(call())
        assert len(server.requests) == 4
        assert not any(b"cookie" in request.lower() for request in server.requests)


def test_one_client_serves_many_threads_at_once() -> None:
    emulator = Emulator()
    texts: list[str] = []
    with (
        RunningServer(emulator) as server,
        AzureResponses(server.url, api_key=emulator.api_key) as client,
    ):

        def ask(number: int) -> None:
            prompt = f"Reply with exactly: {number}"
            texts.append(client.responses.create(model="gpt-4.1", input=prompt).output_text)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(texts, key=int) == [str(number) for number in range(16)]


def test_fifty_async_calls_run_at_once_over_their_own_connections() -> None:
    emulator = Emulator()

    async def main(url: str) -> list[str]:
        async with AsyncAzureResponses(url, api_key=emulator.api_key) as client:
            prompts = [f"Reply with exactly: {number}" for number in range(50)]
            answers = await asyncio.gather(
                *[client.responses.create(model="gpt-4.1", input=prompt) for prompt in prompts]
            )
        return [answer.output_text for answer in answers]

    with RunningServer(emulator) as server:
        assert asyncio.run(main(server.url)) == [str(number) for number in range(50)]


def test_an_async_client_survives_a_second_event_loop() -> None:
    emulator = Emulator()
    with RunningServer(emulator) as server:
        client = AsyncAzureResponses(server.url, api_key=emulator.api_key)

        async def ask() -> str:
            response = await client.responses.create(model="gpt-4.1", input="Say hi")
            return response.output_text

        assert asyncio.run(ask()) == asyncio.run(ask())
    gc.collect()
