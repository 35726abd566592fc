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

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Resource
from azure_responses.emulator.server import environment_lines, run
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
