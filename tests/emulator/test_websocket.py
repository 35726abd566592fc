"""WebSocket mode: handshake, turns, what a connection remembers, and its end."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidMessage,
    InvalidStatus,
)
from websockets.sync.client import connect

from azure_responses.emulator import (
    Clock,
    EmulatedDeployment,
    Emulator,
    Fault,
    Resource,
    WebSocketMode,
)
from tests.emulator.callers import BEGIN, V1, create, event_types, open_client
from tests.emulator.connections import Connection, open_connection

_NAMES = st.sampled_from(
    ["type", "model", "input", "previous_response_id", "stream_id", "generate", "store", "tools"]
) | st.text(max_size=5)  # fmt: skip
Make = Callable[..., Emulator]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes emulators, and closes them at the end."""
    made: list[Emulator] = []

    def make_one(*arguments: Any, **options: Any) -> Emulator:
        made.append(Emulator(*arguments, **options))
        return made[-1]

    yield make_one
    for one in made:
        one.close()


def refusal(emulator: Emulator, **options: Any) -> tuple[int, Any]:
    """Status and body of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused, open_connection(emulator, **options):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body) if response.body else None


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


def test_a_key_in_its_own_header_is_refused(emulator: Emulator) -> None:
    headers = {"Authorization": "", "api-key": emulator.api_key}
    status, body = refusal(emulator, headers=headers)
    assert (status, body["error"]["code"]) == (401, "401")


def test_a_key_in_its_own_header_is_taken_where_the_emulator_is_told_so(make: Make) -> None:
    emulator = make(websocket=WebSocketMode(api_key_header=True))
    headers = {"Authorization": "", "api-key": emulator.api_key}
    with open_connection(emulator, headers=headers) as connection:
        assert connection.turn()["type"] == "response.completed"


def test_a_handshake_is_refused_before_it_is_accepted(emulator: Emulator) -> None:
    assert refusal(emulator, key="wrong")[0] == 401
    assert refusal(emulator, key=emulator.issuer.mint(lifetime=-10))[0] == 401
    assert refusal(emulator, path="/openai/responses?api-version=2025-04-01-preview")[0] == 404
    assert refusal(emulator, path="/openai/v1/chat/completions")[0] == 404
    assert refusal(emulator, path=V1 + "?api-version=2025-04-01-preview")[0] == 400
    assert refusal(emulator, path="/api/projects/p/openai/v1/responses")[0] in (401, 404)
    entry = emulator.requests[0]
    assert (entry.method, entry.operation, entry.status) == ("GET", "connect", 401)


def test_other_paths_are_named_as_the_get_that_they_were(emulator: Emulator) -> None:
    _, body = refusal(emulator, path="/openai/v1/files")
    assert "GET /v1/files" in body["error"]["message"]


def test_projects_have_websockets_where_the_emulator_is_told_so(make: Make) -> None:
    path, emulator = "/api/projects/p/openai/v1/responses", make()
    token = emulator.issuer.mint("https://ai.azure.com")
    assert refusal(emulator, path=path, key=token)[0] == 404
    emulator = make(websocket=WebSocketMode(on_projects=True))
    token = emulator.issuer.mint("https://ai.azure.com")
    with open_connection(emulator, path=path, key=token) as connection:
        assert connection.turn()["type"] == "response.completed"


def test_a_plain_get_is_no_handshake(emulator: Emulator) -> None:
    with open_client(emulator) as client:
        assert client.get(V1).status_code == 404


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(None, None), (["openai-beta.responses.v1"], "openai-beta.responses.v1"), (["a", "b"], "a")],
)
def test_a_subprotocol_is_echoed_and_none_is_needed(
    emulator: Emulator, offered: Any, chosen: str | None
) -> None:
    with open_connection(emulator, subprotocols=offered) as connection:
        assert connection.socket.subprotocol == chosen


def test_pages_of_other_sites_are_refused(emulator: Emulator) -> None:
    headers = {"Origin": "https://elsewhere.example.com"}
    status, body = refusal(emulator, headers=headers)
    assert (status, body["error"]["code"]) == (403, "host_not_allowed")


def test_each_resource_has_its_own_connections(make: Make) -> None:
    emulator = make([Resource("a", keys=["one"]), Resource("b", keys=["two"])])
    find = emulator.httpx_transport().websocket_url
    for name, key, status in (("a", "one", None), ("b", "two", None), ("b", "one", 401)):
        url = find(f"wss://{name}.openai.azure.com{V1}")
        headers = {"Authorization": f"Bearer {key}"}
        if status is None:
            with connect(url, additional_headers=headers, proxy=None):
                pass
        else:
            with pytest.raises(InvalidStatus), connect(url, additional_headers=headers, proxy=None):
                pass
    with (
        pytest.raises((ConnectionError, InvalidMessage, EOFError)),
        connect(find(f"wss://c.openai.azure.com{V1}"), proxy=None),
    ):
        pass
    assert [entry.resource for entry in emulator.requests] == ["a", "b", "b", None]


@pytest.mark.parametrize(
    ("kind", "status"), [("http-426", 426), ("http-429", 429), ("http-503", 503), ("html-502", 502)]
)
def test_faults_refuse_a_handshake(emulator: Emulator, kind: str, status: int) -> None:
    emulator.faults.add(Fault(kind, operation="connect", retry_after=2, times=1))
    with pytest.raises(InvalidStatus) as refused, open_connection(emulator):
        pass
    response = refused.value.response
    assert response.status_code == status
    if kind.startswith("http-429"):
        assert response.headers["retry-after"] == "2"
    with open_connection(emulator) as connection:
        assert connection.turn()["type"] == "response.completed"


@pytest.mark.parametrize("kind", ["reset-before-headers", "disconnect-before-headers"])
def test_faults_break_a_handshake(emulator: Emulator, kind: str) -> None:
    emulator.faults.add(Fault(kind, operation="connect"))
    with (
        pytest.raises((ConnectionError, InvalidMessage, EOFError)),
        open_connection(emulator),
    ):
        pass
    assert emulator.requests[0].status == 0


def test_a_handshake_can_be_late(emulator: Emulator) -> None:
    emulator.faults.add(Fault("slow-headers", operation="connect", seconds=0.2, times=2))
    with pytest.raises(TimeoutError), open_connection(emulator, open_timeout=0.05):
        pass
    begin = time.monotonic()
    with open_connection(emulator) as connection:
        assert time.monotonic() - begin >= 0.2
        assert connection.turn()["type"] == "response.completed"


def test_slow_headers_delay_answers_over_http_too() -> None:
    emulator = Emulator(clock=Clock(BEGIN))
    emulator.faults.add(Fault("slow-headers", seconds=3))
    with open_client(emulator) as client:
        assert event_types(create(client, stream=True))[-1] == "response.completed"
        assert emulator.clock.now() == BEGIN + 3
        with pytest.raises(httpx.ReadTimeout):
            client.post(V1, json={"model": "gpt-4.1", "input": "x"}, timeout=1)


def test_a_connection_can_break_before_its_first_frame(emulator: Emulator) -> None:
    emulator.faults.add(Fault("reset-after-headers", operation="connect"))
    with open_connection(emulator) as connection, pytest.raises(ConnectionClosedError) as closed:
        connection.receive()
    assert closed.value.rcvd is None


def test_what_websockets_need_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azure_responses.emulator.service.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"websockets: pip install .*\[cli\]"):
        Emulator().httpx_transport().websocket_url("wss://emulator.openai.azure.com")


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


def test_the_emulator_can_forget_what_a_connection_remembers(
    emulator: Emulator, connection: Connection
) -> None:
    emulator.faults.add(Fault("websocket-forget", nth=2))
    first = connection.turn(store=False)["response"]["id"]
    refused = connection.turn(store=False, previous_response_id=first)
    assert refused["error"]["code"] == "previous_response_not_found"
    stored = connection.turn()["response"]["id"]
    emulator.faults.add(Fault("websocket-forget"))
    assert connection.turn(previous_response_id=stored)["type"] == "response.completed"


def test_what_is_stored_goes_on_over_other_connections_and_over_http(
    emulator: Emulator, connection: Connection
) -> None:
    first = connection.turn(input="My name is Ada.")["response"]["id"]
    connection.turn()
    again = connection.turn(input="What is my name?", previous_response_id=first)
    assert "Ada" in str(again["response"]["output"])
    with open_connection(emulator) as other, open_client(emulator) as client:
        assert other.turn(previous_response_id=first)["type"] == "response.completed"
        assert create(client, previous_response_id=first).status_code == 200
        unstored = connection.turn(store=False)["response"]["id"]
        assert other.turn(previous_response_id=unstored)["status"] == 400
        assert client.get(f"{V1}/{unstored}").status_code == 404


def test_a_failed_continuation_forgets_what_it_continued(connection: Connection) -> None:
    first = connection.turn(store=False)["response"]["id"]
    failed = connection.turn(store=False, previous_response_id=first, temperature=9)
    assert (failed["type"], failed["status"]) == ("error", 400)
    again = connection.turn(store=False, previous_response_id=first)
    assert again["error"]["code"] == "previous_response_not_found"


def test_a_failure_that_continues_nothing_forgets_nothing(connection: Connection) -> None:
    first = connection.turn(store=False)["response"]["id"]
    assert connection.turn(model="")["type"] == "error"
    assert connection.turn(store=False, previous_response_id=first)["type"] == "response.completed"


def test_a_response_that_fails_forgets_what_it_continued(
    emulator: Emulator, connection: Connection
) -> None:
    first = connection.turn(store=False)["response"]["id"]
    emulator.faults.add(Fault("stream-429-C", times=1))
    failed = connection.turn(store=False, previous_response_id=first)
    assert failed["type"] == "response.failed"
    assert connection.turn(store=False, previous_response_id=first)["type"] == "error"


def test_a_warm_up_has_an_id_and_no_output(emulator: Emulator, connection: Connection) -> None:
    connection.begin(generate=False, store=False, input="My name is Ada.")
    frames = connection.read()
    assert [frame["type"] for frame in frames] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    warm = frames[-1]["response"]
    assert (warm["output"], warm["usage"]["total_tokens"]) == ([], 0)
    answer = connection.turn(store=False, previous_response_id=warm["id"], input="What is my name?")
    assert "Ada" in str(answer["response"]["output"])
    assert emulator.requests[1].json()["generate"] is False


def test_an_empty_warm_up_may_have_tools_and_no_input(connection: Connection) -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
    warm = connection.turn(generate=False, input=[], tools=[tool])
    assert warm["type"] == "response.completed"
    assert connection.turn(generate="no")["error"]["param"] == "generate"


def test_a_tool_loop_goes_on_from_turn_to_turn(connection: Connection) -> None:
    tool = {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
    answer = connection.turn(
        input="Use get_weather for Oslo", tools=[tool], store=False, model="gpt-5"
    )
    for _ in range(3):
        response = answer["response"]
        call = next(item for item in response["output"] if item["type"] == "function_call")
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
        answer = connection.turn(
            input=[result, {"role": "user", "content": "Use get_weather again"}],
            tools=[tool],
            store=False,
            model="gpt-5",
            previous_response_id=response["id"],
        )
    unanswered = answer["response"]["id"]
    refused = connection.turn(store=False, previous_response_id=unanswered, input="And now?")
    assert "No tool output found" in refused["error"]["message"]


def test_a_compaction_starts_a_new_chain(emulator: Emulator, connection: Connection) -> None:
    first = connection.turn(input="My name is Ada.")["response"]
    with open_client(emulator) as client:
        body = {"model": "gpt-4.1", "previous_response_id": first["id"]}
        compacted = client.post(V1 + "/compact", json=body).json()["output"]
    question = {"role": "user", "content": "What is my name?"}
    answer = connection.turn(input=[*compacted, question], store=False)["response"]
    assert "Ada" in str(answer["output"])
    last = connection.turn(input="What is my name?", store=False, previous_response_id=answer["id"])
    assert "Ada" in str(last["response"]["output"])


def test_stream_and_background_mean_nothing(connection: Connection) -> None:
    answer = connection.turn(stream=False, background=True)["response"]
    assert (answer["status"], answer["background"]) == ("completed", False)


def test_a_second_create_is_refused_while_a_response_is_made(
    emulator: Emulator, connection: Connection
) -> None:
    emulator.faults.add(Fault("stall", after_events=2, seconds=0.3, times=1))
    connection.begin()
    connection.begin(input="Reply with exactly: two")
    frames = connection.read("error")
    assert frames[-1]["error"]["code"] == "response_in_progress"
    assert connection.read()[-1]["type"] == "response.completed"
    assert connection.turn()["type"] == "response.completed"


def test_a_create_may_follow_the_end_at_once(connection: Connection) -> None:
    last = None
    for _ in range(50):
        answer = connection.turn(store=False, previous_response_id=last)
        last = answer["response"]["id"]


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ("{", None),
        ("[]", None),
        ('{"type": "response.create", "model": "\\ud800"}', None),
        ("[" * 100_000, None),
        ("{}", "type"),
        ('{"type": "response.cancel"}', "type"),
        ('{"type": "response.inject", "response_id": "x"}', "type"),
        ('{"type": ["response.create"]}', "type"),
        ('{"type": "response.create"}', "model"),
        ('{"type": "response.create", "model": "gpt-5", "response": {}}', "response"),
        ('{"type": "response.create", "model": "gpt-5", "stream_id": "a"}', "stream_id"),
        ('{"type": "response.create", "model": "gpt-5", "input": NaN}', None),
        ('{"type": "response.create", "model": "gpt-5", "nonsense": 1}', "nonsense"),
    ],
)  # fmt: skip
def test_an_invalid_frame_is_answered_and_the_connection_stays(
    connection: Connection, sent: str, param: str | None
) -> None:
    connection.socket.send(sent)
    frame = connection.receive()
    assert (frame["type"], frame["status"] in (400, 404)) == ("error", True)
    assert frame["error"]["param"] == param
    assert connection.turn()["type"] == "response.completed"


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=8,
)

_FRAMES = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(["response.create", "response.steer", "other"]),
    st.dictionaries(_NAMES, _JSON, max_size=6),
)


@given(frames=st.lists(_FRAMES, max_size=5))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_frame_is_answered(emulator: Emulator, frames: list[dict[str, Any]]) -> None:
    with open_connection(emulator) as connection:
        for frame in frames:
            connection.socket.send(json.dumps(frame))
            kind = connection.receive()["type"]
            assert kind in ("error", "response.steer.failed", "response.created")
            if kind == "response.created":
                connection.read()
        assert connection.turn()["type"] == "response.completed"


def test_a_binary_frame_closes_the_connection(connection: Connection) -> None:
    connection.socket.send(b"{}")
    with pytest.raises(ConnectionClosed) as closed:
        connection.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


def test_a_frame_beyond_sixteen_mebibytes_closes_the_connection(connection: Connection) -> None:
    # The server may close before all of it was sent.
    with suppress(ConnectionClosed):
        connection.socket.send("x" * (16 * 1024 * 1024 + 1))
    with pytest.raises(ConnectionClosed) as closed:
        connection.receive()
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def test_a_large_frame_in_pieces_is_read(connection: Connection) -> None:
    frame = json.dumps({"type": "response.create", "model": "gpt-5", "input": "word " * 100_000})
    connection.socket.send(frame[start : start + 9999] for start in range(0, len(frame), 9999))
    assert connection.read()[-1]["type"] == "response.completed"


def test_a_response_whose_caller_leaves_early_is_not_stored(emulator: Emulator) -> None:
    emulator.faults.add(Fault("stall", after_events=3, seconds=30))
    with open_connection(emulator) as connection:
        connection.begin()
        created = connection.receive()["response"]["id"]
    deadline = time.monotonic() + 5
    with open_client(emulator) as client:
        while create(client, previous_response_id=created).status_code != 400:
            assert time.monotonic() < deadline
        assert client.get(f"{V1}/{created}").status_code == 404


# --- limits and filters ---------------------------------------------------------------------------


def test_a_deployment_without_room_answers_429_in_a_frame(make: Make) -> None:
    deployment = EmulatedDeployment("small", model="gpt-5", requests_per_minute=1)
    emulator = make([Resource("a", deployments=[deployment])])
    with open_connection(emulator) as connection:
        connection.turn(model="small")
        refused = connection.turn(model="small")
        assert (refused["type"], refused["status"]) == ("error", 429)
        assert int(refused["headers"]["retry-after"]) > 0
        emulator.clock.advance(60)
        assert connection.turn(model="small")["type"] == "response.completed"
        assert connection.turn(model="other")["error"]["code"] == "DeploymentNotFound"


def test_the_content_filter_refuses_a_prompt_and_stops_an_output(connection: Connection) -> None:
    refused = connection.turn(input="[[azure:block-prompt]]")
    assert (refused["status"], refused["error"]["code"]) == (400, "content_filter")
    assert refused["error"]["content_filters"][0]["blocked"] is True
    stopped = connection.turn(input="[[azure:block-output]] tell a story of 9 sentences")
    assert stopped["type"] == "response.incomplete"
    assert stopped["response"]["incomplete_details"] == {"reason": "content_filter"}


# --- faults ---------------------------------------------------------------------------------------


def fault(emulator: Emulator, kind: str, **options: Any) -> None:
    emulator.faults.add(Fault(kind, operation="create", times=1, **options))


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_connection_can_be_closed_after_some_frames(
    emulator: Emulator, connection: Connection, after: int
) -> None:
    fault(emulator, "websocket-close", after_events=after, close_code=1012)
    connection.begin()
    frames: list[Any] = []
    with pytest.raises(ConnectionClosed) as closed:
        connection.read_into(frames)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, len(frames)) == (1012, after)


@pytest.mark.parametrize("kind", ["reset-mid-body", "incomplete-body", "reset-before-headers"])
def test_a_connection_can_be_lost_without_a_close(
    emulator: Emulator, connection: Connection, kind: str
) -> None:
    fault(emulator, kind, after_events=2)
    connection.begin()
    frames: list[Any] = []
    with pytest.raises(ConnectionClosedError) as closed:
        connection.read_into(frames)
    assert closed.value.rcvd is None
    assert len(frames) == (0 if kind == "reset-before-headers" else 2)


def test_a_half_open_connection_answers_no_ping(emulator: Emulator, connection: Connection) -> None:
    fault(emulator, "websocket-half-open", after_events=1, seconds=0.5)
    connection.begin()
    connection.receive()
    # The first ones may still have been read.
    while connection.socket.ping().wait(0.2):
        pass
    with pytest.raises(ConnectionClosedError):
        connection.receive()


def test_a_stalled_response_leaves_pings_answered(
    emulator: Emulator, connection: Connection
) -> None:
    fault(emulator, "stall", after_events=1, seconds=0.3)
    connection.begin()
    connection.receive()
    assert connection.socket.ping().wait(2)
    with pytest.raises(TimeoutError):
        connection.receive(timeout=0.05)
    assert connection.read()[-1]["type"] == "response.completed"


def test_frames_can_be_slow(emulator: Emulator, connection: Connection) -> None:
    fault(emulator, "slow-body", seconds=0.01)
    begin = time.monotonic()
    connection.turn()
    assert time.monotonic() - begin > 0.05


def test_a_stream_that_ends_without_an_end_closes_the_connection(
    emulator: Emulator, connection: Connection
) -> None:
    fault(emulator, "truncate", after_events=3)
    connection.begin()
    with pytest.raises(ConnectionClosedOK):
        connection.read()


@pytest.mark.parametrize(
    ("kind", "status"), [("http-429", 429), ("http-500", 500), ("html-502", 502), ("redirect", 307)]
)
def test_a_status_becomes_an_error_frame(
    emulator: Emulator, connection: Connection, kind: str, status: int
) -> None:
    fault(emulator, kind, retry_after=1.5)
    refused = connection.turn()
    assert (refused["type"], refused["status"]) == ("error", status)
    assert set(refused["error"]) >= {"type", "code", "message", "param"}
    assert connection.turn()["type"] == "response.completed"


def test_a_broken_event_is_sent_as_it_is(emulator: Emulator, connection: Connection) -> None:
    fault(emulator, "malformed-event")
    connection.begin()
    connection.receive()
    with pytest.raises(ValueError, match="Unterminated"):
        connection.receive()
    assert connection.read()[-1]["type"] == "response.completed"


def test_faults_can_be_for_one_transport(emulator: Emulator, connection: Connection) -> None:
    emulator.faults.add(Fault("http-503", transport="websocket"))
    emulator.faults.add(Fault("http-500", transport="http"))
    with open_client(emulator) as client:
        assert create(client).status_code == 500
    assert connection.turn()["status"] == 503
    with pytest.raises(ValueError, match="transport is http or websocket"):
        Fault("http-503", transport="ws")  # type: ignore[arg-type]


# --- the end --------------------------------------------------------------------------------------

EXPIRED = {
    "type": "error",
    "status": 400,
    "error": {
        "type": "invalid_request_error",
        "code": "websocket_connection_limit_reached",
        "message": (
            "Responses websocket connection limit reached (60 minutes). Create a new websocket "
            "connection to continue."
        ),
        "param": None,
    },
}


def test_a_connection_ends_after_sixty_minutes_of_the_clock(make: Make) -> None:
    emulator = make(clock=Clock(BEGIN))
    with open_connection(emulator) as connection:
        emulator.clock.advance(3599)
        assert connection.turn()["type"] == "response.completed"
        emulator.clock.advance(1)
        assert connection.receive() == EXPIRED
        with pytest.raises(ConnectionClosedOK):
            connection.receive()


def test_a_create_after_sixty_minutes_makes_no_response(make: Make) -> None:
    emulator = make(clock=Clock(BEGIN))
    with open_connection(emulator) as connection:
        emulator.clock.advance(3600)
        with suppress(ConnectionClosed):
            connection.begin()
        assert connection.receive() == EXPIRED
    assert [entry.operation for entry in emulator.requests] == ["connect"]


def test_a_caller_who_reads_nothing_loses_the_connection_too(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.emulator.websocket._PATIENCE_SECONDS", 0.1)
    deployment = EmulatedDeployment("long", model="gpt-5-mini", chunking="async")
    emulator = make([Resource("a", deployments=[deployment])], clock=Clock(BEGIN))
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", emulator.websocket_server().port))
    with open_connection(emulator, max_queue=1, sock=small) as connection:
        connection.begin(model="long", input="[[azure:length:60000]]")
        connection.receive()
        time.sleep(1)
        emulator.clock.advance(3600)
        time.sleep(0.5)
        frames: list[Any] = []
        with pytest.raises(ConnectionClosedError):
            connection.read_into(frames)
    assert all(frame["type"] != "response.completed" for frame in frames)


def test_the_time_of_a_connection_can_be_set(make: Make) -> None:
    emulator = make(websocket=WebSocketMode(seconds=0.05))
    with open_connection(emulator) as connection:
        frame = connection.receive()
    assert frame["error"]["code"] == "websocket_connection_limit_reached"
    for seconds, steers in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="seconds is more than 0"):
            WebSocketMode(seconds=seconds, most_steers=steers)


def test_the_socket_of_an_embedded_emulator_ends_with_it() -> None:
    emulator = Emulator()
    with open_connection(emulator) as connection:
        connection.turn()
        emulator.close()
        with pytest.raises(ConnectionClosedError, match="1012"):
            connection.receive()


def test_secrets_are_struck_out_in_the_log(emulator: Emulator, connection: Connection) -> None:
    connection.turn(input="hi")
    handshake, turn = emulator.requests
    assert (handshake.status, handshake.transport) == (101, "websocket")
    assert handshake.headers["authorization"] == "Bearer REDACTED"
    assert (turn.operation, turn.deployment, turn.status) == ("create", "gpt-4.1", 200)
    assert turn.json() == {"type": "response.create", "model": "gpt-4.1", "input": "hi"}
    assert turn.as_dict()["transport"] == "websocket"


def test_turns_are_served_by_the_resource_that_the_path_of_the_handshake_names(make: Make) -> None:
    emulator = make([Resource("east", keys=["k"]), Resource("west", keys=["k"])])
    with open_connection(emulator, path=f"/resources/west{V1}", key="k") as connection:
        for _ in range(2):
            assert connection.turn()["type"] == "response.completed"
    assert [(entry.operation, entry.resource) for entry in emulator.requests] == [
        ("connect", "west"),
        ("create", "west"),
        ("create", "west"),
    ]
