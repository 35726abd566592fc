"""Many calls of one key at once: what running calls reserve is not taken for spent."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Latency, Resource
from azure_responses.routing.token_estimate import StoredContexts
from tests.gateway.gateways import Running, config_of, serve
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

CREATE = "/v1/responses"
HELLO = {"model": "chat", "input": "Reply with: pong"}
ALICE = "sk-alice-0123456789-abcdef"


@contextmanager
def _gateway(
    key: dict[str, Any], row: dict[str, Any] | None = None, **general: Any
) -> Iterator[Running]:
    slow = EmulatedDeployment("gpt", model="gpt-5-mini", latency=Latency(first_token=0.3))
    with Emulator([Resource("east", keys=["key-of-east"], deployments=[slow])]).serve() as server:
        config = config_of(server.url, "east", **general)
        config["virtual_keys"] = [{"key": ALICE, "name": "alice", **key}]
        config["model_list"][0]["litellm_params"].update(row or {})
        with serve(config) as gateway:
            yield gateway


def _at_once(gateway: Running, count: int, **body: Any) -> list[httpx.Response]:
    def ask(_: int) -> httpx.Response:
        return client.post(CREATE, json={**HELLO, **body})

    with gateway.client(ALICE) as client, ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ({"tpm": 2000}, {}),
        ({"budget": 0.003}, {}),
        ({}, {"tpm": 2000}),
        ({"tpm": 2000}, {"tpm": 2000}),
    ],
)
def test_ten_small_calls_at_once_are_all_served(key: dict[str, Any], row: dict[str, Any]) -> None:
    # litellm#18953
    with _gateway(key, row) as gateway:
        found = _at_once(gateway, 10)
    assert [reply.status_code for reply in found] == [200] * 10, found[-1].text


def test_ten_small_calls_at_once_are_all_served_by_a_shared_state(
    redis_server: RedisServer,
) -> None:
    key, row = {"tpm": 2000}, {"tpm": 3000}
    with _gateway(key, row, redis_url=redis_server.url) as gateway:
        found = _at_once(gateway, 10)
    assert [reply.status_code for reply in found] == [200] * 10, found[-1].text


def test_what_is_spent_is_refused_at_once_until_the_window_frees() -> None:
    with _gateway({"tpm": 60}) as gateway, gateway.client(ALICE) as client:
        first = client.post(CREATE, json={**HELLO, "input": "Reply with: pong " * 12})
        assert first.json()["usage"]["total_tokens"] > 40
        began = time.monotonic()
        refused = client.post(CREATE, json={**HELLO, "max_output_tokens": 16})
        assert time.monotonic() - began < 5
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 30


def test_a_caller_who_cannot_wait_for_running_calls_is_told_to_come_back_soon() -> None:
    body = {**HELLO, "max_output_tokens": 1400}
    with (
        _gateway({"tpm": 1500}) as gateway,
        gateway.client(ALICE) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        running = pool.submit(client.post, CREATE, json=body)
        _wait_until(lambda: gateway.app.gateway.admission._windows)
        refused = client.post(CREATE, json=body, headers={"x-litellm-timeout": "0.1"})
        assert running.result().status_code == 200
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"


def test_a_flood_of_one_key_leaves_places_to_others() -> None:
    body = {**HELLO, "max_output_tokens": 1400}
    with (
        _gateway({"tpm": 1500}, max_concurrent_requests=8) as gateway,
        gateway.client(ALICE) as client,
        gateway.client() as other,
        ThreadPoolExecutor(20) as pool,
    ):
        flood = [pool.submit(client.post, CREATE, json=body) for _ in range(20)]
        began = time.monotonic()
        assert other.post(CREATE, json=HELLO).status_code == 200
        assert time.monotonic() - began < 5
        codes = {call.result().status_code for call in flood}
        assert codes == {200, 429}
        assert gateway.app.gateway.admission_queue.waiting == {}


def test_the_estimate_of_a_call_without_a_limit_is_learnt_by_key_and_model() -> None:
    with _gateway({"tpm": 100_000}) as gateway, gateway.client(ALICE) as client:
        admission = gateway.app.gateway.admission
        for _ in range(2):
            assert client.post(CREATE, json=HELLO).status_code == 200
        # A call is settled after its reply was sent.
        _wait_until(lambda: all(one.reserved == 0 for one in admission._windows.values()))
        estimates = gateway.app.gateway.estimates
        assert {model for _, model in estimates._usual} == {"chat"}
        assert len(estimates._usual) == 2
        for usual in estimates._usual.values():
            assert 16 <= (usual.tokens(time.monotonic()) or 0) < 200


def _wait_until(claim: Any) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


LONG = {"model": "chat", "input": "My name is Ann. " * 550 + "Reply with exactly: noted"}


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_follow_up_continues_counts_against_the_limits_of_its_key(stream: bool) -> None:
    with _gateway({"tpm": 4000}) as gateway, gateway.client(ALICE) as client:
        first = client.post(CREATE, json={**LONG, "stream": stream})
        response_id = _id_in(first)
        again = {**HELLO, "previous_response_id": response_id, "max_output_tokens": 16}
        refused = client.post(CREATE, json=again)
        assert client.post(CREATE, json={**HELLO, "max_output_tokens": 16}).status_code == 200
    assert refused.status_code == 429, refused.text
    assert int(refused.headers["retry-after"]) > 30


@pytest.mark.parametrize("stream", [False, True])
def test_what_another_replica_stored_counts_where_they_share_a_state(
    redis_server: RedisServer, stream: bool
) -> None:
    key = {"tpm": 4000}
    with _gateway(key, redis_url=redis_server.url) as gateway, gateway.client(ALICE) as client:
        first = client.post(CREATE, json={**LONG, "stream": stream})
        router = gateway.app.gateway.router
        state, response_id = router.parts.calls.state, _id_in(first)
        # It is written behind the call.
        inner = router.parts.reader.affinity.read_id(response_id, "alice")
        names = [response_id, inner.inner if inner else ""]
        _wait_until(lambda: state.flush() and any(state.context_of(name) for name in names))
        # As if another process had made it.
        router.parts.reader.routing.contexts = StoredContexts()
        gateway.app.gateway.estimates._contexts.clear()
        again = {**HELLO, "previous_response_id": response_id, "max_output_tokens": 16}
        assert client.post(CREATE, json=again).status_code == 429
        assert client.post(CREATE, json={**again, "previous_response_id": None}).is_success


def test_what_follow_ups_continue_is_held_of_a_budget() -> None:
    with _gateway({"budget": 0.0016}) as gateway, gateway.client(ALICE) as client:
        first = client.post(CREATE, json=LONG)
        assert 0.0006 < float(first.headers["x-litellm-response-cost"]) < 0.0012
        again = {"previous_response_id": first.json()["id"], "max_output_tokens": 16}
        found = _at_once(gateway, 10, **again)
    # All ten began at once while only their bodies were reckoned with.
    served = [reply for reply in found if reply.status_code == 200]
    assert 1 <= len(served) <= 5
    assert {reply.status_code for reply in found} == {200, 429}


def test_follow_ups_of_unknown_responses_are_estimated_by_others() -> None:
    with _gateway({"tpm": 1_000_000}) as gateway, gateway.client(ALICE) as client:
        first = client.post(CREATE, json=LONG).json()
        again = {**HELLO, "previous_response_id": first["id"]}
        assert client.post(CREATE, json=again).status_code == 200
        estimates = gateway.app.gateway.estimates
        # What a call used is learnt after its reply was sent.
        _wait_until(lambda: len(estimates._contexts) == 2)
        learnt = [usual.tokens(time.monotonic()) or 0 for usual in estimates._contexts.values()]
    assert len(learnt) == 2
    assert min(learnt) > 2000


def _id_in(reply: httpx.Response) -> str:
    assert reply.status_code == 200, reply.text
    return str(re.search(r'"id": ?"(resp_[^"]+)"', reply.text)[1])  # type: ignore[index]
