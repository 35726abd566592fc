"""WebSocket connections of a gateway on a port: handshakes, turns as calls, and their end."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as dial

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, Resource
from azure_responses.gateway.app import create_app
from azure_responses.gateway.body_reader import BodyMemory
from azure_responses.gateway.caller_websocket import CallerWebSocket
from azure_responses.gateway.database import open_database
from azure_responses.gateway.key_table import ApiCaller, StoredKey, hash_key
from tests.gateway.gateways import KEY, Running, config_of, run_process, run_server, serve
from tests.openai_server.servers import make_emulator

ALICE, BOB = "sk-alice-0123456789-abcdef", "sk-bob-0123456789-abcdefgh"
HELLO = {"type": "response.create", "model": "chat", "input": "Say hello"}


@pytest.fixture
def emulator() -> Emulator:
    return make_emulator()


@pytest.fixture
def url(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as server:
        yield server.url


@pytest.fixture
def gateway(url: str) -> Iterator[Running]:
    with serve(config_of(url, "east", "west")) as running:
        yield running


def connect(
    gateway: Running | str, path: str = "/v1/responses", key: str | None = KEY, **options: Any
) -> ClientConnection:
    base = gateway if isinstance(gateway, str) else gateway.url
    headers = dict(options.pop("headers", {}))
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    target = base.replace("http", "ws", 1) + path
    connection: ClientConnection = dial(
        target, additional_headers=headers, open_timeout=20, **options
    )
    return connection


def send(connection: ClientConnection, **fields: Any) -> None:
    connection.send(json.dumps({**HELLO, **fields}))


def read(connection: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(connection.recv(timeout=30))
    return found


def read_turn(connection: ClientConnection) -> list[dict[str, Any]]:
    """The frames up to the one that ends the turn."""
    frames = [read(connection)]
    while frames[-1]["type"] not in _ENDS:
        frames.append(read(connection))
    return frames


_ENDS = {"response.completed", "response.incomplete", "response.failed", "error"}


def call(connection: ClientConnection, **fields: Any) -> dict[str, Any]:
    """The last frame of a turn."""
    send(connection, **fields)
    return read_turn(connection)[-1]


def close_code(connection: ClientConnection) -> int | None:
    try:
        while True:
            connection.recv(timeout=20)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


def refusal(gateway: Running, *arguments: Any, **options: Any) -> tuple[int, str]:
    """The status and the code of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as caught:
        connect(gateway, *arguments, **options)
    response = caught.value.response
    assert response.body is not None
    assert response.headers["x-request-id"]
    return response.status_code, json.loads(response.body)["error"]["code"]


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read_log(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


# The handshake.


@pytest.mark.parametrize(
    "path",
    ["/v1/responses", "/responses", "/openai/v1/responses", "/openai/responses?api-version=1"],
)
def test_turns_are_made_on_every_path_of_the_operation(gateway: Running, path: str) -> None:
    with connect(gateway, path) as connection:
        send(connection)
        frames = read_turn(connection)
    assert [frames[0]["type"], frames[-1]["type"]] == ["response.created", "response.completed"]
    assert frames[-1]["response"]["model"] == "chat"
    assert [frame["sequence_number"] for frame in frames] == list(range(len(frames)))


def test_a_handshake_that_may_not_be_has_the_status_of_its_reason(url: str) -> None:
    config = config_of(url, "east")
    config["virtual_keys"] = [
        {"key": ALICE, "name": "alice", "models": ["chat"], "allowed_routes": ["/v1/files"]},
        {"key": BOB, "name": "bob", "models": ["other"]},
    ]
    with serve(config) as gateway:
        assert refusal(gateway, key=None) == (401, "invalid_api_key")
        assert refusal(gateway, key="sk-unknown") == (401, "invalid_api_key")
        assert refusal(gateway, key=ALICE) == (403, "route_not_allowed")
        query = "/v1/responses?model=chat"
        assert refusal(gateway, query, key=BOB) == (403, "key_model_access_denied")
        assert refusal(gateway, "/v1/responses?model=none") == (404, "model_not_found")
        assert refusal(gateway, "/v1/models") == (404, "unknown_url")
        assert refusal(gateway, "/v1/nothing") == (404, "unknown_url")
        assert refusal(gateway, "/v1/chat/completions") == (404, "unknown_url")


def test_every_way_to_send_a_key_is_taken(gateway: Running) -> None:
    for headers in ({"api-key": KEY}, {"x-api-key": KEY}, {"x-litellm-api-key": KEY}):
        with connect(gateway, key=None, headers=headers) as connection:
            assert call(connection)["type"] == "response.completed"


def test_a_browser_sends_its_key_as_a_subprotocol(gateway: Running) -> None:
    offered: Any = [f"openai-insecure-api-key.{KEY}", "other", "openai-beta.responses.v1"]
    with connect(gateway, key=None, subprotocols=offered) as connection:
        assert connection.subprotocol == "openai-beta.responses.v1"
        assert call(connection)["type"] == "response.completed"
    wrong: Any = ["openai-insecure-api-key.sk-wrong", "openai-beta.responses.v1"]
    assert refusal(gateway, key=None, subprotocols=wrong) == (401, "invalid_api_key")
    unknown: Any = ["other"]
    with connect(gateway, subprotocols=unknown) as connection:
        assert connection.subprotocol is None


def test_pages_of_other_sites_open_no_connection_of_a_gateway_without_keys(url: str) -> None:
    config = config_of(url, "east")
    del config["general_settings"]["master_key"]
    with serve(config) as gateway:
        with connect(gateway, key=None, headers={"origin": "http://localhost:3000"}) as connection:
            assert call(connection)["type"] == "response.completed"
        foreign = {"origin": "https://evil.example"}
        assert refusal(gateway, key=None, headers=foreign) == (403, "origin_not_allowed")
        parts = httpx.URL(gateway.url)
        rebound = socket.create_connection((parts.host, parts.port or 0))
        with pytest.raises(InvalidStatus) as caught:
            connect("http://evil.example", key=None, sock=rebound)
        assert caught.value.response.status_code == 403


def test_a_process_and_a_key_have_so_many_connections_and_get_them_back(url: str) -> None:
    config = config_of(url, "east", websocket_connections=3, websocket_connections_per_key=2)
    config["virtual_keys"] = [{"key": ALICE, "name": "alice"}]
    with serve(config) as gateway, ExitStack() as stack:
        first = stack.enter_context(connect(gateway, key=ALICE))
        stack.enter_context(connect(gateway, key=ALICE))
        assert refusal(gateway, key=ALICE) == (429, "websocket_connections_exceeded")
        stack.enter_context(connect(gateway))
        assert refusal(gateway) == (503, "gateway_saturated")
        first.close()
        eventually(lambda: gateway.app.gateway.websockets.open == 2)
        stack.enter_context(connect(gateway, key=ALICE))


def test_without_websockets_codex_is_sent_to_http(url: str) -> None:
    with serve(config_of(url, "east", websocket_connections=0)) as gateway:
        assert refusal(gateway) == (426, "websocket_not_supported")


# Turns.


def test_a_chain_goes_on_over_the_connection_and_over_http(gateway: Running) -> None:
    with connect(gateway) as connection, gateway.client() as client:
        first = call(connection)["response"]
        second = call(connection, input="And again", previous_response_id=first["id"])
        assert second["response"]["previous_response_id"] == first["id"]
        stored = client.get(f"/v1/responses/{first['id']}").json()
        assert stored["output"] == first["output"]


def test_a_chain_that_no_service_stores_goes_on_over_its_connection_alone(
    gateway: Running,
) -> None:
    with connect(gateway) as connection:
        first = call(connection, store=False)["response"]
        again = {"input": "Go on", "previous_response_id": first["id"], "store": False}
        assert call(connection, **again)["type"] == "response.completed"
        with connect(gateway) as other:
            lost = call(other, **again)
            assert (lost["status"], lost["error"]["code"]) == (400, "previous_response_not_found")
            assert call(other)["type"] == "response.completed"


def test_the_ids_of_another_owner_are_not_known(url: str) -> None:
    config = config_of(url, "east")
    config["virtual_keys"] = [{"key": ALICE, "name": "alice"}, {"key": BOB, "name": "bob"}]
    with (
        serve(config) as gateway,
        connect(gateway, key=ALICE) as alice,
        connect(gateway, key=BOB) as bob,
    ):
        for store in (True, False):
            made = call(alice, store=store)["response"]["id"]
            refused = call(bob, previous_response_id=made)
            assert refused["type"] == "error"
            assert refused["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ('"input":"hi","model":"none"', "model_not_found"),
        ('"input":"hi","model":"chat","model":"chat"', "invalid_json"),
        ('"input":"hi","model":"chat","api_base":"http://evil"', "forbidden_parameter"),
        ('"input":"hi","model":"chat","owner":"bob"', "forbidden_parameter"),
        ('"input":"hi","model":7', "invalid_type"),
        ('"input":"hi","model":"chat","n":1e999', "invalid_json"),
    ],
)
def test_a_refused_turn_is_an_error_and_the_connection_goes_on(
    gateway: Running, fields: str, code: str
) -> None:
    with connect(gateway) as connection:
        assert call(connection)["type"] == "response.completed"
        connection.send('{"type":"response.create",' + fields + "}")
        refused = read_turn(connection)
        assert len(refused) == 1
        assert refused[0]["error"]["code"] == code
        assert refused[0]["status"] in (400, 404)
        assert call(connection)["type"] == "response.completed"


def test_the_model_of_the_query_is_that_of_turns_without_one(gateway: Running) -> None:
    with connect(gateway, "/v1/responses?model=chat") as connection:
        assert call(connection, model=None)["response"]["model"] == "chat"
        assert call(connection, model="none")["error"]["code"] == "model_not_found"


def test_the_rights_and_limits_of_a_key_count_for_each_turn(url: str) -> None:
    config = config_of(url, "east")
    config["model_list"].append({**config["model_list"][0], "model_name": "other"})
    config["model_list"][-1]["model_info"] = {"id": "second"}
    config["virtual_keys"] = [
        {"key": ALICE, "name": "alice", "models": ["chat"], "rpm": 2},
        {"key": BOB, "name": "bob", "tpm": 1},
    ]
    with serve(config) as gateway:
        with connect(gateway, key=ALICE) as connection:
            denied = call(connection, model="other")
            assert (denied["status"], denied["error"]["code"]) == (403, "key_model_access_denied")
            assert call(connection)["type"] == "response.completed"
            assert call(connection)["type"] == "response.completed"
            limited = call(connection)
            assert (limited["status"], limited["error"]["code"]) == (429, "rate_limit_exceeded")
            assert int(limited["headers"]["retry-after"]) > 0
        with connect(gateway, key=BOB) as connection:
            assert call(connection)["type"] == "response.completed"
            assert call(connection)["status"] == 429


def test_a_budget_is_spent_by_turns(url: str, tmp_path: Path) -> None:
    config = config_of(url, "east", database_url=f"sqlite:///{tmp_path / 'gateway.db'}")
    config["virtual_keys"] = [{"key": ALICE, "name": "alice", "budget": 0.0001}]
    with serve(config) as gateway, connect(gateway, key=ALICE) as connection:
        codes = [call(connection, max_output_tokens=16).get("error", {}) for _ in range(12)]
    assert codes[0] == {}
    assert codes[-1]["code"] == "budget_exceeded"


def test_a_key_that_is_revoked_or_expires_has_no_further_turn(url: str, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'gateway.db'}"
    database = open_database(address)
    soon = time.time() + 2.5
    for name, key, expires in (("alice", ALICE, None), ("bob", BOB, soon)):
        caller = ApiCaller(key_id=f"key_{name}", name=name, owner=name, expires=expires)
        database.add_key(StoredKey(caller, hash_key(key)))
    with (
        serve(config_of(url, "east", database_url=address, key_refresh_interval=0.2)) as gateway,
        connect(gateway, key=ALICE) as alice,
        connect(gateway, key=BOB) as bob,
    ):
        made = call(alice)["response"]["id"]
        assert call(bob)["type"] == "response.completed"
        database.revoke_key("key_alice", time.time())
        eventually(lambda: call(alice)["type"] == "error")
        refused = call(alice, previous_response_id=made)
        assert (refused["status"], refused["error"]["code"]) == (401, "invalid_api_key")
        time.sleep(max(0.0, soon - time.time()))
        assert call(bob)["status"] == 401
        warmed = call(bob, generate=False)
        assert warmed["status"] == 401
    database.close()


def test_each_turn_is_recorded_once_as_a_call_of_its_own(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "spend.jsonl"
    headers = {"x-request-id": "mine", "x-litellm-call-id": "mine too"}
    with serve(config_of(url, "east", spend_log=str(log))) as gateway:
        with (
            caplog.at_level("INFO", "azure_responses.gateway"),
            connect(gateway, headers=headers) as one,
        ):
            call(one, safety_identifier="u-1", stream_id="main")
            call(one, user="u-2")
            call(one, model="none")
        eventually(lambda: len(read_log(log)) == 2)
        with gateway.client() as client:
            metrics = client.get("/metrics").text
    lines = read_log(log)
    assert [line["end_user"] for line in lines] == ["u-1", "u-2"]
    assert {line["transport"] for line in lines} == {"websocket"}
    assert all(float(line["cost"]) > 0 and line["stream"] is True for line in lines)
    assert all(line["http_status"] == 200 and line["attempts"] == 1 for line in lines)
    ids = {line["call_id"] for line in lines}
    assert len(ids) == 2
    assert not ids & {"mine", "mine too"}
    logged = [record.getMessage() for record in caplog.records]
    assert sum("create stream transport=websocket chat: 200" in line for line in logged) == 2
    assert 'azure_responses_websocket_turns_total{group="chat"} 2.0' in metrics
    assert 'operation="refused",status="404"} 1.0' in metrics


def test_open_connections_are_counted(gateway: Running) -> None:
    with gateway.client() as client:
        with connect(gateway), connect(gateway):
            assert "azure_responses_websockets 2.0" in client.get("/metrics").text
        eventually(lambda: "azure_responses_websockets 0.0" in client.get("/metrics").text)


def test_a_call_over_http_says_so_in_the_log(url: str, tmp_path: Path) -> None:
    log = tmp_path / "spend.jsonl"
    with serve(config_of(url, "east", spend_log=str(log))) as gateway, gateway.client() as client:
        client.post("/v1/responses", json={"model": "chat", "input": "hi"})
    assert [line["transport"] for line in read_log(log)] == ["http"]


def test_a_warm_up_is_checked_like_a_call_and_costs_nothing(url: str, tmp_path: Path) -> None:
    log = tmp_path / "spend.jsonl"
    config = config_of(url, "east", spend_log=str(log))
    config["virtual_keys"] = [{"key": ALICE, "name": "alice", "models": ["chat"], "rpm": 3}]
    with serve(config) as gateway, connect(gateway, key=ALICE) as connection:
        send(connection, generate=False)
        created, completed = read_turn(connection)
        assert (created["type"], completed["type"]) == ("response.created", "response.completed")
        warmed = completed["response"]
        assert (warmed["output"], warmed["usage"]["total_tokens"]) == ([], 0)
        assert call(connection, generate=False, model="none")["status"] == 404
        assert call(connection, generate=False, api_key="k")["status"] == 400
        going_on = call(connection, input=[], previous_response_id=warmed["id"])
        assert going_on["type"] == "response.completed"
        assert call(connection, generate=False)["type"] == "response.completed"
        assert call(connection, generate=False)["status"] == 429
    assert [line["call_type"] for line in read_log(log)] == ["responses"]


def test_turns_of_lanes_run_at_once_and_each_frame_names_its_lane() -> None:
    slow = EmulatedDeployment("gpt", model="gpt-5-mini", latency=Latency(tokens_per_second=50))
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=[slow])])
    with (
        emulator.serve() as server,
        serve(config_of(server.url, "east")) as gateway,
        connect(gateway) as connection,
    ):
        for number in range(4):
            send(connection, stream_id=f"lane-{number}")
        ended: list[str] = []
        order = []
        while len(ended) < 4:
            frame = read(connection)
            order.append(frame["stream_id"])
            if frame["type"] in _ENDS:
                assert frame["type"] == "response.completed"
                ended.append(frame["stream_id"])
        assert sorted(ended) == [f"lane-{number}" for number in range(4)]
        assert len(set(order[: len(order) // 2])) == 4


def test_a_call_that_fails_upstream_is_an_error_with_its_status(
    gateway: Running, emulator: Emulator
) -> None:
    emulator.faults.add(Fault("http-400", operation="create", times=1))
    with connect(gateway) as connection:
        failed = call(connection)
        assert (failed["type"], failed["status"]) == ("error", 400)
        assert call(connection)["type"] == "response.completed"


def test_sockets_to_a_deployment_are_kept_and_opened_again_and_counted(
    url: str, emulator: Emulator
) -> None:
    config = config_of(url, "east")
    config["model_list"][0]["litellm_params"]["websocket"] = True
    with serve(config) as gateway, connect(gateway) as connection, gateway.client() as client:
        for _ in range(3):
            made = call(connection, store=False)["response"]
        assert "azure_responses_websocket_reconnects_total{" not in client.get("/metrics").text
        emulator.faults.add(Fault("websocket-close", after_events=0, times=1))
        again = call(connection, store=False, previous_response_id=made["id"])
        assert again["type"] == "response.completed"
        counted = 'azure_responses_websocket_reconnects_total{deployment="east"} 1.0'
        eventually(lambda: counted in client.get("/metrics").text)


# Bad input.


def test_text_that_is_not_json_is_an_error_and_a_binary_frame_ends_the_connection(
    gateway: Running,
) -> None:
    with connect(gateway) as connection:
        assert call(connection)["type"] == "response.completed"
        for text in ("{", "[]", "7", "", '{"type":"response.unknown"}'):
            connection.send(text)
            assert read(connection)["status"] == 400
        connection.send(b"\x00")
        assert close_code(connection) == 1003


def test_a_first_frame_of_another_type_ends_the_connection(gateway: Running) -> None:
    with connect(gateway) as connection:
        connection.send('{"type":"session.update"}')
        assert read(connection)["type"] == "error"
        assert close_code(connection) == 1008


def test_a_frame_is_as_long_and_holds_as_much_as_a_body_may(url: str) -> None:
    general = {"max_body_bytes": 100_000, "max_body_values": 1000}
    with serve(config_of(url, "east", **general)) as gateway:
        with connect(gateway) as connection:
            refused = call(connection, input=[{"a": []}] * 1500)
            assert (refused["status"], refused["error"]["code"]) == (413, "request_too_large")
            assert call(connection, input="x" * 90_000)["type"] == "response.completed"
        with connect(gateway) as connection:
            send(connection, input="x" * 100_000)
            assert close_code(connection) == 1009


def test_a_key_holds_as_much_of_long_frames_as_of_bodies(url: str) -> None:
    general = {"max_body_bytes": 1_000_000, "max_bodies_bytes": 2_000_000}
    with serve(config_of(url, "east", **general)) as gateway, ExitStack() as stack:
        bodies = gateway.app.gateway.bodies
        connections = [stack.enter_context(connect(gateway)) for _ in range(3)]
        for number, connection in enumerate(connections):
            frame = json.dumps({**HELLO, "input": "x" * 600_000}).encode()
            connection.socket.sendall(
                b"\x81\xff" + len(frame).to_bytes(8, "big") + b"\0\0\0\0" + frame[:400_000]
            )
            if number < 2:
                eventually(partial(_holds, bodies, 400_000 * (number + 1)))
        assert close_code(connections[2]) == 1013
        for connection in connections[:2]:
            connection.socket.shutdown(socket.SHUT_RDWR)
        eventually(lambda: bodies._sum == 0)


def test_chains_that_take_too_much_room_are_forgotten(url: str) -> None:
    with serve(config_of(url, "east", max_bodies_bytes=500_000)) as gateway:
        kept = gateway.app.gateway.kept_items
        with connect(gateway) as connection:
            small = call(connection, generate=False, store=False, input="x" * 1000)["response"]
            eventually(lambda: 1000 < kept._sum < 2000)
            large = call(connection, generate=False, store=False, input="x" * 300_000)["response"]
            eventually(lambda: kept._sum == 0)
            for made in (small, large):
                lost = call(connection, previous_response_id=made["id"], store=False)
                assert lost["error"]["code"] == "previous_response_not_found"
            going_on = call(connection, store=False)["response"]
            again = call(connection, previous_response_id=going_on["id"], store=False)
            assert again["type"] == "response.completed"
            assert kept._sum > 0
        eventually(lambda: kept._sum == 0)


def _holds(bodies: BodyMemory, size: int) -> bool:
    return bodies._sum >= size


# The end.


def test_a_caller_who_leaves_ends_their_turns_and_is_charged(tmp_path: Path) -> None:
    slow = EmulatedDeployment("gpt", model="gpt-5-mini", latency=Latency(tokens_per_second=5))
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=[slow])])
    log = tmp_path / "spend.jsonl"
    with emulator.serve() as server:
        config = config_of(server.url, "east", spend_log=str(log))
        with serve(config) as gateway:
            with connect(gateway) as connection:
                send(connection)
                send(connection, stream_id="other")
                while read(connection)["type"] != "response.output_text.delta":
                    pass
            shutdown = gateway.app.gateway.shutdown
            eventually(lambda: not shutdown.tasks and not shutdown.connections)
            eventually(lambda: len(read_log(log)) == 2)
            assert gateway.app.gateway.concurrency.in_progress == 0
            with gateway.client() as client:
                assert 'abandoned_total{group="chat"} 2.0' in client.get("/metrics").text


def test_a_connection_ends_after_its_time_with_the_error_of_openai(url: str) -> None:
    with (
        serve(config_of(url, "east", websocket_max_seconds=1.0)) as gateway,
        connect(gateway) as connection,
    ):
        assert call(connection)["type"] == "response.completed"
        error = read(connection)
        assert (error["type"], error["status"]) == ("error", 400)
        assert error["error"]["code"] == "websocket_connection_limit_reached"
        assert close_code(connection) == 1000


def test_a_connection_without_calls_ends_after_its_time(url: str) -> None:
    with (
        serve(config_of(url, "east", websocket_idle_seconds=0.5)) as gateway,
        connect(gateway) as connection,
    ):
        assert call(connection)["type"] == "response.completed"
        assert close_code(connection) == 1000


@contextmanager
def _process(
    folder: Path, *arguments: str, speed: float | None = None, **general: Any
) -> Iterator[tuple[str, Any]]:
    row = EmulatedDeployment("gpt", model="gpt-5-mini", latency=Latency(tokens_per_second=speed))
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=[row])])
    with (
        emulator.serve() as server,
        run_process(config_of(server.url, "east", **general), folder, *arguments) as running,
    ):
        yield running


def test_a_process_that_ends_lets_turns_end_and_then_says_why(tmp_path: Path) -> None:
    with (
        _process(tmp_path, speed=20) as (url, process),
        connect(url) as busy,
        connect(url) as idle,
    ):
        assert call(idle)["type"] == "response.completed"
        send(busy)
        read(busy)
        process.send_signal(signal.SIGTERM)
        error = read(idle)
        assert (error["status"], error["error"]["code"]) == (503, "shutting_down")
        assert close_code(idle) == 1012
        with pytest.raises(InvalidStatus) as caught:
            connect(url)
        assert caught.value.response.status_code == 503
        assert read_turn(busy)[-1]["type"] == "response.completed"
        assert read(busy)["error"]["code"] == "shutting_down"
        assert close_code(busy) == 1012
        assert process.wait(20) == 0


def test_a_turn_that_takes_too_long_for_a_shutdown_ends_with_an_error(tmp_path: Path) -> None:
    with _process(tmp_path, speed=1, drain_timeout=0.3) as (url, process), connect(url) as busy:
        send(busy)
        read(busy)
        process.send_signal(signal.SIGTERM)
        last = read_turn(busy)[-1]
        assert (last["type"], last["error"]["code"]) == ("error", "shutting_down")
        assert close_code(busy) == 1012
        assert process.wait(20) == 0


def test_several_workers_serve_connections(tmp_path: Path) -> None:
    with _process(tmp_path, "--workers", "2") as (url, process), ExitStack() as stack:
        connections = [stack.enter_context(connect(url)) for _ in range(8)]
        for connection in connections:
            made = call(connection)["response"]
            again = call(connection, previous_response_id=made["id"])
            assert again["type"] == "response.completed"
        process.send_signal(signal.SIGTERM)
        assert {close_code(connection) for connection in connections} == {1012}
        assert process.wait(20) == 0


def test_many_connections_at_once_keep_nothing_behind(gateway: Running) -> None:
    def use() -> None:
        with connect(gateway) as connection:
            for _ in range(3):
                assert call(connection)["type"] == "response.completed"

    threads = [threading.Thread(target=use) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    served = gateway.app.gateway
    eventually(lambda: served.websockets.open == 0 and not served.shutdown.connections)
    assert served.concurrency.in_progress == 0
    assert served.bodies._sum == 0


def test_turns_continue_the_trace_of_their_handshake(gateway: Running) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    target = gateway.app.gateway.router
    target._parts._async_factory.arguments["tracer_provider"] = provider  # type: ignore[index]
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with connect(gateway, headers={"traceparent": parent}) as connection:
        call(connection)
        call(connection)
    provider.shutdown()
    found = spans.get_finished_spans()
    assert len(found) == 2
    traces = {span.context.trace_id for span in found if span.context is not None}
    assert [f"{trace:032x}" for trace in traces] == ["0af7651916cd43dd8448eb211c80319c"]


def test_any_server_of_asgi_carries_the_connections(url: str) -> None:
    app = create_app(config_of(url, "east"))
    config = uvicorn.Config(app, lifespan="on", log_level="error", ws="websockets-sansio")
    with run_server(uvicorn.Server(config)) as port:
        base = f"http://127.0.0.1:{port}"
        with pytest.raises(InvalidStatus) as caught:
            connect(base, key="sk-wrong")
        assert caught.value.response.status_code == 401
        with connect(base) as connection:
            made = call(connection, store=False)["response"]
            again = call(connection, store=False, previous_response_id=made["id"])
            assert again["type"] == "response.completed"
            connection.send(b"\x00")
            assert close_code(connection) == 1003
        with connect(base) as connection:
            send(connection)
        eventually(lambda: app.gateway.websockets.open == 0)


def test_a_caller_who_stops_reading_is_cut_and_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallerWebSocket, "read_seconds", 0.5)
    log = tmp_path / "spend.jsonl"
    emulator = make_emulator()
    with emulator.serve() as server:
        config = config_of(server.url, "east", spend_log=str(log))
        with serve(config) as gateway:
            parts = httpx.URL(gateway.url)
            unread = socket.socket()
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            unread.connect((parts.host, parts.port or 0))
            head = f"GET /v1/responses HTTP/1.1\r\nhost: x\r\napi-key: {KEY}\r\n".encode()
            upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            unread.sendall(head + upgrade + b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            assert b" 101 " in unread.recv(1000)
            body = json.dumps({**HELLO, "input": "[[azure:length:60000]]"}).encode()
            masked = b"\x81\xfe" + len(body).to_bytes(2, "big") + b"\0\0\0\0" + body
            unread.sendall(masked)
            eventually(lambda: gateway.app.gateway.concurrency.in_progress == 1)
            eventually(lambda: gateway.app.gateway.websockets.open == 0)
            eventually(lambda: len(read_log(log)) == 1)
            unread.close()
    assert read_log(log)[0]["transport"] == "websocket"
