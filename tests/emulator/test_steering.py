"""Steering: further input for a response while it is made."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator import Emulator, Fault, WebSocketMode
from azure_responses.emulator.response_store import EmulatedResponse
from azure_responses.emulator.steering import (
    find_mistake,
    find_required_input,
    shorten_response,
)
from tests.emulator.connections import Connection, open_connection

TOOL = {
    "type": "function",
    "name": "look",
    "parameters": {"type": "object", "properties": {}},
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator(websocket=WebSocketMode(lanes=True, most_steers=2))
    yield made
    made.close()


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[Connection]:
    with open_connection(emulator) as opened:
        yield opened


def begin(
    emulator: Emulator, connection: Connection, after: int = 1, **parameters: Any
) -> dict[str, Any]:
    """A response that halts after some of its events."""
    emulator.faults.add(Fault("stall", after_events=after, seconds=0.5, times=1))
    connection.begin(**{"model": "gpt-6", "input": "My name is Ada.", **parameters})
    created: dict[str, Any] = connection.receive()["response"]
    for _ in range(after - 1):
        connection.receive()
    return created


def steer(connection: Connection, response_id: object, given: Any, **fields: Any) -> None:
    connection.send(type="response.steer", previous_response_id=response_id, input=given, **fields)


def test_a_response_is_steered_after_its_reasoning(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(emulator, connection, store=False, instructions="Be brief.")
    steer(connection, created["id"], "What is my name?")
    accepted = connection.receive()
    assert accepted["type"] == "response.steer.accepted"
    assert accepted["steer"]["id"].startswith("steer_")
    assert accepted["steer"]["previous_response_id"] == created["id"]
    frames = connection.read("response.incomplete")
    assert [accepted["sequence_number"], *(one["sequence_number"] for one in frames)] == list(
        range(1, len(frames) + 2)
    )
    ended = frames[-1]["response"]
    assert (ended["id"], ended["status"]) == (created["id"], "incomplete")
    assert ended["incomplete_details"] == {"reason": "steered"}
    assert [item["type"] for item in ended["output"]] == ["reasoning"]
    usage = ended["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    successor = connection.receive()
    assert (successor["type"], successor["sequence_number"]) == ("response.created", 0)
    assert successor["response"]["previous_response_id"] == created["id"]
    assert successor["response"]["instructions"] == "Be brief."
    answer = connection.read()[-1]["response"]
    assert "Ada" in str(answer["output"])
    again = connection.turn(
        model="gpt-6", store=False, input="Again?", previous_response_id=answer["id"]
    )
    assert again["type"] == "response.completed"
    operations = [entry.operation for entry in emulator.requests]
    assert operations == ["connect", "create", "create", "create"]


def test_a_response_in_its_last_item_completes_before_its_successor(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(emulator, connection, after=6)
    steer(connection, created["id"], [{"role": "user", "content": "What is my name?"}])
    frames = connection.read("response.completed")
    assert frames[-1]["response"]["id"] == created["id"]
    assert connection.receive()["response"]["previous_response_id"] == created["id"]
    assert "Ada" in str(connection.read()[-1]["response"]["output"])


def test_several_steers_go_into_one_successor(emulator: Emulator, connection: Connection) -> None:
    created = begin(emulator, connection, stream_id="a")
    for text in ("My name is Bob.", "What is my name?"):
        steer(connection, created["id"], text)
        assert connection.receive()["stream_id"] == "a"
    steer(connection, created["id"], "Too much")
    failed = connection.receive()
    assert failed["type"] == "response.steer.failed"
    assert failed["error"]["code"] == "too_many_pending_steers"
    assert failed["steer"] == {"previous_response_id": created["id"], "input": "Too much"}
    connection.read("response.incomplete", lane="a")
    answer = connection.read(lane="a")[-1]
    assert "Bob" in str(answer["response"]["output"])
    assert emulator.requests[-1].json()["input"] == [
        {"role": "user", "content": "My name is Bob."},
        {"role": "user", "content": "What is my name?"},
    ]


def test_a_steered_response_is_stored(emulator: Emulator, connection: Connection) -> None:
    created = begin(emulator, connection)
    steer(connection, created["id"], "What is my name?")
    connection.read("response.incomplete")
    connection.read()
    with open_connection(emulator) as other:
        answer = other.turn(input="What is my name?", previous_response_id=created["id"])
    assert "Ada" in str(answer["response"]["output"])


def test_a_response_that_waits_for_tools_keeps_the_input(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(
        emulator, connection, store=False, tools=[TOOL], tool_choice="required", stream_id="a"
    )
    steer(connection, created["id"], "My name is Bob.")
    accepted = connection.receive()
    completed = connection.read(lane="a")[-1]
    assert completed["type"] == "response.completed"
    pending = connection.receive()
    assert pending["type"] == "response.steer.pending"
    assert pending["steer"] == accepted["steer"]
    assert pending["reason"] == "waiting_for_required_input"
    assert pending["sequence_number"] == completed["sequence_number"] + 1
    call = completed["response"]["output"][-1]
    assert pending["required_input"] == [
        {"type": "function_call_output", "call_id": call["call_id"], "name": "look"}
    ]
    steer(connection, created["id"], "Late")
    assert connection.receive()["error"]["code"] == "response_already_completed"
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "nothing"}
    question = {"role": "user", "content": "What is my name?"}
    answer = connection.turn(
        model="gpt-6",
        store=False,
        stream_id="a",
        input=[result, question],
        previous_response_id=created["id"],
    )
    assert "Bob" in str(answer["response"]["output"])


def test_input_comes_back_where_the_turn_that_it_waits_for_is_refused(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(emulator, connection, store=False, tools=[TOOL], tool_choice="required")
    steer(connection, created["id"], "Use it twice")
    accepted = connection.receive()
    connection.read("response.steer.pending")
    refused = connection.turn(model="gpt-6", previous_response_id=created["id"], temperature=9)
    assert refused["status"] == 400
    failed = connection.receive()
    assert failed["error"]["code"] == "successor_creation_failed"
    assert failed["steer"] == {**accepted["steer"], "input": "Use it twice"}


def test_input_comes_back_where_the_successor_is_refused(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(emulator, connection)
    emulator.faults.add(Fault("http-429", nth=1))
    steer(connection, created["id"], "More")
    accepted = connection.receive()
    connection.read("response.incomplete")
    failed = connection.receive()
    assert failed["type"] == "response.steer.failed"
    assert failed["steer"] == {**accepted["steer"], "input": "More"}
    assert failed["error"]["code"] == "successor_creation_failed"
    assert connection.turn()["type"] == "response.completed"


def test_input_comes_back_where_the_response_is_cut_or_fails(
    emulator: Emulator, connection: Connection
) -> None:
    created = begin(
        emulator, connection, after=6, max_output_tokens=80, input="[[azure:length:999]]"
    )
    steer(connection, created["id"], "More")
    connection.read("response.incomplete")
    assert connection.receive()["error"]["code"] == "response_not_active"
    steer(connection, created["id"], "Late")
    assert connection.receive()["error"]["code"] == "response_not_active"


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "gpt-5"},
        {"context_management": [{"type": "compaction", "compact_threshold": 5000}]},
        {"generate": False},
    ],
)
def test_not_every_response_can_be_steered(
    emulator: Emulator, connection: Connection, parameters: dict[str, Any]
) -> None:
    created = begin(emulator, connection, **parameters)
    steer(connection, created["id"], "More")
    failed = connection.receive()
    assert failed["error"]["code"] == "steering_not_supported"
    assert connection.read()[-1]["type"] == "response.completed"


def test_a_response_that_is_unknown_or_over_cannot_be_steered(connection: Connection) -> None:
    over = connection.turn(model="gpt-6")["response"]["id"]
    for response_id, code in ((over, "response_already_completed"), ("x", "response_not_found")):
        steer(connection, response_id, "More")
        failed = connection.receive()
        assert (failed["error"]["code"], failed["sequence_number"]) == (code, 0)


def test_invalid_input_comes_back_as_it_was(emulator: Emulator, connection: Connection) -> None:
    created = begin(emulator, connection)
    given = [{"role": "system", "content": "x"}]
    steer(connection, created["id"], given)
    failed = connection.receive()
    assert (failed["error"]["code"], failed["steer"]["input"]) == ("invalid_input", given)
    steer(connection, ["no"], "More")
    assert connection.receive()["error"]["code"] == "invalid_input"


MESSAGE = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        ({"input": "x"}, True),
        ({"input": [MESSAGE, {**MESSAGE, "type": "message"}]}, True),
        ({"input": [{**MESSAGE, "content": [{"type": "input_text", "text": "x"}]}]}, True),
        ({"input": [{**MESSAGE, "content": [{"type": "output_text", "text": "x"}]}]}, False),
        ({"input": [{**MESSAGE, "content": ["x"]}]}, False),
        ({"input": [{**MESSAGE, "content": None}]}, False),
        ({"input": [{**MESSAGE, "status": "completed"}]}, False),
        ({"input": [{**MESSAGE, "type": "item_reference"}]}, False),
        ({"input": ["x"]}, False),
        ({"input": []}, False),
        ({"input": 1}, False),
        ({}, False),
        ({"input": "x", "stream_id": "a"}, False),
        ({"input": "x", "previous_response_id": 1}, False),
    ],
)
def test_only_messages_of_the_user_steer(fields: dict[str, Any], is_valid: bool) -> None:
    frame = {"type": "response.steer", "previous_response_id": "resp_1", **fields}
    assert (find_mistake(frame) is None) is is_valid


def test_a_stub_names_what_the_caller_owes() -> None:
    items = [
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "b", "name": "g", "input": ""},
        {"type": "tool_search_call", "call_id": "c", "execution": "client"},
        {"type": "tool_search_call", "call_id": "d", "execution": "server"},
        {"type": "mcp_approval_request", "id": "mcpr_1"},
        {"type": "shell_call", "call_id": "e"},
        {"type": "shell_call_output", "call_id": "e"},
        {"type": "message"},
    ]
    assert find_required_input(items) == [
        {"type": "function_call_output", "call_id": "a", "name": "f"},
        {"type": "custom_tool_call_output", "call_id": "b"},
        {"type": "tool_search_output", "call_id": "c", "execution": "client"},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1"},
    ]


def test_a_response_that_failed_is_not_shortened() -> None:
    response: dict[str, Any] = {"output": [], "usage": None}
    events = [{"type": "response.created"}, {"type": "response.failed"}]
    record = EmulatedResponse(response, events, None, "x", [], None, 0, 0, 0)
    shorten_response(record, 1)
    assert len(record.events) == 2
