"""Limits of keys that replicas count together, over a real Redis."""

from collections.abc import Iterator

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.gateway.gateways import config_of, serve
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

CREATE = "/v1/responses"
HELLO = {"model": "chat", "input": "hi"}
ALICE, BOB = "sk-alice-0123456789-abcdef", "sk-bob-0123456789-abcdefgh"


@pytest.fixture
def url() -> Iterator[str]:
    rows = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    with Emulator([Resource("east", keys=["key-of-east"], deployments=rows)]).serve() as server:
        yield server.url


def test_a_key_has_its_limits_on_all_replicas_together(url: str, redis_server: RedisServer) -> None:
    config = config_of(url, "east", redis_url=redis_server.url)
    config["virtual_keys"] = [
        {"key": ALICE, "name": "alice", "rpm": 4},
        {"key": BOB, "name": "bob", "tpm": 1000},
    ]
    with serve(config) as one, serve(config) as other:
        with one.client(ALICE) as first, other.client(ALICE) as second:
            for client in (first, second, first, second):
                assert client.post(CREATE, json=HELLO).status_code == 200
            limited = [client.post(CREATE, json=HELLO) for client in (first, second)]
        assert [reply.status_code for reply in limited] == [429, 429]
        assert 0 < int(limited[0].headers["retry-after"]) <= 61
        assert "4 requests per minute" in limited[0].json()["error"]["message"]
        with one.client(BOB) as first, other.client(BOB) as second:
            much = {**HELLO, "max_output_tokens": 900}
            assert first.post(CREATE, json=much).status_code == 200
            # What the first did not use after all is given back behind the call.
            assert one.app.gateway.router.parts.calls.state.flush()
            assert second.post(CREATE, json=much).status_code == 200
            refused = second.post(CREATE, json={**HELLO, "max_output_tokens": 1000})
            assert refused.json()["error"]["type"] == "tokens"
        assert one.app.gateway.router.parts.calls.state.is_shared
        redis_server.kill()
        with one.client(ALICE) as first, other.client(ALICE) as second:
            # Each counts for itself now, with what it has counted so far.
            found = [client.post(CREATE, json=HELLO).status_code for client in (first, second)] * 2
        assert set(found) == {200}


def test_a_spent_budget_gives_the_request_back(url: str, redis_server: RedisServer) -> None:
    config = config_of(url, "east", redis_url=redis_server.url)
    config["virtual_keys"] = [{"key": ALICE, "name": "alice", "rpm": 2, "budget": 0.0000001}]
    with serve(config) as gateway, gateway.client(ALICE) as client:
        assert client.post(CREATE, json=HELLO).status_code == 200
        for _ in range(3):
            denied = client.post(CREATE, json=HELLO)
            assert denied.json()["error"]["code"] == "budget_exceeded"
            assert gateway.app.gateway.router.parts.calls.state.flush()


def test_what_reached_azure_counts_and_what_did_not_does_not() -> None:
    rows = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=rows)])
    with emulator.serve() as server:
        config = config_of(server.url, "east")
        config["virtual_keys"] = [{"key": ALICE, "name": "alice", "rpm": 2}]
        with serve(config) as gateway, gateway.client(ALICE) as client:
            assert client.post(CREATE, json={"model": "chat", "input": 5}).status_code == 400
            assert client.post(CREATE, json={"model": "none", "input": "x"}).status_code == 404
            assert client.post(CREATE, json=HELLO).status_code == 200
            assert client.post(CREATE, json=HELLO).status_code == 429
