"""The emulator in the foreground."""

import io
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from azure_responses.emulator import Emulator, Resource
from azure_responses.emulator.server import environment_lines, run
from tests.emulator.test_loopback import ask


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
