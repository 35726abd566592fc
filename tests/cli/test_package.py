"""The command as a whole: its exit codes."""

import os
import subprocess
import sys
import warnings
from typing import Any

import pytest

from azure_responses.cli import main, servers


@pytest.mark.parametrize("command", ["ask", "chat", "cost", "doctor", "emulate", "keys", "serve"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"azure-responses {command}" in capsys.readouterr().out


def test_wrong_usage_is_exit_code_2() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "azure_responses", "nonsense"], capture_output=True, text=True
    )
    assert process.returncode == 2
    assert "nonsense" in process.stderr


def test_a_warning_is_a_line_without_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn(arguments: Any) -> int:
        warnings.warn("That is old.", stacklevel=1)
        return 0

    monkeypatch.setattr(servers, "serve_emulator", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["emulate"]) == 0
    assert capsys.readouterr().err == "warning: That is old.\n"


def test_a_configuration_error_is_exit_code_2_with_its_hint(
    bare: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hi", "--endpoint", "ftp://r"]) == 2
    err = capsys.readouterr().err
    assert "error: " in err
    assert "hint: " in err


def test_a_missing_credential_is_an_error_and_no_page_of_log() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    # Asked for first, so that nothing is looked for on the network.
    environment = {**kept, "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    arguments = ["ask", "hi", "-m", "d", "--endpoint", "https://r.openai.azure.com"]
    process = subprocess.run(
        [sys.executable, "-m", "azure_responses", *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert process.returncode == 2
    assert process.stderr.startswith("error: No token could be fetched")
    assert "Attempted credentials" not in process.stderr
