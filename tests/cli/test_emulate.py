"""`azure-responses emulate`, run as a user runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from azure_responses import AzureResponses
from azure_responses.cli import main


def _read_environment(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = {}
    while len(found) < 3:
        line = process.stdout.readline()
        assert line, "the emulator ended before it said where it is"
        match = re.fullmatch(r"export (\w+)=(\S+)\s*", line)
        if match:
            found[match[1]] = match[2]
    return found


def _start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "azure_responses", "emulate", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def _stop(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    return err


def test_the_printed_environment_is_all_a_client_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    process = _start()
    try:
        for name, value in _read_environment(process).items():
            monkeypatch.setenv(name, value)
        with AzureResponses() as client:
            response = client.responses.create(input="Reply with exactly: pong")
        assert response.output_text == "pong"
        # README's first command, with what `emulate` printed.
        assert main(["ask", "Reply with exactly: pong"]) == 0
    finally:
        err = _stop(process)
    assert "Traceback" not in err


def test_an_interrupt_at_any_moment_ends_it() -> None:
    process = _start()
    assert process.stdout is not None
    # The line before the server listens for interrupts itself.
    assert process.stdout.readline().startswith("# Azure emulator on ")
    assert "Traceback" not in _stop(process)


def test_a_configuration_file_shapes_the_resources(tmp_path: Path) -> None:
    config = tmp_path / "emulator.yaml"
    config.write_text(
        "resources:\n  - name: contoso\n    keys: [first-key]\n    deployments: [{name: mine}]\n"
    )
    process = _start("--config", str(config))
    try:
        environment = _read_environment(process)
        assert environment["AZURE_OPENAI_API_KEY"] == "first-key"
        assert environment["AZURE_OPENAI_DEPLOYMENT"] == "mine"
    finally:
        _stop(process)


def test_a_key_the_configuration_does_not_have_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "emulator.yaml"
    config.write_text("resorces: []\n")
    assert main(["emulate", "--config", str(config)]) == 2
    assert "resorces" in capsys.readouterr().err


def test_a_port_that_is_taken_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["emulate", "--port", str(port)]) == 2
    err = capsys.readouterr().err
    assert "cannot start" in err
    assert "--port 0" in err


def test_a_port_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", "--port", "99999"]) == 2
    err = capsys.readouterr().err
    assert "0-65535" in err
    assert "--port 0" in err


def test_a_configuration_that_is_not_there_says_nothing_of_ports(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["emulate", "--config", "nowhere.yaml"]) == 2
    err = capsys.readouterr().err
    assert "nowhere.yaml" in err
    assert "--port" not in err
