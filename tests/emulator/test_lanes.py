"""Lanes of a WebSocket: turns side by side, in an emulator that is set to have them."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import Emulator, Fault, WebSocketMode
from tests.emulator.connections import Connection, open_connection


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator(websocket=WebSocketMode(lanes=True))
    yield made
    made.close()


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[Connection]:
    with open_connection(emulator) as opened:
        yield opened


def stall(emulator: Emulator, seconds: float = 0.3, **options: Any) -> None:
    emulator.faults.add(Fault("stall", after_events=2, seconds=seconds, **options))


def test_every_frame_names_its_lane(connection: Connection) -> None:
    connection.begin(stream_id="a.b_C-1")
    assert {frame["stream_id"] for frame in connection.read(lane="a.b_C-1")} == {"a.b_C-1"}
    connection.begin()
    assert all("stream_id" not in frame for frame in connection.read())


def test_a_refusal_names_its_lane(connection: Connection) -> None:
    refused = connection.turn(stream_id="a", temperature=9)
    assert (refused["status"], refused["stream_id"]) == (400, "a")


def test_lanes_run_side_by_side(emulator: Emulator, connection: Connection) -> None:
    stall(emulator, 0.5, nth=1)
    connection.begin(stream_id="slow")
    connection.begin(stream_id="fast")
    frames = connection.read(lane="fast")
    assert frames[-1]["type"] == "response.completed"
    assert not any(
        frame["type"] == "response.completed" and frame["stream_id"] == "slow" for frame in frames
    )
    assert connection.read(lane="slow")[-1]["type"] == "response.completed"


@pytest.mark.parametrize("lane", [None, "a"])
def test_turns_of_one_lane_run_in_order(
    emulator: Emulator, connection: Connection, lane: str | None
) -> None:
    stall(emulator, 0.1, nth=1)
    where = {} if lane is None else {"stream_id": lane}
    for number in range(5):
        connection.begin(input=f"Reply with exactly: {number}", **where)
    for number in range(5):
        frames = connection.read(lane=lane)
        assert sum(frame["type"] == "response.created" for frame in frames) == 1
        assert frames[-1]["response"]["output"][0]["content"][0]["text"] == str(number)


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 257, 1, ["a"], {}])
def test_an_invalid_name_is_refused(connection: Connection, name: object) -> None:
    connection.begin(stream_id=name)
    frame = connection.receive()
    assert (frame["status"], frame["error"]["code"]) == (400, "invalid_stream_id")
    assert connection.turn()["type"] == "response.completed"


def test_a_connection_has_room_for_so_many_names(connection: Connection) -> None:
    for number in range(32):
        connection.turn(stream_id=f"lane-{number}")
    refused = connection.turn(stream_id="one-more")
    assert (refused["error"]["code"], refused["stream_id"]) == (
        "websocket_stream_limit_reached",
        "one-more",
    )
    assert connection.turn(stream_id="lane-7")["type"] == "response.completed"
    assert connection.turn()["type"] == "response.completed"


def test_so_many_responses_are_made_at_once_and_others_wait(
    emulator: Emulator, connection: Connection
) -> None:
    stall(emulator, 0.5, times=16)
    for number in range(20):
        connection.begin(stream_id=f"lane-{number}")
    created, ended = 0, 0
    while ended < 20:
        kind = connection.receive()["type"]
        created += kind == "response.created"
        ended += kind == "response.completed"
        assert created - ended <= 16
    assert created == 20


def test_each_lane_remembers_its_last_response(connection: Connection) -> None:
    names = {"a": "Ada", "b": "Bob"}
    last = {
        lane: connection.turn(stream_id=lane, store=False, input=f"My name is {name}.")
        for lane, name in names.items()
    }
    for lane, name in names.items():
        answer = connection.turn(
            stream_id=lane,
            store=False,
            input="What is my name?",
            previous_response_id=last[lane]["response"]["id"],
        )
        assert name in str(answer["response"]["output"])


def test_a_fork_goes_on_from_another_lane(connection: Connection) -> None:
    source = connection.turn(store=False, input="My name is Ada.")["response"]["id"]
    fork = connection.turn(
        stream_id="fork", store=False, input="What is my name?", previous_response_id=source
    )
    assert "Ada" in str(fork["response"]["output"])
    again = connection.turn(store=False, previous_response_id=source)
    assert again["type"] == "response.completed"
    late = connection.turn(stream_id="late", store=False, previous_response_id=source)
    assert late["error"]["code"] == "previous_response_not_found"


def test_a_failed_fork_leaves_its_source(connection: Connection) -> None:
    source = connection.turn(store=False)["response"]["id"]
    failed = connection.turn(
        stream_id="fork", store=False, previous_response_id=source, temperature=9
    )
    assert failed["status"] == 400
    assert connection.turn(store=False, previous_response_id=source)["type"] == "response.completed"


def test_a_lost_connection_ends_every_lane(emulator: Emulator) -> None:
    stall(emulator, 30)
    with open_connection(emulator) as connection:
        for number in range(20):
            connection.begin(stream_id=f"lane-{number}")
        connection.receive()
    with open_connection(emulator) as connection:
        emulator.faults.clear()
        assert connection.turn(stream_id="lane-1")["type"] == "response.completed"
