"""Turns over a WebSocket: on the sync client, and on the async one under asyncio and trio."""

import json
import socket
import time
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from azure_responses import (
    APIConnectionError,
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    RateLimitError,
)
from azure_responses.protocol.socket_frames import SocketSettings
from tests.clients.socket_bench import KEY, WHOLE, Bench, continuing, inputs, play, read
from tests.clients.websocket_server import Answer, WebSocketServer, answer_whole, events_of


def test_turns_share_a_socket(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        assert await bench.ask() == WHOLE
        [handshake] = bench.server.handshakes
        assert handshake.path == "/openai/v1/responses"
        assert handshake.headers["authorization"] == f"Bearer {KEY}"
        assert "api-key" not in handshake.headers
        assert bench.server.requests[0] == (
            1,
            {"model": "gpt-4.1", "input": "x", "store": False, "type": "response.create"},
        )

    play(runner, scenario, WebSocketServer())


def test_only_new_items_are_sent_where_the_socket_knows_the_response(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert not bench.socket.knows("resp_1")
        await bench.ask()
        assert bench.socket.knows("resp_1")
        await bench.ask(continuing(bench, "resp_1"))
        assert bench.socket.knows("resp_2")
        assert not bench.socket.knows("resp_1")
        await bench.ask(continuing(bench, "resp_1"))
        whole = ["all", "of", "it"]
        assert inputs(bench.server) == [(1, "x"), (1, ["new"]), (1, whole)]
        assert "stream" not in bench.server.requests[1][1]

    play(runner, scenario, WebSocketServer())


def test_the_whole_input_is_sent_over_the_socket_after_a_lost_one(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        answer_whole(connection, request, number)
        if number == 1:
            connection.close(1012)

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert bench.server.wait_for_close()
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert inputs(bench.server) == [(1, "x"), (2, ["all", "of", "it"])]

    play(runner, scenario, WebSocketServer(answer))


def test_another_socket_takes_over_between_two_turns_before_the_hour_is_over(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert not bench.socket.knows("resp_1")
        await bench.ask(continuing(bench, "resp_1"))
        assert inputs(bench.server) == [(1, "x"), (2, ["all", "of", "it"])]
        assert bench.server.wait_for_close()
        assert bench.server.closed == [1000]

    play(runner, scenario, WebSocketServer(), settings=SocketSettings(rotate_after=0))


def test_a_turn_stays_where_only_its_socket_knows_what_it_continues(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        await bench.ask(bench.call(previous_response_id="resp_1"))
        await bench.ask(bench.call(previous_response_id="resp_2", store=True))
        assert [number for number, _ in bench.server.requests] == [1, 1, 2]

    play(runner, scenario, WebSocketServer(), settings=SocketSettings(rotate_after=0))


def kill_at(index: int, number_killed: int) -> Answer:
    """Send so many events of one answer, then nothing more: not even a goodbye."""

    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        for event in events_of(number)[: index if number == number_killed else None]:
            connection.send(json.dumps(event))
        if number == number_killed:
            connection.socket.shutdown(socket.SHUT_RDWR)

    return answer


def test_a_request_is_sent_again_where_a_used_socket_brought_nothing(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert inputs(bench.server) == [(1, "x"), (1, ["new"]), (2, ["all", "of", "it"])]

    play(runner, scenario, WebSocketServer(kill_at(0, 2)))


@pytest.mark.parametrize("index", [1, 2])
def test_a_response_that_has_begun_is_never_asked_for_again(runner: str, index: int) -> None:
    async def scenario(bench: Bench) -> None:
        call = bench.call()
        reply = await bench.begin(call)
        seen: list[dict[str, Any]] = []
        with pytest.raises(APIConnectionError) as caught:
            await read(reply, seen)
        await reply.aclose()
        assert len(seen) == index
        with pytest.raises(APIConnectionError):
            call.next_attempt(caught.value, time.monotonic(), 0.5)
        assert len(bench.server.requests) == 1
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(kill_at(index, 1)), max_retries=5)


def test_a_loss_after_the_last_event_is_no_loss(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(kill_at(3, 1)))


def test_a_new_socket_that_brings_nothing_counts_as_a_failed_attempt(
    runner: str, naps: list[float]
) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        assert [number for number, _ in bench.server.requests] == [1, 2]
        assert len(naps) == 1

    play(runner, scenario, WebSocketServer(kill_at(0, 1)), max_retries=1)


def test_without_retries_a_new_socket_that_brings_nothing_fails_the_call(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIConnectionError, match="WebSocket"):
            await bench.ask()
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(kill_at(0, 1)))


def fail_first(error: dict[str, Any], times: int = 1) -> Answer:
    """Answer the first requests with an error."""

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        if number <= times:
            connection.send(json.dumps({"type": "error", **error}))
        else:
            answer_whole(connection, request, number)

    return answer


def test_a_refused_request_waits_as_the_service_asks(runner: str, naps: list[float]) -> None:
    error = {"status": 429, "error": {"message": "Retry after 7 seconds.", "code": "x"}}

    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        assert naps == [7.0]
        assert [number for number, _ in bench.server.requests] == [1, 1]

    play(runner, scenario, WebSocketServer(fail_first(error)), max_retries=1)


def test_a_refusal_is_the_error_of_its_status(runner: str) -> None:
    error = {"status": 429, "error": {"code": "rate_limit_exceeded", "retry_after": 3}}

    async def scenario(bench: Bench) -> None:
        with pytest.raises(RateLimitError) as caught:
            await bench.ask()
        assert caught.value.retry_after == 3
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(fail_first(error)))


NOT_FOUND = {
    "status": 400,
    "error": {
        "type": "invalid_request_error",
        "code": "previous_response_not_found",
        "message": "Previous response with id 'resp_1' not found.",
        "param": "previous_response_id",
    },
}


def fail_second(error: dict[str, Any]) -> Answer:
    """Answer the second request with an error."""

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        (fail_first(error, 9) if number == 2 else answer_whole)(connection, request, number)

    return answer


def test_what_the_service_forgot_is_sent_whole(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert inputs(bench.server) == [(1, "x"), (1, ["new"]), (1, ["all", "of", "it"])]

    play(runner, scenario, WebSocketServer(fail_second(NOT_FOUND)))


def test_without_a_longer_form_what_was_forgotten_is_an_error(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        with pytest.raises(AzureResponsesError, match="not found"):
            await bench.ask(bench.call(previous_response_id="resp_1"))
        assert len(bench.server.requests) == 2

    play(runner, scenario, WebSocketServer(fail_second(NOT_FOUND)), max_retries=3)


def test_a_refused_continuation_is_forgotten(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        with pytest.raises(BadRequestError):
            await bench.ask(continuing(bench, "resp_1"))
        assert not bench.socket.knows("resp_1")

    error = {"status": 400, "error": {"code": "invalid_value", "message": "no"}}
    play(runner, scenario, WebSocketServer(fail_second(error)))


LIMIT_REACHED = {
    "status": 400,
    "error": {
        "type": "invalid_request_error",
        "code": "websocket_connection_limit_reached",
        "message": "Responses websocket connection limit reached (60 minutes).",
    },
}


def test_the_end_of_the_hour_is_met_by_another_socket(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert inputs(bench.server) == [(1, "x"), (1, ["new"]), (2, ["all", "of", "it"])]

    play(runner, scenario, WebSocketServer(fail_second(LIMIT_REACHED)))


def test_a_new_socket_whose_hour_is_over_is_an_error(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(BadRequestError, match="60 minutes"):
            await bench.ask()
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 2

    play(runner, scenario, WebSocketServer(fail_first(LIMIT_REACHED)))


def test_a_second_turn_waits_for_none(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        with pytest.raises(ConfigurationError, match="another response"):
            await bench.begin()
        assert len(await read(reply)) == 3
        await reply.aclose()
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer())


def test_no_error_repeats_the_key_of_the_socket(runner: str) -> None:
    error = {"status": 400, "error": {"code": "x", "message": f"Not for the key {KEY}."}}

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        with pytest.raises(BadRequestError) as caught:
            await bench.ask()
        assert KEY not in str(caught.value)
        assert "[redacted]" in str(caught.value)

    play(runner, scenario, WebSocketServer(fail_second(error)))


def test_a_call_with_a_key_of_its_own_has_a_socket_of_its_own(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        await bench.ask(bench.call(headers={"api-key": "another"}))
        await bench.ask(bench.call(headers={"api-key": "another"}))
        await bench.ask()
        sent = [handshake.headers["authorization"] for handshake in bench.server.handshakes]
        assert sent == [f"Bearer {KEY}", "Bearer another", f"Bearer {KEY}"]

    play(runner, scenario, WebSocketServer())
