"""How turns over a WebSocket end: late, early, too large, unreadable."""

import asyncio
import json
import time
from typing import Any

import anyio
import pytest
from websockets.sync.server import ServerConnection

from azure_responses import (
    APIConnectionError,
    APITimeoutError,
    AsyncAzureResponses,
    ConfigurationError,
)
from azure_responses.protocol.socket_frames import SocketSettings
from azure_responses.timeouts import OpeningTimeout
from tests.clients.relay import Relay
from tests.clients.socket_bench import KEY, WHOLE, Bench, play, read
from tests.clients.test_socket_network import emulated
from tests.clients.websocket_server import WebSocketServer, answer_whole, events_of


def begin_only(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
    """The first event of a response, and no other."""
    connection.send(json.dumps(events_of(number)[0]))


def nothing(_connection: ServerConnection, _request: dict[str, Any], _number: int) -> None:
    """No answer."""


class _Seen:
    """What a stream's state says after an event."""

    expects_reason = False

    def __init__(self, events_seen: int) -> None:
        self.events_seen = events_seen


def test_a_first_event_that_is_late_ends_the_call_and_its_socket(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        bench.server.answer = nothing
        with pytest.raises(APITimeoutError):
            await bench.ask(timeout=0.2)
        assert bench.server.wait_for_close()
        assert bench.socket.is_websocket

    play(runner, scenario, WebSocketServer())


def test_hurried_callers_do_not_count_as_lost_sockets(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(3):
            with pytest.raises(APITimeoutError):
                await bench.ask(timeout=0.05)
        assert bench.socket.is_websocket

    play(runner, scenario, WebSocketServer(nothing), settings=SocketSettings(most_failures=2))


def test_the_next_event_may_take_as_long_as_the_timeout_says(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        bench.server.answer = begin_only
        reply = await bench.begin(timeout=0.5)
        await reply.read()
        reply.note(_Seen(1))
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            await reply.read()
        assert 0.2 < time.monotonic() - began < 5
        await reply.aclose()
        assert bench.server.wait_for_close()

    play(runner, scenario, WebSocketServer())


def test_the_opening_has_one_time_for_all_its_events(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        for _ in range(100):
            connection.send(json.dumps(events_of(number)[0]))
            time.sleep(0.02)

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin(timeout=OpeningTimeout(30.0, 0.7))
        await reply.read()
        for number in range(3):
            reply.note(_Seen(number))
            await reply.read()
        with pytest.raises(APITimeoutError):
            await read(reply)
        await reply.aclose()

    play(runner, scenario, WebSocketServer(answer))


def test_after_the_opening_each_event_has_its_own_time(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        created, _, completed = events_of(number)
        connection.send(json.dumps(created))
        time.sleep(0.6)
        connection.send(json.dumps(completed))

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin(timeout=OpeningTimeout(30.0, 0.5))
        await reply.read()
        reply.end_opening()
        assert len(await read(reply)) == 1
        await reply.aclose()

    play(runner, scenario, WebSocketServer(answer))


def test_leaving_early_ends_the_response_at_the_service(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        await reply.aclose()
        await reply.aclose()
        assert await reply.read() is None
        assert bench.server.wait_for_close()
        assert bench.server.closed == [1000]
        bench.server.answer = answer_whole
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(begin_only))


def test_leaving_is_quick_although_much_has_arrived(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        created, delta, _ = events_of(number, "long" * 1000)
        connection.send(json.dumps(created))
        for _ in range(5000):
            connection.send(json.dumps(delta))

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        time.sleep(0.1)
        began = time.monotonic()
        await reply.aclose()
        assert time.monotonic() - began < 2
        assert bench.server.wait_for_close()

    settings = SocketSettings(most_queued=16, close_timeout=0.3)
    play(runner, scenario, WebSocketServer(answer), settings=settings)


def test_closing_the_socket_ends_a_stream_that_is_being_read(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        await bench.socket.aclose()
        with pytest.raises(APIConnectionError):
            await reply.read()
        await reply.aclose()
        bench.server.answer = answer_whole
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(begin_only))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("answer", [nothing, begin_only])
def test_a_cancelled_turn_closes_its_socket(backend: str, answer: Any) -> None:
    async def turn(bench: Bench) -> None:
        reply = await bench.begin()
        try:
            await read(reply)
        finally:
            await reply.aclose()

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        bench.server.answer = answer
        with anyio.move_on_after(0.1):
            await turn(bench)
        assert bench.server.wait_for_close()
        bench.server.answer = answer_whole
        assert await bench.ask() == WHOLE

    play(backend, scenario, WebSocketServer())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_handshake_leaves_nothing_behind(backend: str) -> None:
    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url) as relay:
            relay.is_frozen = True
            bench.socket = bench.connect(relay.websocket_url)
            with anyio.move_on_after(0.1):
                await bench.ask()
            relay.is_frozen = False
            assert await bench.ask() == WHOLE
            await bench.socket.aclose()

    play(backend, scenario, WebSocketServer())


def test_a_task_of_asyncio_that_is_cancelled_ends_its_response() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        bench.server.answer = begin_only
        task = asyncio.create_task(bench.ask())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bench.server.wait_for_close()

    play("asyncio", scenario, WebSocketServer())


def test_a_request_that_fits_no_frame_is_not_sent(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(ConfigurationError, match=r"0\.1 MiB; a WebSocket takes") as caught:
            await bench.ask(bench.call(input="é" * 50_000))
        assert "Upload files" in (caught.value.hint or "")
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(), settings=SocketSettings(largest_frame=99_000))


def test_a_service_that_does_not_read_a_large_request_is_given_up(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url) as relay:
            bench.socket = bench.connect(relay.websocket_url)
            assert await bench.ask() == WHOLE
            relay.is_frozen = True
            with pytest.raises(APITimeoutError):
                await bench.ask(bench.call(input="x" * 12 * 2**20), timeout=0.5)
            relay.is_frozen = False
            assert await bench.ask() == WHOLE
            await bench.socket.aclose()

    settings = SocketSettings(close_timeout=0.1)
    play(runner, scenario, WebSocketServer(), settings=settings)


def test_a_request_that_the_service_finds_too_large_is_not_sent_again(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(ConfigurationError, match="no request of this size"):
            await bench.ask(bench.call(input="x" * 100_000))
        assert len(bench.server.handshakes) == 1
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(most_bytes=50_000), max_retries=3)


def test_large_frames_and_fragments_arrive_whole(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        created, delta, completed = events_of(number, "é" * 2_000_000)
        connection.send(json.dumps(created))
        text = json.dumps(delta, ensure_ascii=False)
        connection.send(text[start : start + 99_999] for start in range(0, len(text), 99_999))
        connection.send(json.dumps(completed).encode())

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        events = await read(reply)
        await reply.aclose()
        assert [event["type"] for event in events] == WHOLE
        assert len(events[1]["delta"]) == 2_000_000

    play(runner, scenario, WebSocketServer(answer))


@pytest.mark.parametrize("frame", ["", "null", "ping", b"\xff\xfe", "[]"])
def test_a_frame_that_cannot_be_read_ends_the_socket(runner: str, frame: str | bytes) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        if number == 1:
            connection.send(frame)
        else:
            answer_whole(connection, request, number)

    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIConnectionError, match="JSON"):
            await bench.ask()
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 2

    play(runner, scenario, WebSocketServer(answer))


def test_an_error_in_the_middle_is_handed_out_and_ends_the_socket(runner: str) -> None:
    error = {"type": "error", "status": 500, "error": {"code": "server_error"}}

    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        connection.send(json.dumps(events_of(number)[0]))
        connection.send(json.dumps(error))

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        assert json.loads((await reply.read()).partition(b"data: ")[2]) == error
        await reply.drain()
        await reply.aclose()
        # Its last event may still come, and would be taken for one of the next response.
        assert bench.server.wait_for_close()

    play(runner, scenario, WebSocketServer(answer))


def test_a_failure_with_its_last_event_keeps_the_socket(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        created, _, completed = events_of(number)
        failed = {**completed, "type": "response.failed"}
        for event in (created, {"type": "error", "error": {"code": "x"}}, failed):
            connection.send(json.dumps(event))

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        await reply.read()
        await reply.drain()
        await reply.aclose()
        assert not bench.socket.knows("resp_1")
        await bench.ask()
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(answer))


def test_a_background_response_goes_over_http(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        call = bench.call(background=True, store=True)
        assert (await bench.ask(call))[-1] == "response.completed"
        assert bench.server.handshakes == []
        assert bench.socket.is_websocket

    play(runner, scenario, WebSocketServer(), **emulated(runner))


def test_another_event_loop_opens_its_own_socket() -> None:
    async def ask(bench: Bench) -> None:
        assert await bench.ask() == WHOLE

    async def close(bench: Bench) -> None:
        await bench.socket.aclose()
        await bench.client.aclose()

    with WebSocketServer() as server:
        client = AsyncAzureResponses(server.url, api_key=KEY)
        bench = Bench(client, None, server)
        bench.socket = bench.connect(server.url.replace("http", "ws") + "/openai/v1/responses")
        anyio.run(ask, bench, backend="asyncio")
        anyio.run(ask, bench, backend="asyncio")
        anyio.run(close, bench, backend="asyncio")
        assert len(server.handshakes) == 2
