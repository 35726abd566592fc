"""WebSocket mode: handshake, turns, what a connection remembers, and its end."""

from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from azure_responses.emulator import Emulator, WebSocketMode
from tests.emulator.callers import create, event_types, open_client
from tests.emulator.connections import Connection, open_connection


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def emulator(served: Emulator) -> Emulator:
    served.reset()
    return served


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[Connection]:
    with open_connection(emulator) as opened:
        yield opened


# --- the handshake --------------------------------------------------------------------------------


def test_a_key_or_a_token_opens_a_connection(emulator: Emulator) -> None:
    for credential in (emulator.api_key, emulator.issuer.mint()):
        with open_connection(emulator, key=credential) as connection:
            assert connection.turn()["type"] == "response.completed"


def test_a_key_in_its_own_header_is_refused() -> None:
    emulator = Emulator()
    with (
        pytest.raises(InvalidStatus) as refused,
        open_connection(emulator, headers={"Authorization": "", "api-key": emulator.api_key}),
    ):
        pass
    emulator.close()
    assert refused.value.response.status_code == 401


def test_a_key_in_its_own_header_is_taken_where_the_emulator_is_told_so() -> None:
    emulator = Emulator(websocket=WebSocketMode(api_key_header=True))
    headers = {"Authorization": "", "api-key": emulator.api_key}
    with open_connection(emulator, headers=headers) as connection:
        assert connection.turn()["type"] == "response.completed"
    emulator.close()


# --- turns ----------------------------------------------------------------------------------------


def test_the_frames_of_a_turn_are_the_events_of_a_stream(
    emulator: Emulator, connection: Connection
) -> None:
    connection.begin()
    frames = connection.read()
    with open_client(emulator) as client:
        assert [frame["type"] for frame in frames] == event_types(create(client, stream=True))
    assert [frame["sequence_number"] for frame in frames] == list(range(len(frames)))


def test_a_chain_goes_on_although_nothing_is_stored(connection: Connection) -> None:
    first = connection.turn(input="My name is Ada.", store=False)["response"]
    second = connection.turn(
        input="What is my name?", store=False, previous_response_id=first["id"]
    )
    assert "Ada" in second["response"]["output"][-1]["content"][0]["text"]


def test_only_the_last_response_is_remembered(connection: Connection) -> None:
    first = connection.turn(store=False)["response"]["id"]
    connection.turn(store=False, previous_response_id=first)
    assert connection.turn(store=False, previous_response_id=first) == {
        "type": "error",
        "status": 400,
        "error": {
            "type": "invalid_request_error",
            "code": "previous_response_not_found",
            "message": f"Previous response with id '{first}' not found.",
            "param": "previous_response_id",
        },
    }


def test_the_socket_of_an_embedded_emulator_ends_with_it() -> None:
    emulator = Emulator()
    with open_connection(emulator) as connection:
        connection.turn()
        emulator.close()
        with pytest.raises(ConnectionClosedError, match="1012"):
            connection.receive()
