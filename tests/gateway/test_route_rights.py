"""Whatever part of the gateway answers a route, the rights of the key are checked first."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.protocol.object_table import SERVED_OPERATIONS
from azure_responses.protocol.operation_table import APIOperation
from tests.gateway.batch_files import line, open_tables, put_file, requests
from tests.gateway.gateways import Running, config_of, serve

MODELS_ONLY = "sk-models-only-0123456789-abcdef"
FILES_ONLY = "sk-files-only-0123456789-abcdef"
NO_CHAT = "sk-no-chat-0123456789-abcdef"
TWICE = "sk-twice-0123456789-abcdef"
CREATE = {"endpoint": "/v1/responses", "completion_window": "24h", "input_file_id": "file-input"}
ROWS = [row for row in SERVED_OPERATIONS.values() if not row.path.startswith("/models")]


@pytest.fixture
def azure() -> Iterator[RunningServer]:
    with Emulator([Resource(name, keys=[f"key-of-{name}"]) for name in "ab"]).serve() as running:
        yield running


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def gateway(azure: RunningServer, url: str) -> Iterator[Running]:
    config = config_of(azure.url, "a", "b", database_url=url, metrics=True)
    config["virtual_keys"] = [
        {"name": "m", "key": MODELS_ONLY, "owner": "master", "allowed_routes": "/v1/models"},
        {"name": "f", "key": FILES_ONLY, "owner": "master", "allowed_routes": "/v1/files"},
        {"name": "n", "key": NO_CHAT, "owner": "master", "models": ["other"]},
        {"name": "t", "key": TWICE, "owner": "master", "rpm": 2},
    ]
    with serve(config) as running, open_tables(url) as tables:
        put_file(tables, requests(2))
        yield running


def _send(client: httpx.Client, row: APIOperation, prefix: str = "/v1") -> httpx.Response:
    """A request of a row, about the file that the gateway keeps where it is about a file."""
    path = row.path
    for name in row.variables:
        path = path.replace(f"{{{name}}}", "file-input" if name == "file_id" else "chat")
    content: dict[str, Any] = {}
    if row.is_form:
        content = {"data": {"purpose": "batch"}, "files": {"file": ("q.jsonl", b"x" * 3_000_000)}}
    elif row.method == "POST":
        content = {"json": {"model": "chat", **CREATE}}
    return client.request(row.method, prefix + path, **content)


@pytest.mark.parametrize("prefix", ["/v1", "", "/openai/v1"])
def test_a_key_without_a_route_gets_the_same_403_on_every_operation(
    azure: RunningServer, gateway: Running, prefix: str
) -> None:
    with gateway.client(MODELS_ONLY) as client:
        for row in ROWS:
            reply = _send(client, row, prefix)
            shown = reply.json()["error"]
            code = shown.get("code", "route_not_allowed")
            assert (reply.status_code, code) == (403, "route_not_allowed"), row.name
            assert f"does not allow {row.method} {row.path}." in shown["message"]
        assert client.get("/v1/models").status_code == 200
    assert not list(azure.emulator.requests)
    with gateway.client() as client:
        assert client.get("/v1/files/file-input").status_code == 200


def test_a_gateway_without_a_route_refuses_it_to_all_keys(azure: RunningServer, url: str) -> None:
    config = config_of(azure.url, "a", database_url=url, allowed_routes=["/responses"])
    with serve(config) as gateway, open_tables(url) as tables, gateway.client() as client:
        put_file(tables, requests(2))
        for row in ROWS:
            if row.collection:
                assert _send(client, row).status_code == 403, row.name


@pytest.mark.parametrize(
    "path", ["/v1/batches/", "/v1/batches/x/cancel/", "/v1/files/", "/v1//files", "/V1/files"]
)
def test_other_spellings_of_a_path_are_answered_to_no_key(gateway: Running, path: str) -> None:
    with gateway.client(FILES_ONLY) as limited, gateway.client() as master:
        for method in ("GET", "POST", "DELETE"):
            assert master.request(method, path).status_code in (404, 405)
            assert limited.request(method, path).status_code in (403, 404, 405)


def test_a_key_of_files_begins_no_batch(gateway: Running) -> None:
    with gateway.client(FILES_ONLY) as client:
        assert client.get("/v1/files/file-input/content").status_code == 200
        assert client.post("/v1/batches", json=CREATE).status_code == 403
        assert client.get("/v1/batches").status_code == 403


def test_a_key_without_the_model_neither_uploads_nor_begins_a_batch_of_it(
    gateway: Running,
) -> None:
    content = json.dumps(line("1")).encode()
    with gateway.client(NO_CHAT) as client:
        refused = client.post("/v1/batches", json=CREATE)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "key_model_access_denied"
        form: dict[str, Any] = {"data": {"purpose": "batch"}, "files": {"file": ("q", content)}}
        refused = client.post("/v1/files", **form)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "key_model_access_denied"
        assert client.get("/v1/batches").json()["data"] == []


def test_requests_about_batches_and_kept_files_count_against_the_limit(gateway: Running) -> None:
    with gateway.client(TWICE) as client:
        assert client.get("/v1/files/file-input").status_code == 200
        assert client.get("/v1/batches").status_code == 200
        for path in ("/v1/files/file-input", "/v1/batches", "/v1/files"):
            refused = client.get(path)
            assert refused.status_code == 429
            assert "retry-after" in refused.headers
        assert _send(client, SERVED_OPERATIONS["files.create"]).status_code == 429
        assert client.post("/v1/batches", json=CREATE).status_code == 429


def test_a_request_that_the_router_answers_is_counted_once(gateway: Running) -> None:
    with gateway.client(TWICE) as client:
        assert client.get("/v1/files?purpose=assistants").status_code == 200
        # One that cannot be read is not counted.
        assert client.get("/v1/files/file-unknown").status_code in (400, 404)
        assert client.get("/v1/files?purpose=assistants").status_code == 200
        assert client.get("/v1/files?purpose=assistants").status_code == 429


def test_uploads_and_batches_that_the_gateway_answers_are_recorded(gateway: Running) -> None:
    content = json.dumps(line("1")).encode()
    form: dict[str, Any] = {"data": {"purpose": "batch"}, "files": {"file": ("q.jsonl", content)}}
    with gateway.client() as client:
        assert client.post("/v1/files", **form).status_code == 200
        assert client.post("/v1/batches", json=CREATE).status_code == 200
        assert client.get("/v1/files/file-input/content").status_code == 200
        text = client.get("/metrics").text
    for operation in ("files.create", "batches.create", "files.content"):
        assert f'operation="{operation}",status="200"' in text
