"""Two gateways that share a Redis and a PostgreSQL act as one."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from typing import Any

import httpx
import pytest

from azure_responses.gateway.database import open_database
from tests.soak.served import Served
from tests.soak.stage import MASTER_KEY, MODEL, Stage, gateway_settings
from tests.store.redis_server import RedisServer

pytestmark = pytest.mark.xdist_group("soak")

_RPM = 8
_TPM = 1_500


class Replicas:
    """Two gateways, taken in turn.

    Args:
        gateways: running.
        stage: whose files they have.
        database_url: of both.
    """

    def __init__(self, gateways: list[Served], stage: Stage, database_url: str) -> None:
        self.urls = [gateway.url for gateway in gateways]
        self.database_url = database_url
        self._turns = cycle(self.urls)
        self._stage = stage

    def ask(self, method: str, path: str, key: str = MASTER_KEY, **body: Any) -> httpx.Response:
        """One request to whoever's turn it is."""
        return httpx.request(
            method,
            next(self._turns) + path,
            json=body or None,
            headers={"authorization": f"Bearer {key}", "x-litellm-timeout": "20"},
            timeout=30,
        )

    def make_key(self, *terms: str) -> str:
        """A new key that both know."""
        key = self._stage.run("keys", "create", "--database", self.database_url, *terms)
        for url in self.urls:
            self.await_status(url, key, 200)
        return key

    def await_status(self, url: str, key: str, status: int) -> None:
        """Wait until a replica answers a key so."""
        deadline = time.monotonic() + 20
        while httpx.get(f"{url}/v1/models", headers={"api-key": key}).status_code != status:
            assert time.monotonic() < deadline, f"{url} does not come to answer {status}"
            time.sleep(0.1)

    def revoke(self, name: str) -> None:
        """Revoke a key by its name."""
        database = open_database(self.database_url)
        ids = [key.caller.key_id for key in database.read_keys() if key.caller.name == name]
        database.close()
        self._stage.run("keys", "revoke", "--database", self.database_url, *ids)


def _limited(azure: str) -> list[dict[str, Any]]:
    limits = {"few-requests": {"rpm": _RPM}, "few-tokens": {"tpm": _TPM}}
    params = {"model": f"azure/{MODEL}", "api_base": f"{azure}/resources/east"}
    return [
        {
            "model_name": name,
            "litellm_params": {**params, "api_key": "east-key", **limit},
            "model_info": {"id": name, "base_model": MODEL},
        }
        for name, limit in limits.items()
    ]


@pytest.fixture(scope="module")
def replicas(
    stage: Stage, azure: Served, redis_server: RedisServer, fresh_postgresql: str
) -> Iterator[Replicas]:
    """Two gateways with one configuration."""
    settings = gateway_settings(
        azure.url,
        database_url=fresh_postgresql,
        redis_url=redis_server.url,
        key_refresh_interval=0.5,
        spend_flush_interval=0.3,
    )
    settings["model_list"] += _limited(azure.url)
    with ExitStack() as stack:
        gateways = [
            stack.enter_context(stage.gateway(settings, name=name)) for name in ("one", "two")
        ]
        yield Replicas(gateways, stage, fresh_postgresql)


def _create(replicas: Replicas, key: str = MASTER_KEY, **body: Any) -> httpx.Response:
    return replicas.ask("POST", "/v1/responses", key, **{"model": MODEL, **body})


def test_a_conversation_goes_on_through_the_other_replica(replicas: Replicas) -> None:
    for number in range(6):
        first = _create(replicas, input=f"My code is north{number}.").json()
        second = _create(replicas, input="What is my code?", previous_response_id=first["id"])
        assert f"north{number}" in str(second.json()["output"])
        for _ in replicas.urls:
            found = replicas.ask("GET", f"/v1/responses/{first['id']}")
            assert found.json()["id"] == first["id"]


def test_a_response_is_unknown_to_another_key_on_either_replica(replicas: Replicas) -> None:
    alice, bob = replicas.make_key("--name", "alice"), replicas.make_key("--name", "bob")
    name = _create(replicas, alice, input="hello").json()["id"]
    for _ in replicas.urls:
        assert replicas.ask("GET", f"/v1/responses/{name}", bob).status_code == 404
        assert replicas.ask("DELETE", f"/v1/responses/{name}", bob).status_code == 404
        follow = _create(replicas, bob, input="and?", previous_response_id=name)
        assert follow.status_code == 404
        assert replicas.ask("GET", f"/v1/responses/{name}", alice).status_code == 200


def test_a_revoked_key_is_refused_by_both(replicas: Replicas) -> None:
    key = replicas.make_key("--name", "carol")
    replicas.revoke("carol")
    for url in replicas.urls:
        replicas.await_status(url, key, 401)


def _until_refused(call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Answers up to the first refusal, which is left out."""
    answers: list[httpx.Response] = []
    while (reply := call()).status_code == 200:
        answers.append(reply)
        assert len(answers) < 50
    assert reply.status_code == 429
    assert float(reply.headers["retry-after"]) > 0
    return answers


def test_requests_a_minute_hold_for_both_together(replicas: Replicas) -> None:
    answers = _until_refused(lambda: _create(replicas, model="few-requests", input="hi"))
    assert len(answers) == _RPM


def test_tokens_a_minute_hold_for_both_together(replicas: Replicas) -> None:
    answers = _until_refused(
        lambda: _create(replicas, model="few-tokens", input="hi", max_output_tokens=120)
    )
    used = [answer.json()["usage"]["total_tokens"] for answer in answers]
    assert _TPM / 2 < sum(used) <= _TPM
    assert len(used) >= 4


def test_spend_of_both_meets_in_one_database(replicas: Replicas) -> None:
    key = replicas.make_key("--name", "dave")
    costs = [
        _create(replicas, key, input="hello").headers["x-litellm-response-cost"] for _ in range(6)
    ]
    database = open_database(replicas.database_url)
    ids = [one.caller.key_id for one in database.read_keys() if one.caller.name == "dave"]
    expected = round(sum(float(cost) for cost in costs) * 1e12)
    deadline = time.monotonic() + 10
    while sum(cost for _, _, cost in database.daily_costs(ids)) != expected:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    database.close()
