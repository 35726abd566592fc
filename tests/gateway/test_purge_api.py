"""Purges of an end user over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.emulator.server import RunningServer
from tests.gateway.gateways import Running, config_of, serve
from tests.openai_server.servers import make_emulator

ANN = "sk-ann-0123456789-abcdef"


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    with make_emulator().serve() as server:
        yield server


@pytest.fixture
def gateway(azure: RunningServer) -> Iterator[Running]:
    config = config_of(azure.url, "east", "west")
    config["virtual_keys"] = [{"name": "ann", "key": ANN, "owner": "ann"}]
    with serve(config) as running:
        yield running


def _make(gateway: Running) -> list[str]:
    """A response, and a vector store whose metadata say for whom it is."""
    with gateway.client(ANN) as client:
        body: dict[str, Any] = {"model": "chat", "input": "hi", "safety_identifier": "eve"}
        made = [client.post("/v1/responses", json=body)]
        body = {"name": "s", "model": "chat", "metadata": {"user_id": "eve"}}
        made.append(client.post("/v1/vector_stores", json=body))
        headers = {"x-azr-end-user": "eve"}
        made.append(
            client.post("/v1/containers", json={"name": "c", "model": "chat"}, headers=headers)
        )
    assert [each.status_code for each in made] == [200] * 3, [each.text for each in made]
    return [each.json()["id"] for each in made]


def test_the_master_key_purges_and_may_look_first(gateway: Running, azure: RunningServer) -> None:
    ids = _make(gateway)
    with gateway.client() as client, gateway.client(ANN) as ann:
        shown = client.post("/admin/purge", json={"end_user": "eve", "dry_run": True}).json()
        assert (shown["dry_run"], len(shown["would_delete"]), shown["deleted"]) == (True, 3, [])
        assert sorted(shown["kinds"].values()) == ["containers", "vector_stores"]
        assert ann.get(f"/v1/responses/{ids[0]}").status_code == 200
        other = client.post("/admin/purge", json={"end_user": "eve", "owner": "bob"}).json()
        assert (other["deleted"], other["owner"]) == ([], "bob")
        receipt = client.post("/admin/purge", json={"end_user": "eve", "owner": None}).json()
        assert receipt["is_complete"], receipt
        assert set(receipt["deleted"]) == set(shown["would_delete"])
        for path, each in zip(("responses", "vector_stores", "containers"), ids, strict=True):
            assert ann.get(f"/v1/{path}/{each}").status_code == 404


def test_another_key_may_not_purge(gateway: Running) -> None:
    _make(gateway)
    with gateway.client(ANN) as client:
        refused = client.post("/admin/purge", json={"end_user": "eve"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "key_not_allowed")
    with gateway.client("sk-unknown-0123456789") as client:
        assert client.post("/admin/purge", json={"end_user": "eve"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"end_user":""}',
        b'{"end_user":3}',
        b'{"end_user":"eve","dryrun":true}',
        b'{"end_user":"eve","dry_run":"yes"}',
        b'{"end_user":"eve","owner":3}',
        b'{"end_user":null}',
    ],
)
def test_what_is_not_clear_deletes_nothing(gateway: Running, body: bytes) -> None:
    ids = _make(gateway)
    headers = {"content-type": "application/json"}
    with gateway.client() as client, gateway.client(ANN) as ann:
        assert client.post("/admin/purge", content=body, headers=headers).status_code == 400
        assert ann.get(f"/v1/responses/{ids[0]}").status_code == 200


def test_a_purge_is_a_post(gateway: Running) -> None:
    with gateway.client() as client:
        assert client.get("/admin/purge").status_code == 405
