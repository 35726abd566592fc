"""`azure-responses doctor`, run as a user runs it."""

import io
import json
from pathlib import Path

import pytest

from azure_responses.cli import main
from azure_responses.emulator import Emulator, Fault
from azure_responses.emulator.server import RunningServer
from tests.cli.pseudo_terminal import PseudoTerminal


def test_a_resource_that_answers_passes_and_is_exit_code_0(
    served: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("✓ endpoint     POST http://127.0.0.1:")
    assert any(line.startswith("– tls          skipped: plain http") for line in lines)
    assert any(line.startswith("✓ call         first token after") for line in lines)
    assert lines[-1].startswith("nothing is wrong (request id ")
    assert captured.err == ""
    assert "\x1b" not in captured.out


def test_a_failure_stands_above_its_fix_and_is_exit_code_1(
    served: RunningServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "0123456789abcdef")
    assert main(["doctor", "--endpoint", served.url, "--deployment", "gpt-4o"]) == 1
    lines = capsys.readouterr().out.splitlines()
    number = next(index for index, line in enumerate(lines) if line.startswith("✗ credential"))
    assert lines[number + 1].strip().startswith("fix: The key does not belong to this endpoint")
    assert lines[-1].startswith("failed: credential")
    assert "0123456789abcdef" not in "".join(lines)


def test_a_url_nobody_can_use_is_a_finding_too(
    bare: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--endpoint", "https://portal.azure.com/resource"]) == 1
    out = capsys.readouterr().out
    assert "✗ endpoint" in out
    assert out.endswith("failed: endpoint\n")


def test_advice_is_no_failure(served: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--api-version", "2024-05-01-preview"]) == 0
    assert "note: api_version '2024-05-01-preview' is older" in capsys.readouterr().out


def test_without_an_endpoint_the_emulator_is_examined_and_named(
    bare: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    assert "embedded emulator" in captured.err
    assert "'gpt-5-mini' exists" in captured.out


def test_json_is_for_a_ticket_and_holds_no_secret(
    served: RunningServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = served.emulator.issuer.mint(lifetime=-60)
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", token)
    assert main(["doctor", "--json"]) == 1
    out = capsys.readouterr().out
    ticket = json.loads(out)
    assert ticket["ok"] is False
    (failure,) = [finding for finding in ticket["findings"] if finding["ok"] is False]
    assert failure["name"] == "credential"
    assert "expired" in failure["detail"]
    assert token not in out
    assert token.split(".")[1] not in out


@pytest.mark.parametrize("as_file", [False, True])
def test_a_call_that_fails_is_examined_by_its_parameters(
    served: RunningServer, capsys: pytest.CaptureFixture[str], tmp_path: Path, as_file: bool
) -> None:
    given = json.dumps({"temperature": 0.1, "model": "o3"})
    if as_file:
        path = tmp_path / "request.json"
        path.write_text(given, encoding="utf-8")
        given = f"@{path}"
    assert main(["doctor", "--parameters", given]) == 1
    out = capsys.readouterr().out
    assert "✗ call" in out
    assert "fix: Reasoning models take neither temperature nor top_p" in out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "cannot be read"),
        ("@/no/such/file", "cannot be read"),
        ("[1]", "not a JSON object"),
        ('{"temprature": 1}', "temprature"),
    ],
)
def test_parameters_that_cannot_be_used_are_wrong_usage(
    served: RunningServer, capsys: pytest.CaptureFixture[str], given: str, words: str
) -> None:
    assert main(["doctor", "--parameters", given]) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--nonsense"])
    assert caught.value.code == 2


def test_a_terminal_without_the_marks_gets_words(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.emulator.faults.add(Fault("http-400"))
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["doctor"]) == 1
    text = raw.getvalue().decode("ascii")
    assert "ok   endpoint" in text
    assert "skip tls" in text
    assert "FAIL call" in text


def test_a_terminal_is_coloured_and_told_that_it_takes_a_moment() -> None:
    emulator = Emulator()
    with (
        emulator.serve() as server,
        PseudoTerminal(
            "doctor", "-m", "gpt-4.1", endpoint=server.url, key=emulator.api_key
        ) as screen,
    ):
        code, text = screen.wait()
    assert code == 0
    assert "examining" in text
    assert "\x1b[32m✓\x1b[0m endpoint" in text
    assert "\x1b[2m–\x1b[0m tls" in text


def test_control_sequences_in_a_reply_are_not_obeyed(
    served: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor", "--deployment", "evil\x1b[31m"])
    assert "\x1b" not in capsys.readouterr().out
