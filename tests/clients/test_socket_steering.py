"""Steering over a WebSocket: successors, what prevents them, and turns that ignore them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from azure_responses import APIConnectionError, BadRequestError
from azure_responses.protocol.call import Call, Continuation
from tests.clients.socket_bench import WHOLE, Bench, continuing, play, read
from tests.clients.websocket_server import WebSocketServer, answer_whole, events_of

STEER = {"id": "steer_1", "previous_response_id": "resp_1"}
ACCEPTED = {"type": "response.steer.accepted", "sequence_number": 2, "steer": STEER}
PENDING = {
    "type": "response.steer.pending",
    "steer": STEER,
    "reason": "requires_tool_output",
    "required_input": [{"type": "function_call_output", "call_id": "call_1"}],
}
FAILED = {
    "type": "response.steer.failed",
    "steer": STEER,
    "error": {"code": "response_already_completed", "message": "It is complete."},
}


def steered(*after: dict[str, Any]) -> Callable[..., None]:
    """Begin the first response; after a steer end it, and go on with `after`."""

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        created, _, completed = events_of(1)
        if request["type"] == "response.steer":
            incomplete = {**completed["response"], "status": "incomplete"}
            incomplete["incomplete_details"] = {"reason": "steered"}
            ended = {"type": "response.incomplete", "response": incomplete}
            for event in (ACCEPTED, ended, *after):
                connection.send(json.dumps(event))
        elif number == 1:
            connection.send(json.dumps(created))
        else:
            answer_whole(connection, request, number)

    return answer


async def steer(bench: Bench) -> list[str]:
    """Begin a response and steer it; the types of its events."""
    reply = await bench.begin()
    await reply.read()
    await bench.socket.steer("resp_1", "shorter")
    events = await read(reply)
    await reply.aclose()
    return [event["type"] for event in events]


def adopted(bench: Bench) -> Call:
    """The call whose response the service begins by itself."""
    call = bench.call()
    call.continuation = Continuation("resp_1", is_adopted=True)
    return call


async def aside(bench: Bench, seconds: float = 0.05) -> list[str]:
    """The types of the events between two turns."""
    return [event.type async for event in bench.socket.side_events(seconds)]


def test_the_successor_of_a_steered_response_is_a_turn_for_which_nothing_is_sent(
    runner: str,
) -> None:
    async def scenario(bench: Bench) -> None:
        assert await steer(bench) == ["response.steer.accepted", "response.incomplete"]
        assert await bench.ask(adopted(bench)) == WHOLE
        assert bench.socket.knows("resp_2")
        types = [request["type"] for _, request in bench.server.requests]
        assert types == ["response.create", "response.steer"]

    play(runner, scenario, WebSocketServer(steered(*events_of(2))))


def test_events_about_a_steer_end_with_the_successor_that_is_kept(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await steer(bench)
        assert await aside(bench, 5.0) == []
        assert await aside(bench, 5.0) == []
        assert await bench.ask(adopted(bench)) == WHOLE

    play(runner, scenario, WebSocketServer(steered(*events_of(2))))


@pytest.mark.parametrize("prevents", [PENDING, FAILED])
def test_what_prevents_a_successor_comes_between_two_turns(
    runner: str, prevents: dict[str, Any]
) -> None:
    async def scenario(bench: Bench) -> None:
        await steer(bench)
        assert await aside(bench) == [prevents["type"]]
        assert await aside(bench) == []
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert bench.server.requests[-1] == (
            1,
            {
                "model": "gpt-4.1",
                "input": ["new"],
                "previous_response_id": "resp_1",
                "type": "response.create",
            },
        )

    play(runner, scenario, WebSocketServer(steered(prevents)))


def test_what_was_not_read_between_two_turns_does_not_disturb_the_next(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await steer(bench)
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert len(bench.server.handshakes) == 1
        assert await aside(bench) == ["response.steer.pending"]

    play(runner, scenario, WebSocketServer(steered(PENDING)))


@pytest.mark.parametrize(
    ("prevents", "message"), [(FAILED, "It is complete"), (PENDING, "waits for the outputs")]
)
def test_a_successor_that_is_prevented_is_an_error(
    runner: str, prevents: dict[str, Any], message: str
) -> None:
    async def scenario(bench: Bench) -> None:
        await steer(bench)
        with pytest.raises(BadRequestError, match=message):
            await bench.ask(adopted(bench))
        assert await aside(bench) == [prevents["type"]]
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(steered(prevents)), max_retries=3)


def test_another_turn_does_not_take_a_successor_for_its_own_response(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await steer(bench)
        reply = await bench.begin()
        events = await read(reply)
        await reply.aclose()
        assert events[0]["response"]["id"] == "resp_3"
        assert len(bench.server.handshakes) == 2

    play(runner, scenario, WebSocketServer(steered(*events_of(2))))


def test_a_successor_is_lost_with_its_socket(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIConnectionError, match="lost"):
            await bench.ask(adopted(bench))
        await steer(bench)
        await bench.socket.aclose()
        with pytest.raises(APIConnectionError, match="lost"):
            await bench.ask(adopted(bench))
        with pytest.raises(APIConnectionError, match="lost"):
            await bench.socket.steer("resp_1", "x")
        assert await aside(bench) == []

    play(runner, scenario, WebSocketServer(steered()), max_retries=3)


def test_the_hour_may_end_between_two_turns(runner: str) -> None:
    limit = {"type": "error", "error": {"code": "websocket_connection_limit_reached"}}

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        answer_whole(connection, request, number)
        if number == 1:
            connection.send(json.dumps(limit))

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await aside(bench) == []
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert len(bench.server.handshakes) == 2

    play(runner, scenario, WebSocketServer(answer))


def test_an_hour_that_ended_unread_between_two_turns_does_not_disturb_the_next(
    runner: str,
) -> None:
    limit = {"type": "error", "error": {"code": "websocket_connection_limit_reached"}}

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        answer_whole(connection, request, number)
        if number == 1:
            connection.send(json.dumps(limit))
            connection.close()

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
        assert len(bench.server.handshakes) == 2

    play(runner, scenario, WebSocketServer(answer))


def test_a_socket_that_is_closed_between_two_turns_brings_nothing_more(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        answer_whole(connection, request, number)
        connection.close(1001)

    async def scenario(bench: Bench) -> None:
        await bench.ask()
        assert await aside(bench, 5.0) == []

    play(runner, scenario, WebSocketServer(answer))
