"""`ask --background`: followed to its end, over lost connections, and stopped by Ctrl-C."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses import AzureResponses
from azure_responses.cli import main
from azure_responses.cli.background import BackgroundAnswer
from azure_responses.cli.terminal import StatusLine
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from azure_responses.errors import APIConnectionError, StreamInterruptedError
from tests.cli.pseudo_terminal import PseudoTerminal, plain

_PONG = "Reply with exactly: pong"


@pytest.fixture(scope="module")
def _running() -> Iterator[RunningServer]:
    latency = Latency(queued=0.1, running=0.1, tokens_per_second=400)
    with Emulator([Resource("r")], latency=latency).serve() as running:
        yield running


@pytest.fixture
def slow(
    bare: None, _running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    """A served emulator whose background responses take a moment; as new in each test."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", _running.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", _running.emulator.api_key)
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")
    yield _running
    _running.emulator.reset()


def _operations(server: RunningServer) -> list[str | None]:
    return [request.operation for request in server.emulator.requests]


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_status_and_time_are_told_and_the_text_printed(
    slow: RunningServer, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["ask", "--background", option, _PONG]) == 0
    captured = capsys.readouterr()
    assert captured.out == "pong\n"
    lines = captured.err.splitlines()
    assert lines[0] == "starting, 0 s"
    assert any(line.startswith("queued resp_") for line in lines)
    assert any(line.startswith("completed resp_") for line in lines)
    assert (_operations(slow) == ["create"]) is (option == "--stream")


def test_a_dropped_connection_is_taken_up_again(
    slow: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    slow.emulator.faults.add(Fault("reset-mid-body", operation="create", after_events=8))
    assert main(["ask", "--background", "Count from 1 to 30."]) == 0
    counted = capsys.readouterr().out
    assert counted.count(" 15,") == 1
    assert "30" in counted
    assert _operations(slow) == ["create", "retrieve"]


def test_a_service_that_is_long_away_is_asked_until_it_is_back(slow: RunningServer) -> None:
    faults = slow.emulator.faults
    faults.add(Fault("reset-mid-body", operation="create", after_events=8))
    faults.add(Fault("disconnect-before-headers", operation="retrieve", times=3))
    shown = io.StringIO()
    with AzureResponses(slow.url, api_key=slow.emulator.api_key, max_retries=0) as client:
        answer = BackgroundAnswer(client, StatusLine(shown), pause=0.05)
        parameters = {"input": "Count from 1 to 30.", "model": "gpt-4.1"}
        events = list(answer.stream(parameters))
    assert events[-1].type == "response.output_text.delta"
    assert answer.check().output_text.endswith("30")
    assert "connection lost resp_" in shown.getvalue()


def test_a_service_that_stays_away_is_given_up(slow: RunningServer) -> None:
    faults = slow.emulator.faults
    faults.add(Fault("reset-mid-body", operation="create", after_events=8))
    faults.add(Fault("disconnect-before-headers", operation="retrieve"))
    with AzureResponses(slow.url, api_key=slow.emulator.api_key, max_retries=0) as client:
        answer = BackgroundAnswer(client, StatusLine(io.StringIO()), patience=0.05, pause=0.02)
        with pytest.raises(APIConnectionError):
            list(answer.stream({"input": "Count from 1 to 30.", "model": "gpt-4.1"}))
    assert answer.response_id


def test_a_stream_that_cannot_be_resumed_is_interrupted(slow: RunningServer) -> None:
    slow.emulator.faults.add(Fault("truncate", operation="create", after_events=0))
    with AzureResponses(slow.url, api_key=slow.emulator.api_key, max_retries=0) as client:
        answer = BackgroundAnswer(client, StatusLine(io.StringIO()))
        with pytest.raises(StreamInterruptedError):
            list(answer.stream({"input": "hi", "model": "gpt-4.1"}))
    assert answer.response_id is None


@pytest.mark.parametrize("streamed", [True, False])
def test_what_was_polled_for_is_printed_after_what_had_arrived(
    slow: RunningServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    streamed: bool,
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)
    faults = slow.emulator.faults
    faults.add(Fault("reset-mid-body", operation="create", after_events=8))
    faults.add(Fault("reset-mid-body", operation="retrieve", streamed=True, after_events=0))
    options = ["--json", "--stream"] if not streamed else []
    assert main(["ask", "--background", "Count from 1 to 9.", *options]) == 0
    out = capsys.readouterr().out
    if streamed:
        assert out == "1, 2, 3, 4, 5, 6, 7, 8, 9\n"
    else:
        events = [json.loads(line) for line in out.splitlines()]
        assert events[-1]["type"] == "response.completed"
        assert events[-1]["response"]["status"] == "completed"


def test_json_is_the_whole_response(
    slow: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--background", "--json", _PONG]) == 0
    assert json.loads(capsys.readouterr().out)["background"] is True


def test_streamed_json_is_an_event_a_line(
    slow: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--background", "--json", "--stream", _PONG]) == 0
    events = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert events[-1] == "response.completed"
    assert events.count("response.completed") == 1


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_a_response_that_fails_is_an_error(
    slow: RunningServer, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    prompt = "[[azure:fail:image_parse_error]]"
    assert main(["ask", "--background", option, prompt]) == 1
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("streamed", [True, False])
def test_a_response_is_resumed_by_its_id(
    slow: RunningServer, capsys: pytest.CaptureFixture[str], streamed: bool
) -> None:
    with AzureResponses() as client:
        started: Any = client.responses.create(input=_PONG, background=True, stream=streamed)
        identifier = next(iter(started)).response.id if streamed else started.id
    assert main(["ask", "--resume", identifier]) == 0
    captured = capsys.readouterr()
    assert captured.out == "pong\n"
    assert captured.err.startswith("resuming, 0 s\n")


def test_a_resumed_response_takes_no_prompt(bare: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--resume", "resp_1", "hello"]) == 2
    assert "takes no prompt" in capsys.readouterr().err


# --- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _unending() -> Iterator[RunningServer]:
    with Emulator([Resource("r")], latency=Latency(queued=0.1, running=60)).serve() as running:
        yield running


@pytest.fixture
def endless(bare: None, _unending: RunningServer) -> Iterator[RunningServer]:
    """A served emulator whose background responses take a minute; as new in each test."""
    yield _unending
    _unending.emulator.reset()


@pytest.mark.parametrize(("keys", "is_cancelled"), [("\n", True), ("n\n", False), ("\x03", False)])
def test_a_ctrl_c_asks_whether_to_stop_it_too(
    endless: RunningServer, keys: str, is_cancelled: bool
) -> None:
    with PseudoTerminal(
        "ask", "--background", "-m", "gpt-4.1", "hi",
        endpoint=endless.url, key=endless.emulator.api_key,
    ) as screen:  # fmt: skip
        screen.read_until("in_progress resp_")
        screen.read_until("\r\x1b[K")
        screen.type("\x03")
        question = plain(screen.read_until("[Y/n] "))
        identifier = question.rpartition("stop ")[2].split()[0]
        screen.type(keys)
        code, ending = screen.wait()
    assert code == 130
    assert "Traceback" not in ending
    assert (f"cancelled {identifier}" in ending) is is_cancelled
    assert (f"ask --resume {identifier}" in ending) is not is_cancelled
    assert ("cancel" in _operations(endless)) is is_cancelled


def _interrupting(monkeypatch: pytest.MonkeyPatch, endless: RunningServer) -> None:
    """Presses Ctrl-C when the second status is asked for."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", endless.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", endless.emulator.api_key)
    sleep = time.sleep

    def interrupt(seconds: float) -> None:
        if seconds >= 0.5:
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", interrupt)
    monkeypatch.setattr("sys.stdin", io.StringIO())


_ENDLESS = ["ask", "--background", "--no-stream", "-m", "gpt-4.1", "hi"]


def test_without_a_terminal_a_ctrl_c_stops_the_response(
    endless: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _interrupting(monkeypatch, endless)
    assert main(_ENDLESS) == 130
    assert "cancelled resp_" in capsys.readouterr().err
    assert _operations(endless)[-1] == "cancel"


def test_a_response_that_cannot_be_cancelled_can_be_seen_later(
    endless: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _interrupting(monkeypatch, endless)
    endless.emulator.faults.add(Fault("http-400", operation="cancel"))
    assert main(_ENDLESS) == 130
    err = capsys.readouterr().err
    assert "could not cancel resp_" in err
    assert "ask --resume resp_" in err


def test_a_ctrl_c_before_there_is_a_response_is_a_plain_one(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("httpx.HTTPTransport.handle_request", interrupt)
    assert main(["ask", "--background", "hi"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_on_a_terminal_the_status_gives_way_to_the_answer(slow: RunningServer) -> None:
    with PseudoTerminal(
        "ask", "--background", "-m", "gpt-4.1", "--cost", _PONG,
        endpoint=slow.url, key=slow.emulator.api_key,
    ) as screen:  # fmt: skip
        code, text = screen.wait()
    assert code == 0
    assert "queued resp_" in text
    after_status = text.rpartition(" s\x1b[0m")[2]
    assert [line.strip() for line in plain(after_status).splitlines() if line.strip()][-2] == "pong"
    assert "tokens" in after_status
