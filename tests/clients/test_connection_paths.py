"""Connections with steering, over HTTP, over an emulator in process, and of several workers."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from websockets.sync.server import ServerConnection

from azure_responses import (
    APIConnectionError,
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    ConfigurationError,
    SteeringError,
    StreamInterruptedError,
)
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.types import SteerPendingEvent
from tests.clients.both import run, run_served
from tests.clients.test_socket_steering import ACCEPTED, FAILED, STEER, steered
from tests.clients.websocket_server import WebSocketServer, events_of, refusal
from tests.soak.scripted_upstream import KEY, ScriptedUpstream, threaded_upstream

_STUB = {"type": "function_call_output", "call_id": "call_1", "name": "f"}
_PENDING = {
    "type": "response.steer.pending",
    "steer": STEER,
    "reason": "waiting_for_required_input",
    "required_input": [_STUB],
}
_SETTINGS: Any = {"api_key": KEY, "deployment": "gpt-5-mini"}
_STEERED: Any = {"api_key": "k", "deployment": "gpt-6"}


@pytest.fixture
def upstream() -> Iterator[tuple[str, ScriptedUpstream]]:
    with threaded_upstream() as found:
        yield found


async def _steer(connection: Any) -> list[str]:
    """Begin a response and steer it; the types of its events."""
    seen = []
    async with connection.create(input="hi", store=False) as stream:
        async for event in stream:
            seen.append(event.type)
            if event.type == "response.created":
                await connection.steer(event.response.id, "Shorter.")
    return seen


def _held(*after: dict[str, Any]) -> Any:
    """As `steered`, but the first response shows output at once, so that its id is known."""
    answer = steered(*after)

    def begin(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        answer(connection, request, number)
        if number == 1:
            connection.send(json.dumps(events_of(1)[1]))

    return begin


def test_the_response_that_follows_a_steered_one_is_a_stream_of_its_own(runner: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            assert (await _steer(connection))[-2:] == [
                "response.steer.accepted",
                "response.incomplete",
            ]
            with pytest.raises(ConfigurationError, match="another follows by itself"):
                await connection.create(input="too early").get_final_response()
            final = await connection.successor().get_final_response()
            assert final.id == "resp_2"
            with pytest.raises(SteeringError, match="No response of this lane"):
                connection.successor()

    with WebSocketServer(_held(*events_of(2))) as server:
        run_served(runner, server.url, scenario, **_STEERED)
        types = [request["type"] for _, request in server.requests]
    assert types == ["response.create", "response.steer"]


def test_a_steer_that_fails_gives_its_input_back(runner: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            await _steer(connection)
            with pytest.raises(SteeringError) as caught:
                await connection.successor().get_final_response()
            assert caught.value.code == "response_already_completed"
            assert (await connection.create(input="Shorter.").get_final_response()).id

    with WebSocketServer(_held(FAILED)) as server:
        run_served(runner, server.url, scenario, **_STEERED)


def test_a_steer_may_wait_for_the_results_of_calls(runner: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            await _steer(connection)
            with pytest.raises(SteeringError) as caught:
                await connection.successor().open()
            required = [dict(stub) for stub in caught.value.required_input]
            assert required == [_STUB]
            results = [{**required[0], "output": "4"}]
            stream = connection.create(input=results, previous_response_id="resp_1", store=False)
            assert (await stream.get_final_response()).id == "resp_3"

    with WebSocketServer(_held(_PENDING)) as server:
        run_served(runner, server.url, scenario, **_STEERED)
        last = server.requests[-1][1]
    assert last["previous_response_id"] == "resp_1"
    assert [item["type"] for item in last["input"]] == ["function_call_output"]


def test_what_became_of_a_steer_is_not_lost_where_another_turn_follows(runner: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            await _steer(connection)
            seen = [event async for event in connection.create(input="next")]
            assert isinstance(seen[0], SteerPendingEvent)
            assert seen[-1].type == "response.completed"

    with WebSocketServer(_held(_PENDING)) as server:
        run_served(runner, server.url, scenario, **_STEERED)


def test_a_steer_over_a_lost_socket_says_so(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        for event in (*events_of(1)[:2], ACCEPTED):
            connection.send(json.dumps(event))
        connection.close()

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            with pytest.raises((APIConnectionError, StreamInterruptedError)):
                await _steer(connection)
            with pytest.raises((APIConnectionError, SteeringError)):
                await connection.successor().get_final_response()

    with WebSocketServer(answer) as server:
        run_served(runner, server.url, scenario, **_STEERED, max_retries=0)


def _chain_of_three(**connecting: Any) -> Any:
    async def scenario(client: Any) -> None:
        async with client.responses.connect(**connecting) as connection:
            ready = await connection.warm_up(input="My name is Ada.", store=False)
            assert ready.output == []
            first = await connection.create(
                input="Hello.", previous_response_id=ready.id, store=False
            ).get_final_response()
            second = await connection.create(
                input="What is my name?", previous_response_id=first.id, store=False
            ).get_final_response()
            assert "Ada" in second.output_text
            assert not connection.is_websocket
            with pytest.raises(SteeringError) as caught:
                await connection.steer(second.id, "Shorter.")
            assert caught.value.code == "steering_not_supported"

    return scenario


@pytest.mark.filterwarnings("ignore:.*is far away:UserWarning")
def test_a_dated_version_goes_over_http_with_one_warning(runner: str, emulator: Emulator) -> None:
    with pytest.warns(UserWarning, match="go over HTTP") as seen:
        run(runner, emulator, _chain_of_three(), api_version="2025-04-01-preview")
    assert len([each for each in seen if "over HTTP" in str(each.message)]) == 1
    # The warm-up was not sent.
    assert len(emulator.requests) == 2


def test_a_service_that_refuses_websockets_is_used_over_http(runner: str) -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("http-426", operation="connect"))
    with pytest.warns(UserWarning, match="goes on over HTTP"):
        run(runner, emulator, _chain_of_three(), deployment="gpt-5-mini")
    emulator.close()


def test_a_deployment_of_another_api_goes_over_http_in_the_same_connection(runner: str) -> None:
    deployments = [EmulatedDeployment("gpt-4.1"), EmulatedDeployment("DeepSeek-V3.1")]
    emulator = Emulator(resources=[Resource("r", deployments=deployments)])

    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            first = await connection.create(
                model="DeepSeek-V3.1", input="My name is Ada.", store=False
            ).get_final_response()
            second = await connection.create(
                input="What is my name?", previous_response_id=first.id, store=False
            ).get_final_response()
            assert "Ada" in second.output_text
            third = await connection.create(
                model="DeepSeek-V3.1",
                input="What is my name?",
                previous_response_id=second.id,
                store=False,
            ).get_final_response()
            assert "Ada" in third.output_text
            assert connection.is_websocket

    run(runner, emulator, scenario)
    emulator.close()


def test_a_deployment_that_turns_out_to_speak_another_api_goes_over_http(runner: str) -> None:
    deployments = [EmulatedDeployment("prod", model="DeepSeek-V3.1")]
    emulator = Emulator(resources=[Resource("r", deployments=deployments)])

    async def scenario(client: Any) -> None:
        async with client.responses.connect("prod", replay=True) as connection:
            first = await connection.create(
                input="My name is Ada.", store=False
            ).get_final_response()
            second = await connection.create(
                input="What is my name?", previous_response_id=first.id, store=False
            ).get_final_response()
            assert "Ada" in second.output_text

    run(runner, emulator, scenario)
    emulator.close()


def test_a_connection_finds_the_emulator_in_process(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect("gpt-5-mini") as connection:
            first = await connection.create(
                input="My name is Ada.", store=False
            ).get_final_response()
            second = await connection.create(
                input="What is my name?", previous_response_id=first.id, store=False
            ).get_final_response()
            assert "Ada" in second.output_text
            assert second.cost is None or second.cost > 0
            assert connection.is_websocket

    run(runner, emulator, scenario)
    emulator.close()


def test_a_model_that_does_not_reason_is_replayed_without_encrypted_reasoning(
    runner: str,
) -> None:
    deployments = [EmulatedDeployment("prod", model="gpt-4.1")]
    emulator = Emulator(resources=[Resource("r", deployments=deployments)])

    async def scenario(client: Any) -> None:
        async with client.responses.connect("prod", replay=True) as connection:
            first = await connection.create(
                input="My name is Ada.", store=False
            ).get_final_response()
            again = connection.create(
                input="What is my name?", previous_response_id=first.id, store=False, lane="b"
            )
            assert "Ada" in (await again.get_final_response()).output_text

    run(runner, emulator, scenario)
    emulator.close()


def test_a_second_turn_of_a_thread_in_a_busy_lane_is_refused(
    upstream: tuple[str, ScriptedUpstream],
) -> None:
    url, _ = upstream
    with AzureResponses(url, **_SETTINGS) as client, client.responses.connect() as connection:
        first = connection.create(input="text deltas=3").open()
        with pytest.raises(ConfigurationError, match="another stream of this thread"):
            connection.create(input="text").open()
        assert first.get_final_response().output_text == " word0 word1 word2"
        assert connection.create(input="text").get_final_response().status == "completed"


def test_turns_of_threads_follow_one_another_in_a_lane(
    upstream: tuple[str, ScriptedUpstream],
) -> None:
    url, seen = upstream
    done: list[str] = []
    with AzureResponses(url, **_SETTINGS) as client, client.responses.connect() as connection:
        first = connection.create(input="text first").open()

        def work() -> None:
            done.append(connection.create(input="text later").get_final_response().status or "")

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert first.get_final_response().status == "completed"
        for thread in threads:
            thread.join(10)
    assert done == ["completed"] * 3
    assert seen.overlaps == 0
    assert seen.handshakes == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_turns_of_tasks_follow_one_another_in_a_lane(
    upstream: tuple[str, ScriptedUpstream], backend: str
) -> None:
    url, seen = upstream
    order: list[int] = []

    async def main() -> None:
        async with (
            AsyncAzureResponses(url, **_SETTINGS) as client,
            client.responses.connect() as connection,
        ):
            first = await connection.create(input="text").open()

            async def work(number: int) -> None:
                await connection.create(input=f"text {number}").get_final_response()
                order.append(number)

            async with anyio.create_task_group() as group:
                for number in range(5):
                    group.start_soon(work, number)
                    await anyio.sleep(0.01)
                with anyio.move_on_after(0.05):
                    # A wait that is cancelled leaves the queue.
                    await connection.create(input="text cancelled").open()
                await first.aclose()

    anyio.run(main, backend=backend)
    assert order == [0, 1, 2, 3, 4]
    assert seen.overlaps == 0
    assert "text cancelled" not in seen.begun


def test_a_wait_for_a_lane_obeys_the_timeout(upstream: tuple[str, ScriptedUpstream]) -> None:
    url, _ = upstream

    async def main() -> None:
        async with (
            AsyncAzureResponses(url, **_SETTINGS) as client,
            client.responses.connect() as connection,
            connection.create(input="text"),
        ):
            with pytest.raises(APITimeoutError, match="turn before this one"):
                await connection.create(input="text", timeout=0.05).open()

    anyio.run(main)


def test_a_stream_that_is_dropped_gives_its_lane_back(
    runner: str, upstream: tuple[str, ScriptedUpstream]
) -> None:
    url, seen = upstream

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            stream = await connection.create(input="text deltas=400").open()
            assert stream is not None
            del stream
            assert (await connection.create(input="text").get_final_response()).output_text

    run_served(runner, url, scenario, **_SETTINGS)
    assert seen.handshakes == 2


def test_lanes_with_names_are_bounded(upstream: tuple[str, ScriptedUpstream]) -> None:
    url, _ = upstream
    with AzureResponses(url, **_SETTINGS) as client, client.responses.connect() as connection:
        for number in range(32):
            connection.create(input="text", lane=f"lane{number}")
        connection.create(input="text", lane="lane0")
        connection.create(input="text")
        with pytest.raises(ConfigurationError, match="at most 32"):
            connection.create(input="text", lane="one-more")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets", None)
    client = AzureResponses("https://r.openai.azure.com", api_key="k")
    with pytest.raises(ConfigurationError, match=r"pip install 'azure-responses\[websocket\]'"):
        client.responses.connect()


def test_a_client_does_not_import_websockets() -> None:
    script = (
        "import sys, azure_responses\n"
        "client = azure_responses.AzureResponses('https://r.openai.azure.com', api_key='k')\n"
        "connection = client.responses.connect()\n"
        "stream = connection.create(model='m', input='hi')\n"
        "assert 'websockets' not in sys.modules\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stderr == ""


def test_a_refused_handshake_is_an_error_of_the_turn(runner: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            with pytest.raises(Exception, match="401"):
                await connection.create(input="hi").get_final_response()
            assert (await connection.create(input="hi").get_final_response()).id == "resp_1"

    with WebSocketServer(refuse=[refusal(401)]) as server:
        run_served(runner, server.url, scenario, api_key="k", deployment="d")
