"""A background response is priced once, whichever sign of its end comes first."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from azure_responses.emulator import EmulatedDeployment, Emulator, Latency, Resource
from azure_responses.gateway.database import open_database
from azure_responses.gateway.open_response_table import DatabaseOpenResponses
from azure_responses.gateway.spend import Spent
from tests.gateway.gateways import Running, config_of, serve
from tests.store.conftest import redis_server

__all__ = ["redis_server"]

CREATE = "/v1/responses"
ALICE = "sk-alice-0123456789-abcdef"
HELLO: dict[str, Any] = {"model": "chat", "input": "Say hello", "background": True}
SOON, NEVER = Latency(first_token=0.3), Latency(first_token=60.0)


def make_emulator(latency: Latency = SOON, model: str = "gpt") -> Emulator:
    rows = [EmulatedDeployment(model, model=model, latency=latency)]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=rows)])


def configured(url: str, path: Path, **general: Any) -> dict[str, Any]:
    general = {"database_url": f"sqlite:///{path / 'gateway.db'}", **general}
    config = config_of(url, "east", **general)
    config["general_settings"] |= {"spend_flush_interval": 0.05, "spend_log": str(path / "log")}
    config["virtual_keys"] = [{"key": ALICE, "name": "alice", "budget": 1}]
    return config


@contextmanager
def gateway(path: Path, latency: Latency = SOON, **general: Any) -> Iterator[Running]:
    emulator = make_emulator(latency)
    with emulator.serve() as server, serve(configured(server.url, path, **general)) as running:
        yield running


def totals(path: Path) -> Spent:
    database = open_database(f"sqlite:///{path / 'gateway.db'}")
    total = Spent()
    for spent in database.totals().values():
        total.add(spent)
    database.close()
    return total


def charged(path: Path) -> int:
    database = open_database(f"sqlite:///{path / 'gateway.db'}")
    costs = sum(cost for _, _, cost in database.daily_costs())
    database.close()
    return costs


def open_names(path: Path) -> list[str]:
    database = open_database(f"sqlite:///{path / 'gateway.db'}")
    names = [opened.label for opened in DatabaseOpenResponses(database).all()]
    database.close()
    return names


def until(condition: Any, what: str = "it did not happen") -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def retrieve_until_done(client: httpx.Client, response_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def is_done() -> bool:
        found.update(client.get(f"{CREATE}/{response_id}").json())
        return found["status"] not in ("queued", "in_progress")

    until(is_done)
    return found


def log_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "log").read_text().splitlines()]


def test_a_retrieve_that_shows_the_end_settles_the_price(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        assert open_names(tmp_path) == [made["id"]]
        opening = totals(tmp_path)
        assert (opening.calls, opening.unpriced, opening.cost) == (1, 1, 0)
        held = charged(tmp_path)
        assert held > 0
        retrieve_until_done(client, made["id"])
        for _ in range(3):
            client.get(f"{CREATE}/{made['id']}")
        until(lambda: not open_names(tmp_path))
        closed = totals(tmp_path)
        assert (closed.calls, closed.unpriced) == (1, 0)
        assert closed.cost > 0
        assert closed.input_tokens > 0
        assert charged(tmp_path) == closed.cost
        assert running.app.gateway._totals.spent("alice") == closed.cost
    lines = [line for line in log_lines(tmp_path) if line["operation"] == "create"]
    assert len(lines) == 1
    assert lines[0]["cost"] is not None
    assert lines[0]["key_id"] == "alice"
    assert lines[0]["usage"]["output_tokens"] == closed.output_tokens


def test_the_end_of_its_stream_settles_the_price(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, running.client(ALICE) as client:
        asked = {**HELLO, "stream": True}
        with client.stream("POST", CREATE, json=asked) as reply:
            text = reply.read().decode()
        assert "response.completed" in text
        until(lambda: not open_names(tmp_path))
        closed = totals(tmp_path)
        assert (closed.calls, closed.unpriced) == (1, 0)
        assert closed.cost == charged(tmp_path) > 0


def test_a_caller_who_leaves_the_stream_is_charged_when_it_has_ended(tmp_path: Path) -> None:
    with gateway(tmp_path, Latency(first_token=0.1, tokens_per_second=10.0)) as running:
        with running.client(ALICE) as client:
            asked = {**HELLO, "stream": True}
            with client.stream("POST", CREATE, json=asked) as reply:
                next(reply.iter_bytes())
                assert len(open_names(tmp_path)) == 1
            until(lambda: totals(tmp_path).calls == 1)
        assert totals(tmp_path).unpriced == 1
        with running.client(ALICE) as client:
            retrieve_until_done(client, open_names(tmp_path)[0])
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).unpriced == 0
        assert totals(tmp_path).cost == charged(tmp_path) > 0


def test_a_cancelled_response_stays_unpriced_and_counts_against_the_budget(tmp_path: Path) -> None:
    with gateway(tmp_path, NEVER) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        held = charged(tmp_path)
        assert client.post(f"{CREATE}/{made['id']}/cancel").json()["status"] == "cancelled"
        until(lambda: not open_names(tmp_path))
        closed = totals(tmp_path)
        assert (closed.calls, closed.unpriced, closed.cost) == (1, 1, 0)
        assert charged(tmp_path) == held > 0


def test_a_response_is_priced_before_it_is_deleted(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        time.sleep(1)
        assert client.delete(f"{CREATE}/{made['id']}").status_code == 200
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).unpriced == 0
        assert totals(tmp_path).cost > 0


def test_a_response_deleted_before_its_end_stays_unpriced(tmp_path: Path) -> None:
    with gateway(tmp_path, NEVER) as running, running.client(ALICE) as client:
        made = client.post(CREATE, json=HELLO).json()
        held = charged(tmp_path)
        client.delete(f"{CREATE}/{made['id']}")
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).unpriced == 1
        assert charged(tmp_path) == held


def test_a_response_of_the_gateways_own_is_priced_when_its_task_ends(tmp_path: Path) -> None:
    emulator = make_emulator(model="Kimi-K2.5")
    with emulator.serve() as server:
        config = configured(server.url, tmp_path)
        entry = config["model_list"][0]
        entry["litellm_params"]["model"] = "azure/Kimi-K2.5"
        entry["model_info"]["base_model"] = "Kimi-K2.5"
        with serve(config) as running, running.client(ALICE) as client:
            made = client.post(CREATE, json=HELLO).json()
            assert open_names(tmp_path) == [made["id"]]
            assert totals(tmp_path).unpriced == 1
            until(lambda: not open_names(tmp_path))
            closed = totals(tmp_path)
            assert (closed.calls, closed.unpriced, closed.failed) == (1, 0, 0)
            assert closed.cost == charged(tmp_path) > 0
            assert retrieve_until_done(client, made["id"])["status"] == "completed"
            assert totals(tmp_path) == closed


def test_without_a_database_the_process_prices_what_it_has_made(tmp_path: Path) -> None:
    with gateway(tmp_path, database_url=None) as running, running.client(ALICE) as client:
        totals_of_process = running.app.gateway._totals
        made = client.post(CREATE, json=HELLO).json()
        held = totals_of_process.spent("alice")
        assert held > 0
        retrieve_until_done(client, made["id"])
        until(lambda: totals_of_process.spent("alice") != held)
    lines = [line for line in log_lines(tmp_path) if line["operation"] == "create"]
    assert [line["cost"] is not None for line in lines] == [True]


def test_a_chat_completion_in_the_background_is_priced_too(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, running.client(ALICE) as client:
        asked = {
            "model": "chat",
            "messages": [{"role": "user", "content": "Say hello"}],
            "background": True,
        }
        made = client.post("/v1/chat/completions", json=asked)
        assert made.status_code == 200, made.text
        assert open_names(tmp_path) == [made.json()["id"]]
        retrieve_until_done(client, made.json()["id"])
        until(lambda: not open_names(tmp_path))
        assert (totals(tmp_path).calls, totals(tmp_path).unpriced) == (1, 0)
        assert totals(tmp_path).cost > 0
