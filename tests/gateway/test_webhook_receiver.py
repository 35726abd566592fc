"""`POST /webhooks/azure`: what is signed is kept and answered, and nothing else is."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.gateway.database import open_database
from azure_responses.gateway.webhook_receiver import (
    MemoryWebhookIds,
    RedisWebhookIds,
    WebhookIds,
)
from azure_responses.gateway.webhook_table import DatabaseWebhookIds
from azure_responses.protocol.webhook_signature import sign, unwrap
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.store.connection import read_address
from tests.gateway.gateways import Running, serve
from tests.gateway.test_background_prices import (
    ALICE,
    CREATE,
    HELLO,
    NEVER,
    SOON,
    configured,
    make_emulator,
    open_names,
    retrieve_until_done,
    totals,
    until,
)
from tests.gateway.webhook_sites import Site, site
from tests.store.conftest import redis_server
from tests.store.redis_server import RedisServer

__all__ = ["redis_server"]

SECRET, OLD = "whsec_" + "QUFB" * 11, "whsec_" + "QkJC" * 11
OWN = "whsec_" + "Q0ND" * 11
PATH = "/webhooks/azure"
EVENT = {"id": "evt_1", "object": "event", "type": "response.completed", "created_at": 1}


@contextmanager
def gateway(path: Path, latency: Any = SOON, **general: Any) -> Iterator[tuple[Running, Site]]:
    with ExitStack() as stack:
        server = stack.enter_context(make_emulator(latency).serve())
        made = stack.enter_context(site())
        allowed = {"webhook_allow_http": True, "webhook_allow_private": True}
        general = {"webhook_secrets": [SECRET, OLD], **allowed, **general}
        config = configured(server.url, path, **general)
        config["virtual_keys"][0] |= {"webhook_url": made.url, "webhook_secret": OWN}
        config["virtual_keys"].append({"key": ALICE.replace("alice", "bobby"), "name": "bobby"})
        yield stack.enter_context(serve(config)), made


def post(
    running: Running,
    event: Any,
    *,
    webhook_id: str = "wh_1",
    secret: str = SECRET,
    at: float | None = None,
    more: dict[str, str] | None = None,
) -> httpx.Response:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = sign(body, webhook_id, int(time.time() if at is None else at), secret)
    headers |= {"content-type": "application/json", **(more or {})}
    return httpx.post(running.url + PATH, content=body, headers=headers, timeout=10)


def inner_id(running: Running, label: str) -> str:
    found = running.app.gateway.router.parts.reader.affinity.read_id(label, "alice")
    assert found is not None
    return found.inner


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_webhook_settles_the_price_and_goes_on_to_the_key(tmp_path: Path, secret: str) -> None:
    with gateway(tmp_path) as (running, made), running.client(ALICE) as client:
        label = client.post(CREATE, json=HELLO).json()["id"]
        time.sleep(1)
        assert made.received == []
        event = {**EVENT, "data": {"id": inner_id(running, label)}}
        began = time.monotonic()
        assert post(running, event, secret=secret).status_code == 200
        assert time.monotonic() - began < 5
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).cost > 0
        assert totals(tmp_path).unpriced == 0
        until(lambda: made.received)
        ((headers, body),) = made.received
        told = unwrap(body, headers, OWN, time.time())
        assert told.type == "response.completed"
        assert json.loads(body)["data"] == {"id": label}
        # Again, and by another event of the same end: nothing more happens.
        assert post(running, event, secret=secret).json()["duplicate"] is True
        assert "duplicate" not in post(running, event, webhook_id="wh_2", secret=secret).json()
        time.sleep(0.5)
        assert len(made.received) == 1
        assert totals(tmp_path).calls == 1


def test_a_key_gets_its_webhook_also_where_a_caller_saw_the_end(tmp_path: Path) -> None:
    with gateway(tmp_path, webhook_secrets=[]) as (running, made), running.client(ALICE) as client:
        label = client.post(CREATE, json=HELLO).json()["id"]
        retrieve_until_done(client, label)
        until(lambda: made.received)
        assert made.events()[0]["data"] == {"id": label}
        cancelled = client.post(CREATE, json=HELLO).json()["id"]
        client.post(f"{CREATE}/{cancelled}/cancel")
        until(lambda: len(made.received) == 2)
        assert made.events()[1]["type"] == "response.cancelled"


def test_a_webhook_that_is_faster_than_the_service_shows_waits_for_it(tmp_path: Path) -> None:
    with gateway(tmp_path, SOON) as (running, _), running.client(ALICE) as client:
        label = client.post(CREATE, json=HELLO).json()["id"]
        event = {**EVENT, "data": {"id": inner_id(running, label)}}
        assert post(running, event).status_code == 200
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).cost > 0


def test_what_is_not_signed_right_is_refused(tmp_path: Path) -> None:
    with gateway(tmp_path, NEVER) as (running, made), running.client(ALICE) as client:
        label = client.post(CREATE, json=HELLO).json()["id"]
        event = {**EVENT, "data": {"id": inner_id(running, label)}}
        body, now = json.dumps(event).encode(), int(time.time())
        right = sign(body, "wh_1", now, SECRET)
        refusals = [
            post(running, event, secret=OWN),
            post(running, event, at=now - 400),
            post(running, event, at=now + 400),
            httpx.post(running.url + PATH, content=body + b" ", headers=right),
            httpx.post(running.url + PATH, content=body),
            httpx.post(running.url + PATH, content=body, headers={**right, "webhook-id": "wh_2"}),
            post(running, event, more={"webhook-signature": "v1,AAAA"}),
            post(running, event, more={"webhook-timestamp": "soon"}),
        ]
        assert [reply.status_code for reply in refusals] == [400] * len(refusals)
        assert {r.json()["error"]["code"] for r in refusals} == {"invalid_webhook_signature"}
        assert made.received == []
        assert open_names(tmp_path) == [label]


def test_what_is_no_event_is_refused_though_it_is_signed(tmp_path: Path) -> None:
    with gateway(tmp_path) as (running, _):
        for body in (b"[]", b"{", b'{"type": "x"}', b'{"data": {}}', b'{"type": 1, "data": {}}'):
            reply = post(running, body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_webhook")
        assert post(running, b'{"type": "x", "data": {}}').status_code == 200
        assert post(running, b'"' + b"a" * 300_000 + b'"').status_code == 413
        assert post(running, b"[" * 6000, webhook_id="wh_9").status_code == 413
        assert httpx.get(running.url + PATH).status_code == 405


def test_without_a_secret_the_route_is_closed(tmp_path: Path) -> None:
    with gateway(tmp_path, webhook_secrets=[]) as (running, _):
        reply = post(running, EVENT)
        assert reply.status_code == 404
        assert "webhook_secrets" in reply.json()["error"]["message"]


def test_a_response_that_is_not_known_is_answered_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.gateway.webhook_receiver._PAUSES", (0.0, 0.1))
    caplog.set_level("INFO", "azure_responses.gateway")
    with gateway(tmp_path) as (running, made):
        event = {**EVENT, "data": {"id": "resp_of_someone_else"}}
        assert post(running, event).status_code == 200
        until(lambda: "resp_of_someone_else" in caplog.text)
        assert made.received == []


def test_the_webhook_of_a_batch_goes_to_the_keys_of_its_owner(tmp_path: Path) -> None:
    with gateway(tmp_path) as (running, made):
        parts = running.app.gateway.router.parts
        deployment = parts.reader.routing.deployments[0]
        entry = LedgerEntry(
            "batch_1",
            deployment.tag,
            deployment.resource,
            owner="alice",
            expires=time.time() + 100,
            kind="batches",
        )
        parts.state.remember(entry)
        event = {**EVENT, "type": "batch.completed", "data": {"id": "batch_1"}}
        assert post(running, event).status_code == 200
        until(lambda: made.received)
        told = made.events()[0]
        assert told["type"] == "batch.completed"
        found = parts.reader.affinity.read_id(told["data"]["id"], "alice")
        assert found is not None
        assert found.inner == "batch_1"
        # The webhook of a batch that this gateway does not know goes to no key.
        event["data"] = {"id": "batch_2"}
        assert post(running, event, webhook_id="wh_2").status_code == 200
        time.sleep(0.5)
        assert len(made.received) == 1


def test_what_no_key_has_made_goes_to_the_operator(tmp_path: Path) -> None:
    with site() as operator:
        general = {"webhook_url": operator.url, "webhook_secret": OWN}
        with gateway(tmp_path, **general) as (running, made):
            event = {**EVENT, "type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}}
            assert post(running, event).status_code == 200
            until(lambda: operator.received)
            assert operator.events() == [event]
            headers, body = operator.received[0]
            unwrap(body, headers, OWN, time.time())
            assert made.received == []


def test_a_webhook_survives_a_restart(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(make_emulator().serve())
        made = stack.enter_context(site())
        made.statuses = [500]
        allowed = {"webhook_allow_http": True, "webhook_allow_private": True}
        config = configured(server.url, tmp_path, **allowed)
        config["virtual_keys"][0] |= {"webhook_url": made.url, "webhook_secret": OWN}
        with serve(config) as running, running.client(ALICE) as client:
            label = client.post(CREATE, json=HELLO).json()["id"]
            retrieve_until_done(client, label)
            until(lambda: made.received)
        with serve(config):
            until(lambda: len(made.received) == 2)
        first, second = made.received
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        assert first[1] == second[1]


@pytest.mark.parametrize("kind", ["memory", "redis", "sqlite", "postgresql"])
def test_ids_of_webhooks_are_known_for_a_while(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    now = time.time()
    with ExitStack() as stack:
        ids: WebhookIds = MemoryWebhookIds()
        if kind == "redis":
            server: RedisServer = request.getfixturevalue("redis_server")
            ids = RedisWebhookIds(read_address(server.url, timeout=5), prefix=str(tmp_path))
        elif kind != "memory":
            url = f"sqlite:///{tmp_path / 'ids.db'}"
            if kind == "postgresql":
                url = request.getfixturevalue("empty_postgresql")
            database = open_database(url)
            stack.callback(database.close)
            ids = DatabaseWebhookIds(database)
        assert not ids.is_known("wh_1", now)
        ids.add("wh_1", now + 600)
        ids.add("wh_1", now + 600)
        ids.add("wh_2", now + 600)
        assert ids.is_known("wh_1", now)
        assert ids.is_known("wh_2", now)
        assert not ids.is_known("wh_3", now)
        if kind != "redis":
            assert not ids.is_known("wh_1", now + 600)


def test_no_more_ids_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_responses.gateway.webhook_receiver._MOST_IDS", 2)
    ids = MemoryWebhookIds()
    for number in range(3):
        ids.add(f"wh_{number}", 10.0)
    assert [ids.is_known(f"wh_{number}", 1.0) for number in range(3)] == [False, True, True]


def test_the_webhook_that_the_service_sends_settles_the_price(tmp_path: Path) -> None:
    emulator = make_emulator(SOON)
    with ExitStack() as stack:
        server = stack.enter_context(emulator.serve())
        made = stack.enter_context(site())
        allowed = {"webhook_allow_http": True, "webhook_allow_private": True}
        config = configured(server.url, tmp_path, webhook_secrets=[OLD], **allowed)
        config["virtual_keys"][0] |= {"webhook_url": made.url, "webhook_secret": OWN}
        running = stack.enter_context(serve(config))
        endpoint = httpx.post(
            f"{server.url}/resources/east/openai/v1/dashboard/webhook_endpoints",
            headers={"api-key": "key-of-east"},
            json={
                "name": "gateway",
                "url": running.url + PATH,
                "event_types": ["response.completed", "response.failed"],
            },
        ).json()
        running.app.gateway.webhook_receiver._secrets = [OLD, endpoint["signing_secret"]]
        client = stack.enter_context(running.client(ALICE))
        label = client.post(CREATE, json=HELLO).json()["id"]
        # No caller retrieves it, and no poll is due yet.
        until(lambda: not open_names(tmp_path))
        assert totals(tmp_path).unpriced == 0
        until(lambda: made.received)
        assert made.events()[0]["data"] == {"id": label}


def test_a_webhook_wakes_a_caller_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing else looks at the response meanwhile.
    monkeypatch.setattr("azure_responses.gateway.background_prices._FIRST_LOOK", 60.0)
    with gateway(tmp_path) as (running, _), running.client(ALICE) as client:
        label = client.post(CREATE, json=HELLO).json()["id"]
        with ThreadPoolExecutor(1) as pool:
            url, prefer = f"{CREATE}/{label}", {"prefer": "wait=30"}
            waiting = pool.submit(client.get, url, headers=prefer)
            time.sleep(1.0)
            assert not waiting.done()
            event = {**EVENT, "data": {"id": inner_id(running, label)}}
            assert post(running, event).status_code == 200
            assert waiting.result(10).json()["status"] == "completed"
