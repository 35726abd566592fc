"""Calls that show what is wrong with a deployment: `/health` and `serve --check --live`."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from azure_responses.cli import main
from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.emulator.server import RunningServer
from tests.gateway.gateways import KEY, Running, serve

OTHER = "sk-ann-0123456789-abcdef"


@pytest.fixture
def emulator() -> Emulator:
    models = {
        "gpt": "gpt-5-mini",
        "kimi": "Kimi-K2.5",
        "claude": "claude-sonnet-4-5",
        "embed": "text-embedding-3-small",
    }
    deployments = [EmulatedDeployment(name, model=model) for name, model in models.items()]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])


@pytest.fixture
def azure(emulator: Emulator) -> Iterator[RunningServer]:
    with emulator.serve() as server:
        yield server


def entry(azure: RunningServer, model: str, info: Any = None, **params: Any) -> dict[str, Any]:
    return {
        "model_name": params.pop("name", model),
        "litellm_params": {
            "model": f"azure/{model}",
            "api_base": f"{azure.url}/resources/east",
            "api_key": "key-of-east",
            **params,
        },
        "model_info": {"id": f"id-{model}", **(info or {})},
    }


def config(*entries: Any, **general: Any) -> dict[str, Any]:
    return {
        "model_list": list(entries),
        "general_settings": {"master_key": KEY, **general},
        "virtual_keys": [{"name": "ann", "key": OTHER}],
    }


def health(running: Running, key: str | None = KEY, query: str = "") -> dict[str, Any]:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    reply = httpx.get(f"{running.url}/health{query}", headers=headers, timeout=30)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_each_api_is_called_once_and_cheaply(azure: RunningServer, emulator: Emulator) -> None:
    entries = [entry(azure, name) for name in ("gpt", "kimi", "embed")]
    entries.append(entry(azure, "claude", {"base_model": "claude-sonnet-4-5"}))
    with serve(config(*entries)) as running:
        found = health(running)
        assert found["unhealthy_endpoints"] == []
        assert found["healthy_count"] == 4
        assert len(emulator.requests) == 4
        # The results are kept.
        assert health(running)["healthy_endpoints"] == found["healthy_endpoints"]
        assert len(emulator.requests) == 4
    limits = [request.json() for request in emulator.requests]
    assert all(
        body.get("max_output_tokens") or body.get("max_tokens") or body.get("max_completion_tokens")
        for body in limits
        if "input" not in body or "store" in body
    )


def test_what_is_wrong_is_said_of_each(azure: RunningServer, emulator: Emulator) -> None:
    entries = [
        entry(azure, "gpt", name="one"),
        entry(azure, "gpt", {"id": "key"}, name="two", api_key="wrong"),
        entry(azure, "missing", name="one"),
        entry(azure, "gpt", {"id": "gone"}, name="three", api_base="http://127.0.0.1:9"),
    ]
    with serve(config(*entries)) as running:
        found = health(running)
        assert [one["model_id"] for one in found["healthy_endpoints"]] == ["id-gpt"]
        wrong = {one["model_id"]: one for one in found["unhealthy_endpoints"]}
        assert set(wrong) == {"key", "id-missing", "gone"}
        assert wrong["key"]["status"] == 401
        assert "Keys and Endpoint" in wrong["key"]["hint"]
        assert wrong["id-missing"]["status"] == 404
        assert "connection failed" in wrong["gone"]["error"]
        one = health(running, query="?model=one")
        assert (one["healthy_count"], one["unhealthy_count"]) == (1, 1)
        # Nothing of the checks counts for the callers' own routing.
        assert not any(is_out for _, is_out in running.app.gateway.cooling())


@pytest.mark.parametrize("key", [None, OTHER, "sk-unknown-0123456789"])
def test_only_the_master_key_has_deployments_called(
    key: str | None, azure: RunningServer, emulator: Emulator
) -> None:
    with serve(config(entry(azure, "gpt"))) as running:
        assert set(health(running, key)) == {"status", "db", "state"}
    assert not emulator.requests


def test_what_no_cheap_call_exists_for_is_skipped(azure: RunningServer, emulator: Emulator) -> None:
    entries = [
        entry(azure, "gpt", {"mode": "image_generation", "id": "mode"}),
        entry(azure, "gpt-image-1"),
        entry(azure, "*", name="*"),
        entry(azure, "gpt", {"id": "batch"}, batch=True, name="b"),
    ]
    with serve(config(*entries)) as running:
        found = health(running)
    assert found["skipped_count"] == 4
    assert "image_generation" in found["skipped_endpoints"][0]["note"]
    assert {request.method for request in emulator.requests} == {"GET"}


def test_a_deployment_at_its_limit_is_healthy(azure: RunningServer, emulator: Emulator) -> None:
    emulator.faults.add(Fault("http-429"))
    with serve(config(entry(azure, "gpt"))) as running:
        (one,) = health(running)["healthy_endpoints"]
    assert one["status"] == 429
    assert "limit" in one["note"]


def test_details_can_be_left_out(azure: RunningServer) -> None:
    bad = entry(azure, "gpt", api_key="wrong")
    with serve(config(bad, health_check_details=False)) as running:
        (one,) = health(running)["unhealthy_endpoints"]
    assert not {"error", "host"} & one.keys()


def test_checks_in_the_background_take_deployments_out(
    azure: RunningServer, emulator: Emulator
) -> None:
    entries = [entry(azure, "gpt"), entry(azure, "gpt", {"id": "bad"}, api_key="wrong")]
    general = {"background_health_checks": True, "enable_health_check_routing": True}
    with serve(config(*entries, **general, health_check_interval=60)) as running:
        deadline = time.monotonic() + 10
        while dict(running.app.gateway.cooling()) != {"id-gpt": False, "bad": True}:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with running.client() as client:
            body = {"model": "gpt", "input": "hi"}
            replies = [client.post("/v1/responses", json=body) for _ in range(4)]
    assert {reply.headers["x-litellm-model-id"] for reply in replies} == {"id-gpt"}


def test_the_command_calls_each_deployment(
    azure: RunningServer, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config(entry(azure, "gpt"))))
    assert main(["serve", "--check", "--live", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "healthy: gpt (gpt at 127.0.0.1, id id-gpt)" in shown
    path.write_text(yaml.safe_dump(config(entry(azure, "gpt"), entry(azure, "missing"))))
    assert main(["serve", "--check", "--live", "--config", str(path)]) == 2
    shown = capsys.readouterr().out
    assert "unhealthy: missing" in shown
    assert "2 deployments, 1 failure" in shown


def test_live_without_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--live"]) == 2
    assert "--check" in capsys.readouterr().err
