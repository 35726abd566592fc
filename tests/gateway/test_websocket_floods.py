"""Callers of WebSockets that send too much, read nothing, or leave at any moment."""

import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from websockets.frames import Opcode

from azure_responses.gateway.caller_websocket import CallerWebSocket
from tests.gateway.gateways import Running, serve
from tests.gateway.socket_callers import (
    ENDINGS,
    SocketCaller,
    frame_bytes,
    scripted_config,
    socket_caller,
)
from tests.soak.scripted_upstream import ScriptedUpstream, threaded_upstream

_BOTH = pytest.mark.parametrize("model", ["native", "http"])

# The script of turns that wait for another one when their caller leaves.
_NEVER = "text never made"

JSON = dict[str, Any]


class _Stage(NamedTuple):
    upstream: ScriptedUpstream
    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    def held(self) -> Counter[str]:
        """What the gateway has open or counts at the moment."""
        gateway = self.running.app.gateway
        return Counter(
            connections=gateway.websockets.open,
            calls=gateway.concurrency.in_progress,
            bodies=gateway.bodies._sum,
            upstream=self.upstream.sockets,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[_Stage]:
    with threaded_upstream() as (url, upstream), serve(scripted_config(url)) as running:
        yield _Stage(upstream, running)


@pytest.fixture
def stage(server: _Stage, caplog: pytest.LogCaptureFixture) -> Iterator[_Stage]:
    """After each test nothing is left, nothing was logged as an error, and others are served."""
    yield server
    with socket_caller(server.url) as caller:
        for model in ("native", "http"):
            assert caller.turn(model=model, input="hi")[-1]["type"] == "response.completed"
    _until(lambda: +server.held() == Counter())
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _create(**body: Any) -> bytes:
    return json.dumps({"type": "response.create", **body}).encode()


@pytest.fixture
def caller(stage: _Stage) -> Iterator[SocketCaller]:
    """A connection that has made one turn."""
    with socket_caller(stage.url) as connected:
        assert connected.turn(model="http", input="hi")[-1]["type"] == "response.completed"
        yield connected


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '"response.create"',
        "[" * 100_000,
        '{"type":"response.create","input":' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"type":"response.create","model":"http","input":' + "9" * 100_000 + "}",
        '{"type":"response.create","model":"http","model":"native","input":"hi"}',
        '{"type":"response.create","model":{},"input":"hi"}',
        '{"type":"response.create","model":"http","input":NaN}',
        '{"type":"response.create","model":"http","input":"\\ud800"}',
        '{"type":"response.create","response":[]}',
        '{"type":"response.create","stream_id":7}',
        '{"type":"response.create","stream_id":""}',
        '{"type":"response.create","generate":"no"}',
        '{"type":"response.create","model":"http","input":"hi","previous_response_id":7}',
        '{"type":"response.create","model":"http","input":"hi","previous_response_id":{}}',
        '{"type":"session.update"}',
        '{"type":["response.create"]}',
        '{"type":"response.inject","response_id":"resp_1","input":[]}',
        '{"type":"response.steer"}',
        '{"type":"response.steer","previous_response_id":"resp_1","input":[{}]}',
    ],
    ids=lambda text: text[:60],
)
def test_a_frame_that_asks_for_nothing_has_one_error_and_the_connection_goes_on(
    caller: SocketCaller, text: str
) -> None:
    caller.socket.send(text)
    error = caller.receive()
    assert error["type"] in ("error", "response.steer.failed")
    assert error["error"]["message"]
    if error["type"] == "error":
        assert 400 <= error["status"] < 500
    assert caller.turn(model="http", input="hi")[-1]["type"] == "response.completed"


@_BOTH
def test_a_frame_that_comes_byte_by_byte_or_in_fragments_is_one_turn(
    caller: SocketCaller, stage: _Stage, model: str
) -> None:
    content = _create(model=model, input=f"text {model} fragments")
    wire = caller.socket.socket
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in frame_bytes(content):
        wire.sendall(bytes([byte]))
    assert list(caller.events())[-1]["type"] == "response.completed"
    half = len(content) // 2
    pieces = [content[:half], b"", content[half:]]
    for number, piece in enumerate(pieces):
        opcode = Opcode.CONT if number else Opcode.TEXT
        wire.sendall(frame_bytes(piece, opcode, fin=number == 2))
        # Control frames may stand between the fragments of a message.
        wire.sendall(frame_bytes(b"?", Opcode.PING))
    assert list(caller.events())[-1]["type"] == "response.completed"
    assert stage.upstream.begun[f"text {model} fragments"] == 2


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (frame_bytes(b"{}", Opcode.BINARY), 1003),
        (frame_bytes(b"\xff\xfe"), 1007),
        (frame_bytes(b"{}", rsv1=True), 1002),
        (bytes([0x81, 2]) + b"{}", 1002),
        (frame_bytes(b"{}", Opcode.CONT), 1002),
        (frame_bytes(b"?" * 200, Opcode.PING), 1002),
        (frame_bytes(b"?", Opcode.PING, fin=False), 1002),
        (bytes([0x81, 255]) + (2**40).to_bytes(8, "big") + b"mask", 1009),
        (bytes([0x83, 0x80]) + b"mask", 1002),
        (frame_bytes(b"\x00", Opcode.CLOSE), 1002),
    ],
    ids=[
        "binary",
        "not UTF-8",
        "compressed, though that was not agreed on",
        "not masked",
        "a fragment of nothing",
        "a long ping",
        "a ping in fragments",
        "a terabyte",
        "an unknown opcode",
        "half a code",
    ],
)
def test_a_frame_against_the_protocol_ends_the_connection_with_its_code(
    caller: SocketCaller, wire: bytes, code: int
) -> None:
    caller.socket.socket.sendall(wire)
    assert caller.close_code() == code


@_BOTH
def test_a_frame_against_the_protocol_gives_up_the_turn_that_is_made(
    stage: _Stage, model: str
) -> None:
    script = f"text deltas=4 stall@5 {model} given up"
    with socket_caller(stage.url) as caller:
        caller.send(model=model, input=script)
        while caller.receive()["type"] != "response.output_text.delta":
            pass
        caller.socket.socket.sendall(frame_bytes(b"{}", Opcode.BINARY))
        assert caller.close_code() == 1003
    _until(lambda: +stage.held() == Counter())
    assert stage.upstream.ended[script] == 0


def test_compression_may_be_offered_and_is_not_used(stage: _Stage) -> None:
    with socket_caller(stage.url, compression="deflate") as caller:
        assert caller.socket.protocol.extensions == []
        assert caller.turn(model="http", input="hi")[-1]["type"] == "response.completed"


# --- how much is sent -----------------------------------------------------------------------------


@_BOTH
def test_each_of_very_many_queued_turns_has_one_end(
    caller: SocketCaller, stage: _Stage, model: str
) -> None:
    count, script = 1500, f"text deltas=1 {model} queued"
    wire = frame_bytes(_create(model=model, input=script, store=False)) * count
    sender = threading.Thread(target=caller.socket.socket.sendall, args=(wire,))
    sender.start()
    ends: Counter[str] = Counter()
    while ends.total() < count:
        event = caller.receive()
        if event["type"] == "error":
            assert (event["status"], event["error"]["code"]) == (429, "rate_limit_exceeded")
        if event["type"] in ENDINGS:
            ends[event["type"]] += 1
    sender.join()
    assert ends.keys() <= {"response.completed", "error"}
    assert ends["response.completed"] >= 100
    assert stage.upstream.ended[script] == ends["response.completed"]
    assert caller.turn(model=model, input="hi")[-1]["type"] == "response.completed"


@_BOTH
def test_turns_that_wait_count_as_bodies_until_they_begin(stage: _Stage, model: str) -> None:
    with socket_caller(stage.url, close_timeout=0.2) as caller:
        caller.send(model=model, input=f"text stall!@3 {model} waits")
        for _ in range(10):
            caller.send(model=model, input="text " + "x" * 200_000)
        _until(lambda: stage.held()["bodies"] > 2_000_000)
    _until(lambda: +stage.held() == Counter())
    with socket_caller(stage.url) as caller:
        for _ in range(10):
            caller.send(model=model, input="text deltas=1 " + "x" * 200_000)
        for _ in range(10):
            assert list(caller.events())[-1]["type"] == "response.completed"


def test_no_more_lanes_than_the_limit_have_names(caller: SocketCaller) -> None:
    for number in range(40):
        caller.send(model="http", input="text deltas=1", stream_id=f"lane-{number}")
    ends: dict[str, JSON] = {}
    while len(ends) < 40:
        event = caller.receive()
        if event["type"] in ENDINGS:
            assert event["stream_id"] not in ends
            ends[event["stream_id"]] = event
    kinds = Counter(end["type"] for end in ends.values())
    assert kinds == {"response.completed": 32, "error": 8}
    codes = {end["error"]["code"] for end in ends.values() if end["type"] == "error"}
    assert codes == {"websocket_stream_limit_reached"}
    assert caller.turn(model="http", input="hi")[-1]["type"] == "response.completed"


@_BOTH
def test_pings_by_the_ten_thousand_disturb_no_turn_and_hold_no_memory(
    caller: SocketCaller, stage: _Stage, model: str
) -> None:
    caller.send(model=model, input="text deltas=2000")
    wire = caller.socket.socket
    pings = frame_bytes(b"?" * 125, Opcode.PING) * 100
    for _ in range(100):
        wire.sendall(pings)
    events = list(caller.events())
    assert events[-1]["type"] == "response.completed"
    assert [event["sequence_number"] for event in events] == list(range(2008))
    assert stage.held()["bodies"] < 100_000


# --- how little is read ---------------------------------------------------------------------------


@_BOTH
def test_a_caller_who_reads_nothing_is_cut_and_their_turn_given_up(
    stage: _Stage, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallerWebSocket, "read_seconds", 0.3)
    script = f"text deltas=300000 {model}"
    with socket_caller(stage.url, max_queue=1) as caller:
        caller.send(model=model, input=script)
        caller.receive()
        _until(lambda: stage.held()["connections"] == 0, 20)
        _until(lambda: +stage.held() == Counter(), 20)
        assert stage.upstream.ended[script] == 0
        assert caller.close_code() == 1006


@_BOTH
def test_a_caller_who_reads_slowly_gets_all_of_it(stage: _Stage, model: str) -> None:
    with socket_caller(stage.url, max_queue=1) as caller:
        caller.send(model=model, input="text deltas=20000")
        numbers = []
        for event in caller.events():
            numbers.append(event["sequence_number"])
            if len(numbers) % 4000 == 0:
                time.sleep(0.1)
        assert numbers == list(range(20008))


# --- leaving --------------------------------------------------------------------------------------


def _in_handshake(stage: _Stage) -> socket.socket:
    host, port = stage.url.removeprefix("http://").split(":")
    wire = socket.create_connection((host, int(port)))
    wire.sendall(b"GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n")
    return wire


def _after(caller: SocketCaller, model: str, state: str) -> None:
    if state == "in a frame":
        caller.socket.socket.sendall(frame_bytes(_create(model=model, input="hi" * 9000))[:9000])
    elif state == "in a message":
        caller.socket.socket.sendall(frame_bytes(b'{"type":', fin=False))
    elif state != "idle":
        script = f"text deltas=50 stall!@30 {model} {state}"
        caller.send(model=model, input=script)
        if state == "queued":
            caller.send(model=model, input=_NEVER)
        if state in ("streaming", "queued"):
            while caller.receive()["type"] != "response.output_text.delta":
                pass


@pytest.mark.parametrize("is_polite", [True, False], ids=["close", "reset"])
@pytest.mark.parametrize(
    "state", ["idle", "in a frame", "in a message", "sent", "streaming", "queued"]
)
@_BOTH
def test_a_caller_may_leave_in_any_state(
    stage: _Stage, model: str, state: str, is_polite: bool
) -> None:
    for _ in range(3):
        with socket_caller(stage.url, close_timeout=0.2, max_queue=None) as caller:
            _after(caller, model, state)
            if not is_polite:
                wire = caller.socket.socket
                # A reset in place of an orderly end.
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                wire.shutdown(socket.SHUT_RD)
                wire.close()
    _until(lambda: +stage.held() == Counter())
    assert stage.upstream.begun[_NEVER] == 0


def test_a_caller_may_leave_in_the_handshake(stage: _Stage) -> None:
    for _ in range(20):
        _in_handshake(stage).close()
    _until(lambda: +stage.held() == Counter())
