"""The emulator in the foreground."""

import io
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.emulator import (
    Assumptions,
    BatchTiming,
    EmulatedDeployment,
    Emulator,
    Fault,
    Latency,
    ReadLag,
    Resource,
    WebSocketMode,
)
from azure_responses.emulator.server import (
    SettingsError,
    environment_lines,
    load_settings,
    read_settings,
    run,
)
from tests.emulator.callers import V1, event_types


def test_the_environment_lines_name_endpoint_key_and_deployment() -> None:
    one = environment_lines(Emulator(), "http://127.0.0.1:8080")
    assert one == [
        "export AZURE_OPENAI_ENDPOINT=http://127.0.0.1:8080",
        "export AZURE_OPENAI_API_KEY=emulator-key",
        "export AZURE_OPENAI_DEPLOYMENT=gpt-5-mini",
    ]
    several = environment_lines(Emulator([Resource("a"), Resource("b")]), "http://h")
    assert several[0] == "export AZURE_OPENAI_ENDPOINT=http://h/resources/a"


def test_an_interrupt_ends_it_cleanly() -> None:
    command = "from azure_responses.emulator.server import run; run(0)"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            endpoint = lines[1].strip().partition("=")[2]
            assert ask(endpoint).status_code == 200
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("configured", [True, False])
def test_run_prints_the_lines_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    import uvicorn

    config = tmp_path / "emulator.yaml"
    config.write_text("resources: [{name: mine, keys: [k]}]\n")
    served: list[uvicorn.Server] = []
    started = threading.Event()
    original = uvicorn.Server.run

    def remember(server: uvicorn.Server, sockets: Any = None) -> None:
        served.append(server)
        started.set()
        original(server, sockets)

    monkeypatch.setattr(uvicorn.Server, "run", remember)
    output = io.StringIO()
    options = {"config": str(config)} if configured else {}
    thread = threading.Thread(target=run, args=(0,), kwargs={"output": output, **options})
    thread.start()
    assert started.wait(10)
    while not served[0].started:
        assert thread.is_alive()
    served[0].should_exit = True
    thread.join(10)
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("# Azure emulator on http://127.0.0.1:")
    assert lines[1].startswith("export AZURE_OPENAI_ENDPOINT=http://127.0.0.1:")
    assert lines[2] == f"export AZURE_OPENAI_API_KEY={'k' if configured else 'emulator-key'}"


BODY = {"model": "gpt-4.1", "input": "Say hello", "stream": True}


def ask(url: str, timeout: float = 5.0, host: str | None = None, **options: Any) -> httpx.Response:
    headers = {"api-key": "emulator-key"} | ({"host": host} if host else {})
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        return client.post(V1, json={**BODY, **options}, timeout=timeout)


def test_a_served_emulator_answers_and_its_port_is_free_again_afterwards() -> None:
    emulator = Emulator()
    with emulator.serve() as server:
        reply = ask(server.url)
        assert event_types(reply)[-1] == "response.completed"
        assert "server" not in reply.headers
        port = server.port
    with pytest.raises(httpx.ConnectError):
        ask(f"http://127.0.0.1:{port}")
    with emulator.serve(port) as server:
        assert server.port == port


def test_what_serving_needs_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ModuleNotFoundError, match=r"uvicorn: pip install .*\[cli\]"):
        Emulator().serve().__enter__()


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with Emulator().serve() as server, pytest.raises(OSError, match="in use"):
        Emulator().serve(server.port).__enter__()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connect-refused", httpx.ReadError),
        ("reset-before-headers", httpx.ReadError),
        ("disconnect-before-headers", httpx.RemoteProtocolError),
        ("reset-during-headers", httpx.RemoteProtocolError),
        ("reset-after-headers", httpx.ReadError),
        ("reset-mid-body", httpx.ReadError),
        ("incomplete-body", httpx.RemoteProtocolError),
    ],
)
def test_broken_connections_really_break(kind: str, error: type[Exception]) -> None:
    emulator = Emulator()
    emulator.faults.add(Fault(kind))
    with emulator.serve() as server, pytest.raises(error) as caught:
        ask(server.url)
    assert caught.type is error


def test_a_stalled_stream_runs_into_the_callers_timeout() -> None:
    emulator = Emulator()
    emulator.faults.add(Fault("stall"))
    with emulator.serve() as server, pytest.raises(httpx.ReadTimeout):
        ask(server.url, 0.2)


def test_several_resources_are_reached_by_prefix_and_host() -> None:
    emulator = Emulator([Resource("a"), Resource("b", deployments=[EmulatedDeployment("only-b")])])
    with emulator.serve() as server:
        assert ask(server.url).status_code == 200
        assert ask(server.resource_url("b")).status_code == 404
        assert ask(server.resource_url("b"), model="only-b").status_code == 200
        assert ask(server.resource_url("c")).json()["error"]["message"] == "Resource not found"
    assert [entry.resource for entry in emulator.requests] == ["a", "b", "b", None]


def test_the_served_emulator_answers_under_the_names_it_is_told() -> None:
    emulator = Emulator([Resource("a")], allowed_hosts=["emulator.test"])
    with emulator.serve() as server:
        assert ask(server.url, host="emulator.test:80").status_code == 200
        assert ask(server.url, host="elsewhere.test:80").status_code == 403
    assert [request.host for request in emulator.requests] == ["emulator.test"]


def test_an_ipv6_loopback_works_where_there_is_one() -> None:
    try:
        with Emulator().serve(host="::1") as server:
            assert server.url.startswith("http://[::1]:")
            assert ask(server.url).status_code == 200
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")


WHOLE = """
seed: 7
clock: 1790000000
latency: {first_token: 0.3, tokens_per_second: 50}
read_lag: {median: 6}
assumptions: {accepts_message_status: false}
batch_timing: {validating: 60, per_line: 1}
indexing_seconds: 3
webhook_retries: [1, 5.5]
websocket: {lanes: true, api_key_header: true}
resources:
  - name: east
    keys: [one, two]
    region: East US 2
    deployments:
      - gpt-5
      - name: ptu
        model: gpt-5
        kind: provisioned
        spillover_to: gpt-5
        latency: {first_token: 0.1}
      - {name: batch, model: gpt-5, sku: GlobalBatch, enqueued_tokens: 1000}
  - name: open
faults:
  - {kind: http-429, operation: create, deployment: ptu, nth: 3, retry_after: 2}
"""


def test_everything_can_be_said_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text(WHOLE)
    settings = load_settings(path)
    assert settings.assumptions == Assumptions(accepts_message_status=False)
    east, opened = settings.resources or []
    assert (east.name, east.keys, opened.deployments) == ("east", ["one", "two"], None)
    assert east.deployments == [
        EmulatedDeployment("gpt-5"),
        EmulatedDeployment(
            "ptu", "gpt-5", "provisioned", spillover_to="gpt-5", latency=Latency(0.1)
        ),
        EmulatedDeployment("batch", "gpt-5", sku="GlobalBatch", enqueued_tokens=1000),
    ]
    assert settings.latency == Latency(0.3, 50)
    assert settings.read_lag == ReadLag(6)
    assert settings.batch_timing == BatchTiming(validating=60, per_line=1)
    assert (settings.indexing_seconds, settings.webhook_retries) == (3, [1, 5.5])
    emulator = settings.make_emulator()
    assert emulator.websocket == WebSocketMode(lanes=True, api_key_header=True)
    assert emulator.clock.now() == 1790000000
    assert list(emulator.faults) == [
        Fault("http-429", operation="create", deployment="ptu", nth=3, retry_after=2)
    ]


def test_a_file_can_make_the_default_resource_strict() -> None:
    emulator = read_settings({"strict_deployments": True}).make_emulator()
    assert emulator.resources[0].is_strict


def test_an_empty_file_is_the_default_emulator(tmp_path: Path) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text("")
    emulator = load_settings(path).make_emulator()
    assert emulator.resources[0].name == "emulator"
    assert not emulator.clock.is_frozen


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the file must be a mapping"),
        ({"resorces": []}, "the file: unknown key 'resorces'; known are: resources"),
        ({"resources": {}}, "resources must be a list"),
        ({"resources": [{}]}, r"resources\[0\]: .*'name'"),
        ({"resources": [{"name": "a", "key": "x"}]}, r"resources\[0\]: unknown key 'key'"),
        ({"resources": [{"name": "a", "deployments": 1}]}, r"deployments must be a list"),
        (
            {"resources": [{"name": "a", "deployments": [{"name": "d", "tpm": 1}]}]},
            r"resources\[0\]\.deployments\[0\]: unknown key 'tpm'",
        ),
        ({"resources": [], "strict_deployments": True}, "say it in each resource"),
        ({"resources": [{"name": "a", "keys": "one"}]}, r"resources\[0\]: keys is a list"),
        (
            {"resources": [{"name": "a", "deployments": [{"name": "d", "kind": "ptu"}]}]},
            r"deployments\[0\]: kind is one of standard, provisioned; got 'ptu'",
        ),
        ({"latency": {"first_token": -1}}, "latency: waits and jitter are 0 or more"),
        ({"faults": [{"kind": "no"}]}, r"faults\[0\]: unknown fault 'no'"),
        ({"latency": {"speed": 1}}, "latency: unknown key 'speed'"),
        ({"seed": "x"}, "seed must be a number, not 'x'"),
        ({"clock": True}, "clock must be a number"),
        ({"indexing_seconds": "3"}, "indexing_seconds must be a number, not '3'"),
        ({"webhook_retries": [1, "2"]}, "webhook_retries must be numbers"),
        ({"webhook_retries": 1}, "webhook_retries must be a list"),
        ({"websocket": {"seconds": 0}}, "websocket: seconds is more than 0"),
        ({"websocket": {"lane": 1}}, "websocket: unknown key 'lane'"),
        ({"batch_timing": {"per_line": -1}}, "batch_timing: the waits of a batch are 0 or more"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(data: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(data)


@pytest.mark.parametrize(("text", "message"), [("a: [", "is not YAML"), ("a: 1", "unknown key")])
def test_the_file_is_named_too(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "emulator.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"emulator.yaml.*{message}"):
        load_settings(path)
