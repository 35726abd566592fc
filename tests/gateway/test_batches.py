"""Batches that the gateway executes: to their end, whatever happens on the way."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.gateway import batch_runner
from azure_responses.protocol.webhook_signature import unwrap
from tests.gateway.batch_files import line, open_tables, output_of, put_file, requests, wait_for
from tests.gateway.gateways import KEY, config_of, run_process, serve
from tests.gateway.webhook_sites import site

ENDED = ("completed", "failed", "expired", "cancelled")
OTHER = "sk-other-0123456789-abcdef"


def has_ended(batch: Any) -> bool:
    return batch["status"] in ENDED


def text_of(found: Any) -> str:
    message = found["response"]["body"]["output"][-1]
    text: str = message["content"][0]["text"]
    return text


def asked(**changes: Any) -> dict[str, Any]:
    body = {"input_file_id": "file-input", "endpoint": "/v1/responses", "completion_window": "24h"}
    return {**body, **changes}


def _emulator(**latency: float) -> Emulator:
    resources = [Resource(name, keys=[f"key-of-{name}"]) for name in ("a", "b", "c")]
    return Emulator(resources, latency=Latency(**latency) if latency else None)


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    with _emulator().serve() as running:
        yield running


@pytest.fixture
def slow() -> Iterator[RunningServer]:
    with _emulator(first_token=0.2, tokens_per_second=1000).serve() as running:
        yield running


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.db'}"


def _config(azure: RunningServer, url: str, **general: Any) -> dict[str, Any]:
    return config_of(azure.url, "a", "b", "c", database_url=url, **general)


def _creates(azure: RunningServer) -> int:
    return sum(request.operation == "create" for request in azure.emulator.requests)


def test_the_openai_package_runs_a_batch_over_three_resources(
    azure: RunningServer, url: str
) -> None:
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(60))
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0)
        with client:
            batch = client.batches.create(
                input_file_id="file-input",
                endpoint="/v1/responses",
                completion_window="24h",
                metadata={"job": "nightly"},
            )
            assert batch.status == "validating"
            with gateway.client() as raw:
                wait_for(raw, batch.id, has_ended)
            batch = client.batches.retrieve(batch.id)
            assert batch.status == "completed"
            assert batch.metadata == {"job": "nightly"}
            assert batch.request_counts is not None
            assert (batch.request_counts.total, batch.request_counts.completed) == (60, 60)
            assert batch.error_file_id is None
            assert batch.usage is not None
            assert batch.usage.total_tokens > 60
            assert batch.output_file_id is not None
            file = client.files.retrieve(batch.output_file_id)
            assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")
            found = [json.loads(each) for each in client.files.content(file.id).text.splitlines()]
            assert [text_of(each) for each in found] == [f"r{number}" for number in range(60)]
            assert found[0]["response"]["body"]["model"] == "chat"
            # The ids are those of the gateway: a conversation can go on at its resource.
            for each in found[::10]:
                continued = client.responses.create(
                    model="chat",
                    previous_response_id=each["response"]["body"]["id"],
                    input="Reply with exactly: on",
                )
                assert continued.output_text == "on"
            assert [one.id for one in client.batches.list()] == [batch.id]
            assert client.files.delete(file.id).deleted
            with pytest.raises(openai.NotFoundError):
                client.files.content(file.id)
    assert len({request.resource for request in azure.emulator.requests}) == 3


def test_the_price_is_that_of_single_calls_and_is_said(azure: RunningServer, url: str) -> None:
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(4))
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked())
            assert "at their price" in created.headers["x-azure-responses-warning"]
            batch = wait_for(client, created.json()["id"], has_ended)
        said = batch["azure_responses"]
        assert (said["executed_by"], said["discount"]) == ("gateway", False)
        spent = gateway.app.gateway._totals.spent("master", 0)
    assert spent > 0
    assert float(said["cost"]) == pytest.approx(spent / 1e12, abs=1e-6)


def test_chat_completions_go_over_the_bridge(azure: RunningServer, url: str) -> None:
    body = {"model": "chat", "messages": [{"role": "user", "content": "Reply with exactly: yes"}]}
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, [line("c", url="/v1/chat/completions", body=body)])
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked(endpoint="/v1/chat/completions")).json()
            batch = wait_for(client, created["id"], has_ended)
            found = output_of(client, batch["output_file_id"])
    shown = found["c"]["response"]["body"]
    assert shown["object"] == "chat.completion"
    assert shown["choices"][0]["message"]["content"] == "yes"


def test_refused_requests_stand_in_the_error_file(azure: RunningServer, url: str) -> None:
    bad = line("bad", body={"model": "chat", "input": "hi", "temprature": 1})
    worse = line("worse", body={"model": "chat", "input": "hi", "api_base": "http://evil"})
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, [line("good"), bad, worse])
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked()).json()
            batch = wait_for(client, created["id"], has_ended)
            assert batch["status"] == "completed"
            assert batch["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
            assert set(output_of(client, batch["output_file_id"])) == {"good"}
            errors = output_of(client, batch["error_file_id"])
    assert set(errors) == {"bad", "worse"}
    assert errors["bad"]["response"]["status_code"] == 400
    assert "temprature" in json.dumps(errors["bad"])
    assert errors["worse"]["response"]["status_code"] == 400


def test_a_file_with_errors_fails_the_batch_with_its_lines(azure: RunningServer, url: str) -> None:
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, [line("a"), line("a"), line("b", body={"model": "other"})])
        put_file(tables, [line("a", body={"model": "none"})], file_id="file-none")
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked()).json()
            batch = wait_for(client, created["id"], has_ended)
            assert batch["status"] == "failed"
            told = [(one["code"], one["line"]) for one in batch["errors"]["data"]]
            assert told == [("duplicate_custom_id", 2), ("model_mismatch", 3)]
            created = client.post("/v1/batches", json=asked(input_file_id="file-none")).json()
            batch = wait_for(client, created["id"], has_ended)
            assert batch["errors"]["data"][0]["code"] == "model_not_found"
    assert _creates(azure) == 0


def test_failures_of_the_service_are_tried_again(
    azure: RunningServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.gateway.batch_calls._FAILURE_PAUSE", 0.05)
    azure.emulator.faults.add(Fault("http-500", operation="create", times=12))
    config = _config(azure, url)
    config["router_settings"] = {"num_retries": 0, "cooldown_time": 0.01}
    with serve(config) as gateway, open_tables(url) as tables:
        put_file(tables, requests(4))
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked()).json()
            batch = wait_for(client, created["id"], has_ended)
    counts = batch["request_counts"]
    assert counts["completed"] + counts["failed"] == 4


def test_another_owner_sees_neither_batch_nor_files(azure: RunningServer, url: str) -> None:
    config = _config(azure, url)
    config["virtual_keys"] = [{"name": "other", "key": OTHER, "owner": "other"}]
    with serve(config) as gateway, open_tables(url) as tables:
        put_file(tables, requests(2))
        with gateway.client() as client, gateway.client(OTHER) as other:
            created = client.post("/v1/batches", json=asked()).json()
            batch = wait_for(client, created["id"], has_ended)
            for path in (
                f"/v1/batches/{batch['id']}",
                "/v1/files/file-input",
                f"/v1/files/{batch['output_file_id']}",
                f"/v1/files/{batch['output_file_id']}/content",
            ):
                assert client.get(path).status_code == 200
                assert other.get(path).status_code == 404
            assert other.post(f"/v1/batches/{batch['id']}/cancel").status_code == 404
            assert other.post("/v1/batches", json=asked()).status_code == 404
            assert other.delete("/v1/files/file-input").status_code == 404
            assert other.get("/v1/batches").json()["data"] == []
            assert client.get("/v1/files/file-input").status_code == 200


def test_a_cancelled_batch_keeps_what_was_answered(slow: RunningServer, url: str) -> None:
    with serve(_config(slow, url, batch_concurrency=2)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(60))
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked()).json()
            path = f"/v1/batches/{created['id']}"
            wait_for(client, created["id"], lambda b: b["request_counts"]["completed"] >= 3)
            assert client.post(f"{path}/cancel").json()["status"] == "cancelling"
            batch = wait_for(client, created["id"], has_ended)
            assert batch["status"] == "cancelled"
            assert batch["cancelling_at"] <= batch["cancelled_at"]
            done = output_of(client, batch["output_file_id"])
            left = output_of(client, batch["error_file_id"])
    assert batch["request_counts"]["completed"] == len(done) < 60
    assert done.keys() | left.keys() == {f"r{number}" for number in range(60)}
    assert {one["error"]["code"] for one in left.values()} == {"batch_cancelled"}
    assert _creates(slow) == len(done)


def test_what_is_not_made_in_its_window_expires(
    slow: RunningServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.batches.batch._UNITS", {"m": 1, "h": 1, "d": 1})
    with serve(_config(slow, url, batch_concurrency=2)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(80))
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked(completion_window="2h")).json()
            batch = wait_for(client, created["id"], has_ended)
            assert batch["status"] == "expired"
            done = output_of(client, batch["output_file_id"])
            left = output_of(client, batch["error_file_id"])
    assert 0 < len(done) < 80
    assert len(done) + len(left) == 80
    assert {one["error"]["code"] for one in left.values()} == {"batch_expired"}


def test_a_spent_budget_pauses_the_batch(azure: RunningServer, url: str) -> None:
    config = _config(azure, url, batch_concurrency=1)
    poor = {"name": "poor", "key": OTHER, "owner": "poor", "budget": "0.000050"}
    config["virtual_keys"] = [poor]
    with serve(config) as gateway, open_tables(url) as tables:
        put_file(tables, requests(40), owner="poor")
        with gateway.client(OTHER) as client:
            created = client.post("/v1/batches", json=asked()).json()
            wait_for(client, created["id"], lambda b: b["request_counts"]["completed"] >= 1)
            time.sleep(1.5)
            first = client.get(f"/v1/batches/{created['id']}").json()
            time.sleep(1.0)
            second = client.get(f"/v1/batches/{created['id']}").json()
            assert first["status"] == "in_progress"
            assert first["request_counts"] == second["request_counts"]
            assert 0 < first["request_counts"]["completed"] < 40
            assert first["request_counts"]["failed"] == 0
            # The caller can still end it.
            client.post(f"/v1/batches/{created['id']}/cancel")
            assert wait_for(client, created["id"], has_ended)["status"] == "cancelled"


def test_the_limits_of_the_key_slow_the_batch_and_leave_it_room(
    azure: RunningServer, url: str
) -> None:
    config = _config(azure, url)
    watcher_key = "sk-watcher-0123456789-abcdef"
    config["virtual_keys"] = [
        {"name": "slow", "key": OTHER, "owner": "slow", "rpm": 10},
        {"name": "watcher", "key": watcher_key, "owner": "slow"},
    ]
    with serve(config) as gateway, open_tables(url) as tables:
        put_file(tables, requests(40), owner="slow")
        with gateway.client(OTHER) as client, gateway.client(watcher_key) as watcher:
            created = client.post("/v1/batches", json=asked()).json()
            # Reading a batch is a request of the key that reads.
            wait_for(watcher, created["id"], lambda b: b["request_counts"]["completed"] >= 8)
            time.sleep(1.0)
            batch = watcher.get(f"/v1/batches/{created['id']}").json()
            assert batch["request_counts"] == {"total": 40, "completed": 8, "failed": 0}
            # A fifth of the limit is left for the key's own calls.
            call = {"model": "chat", "input": "Reply with exactly: now"}
            assert client.post("/v1/responses", json=call).status_code == 200
            watcher.post(f"/v1/batches/{created['id']}/cancel")
            wait_for(watcher, created["id"], has_ended)


def test_a_deleted_input_file_ends_the_batch(slow: RunningServer, url: str) -> None:
    with serve(_config(slow, url, batch_concurrency=1)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(30), part=400)
        with gateway.client() as client:
            created = client.post("/v1/batches", json=asked()).json()
            wait_for(client, created["id"], lambda b: b["request_counts"]["completed"] >= 2)
            assert client.delete("/v1/files/file-input").json()["deleted"]
            batch = wait_for(client, created["id"], has_ended)
            assert batch["status"] == "failed"
            assert batch["errors"]["data"][0]["code"] == "input_modified"
            assert len(output_of(client, batch["output_file_id"])) >= 2


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "1y"}, "completion_window"),
        ({"metadata": [1]}, "metadata"),
        ({"input_file_id": 3}, "input_file_id"),
    ],
)
def test_an_invalid_batch_is_refused(
    azure: RunningServer, url: str, changes: dict[str, Any], param: str
) -> None:
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(1))
        with gateway.client() as client:
            refused = client.post("/v1/batches", json=asked(**changes))
            assert refused.status_code == 400
            assert refused.json()["error"]["param"] == param
            assert client.get("/v1/batches?limit=0").status_code == 400
            unknown = client.post("/v1/batches", json=asked(input_file_id="file-unknown"))
            assert unknown.status_code == 404
            assert client.delete("/v1/batches/batch_1").status_code == 405


def test_without_a_database_the_caller_is_told_what_is_missing(azure: RunningServer) -> None:
    with serve(config_of(azure.url, "a")) as gateway, gateway.client() as client:
        refused = client.post("/v1/batches", json=asked())
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "batches_not_available"
    assert "database_url" in refused.text


def _run_killed(config: dict[str, Any], folder: Path, tables: Any, count: int) -> str:
    """Start a batch in a process, and kill it with SIGKILL when some answers are there."""
    put_file(tables, requests(count))
    with run_process(config, folder) as (address, process):
        import httpx

        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            created = client.post("/v1/batches", json=asked()).json()
            wait_for(client, created["id"], lambda b: b["request_counts"]["completed"] >= 6)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    name: str = created["id"]
    return name


def test_a_killed_process_is_continued_by_another_and_no_result_is_made_again(
    slow: RunningServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(slow, database_url, batch_concurrency=3)
    with open_tables(database_url) as tables:
        name = _run_killed(config, tmp_path, tables, 40)
        before = {row: None for row in tables.done_lines(name)}
        assert 6 <= len(before) < 40
        # The claim of the killed process has still to end.
        tables.release(name, _claimer(tables, name))
        with serve(config) as gateway, gateway.client() as client:
            batch = wait_for(client, name, has_ended)
            assert batch["status"] == "completed"
            found = output_of(client, batch["output_file_id"])
    assert {key: text_of(one) for key, one in found.items()} == {
        f"r{number}": f"r{number}" for number in range(40)
    }
    # Only the three that were under way may have been made twice.
    assert 40 <= _creates(slow) <= 43


def _claimer(tables: Any, name: str) -> str:
    import sqlalchemy as sql

    from azure_responses.gateway.batch_schema import BATCHES

    with tables._database.read() as connection:
        found = sql.select(BATCHES.c.claimed_by).where(BATCHES.c.id == name)
        claimer: str = connection.scalar(found)
    return claimer


def test_two_replicas_never_run_one_batch_at_once(
    slow: RunningServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_runner, "_POLL", 0.05)
    config = _config(slow, database_url, batch_concurrency=2)
    with (
        serve(config) as one,
        serve(config) as two,
        open_tables(database_url) as tables,
        one.client() as client,
        two.client() as other,
    ):
        put_file(tables, requests(20))
        names = [client.post("/v1/batches", json=asked()).json()["id"] for _ in range(3)]
        for name in names:
            batch = wait_for(other, name, has_ended)
            assert batch["request_counts"] == {"total": 20, "completed": 20, "failed": 0}
            assert len(output_of(other, batch["output_file_id"])) == 20
    assert _creates(slow) == 60


def test_a_process_that_shuts_down_leaves_the_rest_to_another(
    slow: RunningServer, url: str
) -> None:
    config = _config(slow, url, batch_concurrency=2)
    with open_tables(url) as tables:
        put_file(tables, requests(30))
        with serve(config) as gateway, gateway.client() as client:
            name = client.post("/v1/batches", json=asked()).json()["id"]
            wait_for(client, name, lambda b: b["request_counts"]["completed"] >= 3)
        assert 3 <= len(tables.done_lines(name)) < 30
        with serve(config) as gateway, gateway.client() as client:
            batch = wait_for(client, name, has_ended)
    assert batch["request_counts"]["completed"] == 30
    assert _creates(slow) == 30


def _upload(client: Any, content: bytes, **fields: str) -> Any:
    files = {"file": ("q.jsonl", content)}
    return client.post("/v1/files", files=files, data={"purpose": "batch", **fields})


def test_an_uploaded_file_is_kept_listed_and_run(azure: RunningServer, url: str) -> None:
    lines = [json.dumps(each) for each in requests(2000)]
    lines[5] = json.dumps(line("long", body={"model": "chat", "input": "x" * 2_000_000}))
    content = "\n".join(lines).encode()
    with serve(_config(azure, url)) as gateway, gateway.client() as client:
        with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as caller:
            file = caller.files.create(file=("q.jsonl", content), purpose="batch")
            assert (file.bytes, file.filename) == (len(content), "q.jsonl")
            assert caller.files.content(file.id).content == content
            other = client.post("/v1/files", files={"file": b"x"}, data={"purpose": "assistants",
                                "model": "chat"}).json()  # fmt: skip
            # What is kept here and what is at a resource are one list.
            assert {one.id for one in caller.files.list(limit=1)} == {file.id, other["id"]}
            assert [one.id for one in caller.files.list(purpose="batch")] == [file.id]
        small = _upload(client, json.dumps(line("one")).encode(), **_lasting(86_400)).json()
        assert small["expires_at"] - small["created_at"] == 86_400
        created = client.post("/v1/batches", json=asked(input_file_id=small["id"])).json()
        batch = wait_for(client, created["id"], has_ended)
        assert set(output_of(client, batch["output_file_id"])) == {"one"}
    assert not any(request.operation == "batches" for request in azure.emulator.requests)


def _lasting(seconds: int) -> dict[str, str]:
    return {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(seconds)}


def test_an_upload_that_is_too_long_or_torn_leaves_nothing(
    azure: RunningServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_responses.gateway.input_files.MOST_BYTES", 1_000_000)
    with serve(_config(azure, url)) as gateway, gateway.client() as client:
        refused = _upload(client, b"x" * 1_100_000)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "file_too_large"
        assert _upload(client, b"{}", **_lasting(5)).status_code == 400
        head = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="q"\r\n\r\n{}'
        kind = {"content-type": "multipart/form-data; boundary=b"}
        torn = client.post("/v1/files", content=head + file, headers=kind)
        assert torn.status_code == 400
        assert client.get("/v1/files?purpose=batch").json()["data"] == []
    with open_tables(url) as tables:
        assert tables.list_files("master", 0.0) == []


def test_pages_of_batches_follow_each_other(azure: RunningServer, url: str) -> None:
    with serve(_config(azure, url)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(1))
        with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
            made = [
                client.batches.create(
                    input_file_id="file-input",
                    endpoint="/v1/responses",
                    completion_window="24h",
                ).id
                for _ in range(5)
            ]
            listed = [one.id for one in client.batches.list(limit=2)]
    assert sorted(listed) == sorted(made)


def test_a_key_gets_a_webhook_when_its_batch_has_ended(azure: RunningServer, url: str) -> None:
    secret = "whsec_" + "QUFB" * 11
    with site() as made:
        allowed = {"webhook_allow_http": True, "webhook_allow_private": True}
        hook = {"webhook_url": made.url, "webhook_secret": secret}
        with serve(_config(azure, url, **allowed, **hook)) as gateway, open_tables(url) as tables:
            put_file(tables, requests(2))
            with gateway.client() as client:
                batch = client.post("/v1/batches", json=asked()).json()
                deadline = time.monotonic() + 60
                while not made.received and time.monotonic() < deadline:
                    time.sleep(0.05)
    # At least once: a slow machine may answer too late.
    headers, body = made.received[0]
    event = unwrap(body, headers, secret, time.time())
    assert event.type == "batch.completed"
    assert json.loads(body)["data"] == {"id": batch["id"]}


def test_a_batch_leaves_half_of_the_places_to_other_calls(slow: RunningServer, url: str) -> None:
    places = {"max_concurrent_requests": 4, "batch_concurrency": 50}
    with serve(_config(slow, url, **places)) as gateway, open_tables(url) as tables:
        put_file(tables, requests(40))
        with gateway.client() as client:
            name = client.post("/v1/batches", json=asked()).json()["id"]
            wait_for(client, name, lambda b: b["request_counts"]["completed"] >= 2)
            # On a slow machine it takes a while until two calls are seen at the same time.
            seen: list[int] = []
            while len(seen) < 30 or (max(seen) < 2 and len(seen) < 1000):
                seen.append(gateway.app.gateway.concurrency.in_progress)
                time.sleep(0.01)
            call = {"model": "chat", "input": "Reply with exactly: now"}
            began = time.monotonic()
            assert client.post("/v1/responses", json=call).status_code == 200
            assert time.monotonic() - began < 2.0
            client.post(f"/v1/batches/{name}/cancel")
            wait_for(client, name, has_ended)
    assert max(seen) == 2
