"""The command as a whole: its exit codes."""

import subprocess
import sys

import pytest

from azure_responses.cli import main


@pytest.mark.parametrize("command", ["ask", "chat", "cost", "doctor", "emulate"])
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


def test_a_configuration_error_is_exit_code_2_with_its_hint(
    bare: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hi", "--endpoint", "ftp://r"]) == 2
    err = capsys.readouterr().err
    assert "error: " in err
    assert "hint: " in err
