"""Background responses of deployments that do not work in the background by themselves."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, Resource
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

CREATE = "/v1/responses"
HELLO: dict[str, Any] = {"model": "chat", "input": "Say hello", "background": True}
ALICE = "sk-alice-0123456789-abcdef"
MODELS = ("Kimi-K2.5", "claude-sonnet-4-5")
SOON, NEVER = Latency(first_token=0.3), Latency(first_token=60.0)


def make_emulator(latency: Latency = SOON) -> Emulator:
    rows = [EmulatedDeployment(name, model=name, latency=latency) for name in (*MODELS, "gpt")]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=rows)])


def configured(url: str, model: str, **general: Any) -> dict[str, Any]:
    config = config_of(url, "east", **general)
    entry = config["model_list"][0]
    entry["litellm_params"]["model"] = f"azure/{model}"
    entry["model_info"] = {"id": "east"}
    config["virtual_keys"] = [{"key": ALICE, "name": "alice", "tpm": 100_000}]
    return config


@contextmanager
def gateway(emulator: Emulator, model: str = MODELS[0], **general: Any) -> Iterator[Running]:
    with emulator.serve() as server, serve(configured(server.url, model, **general)) as running:
        yield running


def wait(client: httpx.Client, response_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"{CREATE}/{response_id}").json()
        if found["status"] not in ("queued", "in_progress"):
            return found
        time.sleep(0.05)
    raise AssertionError("the response did not end")


def settle(running: Running) -> None:
    deadline = time.monotonic() + 5
    while running.app.gateway.concurrency.in_progress and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.app.gateway.concurrency.in_progress == 0
    assert not running.app.gateway.shutdown.tasks


@pytest.mark.parametrize("model", MODELS)
def test_a_background_response_is_answered_at_once_and_read_when_it_is_done(model: str) -> None:
    with gateway(make_emulator(), model) as running, running.client(ALICE) as client:
        asked = {**HELLO, "metadata": {"ticket": "7"}, "instructions": "Be brief."}
        began = client.post(CREATE, json=asked)
        assert began.status_code == 200, began.text
        made = began.json()
        assert (made["status"], made["background"], made["output"]) == ("queued", True, [])
        assert made["metadata"] == {"ticket": "7"}
        running_now = client.get(f"{CREATE}/{made['id']}").json()
        assert (running_now["id"], running_now["status"]) == (made["id"], "in_progress")
        inputs = client.get(f"{CREATE}/{made['id']}/input_items").json()
        done = wait(client, made["id"])
        assert done["status"] == "completed", done
        assert (done["id"], done["created_at"]) == (made["id"], made["created_at"])
        assert done["background"] is True
        assert done["output"]
        assert done["usage"]["total_tokens"] > 0
        assert client.get(f"{CREATE}/{made['id']}/input_items").json() == inputs
        assert inputs["data"][0]["content"][0]["text"] == "Say hello"
        # Cancelling a response that has ended changes nothing.
        assert client.post(f"{CREATE}/{made['id']}/cancel").json() == done
        settle(running)


def test_a_background_response_is_continued_once_it_is_done() -> None:
    emulator = make_emulator()
    with gateway(emulator) as running, running.client() as client:
        first = client.post(CREATE, json=HELLO).json()
        follow_up = {**HELLO, "input": "Again", "previous_response_id": first["id"]}
        early = client.post(CREATE, json={**follow_up, "background": False})
        assert (early.status_code, early.json()["error"]["param"]) == (400, "previous_response_id")
        wait(client, first["id"])
        second = wait(client, client.post(CREATE, json=follow_up).json()["id"])
        assert second["status"] == "completed", second
        assert second["previous_response_id"].startswith("resp_azr1_")
        roles = [message["role"] for message in emulator.requests[-1].json()["messages"]]
        assert roles[-3:] == ["user", "assistant", "user"]


def test_the_openai_package_polls_for_it() -> None:
    with (
        gateway(make_emulator()) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key=KEY) as client,
    ):
        response = client.responses.create(model="chat", input="Say hello", background=True)
        while response.status in {"queued", "in_progress"}:
            time.sleep(0.05)
            response = client.responses.retrieve(response.id)
        assert response.status == "completed"
        assert response.output_text


def test_cancelling_stops_the_call_and_is_remembered() -> None:
    with gateway(make_emulator(NEVER)) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        cancelled = client.post(f"{CREATE}/{made['id']}/cancel").json()
        assert (cancelled["id"], cancelled["status"]) == (made["id"], "cancelled")
        settle(running)
        assert client.get(f"{CREATE}/{made['id']}").json()["status"] == "cancelled"
        follow_up = {"model": "chat", "input": "Again", "previous_response_id": made["id"]}
        assert client.post(CREATE, json=follow_up).status_code == 400


def test_deleting_stops_the_call_and_nothing_is_left() -> None:
    with gateway(make_emulator(NEVER)) as running, running.client() as client:
        made = client.post(CREATE, json=HELLO).json()
        assert client.delete(f"{CREATE}/{made['id']}").json()["deleted"] is True
        settle(running)
        assert client.get(f"{CREATE}/{made['id']}").status_code == 404


def test_another_caller_can_neither_read_nor_cancel_it() -> None:
    with gateway(make_emulator(NEVER)) as running:
        with running.client(ALICE) as client:
            path = f"{CREATE}/{client.post(CREATE, json=HELLO).json()['id']}"
        with running.client() as other:
            assert other.get(path).status_code == 404
            assert other.post(f"{path}/cancel").status_code == 404
        with running.client(ALICE) as client:
            assert client.get(path).json()["status"] == "in_progress"
            client.post(f"{path}/cancel")


def test_the_error_of_the_call_is_the_response_s() -> None:
    emulator = make_emulator()
    emulator.faults.add(Fault("http-400"))
    with gateway(emulator) as running, running.client() as client:
        failed = wait(client, client.post(CREATE, json=HELLO).json()["id"])
        assert failed["status"] == "failed"
        assert failed["error"]["message"]
        refused = client.post(
            CREATE, json={**HELLO, "prompt": {"id": "p"}, "tools": 5, "text": "x"}
        )
        error = wait(client, refused.json()["id"])["error"]
        assert error["code"] == "unsupported_parameter" or error["message"]
        settle(running)


@pytest.mark.parametrize("stream", [False, True])
def test_a_background_response_has_to_be_stored(stream: bool) -> None:
    emulator = make_emulator()
    with gateway(emulator) as running, running.client() as client:
        refused = client.post(CREATE, json={**HELLO, "store": False, "stream": stream})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "background")
        assert not emulator.requests
        settle(running)


def test_a_deployment_that_speaks_responses_works_in_the_background_by_itself() -> None:
    emulator = make_emulator()
    with gateway(emulator, "gpt") as running, running.client() as client:
        made = client.post(CREATE, json=HELLO).json()
        assert emulator.requests[-1].json()["background"] is True
        assert wait(client, made["id"])["status"] == "completed"


def test_its_use_is_counted_when_it_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "spend.jsonl"
    with gateway(make_emulator(), spend_log=str(log)) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        assert running.app.gateway.concurrency.in_progress == 1
        done = wait(client, made["id"])
        settle(running)
    lines = [line for line in log.read_text().splitlines() if '"create"' in line]
    assert len(lines) == 1
    assert str(done["usage"]["input_tokens"]) in lines[0]


def test_a_shutdown_waits_for_it(redis_server: RedisServer) -> None:
    with make_emulator().serve() as server:
        config = configured(server.url, MODELS[0], redis_url=redis_server.url)
        with serve(config) as other:
            with serve(config) as running, running.client() as client:
                made = client.post(CREATE, json=HELLO).json()
            with other.client() as client:
                assert client.get(f"{CREATE}/{made['id']}").json()["status"] == "completed"


def test_a_shutdown_that_cannot_wait_marks_it_as_failed(redis_server: RedisServer) -> None:
    with make_emulator(NEVER).serve() as server:
        config = configured(server.url, MODELS[0], redis_url=redis_server.url)
        hurried = configured(server.url, MODELS[0], redis_url=redis_server.url, drain_timeout=0.2)
        with serve(config) as other:
            with serve(hurried) as running, running.client() as client:
                made = client.post(CREATE, json=HELLO).json()
            with other.client() as client:
                found = client.get(f"{CREATE}/{made['id']}").json()
        assert (found["status"], found["error"]["code"]) == ("failed", "shutting_down")


@pytest.mark.parametrize("operation", ["cancel", "delete"])
def test_another_replica_stops_it(redis_server: RedisServer, operation: str) -> None:
    with make_emulator(NEVER).serve() as server:
        config = configured(server.url, MODELS[0], redis_url=redis_server.url)
        with serve(config) as one, serve(config) as other:
            with one.client() as client:
                path = f"{CREATE}/{client.post(CREATE, json=HELLO).json()['id']}"
            with other.client() as client:
                assert client.get(path).json()["status"] == "in_progress"
                if operation == "cancel":
                    assert client.post(f"{path}/cancel").json()["status"] == "cancelled"
                else:
                    assert client.delete(path).status_code == 200
            settle(one)
            with one.client() as client:
                found = client.get(path)
            assert found.json().get("status") == ("cancelled" if operation == "cancel" else None)


def test_replicas_with_a_database_share_it(tmp_path: Path) -> None:
    with make_emulator().serve() as server:
        url = f"sqlite:///{tmp_path}/gateway.db"
        config = configured(server.url, MODELS[1], database_url=url)
        with serve(config) as one, serve(config) as other, other.client() as client:
            with one.client() as first:
                made = first.post(CREATE, json=HELLO).json()
            assert wait(client, made["id"])["status"] == "completed"


def test_a_deployment_whose_api_is_learned_by_the_call_is_asked_in_the_background() -> None:
    # Nothing in its name says that it speaks chat completions.
    rows = [EmulatedDeployment("house", model="Kimi-K2.5", latency=SOON)]
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=rows)])
    with gateway(emulator, "house") as running, running.client(ALICE) as client:
        for _ in range(2):
            made = client.post(CREATE, json=HELLO).json()
            assert made["status"] == "queued", made
            assert wait(client, made["id"])["status"] == "completed"
        settle(running)
        assert [request.operation for request in emulator.requests] == ["create", "chat", "chat"]


@pytest.mark.parametrize(
    "odd",
    [
        {"input": 5},
        {"input": [{"type": "item_reference", "id": "msg_none"}]},
        {"metadata": [1], "reasoning": "high", "text": [], "tools": {"a": 1}},
        {"tools": [1, None, {"type": "function"}]},
        {"previous_response_id": 7},
        {"max_output_tokens": "many"},
        {"background_options": {"completion_window": "2h"}},
        {"input": "half \ud83d"},
    ],
    ids=str,
)
def test_an_odd_request_ends_as_a_response_or_is_refused(odd: dict[str, Any]) -> None:
    with gateway(make_emulator(Latency())) as running, running.client() as client:
        content = json.dumps({**HELLO, **odd})
        reply = client.post(CREATE, content=content, headers={"content-type": "application/json"})
        assert reply.status_code in (200, 400, 404), reply.text
        if reply.status_code == 200:
            found = wait(client, reply.json()["id"])
            assert found["status"] in ("completed", "failed")
            assert found["status"] == "completed" or found["error"]["message"]
        settle(running)


STREAM = {**HELLO, "stream": True}


def read_events(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.read()
    assert reply.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in reply.iter_lines() if line.startswith("data: ")]


def first_event(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    """The first event of a stream whose caller then leaves."""
    with client.stream("POST", CREATE, json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: "):
                event: dict[str, Any] = json.loads(line[6:])
                return event
    raise AssertionError("the stream has no event")


@pytest.mark.parametrize("model", MODELS)
def test_a_background_stream_is_read_now_and_again(model: str) -> None:
    with gateway(make_emulator(), model) as running, running.client(ALICE) as client:
        with client.stream("POST", CREATE, json=STREAM) as reply:
            events = read_events(reply)
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events[:2]] == [
            "response.created",
            "response.in_progress",
        ]
        assert events[-1]["type"] == "response.completed"
        assert any(event["type"] == "response.output_text.delta" for event in events)
        told = [event["response"] for event in events if "response" in event]
        assert {response["id"] for response in told} == {told[0]["id"]}
        assert all(response["background"] for response in told)
        path = f"{CREATE}/{told[0]['id']}"
        kept = client.get(path).json()
        assert kept["status"] == "completed"
        assert kept["output"][-1]["content"] == told[-1]["output"][-1]["content"]
        assert read_events(client.get(path, params={"stream": "true"})) == events
        rest = client.get(path, params={"stream": "true", "starting_after": "3"})
        assert read_events(rest) == events[4:]
        settle(running)


def test_who_leaves_a_background_stream_reads_it_on() -> None:
    latency = Latency(first_token=0.5, tokens_per_second=200)
    with gateway(make_emulator(latency)) as running, running.client() as client:
        created = first_event(client, STREAM)
        assert (created["type"], created["sequence_number"]) == ("response.created", 0)
        path = f"{CREATE}/{created['response']['id']}"
        assert client.get(path).json()["status"] == "in_progress"
        with client.stream("GET", path, params={"stream": "true", "starting_after": 0}) as reply:
            events = read_events(reply)
        assert [event["sequence_number"] for event in events] == list(range(1, len(events) + 1))
        assert events[-1]["type"] == "response.completed"
        settle(running)


def test_a_cancelled_background_stream_just_ends() -> None:
    with gateway(make_emulator(NEVER)) as running, running.client() as client:
        path = f"{CREATE}/{first_event(client, STREAM)['response']['id']}"
        assert client.post(f"{path}/cancel").json()["status"] == "cancelled"
        settle(running)
        events = read_events(client.get(path, params={"stream": "true"}))
        assert [event["type"] for event in events] == ["response.created", "response.in_progress"]
        assert client.delete(path).status_code == 200
        assert client.get(path, params={"stream": "true"}).status_code == 404


@pytest.mark.parametrize("kind", ["http-400", "truncate", "reset-mid-body"])
def test_a_background_stream_that_fails_says_so(kind: str) -> None:
    emulator = make_emulator(Latency())
    emulator.faults.add(Fault(kind, after_events=4))
    with gateway(emulator) as running, running.client() as client:
        with client.stream("POST", CREATE, json=STREAM) as reply:
            events = read_events(reply)
        assert events[-1]["type"] == "response.failed"
        assert events[-1]["response"]["error"]["message"]
        kept = client.get(f"{CREATE}/{events[0]['response']['id']}").json()
        assert (kept["status"], kept["error"]) == ("failed", events[-1]["response"]["error"])
        settle(running)


def test_another_replica_streams_the_end_of_it(redis_server: RedisServer) -> None:
    with make_emulator(Latency(first_token=0.5)).serve() as server:
        config = configured(server.url, MODELS[0], redis_url=redis_server.url)
        with serve(config) as one, serve(config) as other, other.client() as client:
            with one.client() as first:
                path = f"{CREATE}/{first_event(first, STREAM)['response']['id']}"
            query = {"stream": "true", "starting_after": "1"}
            with client.stream("GET", path, params=query) as reply:
                events = read_events(reply)
            assert [event["type"] for event in events] == ["response.completed"]
            assert events[0]["sequence_number"] == 2
            assert events[0]["response"] == client.get(path).json()


def test_the_openai_package_streams_it_on() -> None:
    with (
        gateway(make_emulator()) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key=KEY) as client,
    ):
        stream = client.responses.create(
            model="chat", input="Say hello", background=True, stream=True
        )
        events = list(stream)
        opened = events[0]
        assert opened.type == "response.created"
        again = client.responses.retrieve(opened.response.id, stream=True, starting_after=2)
        assert [event.type for event in again] == [event.type for event in events[3:]]
