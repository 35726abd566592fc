"""The gateway as a process: it starts, drains on SIGTERM without cutting anything, and ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from azure_responses.emulator import Latency
from azure_responses.gateway.uvicorn_server import listen
from tests.gateway.gateways import KEY, config_of, run_process
from tests.openai_server.servers import make_emulator

BODY = {"model": "chat", "input": "[[azure:length:60]]", "stream": True}
HEADERS = {"api-key": KEY}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


def _slow(tokens_per_second: float = 30.0) -> Any:
    return make_emulator(latency=Latency(first_token=0.1, tokens_per_second=tokens_per_second))


def _read_streams(url: str, count: int) -> tuple[list[threading.Thread], list[str]]:
    texts: list[str] = []
    started = threading.Barrier(count + 1)

    def read() -> None:
        with httpx.stream(
            "POST", f"{url}/v1/responses", json=BODY, headers=HEADERS, timeout=60
        ) as reply:
            pieces = reply.iter_text()
            first = next(pieces)
            started.wait(30)
            texts.append(first + "".join(pieces))

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    started.wait(30)
    return threads, texts


def _last_event(text: str) -> dict[str, Any]:
    line = text.rstrip("\n").rpartition("\n")[2]
    event: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return event


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_cuts_nothing(tmp_path: Path, workers: int) -> None:
    emulator = _slow()
    with emulator.serve() as server:
        config = config_of(server.url, "east", "west")
        with run_process(config, tmp_path, "--workers", str(workers)) as (url, process):
            threads, texts = _read_streams(url, 4)
            process.send_signal(signal.SIGTERM)
            if workers == 1:
                _await_refusal(url)
            for thread in threads:
                thread.join(40)
            assert process.wait(20) == 0
    assert len(texts) == 4
    assert {_last_event(text)["type"] for text in texts} == {"response.completed"}


def _await_refusal(url: str) -> None:
    """While it drains, readiness and new calls are told so, and liveness is not."""
    deadline = time.monotonic() + 5
    while httpx.get(f"{url}/health/readiness").status_code != 503:
        assert time.monotonic() < deadline
    assert httpx.get(f"{url}/health/liveliness").status_code == 200
    refused = httpx.post(f"{url}/v1/responses", json=BODY, headers=HEADERS)
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "shutting_down"
    assert refused.headers["connection"] == "close"


def test_a_stream_longer_than_the_drain_is_told_why_it_ends(tmp_path: Path) -> None:
    emulator = _slow(2.0)
    with emulator.serve() as server:
        config = config_of(server.url, "east", drain_timeout=0.5)
        with run_process(config, tmp_path) as (url, process):
            threads, texts = _read_streams(url, 1)
            process.send_signal(signal.SIGTERM)
            threads[0].join(20)
            assert process.wait(20) == 0
    assert _last_event(texts[0])["code"] == "shutting_down"


def test_ctrl_c_which_reaches_every_worker_cuts_nothing_either(tmp_path: Path) -> None:
    with _slow().serve() as server:
        config = config_of(server.url, "east", "west")
        with run_process(config, tmp_path, "--workers", "2") as (url, process):
            threads, texts = _read_streams(url, 4)
            os.killpg(process.pid, signal.SIGINT)
            for thread in threads:
                thread.join(40)
            assert process.wait(20) == 0
    assert [_last_event(text)["type"] for text in texts] == ["response.completed"] * 4


def _workers_of(process: "subprocess.Popen[str]") -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not listed.exists():
        pytest.skip("the children of a process are not listed here")
    commands = {int(n): Path(f"/proc/{n}/cmdline").read_bytes() for n in listed.read_text().split()}
    return [number for number, command in commands.items() if b"spawn_main" in command]


def test_what_a_dead_worker_had_in_progress_is_over(tmp_path: Path) -> None:
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    config = config_of("http://127.0.0.1:9", "east")
    with run_process(config, tmp_path, "--workers", "2", environment=environment) as (_, process):
        number = _workers_of(process)[0]
        gauge = tmp_path / f"gauge_livesum_{number}.db"
        _await(gauge.exists)
        os.kill(number, signal.SIGKILL)
        _await(lambda: "is replaced" in (tmp_path / "stderr").read_text())
        _await(lambda: not gauge.exists())


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_gateway_told_to_stop_while_it_replaces_a_worker_stops(tmp_path: Path) -> None:
    config = config_of("http://127.0.0.1:9", "east")
    with run_process(config, tmp_path, "--workers", "2") as (url, process):
        httpx.get(f"{url}/health/liveness", timeout=60)
        os.kill(_workers_of(process)[0], signal.SIGKILL)
        _await(lambda: "is replaced" in (tmp_path / "stderr").read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_workers_that_could_never_start_are_not_started(tmp_path: Path) -> None:
    config = config_of("http://127.0.0.1:9", "east", spend_log=str(tmp_path / "none" / "x.jsonl"))
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config))
    done = _run("--config", str(path), "--port", "0", "--workers", "2")
    assert done.returncode == 2
    assert "spend log" in done.stderr
    assert "RUNNING" not in done.stdout


def test_workers_share_a_port_and_their_metrics(tmp_path: Path) -> None:
    emulator = make_emulator()
    with emulator.serve() as server:
        config = config_of(server.url, "east", "west")
        with run_process(config, tmp_path, "--workers", "2") as (url, _):
            for _call in range(12):
                # A connection each, so that both have their share.
                body = {**BODY, "stream": False}
                assert (
                    httpx.post(
                        f"{url}/v1/responses", json=body, headers=HEADERS, timeout=60
                    ).status_code
                    == 200
                )
            text = httpx.get(f"{url}/metrics").text
    counts = [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("azure_responses_calls_total")
    ]
    assert sum(counts) == 12


def test_a_gateway_over_the_emulator_needs_no_configuration(tmp_path: Path) -> None:
    environment = {"AZURE_OPENAI_ENDPOINT": "", "AZURE_RESPONSES_MASTER_KEY": KEY}
    with run_process(None, tmp_path, "--emulator", environment=environment) as (url, process):
        body = {"model": "gpt-5-mini", "input": "Say hello"}
        assert httpx.post(f"{url}/v1/responses", json=body).status_code == 401
        # The first call of a process loads what it needs, which takes a busy machine a while.
        found = httpx.post(f"{url}/v1/responses", json=body, headers=HEADERS, timeout=60)
        assert found.json()["status"] == "completed"
        listed = httpx.get(f"{url}/v1/models", headers=HEADERS).json()["data"]
        assert {"gpt-5-mini", "gpt-4.1"} <= {model["id"] for model in listed}
        body["model"] = "a-name-of-our-own"
        found = httpx.post(f"{url}/v1/responses", json=body, headers=HEADERS)
        assert found.json()["status"] == "completed"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    log = (tmp_path / "stderr").read_text()
    assert "create - gpt-5-mini: 200" in log
    assert KEY not in log
    assert "Traceback" not in log


def test_log_lines_may_be_objects(tmp_path: Path) -> None:
    emulator = make_emulator()
    with emulator.serve() as server:
        config = config_of(server.url, "east")
        config["litellm_settings"] = {"json_logs": True}
        with run_process(config, tmp_path) as (url, _):
            body = {**BODY, "stream": False}
            httpx.post(f"{url}/v1/responses", json=body, headers=HEADERS)
            httpx.post(f"{url}/v1/responses", json={**body, "made_up": 1}, headers=HEADERS)
    lines = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
    assert [line["record"] for line in lines] == [
        "azure_responses.call",
        "azure_responses.operation",
    ]
    assert lines[0]["key_id"] == "master"
    assert float(lines[0]["cost"]) > 0
    assert lines[1]["http_status"] == 400


def test_callers_cannot_write_lines_of_their_own_into_the_log(tmp_path: Path) -> None:
    message = {"role": "user", "content": "x", "a\n2026-01-01 forged": 1, "name": "x\ny"}
    body = {"user": "u\nforged", "messages": [message]}
    with (
        make_emulator().serve() as server,
        run_process(config_of(server.url, "east"), tmp_path) as (url, _),
    ):
        for model in ("chat", "chat\nforged"):
            headers = {**HEADERS, "x-request-id": "forged"}
            httpx.post(f"{url}/v1/chat/completions", json={**body, "model": model}, headers=headers)
        address = urlsplit(url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(b"forged\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert lines
    assert all(re.match(r"[\d-]{10} [\d:,]+ INFO (chat|refused) ", line) for line in lines)


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "azure_responses", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_strangers_are_kept_out(tmp_path: Path) -> None:
    config = config_of("https://r.openai.azure.com", "east")
    for key in (None, "sk-1234"):
        config["general_settings"]["master_key"] = key
        path = tmp_path / "config.yaml"
        path.write_text(json.dumps(config))
        done = _run("--config", str(path), "--host", "0.0.0.0", "--port", "0")
        assert done.returncode == 2
        assert "Refusing to listen" in done.stderr


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    emulator = make_emulator()
    with (
        emulator.serve() as server,
        run_process(config_of(server.url, "east"), tmp_path) as (url, _),
    ):
        port = url.rpartition(":")[2]
        done = _run("--config", str(tmp_path / "config.yaml"), "--port", port)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr


def test_short_events_wait_for_no_other() -> None:
    # asyncio turns Nagle's algorithm off for sockets that name their protocol.
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
