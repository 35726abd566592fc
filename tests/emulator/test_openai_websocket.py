"""The openai package's WebSocket client, its sessions and lanes, against a served emulator."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.lib.responses_websocket import (
    AsyncResponsesWebSocketSession,
    ResponsesWebSocketError,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)

from azure_responses.emulator import Emulator, Fault, WebSocketMode

# websockets 17.1 and later say this of the way in which the openai package opens a connection.
pytestmark = pytest.mark.filterwarnings(
    "ignore:connect.. must be used as a context manager:DeprecationWarning"
)
LIMITS = ResponsesWebSocketLimits(
    max_lanes=8,
    max_events_per_lane=500,
    max_events=2000,
    max_bytes_per_lane=1 << 24,
    max_bytes=1 << 25,
)
TOOL: Any = {
    "type": "function",
    "name": "look",
    "parameters": {"type": "object", "properties": {}},
}


def frame(**fields: Any) -> Any:
    """What is sent as it is, past the package's types."""
    return fields


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator(websocket=WebSocketMode(lanes=True))
    yield made
    made.close()


@pytest.fixture
def options(emulator: Emulator) -> dict[str, Any]:
    url = f"{emulator.websocket_server().url}/openai/v1/"
    return {"base_url": url, "api_key": emulator.api_key, "max_retries": 0}


def test_a_sync_connection_answers_turn_after_turn(options: dict[str, Any]) -> None:
    with openai.OpenAI(**options) as client, client.responses.connect() as connection:
        previous: Any = openai.omit
        for given, expected in (("My name is Ada.", "Ada"), ("What is my name?", "Ada")):
            connection.response.create(
                model="gpt-5", input=given, store=False, previous_response_id=previous
            )
            event = next(one for one in connection if one.type == "response.completed")
            assert expected in event.response.output_text
            previous = event.response.id


def test_an_async_connection_shows_errors(options: dict[str, Any]) -> None:
    async def ask() -> Any:
        async with (
            openai.AsyncOpenAI(**options) as client,
            client.responses.connect() as connection,
        ):
            await connection.response.create(
                model="gpt-5", input="x", store=False, previous_response_id="resp_abc"
            )
            return await connection.recv()

    event = asyncio.run(ask())
    assert (event.type, event.status) == ("error", 400)
    assert event.error.code == "previous_response_not_found"


def test_a_wrong_key_is_refused_in_the_handshake(options: dict[str, Any]) -> None:
    with (
        openai.OpenAI(**{**options, "api_key": "wrong"}) as client,
        pytest.raises(Exception, match="401"),
    ):
        client.responses.connect().enter()


def test_an_azure_client_connects_to_the_v1_url(options: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {options['api_key']}"}
    with (
        openai.AzureOpenAI(**options, api_version="preview") as client,
        client.responses.connect(extra_headers=headers) as connection,
    ):
        connection.response.create(model="gpt-5", input="Reply with exactly: pong")
        event = next(one for one in connection if one.type == "response.completed")
        assert event.response.output_text == "pong"


def test_a_sync_session_has_lanes(options: dict[str, Any]) -> None:
    with (
        openai.OpenAI(**options) as client,
        client.responses.connect() as connection,
        ResponsesWebSocketSession(connection, limits=LIMITS) as session,
    ):
        lanes = {name: session.lane(name) for name in ("one", "two")}
        for name, lane in lanes.items():
            lane.send(
                {
                    "type": "response.create",
                    "model": "gpt-5",
                    "input": f"Reply with exactly: {name}",
                }
            )
        for name, lane in lanes.items():
            assert lane.get_final_response(timeout=5).output_text == name
        lanes["one"].send({"type": "response.create", "model": "", "input": "x"})
        with pytest.raises(ResponsesWebSocketError):
            lanes["one"].get_final_response(timeout=5)


def test_an_async_session_forks_and_steers(emulator: Emulator, options: dict[str, Any]) -> None:
    async def ask() -> tuple[str, str, list[str]]:
        async with (
            openai.AsyncOpenAI(**options) as client,
            client.responses.connect() as connection,
            AsyncResponsesWebSocketSession(connection, limits=LIMITS) as session,
        ):
            source = session.lane("source")
            create: Any = {"type": "response.create", "model": "gpt-6", "store": False}
            await source.send(frame(**create, input="My name is Ada."))
            first = await source.get_final_response()
            fork = session.lane("fork")
            question = {"input": "What is my name?", "previous_response_id": first.id}
            await fork.send(frame(**create, **question))
            forked = await fork.get_final_response()
            emulator.faults.add(Fault("stall", after_events=1, seconds=0.5, nth=1))
            await source.send(frame(**create, previous_response_id=first.id, input="Hello"))
            event: Any = await source.recv()
            while event.type != "response.created":
                event = await source.recv()
            steer: Any = {"previous_response_id": event.response.id, "input": "What is my name?"}
            await source.send(frame(type="response.steer", **steer))
            kinds: list[str] = []
            text = ""
            while kinds.count("response.created") < 1 or kinds[-1] != "response.completed":
                event = await source.recv()
                kinds.append(event.type)
                text = event.response.output_text if kinds[-1] == "response.completed" else ""
            return forked.output_text, text, kinds

    forked, steered, kinds = asyncio.run(ask())
    assert "Ada" in forked
    assert "Ada" in steered
    assert kinds[0] == "response.steer.accepted"
    assert "response.incomplete" in kinds


def test_a_tool_loop_of_twenty_turns(options: dict[str, Any]) -> None:
    with openai.OpenAI(**options) as client, client.responses.connect() as connection:
        given: Any = "Use look"
        previous: Any = openai.omit
        for _ in range(20):
            connection.response.create(
                model="gpt-5",
                input=given,
                tools=[TOOL],
                store=False,
                tool_choice="required",
                previous_response_id=previous,
            )
            event = next(one for one in connection if one.type == "response.completed")
            previous = event.response.id
            calls = [one for one in event.response.output if one.type == "function_call"]
            assert calls
            given = [
                {"type": "function_call_output", "call_id": one.call_id, "output": "nothing"}
                for one in calls
            ]


def test_a_lost_connection_is_opened_again(emulator: Emulator, options: dict[str, Any]) -> None:
    emulator.faults.add(Fault("websocket-close", operation="create", after_events=2, nth=1))
    with (
        openai.OpenAI(**options) as client,
        client.responses.connect(on_reconnecting=lambda _: None, initial_delay=0.01) as connection,
    ):
        connection.response.create(model="gpt-5", input="x")
        kinds = [connection.recv().type for _ in range(2)]
        assert kinds == ["response.created", "response.in_progress"]
        with pytest.raises(Exception, match="1011"):
            connection.recv()
