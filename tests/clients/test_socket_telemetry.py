"""What listeners are told of calls over a WebSocket: the same as of a stream over HTTP."""

import json
import socket
from typing import Any

import pytest
from opentelemetry.trace import StatusCode
from websockets.sync.server import ServerConnection

from azure_responses import RateLimitError, StreamInterruptedError
from tests.clients.both import run_served
from tests.clients.listeners import Collector, Told, read_all
from tests.clients.websocket_server import Answer, WebSocketServer, answer_whole, events_of

SETTINGS: Any = {"api_key": "k" * 32, "deployment": "gpt-5-mini"}


def breaking(index: int) -> Answer:
    """Send so many events of the first response, then nothing more."""

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        if number > 1:
            answer_whole(connection, request, number)
            return
        for event in events_of(1)[:index]:
            connection.send(json.dumps(event))
        connection.socket.shutdown(socket.SHUT_RDWR)

    return answer


def limiting(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
    """Refuse the first request."""
    error = {"code": "rate_limit_exceeded", "message": "Retry after 2 seconds."}
    if number == 1:
        connection.send(json.dumps({"type": "error", "status": 429, "error": error}))
    else:
        answer_whole(connection, request, number)


async def one_turn(client: Any) -> None:
    """A turn that is read to its end."""
    async with client.responses.connect() as connection:
        await read_all(connection.create(input="x"))


def test_a_turn_is_one_call(runner: str, collector: Collector, told: Told) -> None:
    with WebSocketServer() as server:
        arguments = {**SETTINGS, **collector.arguments, **told.arguments}
        run_served(runner, server.url, one_turn, **arguments)
    assert told.occasions == ["on_request", "on_response"]
    assert told.last("on_response").is_stream
    attributes = collector.attributes()
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.id"] == "resp_1"
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("answer", [limiting, breaking(0)], ids=["refused", "lost"])
def test_another_attempt_of_a_turn_is_told(
    runner: str, answer: Answer, told: Told, naps: list[float]
) -> None:
    with WebSocketServer(answer) as server:
        run_served(runner, server.url, one_turn, **SETTINGS, **told.arguments)
        assert len(server.requests) == 2
    assert told.occasions == ["on_request", "on_retry", "on_response"]
    assert len(naps) == 1


def test_a_refused_turn_is_a_failed_call(runner: str, collector: Collector, told: Told) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(RateLimitError):
            await one_turn(client)

    with WebSocketServer(limiting) as server:
        arguments = {**SETTINGS, **collector.arguments, **told.arguments}
        run_served(runner, server.url, scenario, max_retries=0, **arguments)
    assert told.occasions == ["on_request", "on_error"]
    (span,) = collector.spans
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("index", [1, 2])
def test_a_turn_that_broke_off_is_a_failed_call_with_what_had_come(
    runner: str, index: int, told: Told
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(StreamInterruptedError) as caught:
            await one_turn(client)
        assert caught.value.partial.id == "resp_1"

    with WebSocketServer(breaking(index)) as server:
        run_served(runner, server.url, scenario, **SETTINGS, **told.arguments)
        assert len(server.requests) == 1
    assert told.occasions == ["on_request", "on_error"]


def test_a_failed_response_before_its_output_is_asked_for_again(
    runner: str, told: Told, naps: list[float]
) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        if number > 1:
            answer_whole(connection, request, number)
            return
        created, _, completed = events_of(1)
        error = {"code": "rate_limit_exceeded", "message": "Slow down."}
        failed = {**completed["response"], "status": "failed", "error": error}
        connection.send(json.dumps(created))
        connection.send(json.dumps({"type": "response.failed", "response": failed}))

    with WebSocketServer(answer) as server:
        run_served(runner, server.url, one_turn, **SETTINGS, **told.arguments)
        assert len(server.requests) == 2
        assert len(server.handshakes) == 1
    assert told.occasions == ["on_request", "on_retry", "on_response"]
