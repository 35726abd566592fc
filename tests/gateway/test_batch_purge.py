"""Purges of batches and files that the gateway keeps, in SQLite and in PostgreSQL."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Latency, Resource
from azure_responses.emulator.server import RunningServer
from tests.gateway.batch_files import line, output_of, wait_for
from tests.gateway.gateways import Running, config_of, serve

ANN, BOB = "sk-ann-0123456789-abcdef", "sk-bob-0123456789-abcdef"
EVE = {"x-azr-end-user": "eve"}
ENDED = ("completed", "failed", "expired", "cancelled")


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    with _emulator().serve() as running:
        yield running


def _emulator(**latency: float) -> Emulator:
    resources = [Resource("a", keys=["key-of-a"])]
    return Emulator(resources, latency=Latency(**latency) if latency else None)


def _config(azure: RunningServer, url: str) -> dict[str, Any]:
    config = config_of(azure.url, "a", database_url=url)
    keys = {"ann": ANN, "bob": BOB}
    config["virtual_keys"] = [{"name": n, "key": key, "owner": n} for n, key in keys.items()]
    return config


@pytest.fixture
def gateway(azure: RunningServer, database_url: str) -> Iterator[Running]:
    with serve(_config(azure, database_url)) as running:
        yield running


def _line(custom_id: str, **body: Any) -> dict[str, Any]:
    found = line(custom_id)
    found["body"] |= body
    return found


def _upload(client: httpx.Client, lines: list[Any], headers: Any = None, end: str = "\n") -> str:
    content = "".join(json.dumps(each) + end for each in lines)
    files = {"file": ("q.jsonl", content)}
    reply = client.post("/v1/files", data={"purpose": "batch"}, files=files, headers=headers)
    assert reply.status_code == 200, reply.text
    name: str = reply.json()["id"]
    return name


def _begin(client: httpx.Client, file_id: str, headers: Any = None, **more: Any) -> str:
    body = {"input_file_id": file_id, "endpoint": "/v1/responses", "completion_window": "24h"}
    reply = client.post("/v1/batches", json=body | more, headers=headers)
    assert reply.status_code == 200, reply.text
    name: str = reply.json()["id"]
    return name


def _ended(client: httpx.Client, batch_id: str) -> Any:
    return wait_for(client, batch_id, lambda batch: batch["status"] in ENDED)


def _purge(gateway: Running, **body: Any) -> Any:
    with gateway.client() as client:
        reply = client.post("/admin/purge", json={"end_user": "eve", **body}, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_batches_and_files_of_the_end_user_are_deleted_and_named(gateway: Running) -> None:
    with gateway.client(ANN) as ann:
        file_id = _upload(ann, [_line("a"), _line("b")], EVE)
        batch = _ended(ann, _begin(ann, file_id))
        other = _upload(ann, [_line("c")])
        marked = _ended(ann, _begin(ann, other, metadata={"user_id": "eve"}))
        kept = _ended(ann, _begin(ann, other))
        wanted = {
            file_id: "files",
            **{one["id"]: "batches" for one in (batch, marked)},
            **{one["output_file_id"]: "files" for one in (batch, marked)},
        }
        shown = _purge(gateway, dry_run=True)
        assert (set(shown["would_delete"]), shown["deleted"]) == (set(wanted), [])
        assert shown["kinds"] == wanted
        assert ann.get(f"/v1/batches/{batch['id']}").status_code == 200
        receipt = _purge(gateway)
        assert receipt["is_complete"], receipt
        assert set(receipt["deleted"]) == set(wanted)
        assert receipt["kinds"] == wanted
        assert list(receipt["kept"]) == [other]
        for name, kind in wanted.items():
            assert ann.get(f"/v1/{kind}/{name}").status_code == 404
        assert list(output_of(ann, kept["output_file_id"])) == ["c"]
        assert _purge(gateway)["deleted"] == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_that_name_the_end_user_are_erased_with_their_results(
    gateway: Running, end: str
) -> None:
    lines = [
        _line("mine", safety_identifier="ann"),
        _line("eve1", safety_identifier="eve", user="ann"),
        # Longer than a part of a file in the database.
        _line("eve2", user="eve", instructions="x" * 700_000),
        _line("talk", instructions='about "eve"'),
        _line("eve3", metadata={"user_id": "eve"}),
    ]
    with gateway.client(ANN) as ann:
        file_id = _upload(ann, lines, end=end)
        before = ann.get(f"/v1/files/{file_id}/content").text.split("\n")
        batch = _ended(ann, _begin(ann, file_id))
        assert len(output_of(ann, batch["output_file_id"])) == 5
        assert _purge(gateway, owner="bob").get("erased_lines") is None
        shown = _purge(gateway, dry_run=True)
        assert shown["would_erase_lines"] == {batch["id"]: 3, file_id: 3}
        receipt = _purge(gateway)
        assert receipt["erased_lines"] == {batch["id"]: 3, file_id: 3}
        assert receipt["is_complete"]
        # Its length is that of the header, which `output_of` checks.
        assert list(output_of(ann, batch["output_file_id"])) == ["mine", "talk"]
        after = ann.get(f"/v1/files/{file_id}/content").text.split("\n")
        assert [not each.strip() for each in after] == [False, True, True, False, True, True]
        assert [len(each) for each in after] == [len(each) for each in before]
        assert [after[0], after[3]] == [before[0], before[3]]
        now = ann.get(f"/v1/batches/{batch['id']}").json()
        assert now["usage"] == batch["usage"]
        again = _ended(ann, _begin(ann, file_id))
        assert list(output_of(ann, again["output_file_id"])) == ["mine", "talk"]
        assert _purge(gateway).get("erased_lines") is None


def test_results_are_erased_without_their_input_file_too(gateway: Running) -> None:
    with gateway.client(ANN) as ann:
        escaped = _upload(ann, [_line("a", user="ève\u0000"), _line("b")])
        batch = _ended(ann, _begin(ann, escaped))
        ann.delete(f"/v1/files/{escaped}")
        receipt = _purge(gateway, end_user="ève\u0000")
        assert receipt["erased_lines"] == {batch["id"]: 1}
        assert list(output_of(ann, batch["output_file_id"])) == ["b"]


def test_only_what_is_the_owner_s_is_deleted(gateway: Running) -> None:
    with gateway.client(ANN) as ann, gateway.client(BOB) as bob:
        names = {}
        for who, client in (("ann", ann), ("bob", bob)):
            file_id = _upload(client, [_line("a")], EVE)
            names[who] = {file_id, _ended(client, _begin(client, file_id))["id"]}
        receipt = _purge(gateway, owner="bob")
        assert names["bob"] <= set(receipt["deleted"])
        assert not names["ann"] & set(receipt["deleted"])
        assert len(ann.get("/v1/batches").json()["data"]) == 1
        assert names["ann"] <= set(_purge(gateway)["deleted"])


def test_a_batch_at_work_is_cancelled_first(database_url: str) -> None:
    with (
        _emulator(first_token=0.3, tokens_per_second=1000).serve() as azure,
        serve(_config(azure, database_url)) as gateway,
        gateway.client(ANN) as ann,
    ):
        file_id = _upload(ann, [_line(f"r{number}") for number in range(400)])
        mine = _begin(ann, file_id, EVE)
        wait_for(ann, mine, lambda batch: batch["request_counts"]["completed"] > 2)
        receipt = _purge(gateway)
        assert receipt["is_complete"], receipt
        assert receipt["kinds"][mine] == "batches"
        made = len(azure.emulator.requests)
        assert made < 300
        assert ann.get(f"/v1/batches/{mine}").status_code == 404


def test_a_batch_that_does_not_end_in_time_is_named_as_failed(database_url: str) -> None:
    with (
        _emulator(first_token=3.0, tokens_per_second=1000).serve() as azure,
        serve(_config(azure, database_url)) as gateway,
        gateway.client(ANN) as ann,
    ):
        assert gateway.app.gateway.batch_purge is not None
        gateway.app.gateway.batch_purge._patience = 0.3
        mine = _begin(ann, _upload(ann, [_line("a")]), EVE)
        wait_for(ann, mine, lambda batch: batch["status"] == "in_progress")
        receipt = _purge(gateway)
        assert not receipt["is_complete"]
        assert "being cancelled" in receipt["failed"][mine]
        assert receipt["kinds"] == {mine: "batches"}
        _ended(ann, mine)
        assert mine in _purge(gateway)["deleted"]


def test_a_line_under_way_leaves_no_result_behind(database_url: str) -> None:
    with (
        _emulator(first_token=1.5, tokens_per_second=1000).serve() as azure,
        serve(_config(azure, database_url)) as gateway,
        gateway.client(ANN) as ann,
    ):
        file_id = _upload(ann, [_line("a", user="eve"), _line("b", user="ann")])
        batch_id = _begin(ann, file_id)
        wait_for(ann, batch_id, lambda batch: batch["status"] == "in_progress")
        assert _purge(gateway)["erased_lines"] == {file_id: 1}
        batch = _ended(ann, batch_id)
        assert batch["status"] == "completed"
        assert batch["error_file_id"] is None
        assert list(output_of(ann, batch["output_file_id"])) == ["b"]
