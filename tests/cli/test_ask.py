"""`azure-responses ask`, run as a user runs it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from azure_responses.cli import main
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.version import __version__

_STORY = "Tell me a three sentence bedtime story about a unicorn."


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith("AZURE_") or variable == "OPENAI_API_VERSION":
            monkeypatch.delenv(variable)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A served emulator that the environment points to."""
    with RunningServer(Emulator()) as running:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", running.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", running.emulator.api_key)
        monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")
        yield running


def test_without_configuration_the_embedded_emulator_answers_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ask", _STORY]) == 0
    captured = capsys.readouterr()
    assert captured.out.count(".") == 3
    assert "unicorn" in captured.out
    assert "emulator" in captured.err


def test_with_an_endpoint_the_answer_comes_from_there(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "Reply with exactly: pong"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "pong\n"
    assert captured.err == ""
    assert len(list(server.emulator.requests)) == 1


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_both_ways_of_printing_print_the_same(
    server: RunningServer, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["ask", "Reply with exactly: pong", option]) == 0
    assert capsys.readouterr().out == "pong\n"


def test_json_prints_the_whole_response(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "Reply with exactly: pong", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "completed"


def test_streamed_json_prints_an_event_a_line(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hi", "--json", "--stream"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "-"]])
def test_the_prompt_may_come_from_standard_input(
    server: RunningServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Reply with exactly: pong\n"))
    assert main(arguments) == 0
    assert capsys.readouterr().out == "pong\n"


def test_an_empty_prompt_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    assert main(["ask"]) == 2
    assert "empty" in capsys.readouterr().err


def test_a_terminal_without_a_prompt_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert main(["ask"]) == 2
    assert "No prompt" in capsys.readouterr().err


def test_the_model_instructions_and_length_are_passed_on(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["ask", "Count from 1 to 900.", "-m", "gpt-4o", "--max-output-tokens", "16"])
    captured = capsys.readouterr()
    assert code == 0
    assert "incomplete: max_output_tokens" in captured.err
    assert main(["ask", "hello there", "--instructions", "Reply in uppercase."]) == 0
    text = capsys.readouterr().out
    assert text == text.upper()


def test_a_refusal_of_the_service_shows_message_hint_and_request_id(
    server: RunningServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "wrong")
    assert main(["ask", "hi"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: 401" in captured.err
    assert "hint: " in captured.err
    assert "request id: " in captured.err
    assert "Traceback" not in captured.err


def test_wrong_configuration_is_exit_code_2(
    server: RunningServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_DEPLOYMENT")
    assert main(["ask", "hi"]) == 2
    assert "AZURE_OPENAI_DEPLOYMENT" in capsys.readouterr().err


def test_no_text_is_exit_code_1(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.emulator.faults.add(Fault("stream-uncoded"))
    assert main(["ask", "hi"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def _command(*arguments: str, **options: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "azure_responses", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_an_interrupt_ends_the_line_and_shows_no_traceback() -> None:
    slow = Emulator([Resource("r")], latency=Latency(tokens_per_second=5))
    with RunningServer(slow) as server:
        environment = {
            **os.environ,
            "AZURE_OPENAI_ENDPOINT": server.url,
            "AZURE_OPENAI_API_KEY": slow.api_key,
        }
        process = _command("ask", "Count from 1 to 500.", "-m", "gpt-4.1", env=environment)
        assert process.stdout is not None
        first = process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (first + out).endswith("\n")
    assert err == "interrupted\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    process = _command("ask", "Count from 1 to 2000.", "--json", "--stream")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(20) == 0
    assert "Traceback" not in err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"azure-responses {__version__}\n"


def test_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_text_appears_before_the_answer_is_complete() -> None:
    slow = Emulator([Resource("r")], latency=Latency(tokens_per_second=20))
    with RunningServer(slow) as server:
        environment = {
            **os.environ,
            "AZURE_OPENAI_ENDPOINT": server.url,
            "AZURE_OPENAI_API_KEY": slow.api_key,
        }
        process = _command("ask", "Count from 1 to 40.", "-m", "gpt-4.1", env=environment)
        assert process.stdout is not None
        process.stdout.read(1)
        arrived = time.monotonic()
        process.communicate(timeout=30)
    assert time.monotonic() - arrived > 0.3


@pytest.mark.parametrize("options", [[], ["--no-stream"], ["--json"], ["--json", "--stream"]])
def test_tokens_and_cost_are_said_on_stderr(
    server: RunningServer, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert main(["ask", "Reply with exactly: pong", "--cost", *options]) == 0
    said = capsys.readouterr().err
    assert "output tokens, " in said
    assert ("price unknown" in said) or ("$" in said)


def test_the_deployment_may_be_named_by_either_option(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hi", "--json", "--deployment", "gpt-4o"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "gpt-4o"
