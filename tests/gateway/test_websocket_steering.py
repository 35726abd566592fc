"""Steers of a gateway's callers: the response that a steer begins is a call of its own."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from azure_responses.gateway.database import open_database
from azure_responses.gateway.key_table import ApiCaller, StoredKey, hash_key
from tests.gateway.gateways import KEY, Running, serve
from tests.gateway.socket_callers import SocketCaller, socket_caller
from tests.router.turn_upstream import TurnUpstream

_ALICE = "sk-alice-0123456789-abcdef"

JSON = dict[str, Any]


@pytest.fixture
def upstream() -> Iterator[TurnUpstream]:
    with TurnUpstream() as upstream:
        upstream.waits_for_steer = True
        yield upstream


def _config(upstream: TurnUpstream, spend: Path, **general: Any) -> JSON:
    params = {"model": "azure/gpt", "api_base": upstream.url, "api_key": "k", "websocket": True}
    info = {"id": "native", "base_model": "gpt-5-mini"}
    row = {"model_name": "native", "litellm_params": params, "model_info": info}
    general |= {"master_key": KEY, "affinity_secret": "s" * 32, "spend_log": str(spend)}
    return {"model_list": [row], "general_settings": general}


def _eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _caller(gateway: Running, key: str) -> AbstractContextManager[SocketCaller]:
    return socket_caller(gateway.url, headers={"authorization": f"Bearer {key}"})


def _steer(caller: SocketCaller, before: Callable[[], None] = lambda: None) -> list[JSON]:
    """The frames of a turn that is steered once it has begun."""
    caller.send(model="native", input="hi", store=False)
    created = caller.receive()
    before()
    steer = {"previous_response_id": created["response"]["id"], "input": "be short"}
    caller.socket.send(json.dumps({"type": "response.steer", **steer}))
    return [created, *caller.events()]


def _spent(spend: Path, count: int) -> list[JSON]:
    """The lines of the spend log, once there are so many, and a moment later."""
    _eventually(lambda: spend.exists() and len(spend.read_text().splitlines()) >= count)
    time.sleep(0.1)
    return [json.loads(line) for line in spend.read_text().splitlines()]


def _check_stopped(upstream: TurnUpstream, frames: list[JSON], spend: Path) -> None:
    """The steered turn has its end and was charged; what follows it was stopped."""
    assert frames[-1]["response"]["incomplete_details"] == {"reason": "steered"}
    _eventually(lambda: upstream.open == 0)
    assert upstream.handshakes == 1
    charged = [line for line in _spent(spend, 1) if line["cost"]]
    assert len(charged) == 1


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [({"rpm": 1}, 429, "rate_limit_exceeded"), ({"budget": 0.00001}, 429, "budget_exceeded")],
    ids=["requests", "budget"],
)
def test_a_successor_beyond_a_limit_is_refused_stopped_and_not_charged(
    upstream: TurnUpstream, tmp_path: Path, limits: JSON, status: int, code: str
) -> None:
    spend = tmp_path / "spend.jsonl"
    config = _config(upstream, spend, database_url=f"sqlite:///{tmp_path / 'gateway.db'}")
    config["virtual_keys"] = [{"key": _ALICE, "name": "alice", **limits}]
    with serve(config) as gateway, _caller(gateway, _ALICE) as caller:
        frames = _steer(caller)
        (refused,) = caller.events()
        assert (refused["status"], refused["error"]["code"]) == (status, code)
        _check_stopped(upstream, frames, spend)


def test_the_successor_of_a_revoked_key_is_refused_stopped_and_not_charged(
    upstream: TurnUpstream, tmp_path: Path
) -> None:
    spend, address = tmp_path / "spend.jsonl", f"sqlite:///{tmp_path / 'gateway.db'}"
    database = open_database(address)
    caller = ApiCaller(key_id="key_alice", name="alice", owner="alice")
    database.add_key(StoredKey(caller, hash_key(_ALICE)))
    config = _config(upstream, spend, database_url=address, key_refresh_interval=0.1)

    def revoke(gateway: Running) -> None:
        database.revoke_key("key_alice", time.time())
        with gateway.client(_ALICE) as client:
            _eventually(lambda: client.get("/v1/models").status_code == 401)

    with serve(config) as gateway, _caller(gateway, _ALICE) as alice:
        frames = _steer(alice, lambda: revoke(gateway))
        (refused,) = alice.events()
        assert (refused["status"], refused["error"]["code"]) == (401, "invalid_api_key")
        _check_stopped(upstream, frames, spend)
    database.close()


def test_a_successor_is_charged_as_a_call_of_its_own_and_keeps_its_socket(
    upstream: TurnUpstream, tmp_path: Path
) -> None:
    spend = tmp_path / "spend.jsonl"
    with serve(_config(upstream, spend)) as gateway, _caller(gateway, KEY) as caller:
        _steer(caller)
        last = list(caller.events())[-1]
        assert last["type"] == "response.completed"
        further = {"previous_response_id": last["response"]["id"], "input": "on"}
        assert caller.turn(store=False, **further)[-1]["type"] == "response.completed"
        assert upstream.handshakes == 1
        lines = _spent(spend, 3)
    assert [bool(line["cost"]) for line in lines] == [True] * 3
    assert len({line["call_id"] for line in lines}) == 3
