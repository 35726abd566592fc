"""`azure-responses chat`, typed into as a user types."""

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from azure_responses.cli import main
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from tests.cli.pseudo_terminal import PseudoTerminal, plain

_SLOW = Latency(tokens_per_second=60)


class _Keyboard(io.StringIO):
    """Lines that look as if they came from a terminal; a line "^C" is a Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line = super().readline(-1 if size is None else size)
        if line == "^C\n":
            raise KeyboardInterrupt
        return line


def _chat(
    monkeypatch: pytest.MonkeyPatch, *lines: str, options: tuple[str, ...] = (), typed: bool = True
) -> int:
    text = "".join(f"{line}\n" for line in lines)
    monkeypatch.setattr("sys.stdin", _Keyboard(text) if typed else io.StringIO(text))
    return main(["chat", *options])


def _bodies(server: RunningServer) -> list[dict[str, Any]]:
    return [
        json.loads(request.body)
        for request in server.emulator.requests
        if request.operation == "create"
    ]


# --- in a terminal --------------------------------------------------------------------------------


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
def test_a_session_streams_stops_remembers_saves_and_ends(terminal: str, tmp_path: Path) -> None:
    saved = tmp_path / "talk.json"
    emulator = Emulator([Resource("r")], latency=_SLOW)
    with (
        emulator.serve() as server,
        PseudoTerminal(
            "chat", "-m", "gpt-4.1",
            endpoint=server.url, key=emulator.api_key, terminal=terminal,
        ) as screen,
    ):  # fmt: skip
        screen.read_until("> ")
        screen.type("My name is Ada.\n")
        screen.read_until("Ada.")
        screen.read_until("Nice to meet you, Ada.")
        screen.read_until("tokens")
        screen.read_until("> ")
        screen.type("Count from 1 to 300.\n")
        screen.read_until("1, 2, 3")
        screen.type("\x03")
        stopped = screen.read_until("> ")
        assert "stopped" in stopped
        assert "Traceback" not in stopped
        screen.type("What is my name?\n")
        screen.read_until("Your name is Ada.")
        screen.read_until("> ")
        screen.type(f"/save {saved}\n")
        screen.read_until("saved")
        screen.read_until("> ")
        screen.type("\x04")
        code, _ = screen.wait()
    assert code == 0
    turns = json.loads(saved.read_text(encoding="utf-8"))["turns"]
    assert [turn["status"] for turn in turns] == ["completed", "stopped", "completed"]
    assert turns[1]["assistant"].startswith("1, 2, 3")
    assert turns[2]["assistant"] == "Your name is Ada."


def test_a_terminal_shows_markdown_dims_what_matters_less_and_recalls_what_was_typed() -> None:
    emulator = Emulator()
    with (
        emulator.serve() as server,
        PseudoTerminal(
            "chat", "-m", "gpt-4.1", endpoint=server.url, key=emulator.api_key
        ) as screen,
    ):
        screen.read_until("> ")
        screen.type("Reply with exactly: **bold**\n")
        answer = screen.read_until("tokens")
        assert "\x1b[1mbold\x1b[0m" in answer
        assert "\x1b[2m" in answer
        screen.read_until("> ")
        # Readline shows its prompt a moment before it listens, and no hand is faster than that.
        time.sleep(0.2)
        screen.type("\x03")
        screen.read_until("Ctrl-D or /exit leaves")
        screen.read_until("> ")
        screen.type("\x1b[A\n")
        assert "bold" in plain(screen.read_until("tokens"))
        screen.read_until("> ")
        screen.type("one\\\n")
        screen.read_until(". ")
        screen.type("two\n")
        screen.read_until("tokens")
        screen.read_until("> ")
        screen.type("/exit\n")
        assert screen.wait()[0] == 0
    bodies = [json.loads(request.body) for request in emulator.requests]
    assert [body["input"][-1]["content"] for body in bodies] == [
        "Reply with exactly: **bold**",
        "Reply with exactly: **bold**",
        "one\ntwo",
    ]


# --- turns ----------------------------------------------------------------------------------------


def test_a_stored_conversation_names_the_response_before(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _chat(monkeypatch, "My name is Ada.", "", "What is my name?") == 0
    captured = capsys.readouterr()
    assert "Your name is Ada." in captured.out
    assert captured.err.count("tokens") == 2
    first, second = _bodies(served)
    assert "previous_response_id" not in first
    assert second["previous_response_id"].startswith("resp_")
    assert len(second["input"]) == 1


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5-mini"])
def test_without_storing_the_whole_conversation_is_sent(
    served: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
) -> None:
    options = ("--no-store", "-m", model)
    assert _chat(monkeypatch, "My name is Ada.", "What is my name?", options=options) == 0
    captured = capsys.readouterr()
    assert "Ada" in captured.out.splitlines()[-2]
    assert "error" not in captured.err
    *_, last = _bodies(served)
    assert last["store"] is False
    assert "previous_response_id" not in last
    # A model that reasons has its reasoning sent back; one that does not refuses to encrypt it.
    assert ("include" in last) is (model == "gpt-5-mini")
    kinds = [item.get("type", item.get("role")) for item in last["input"]]
    reasoning = ["reasoning"] if model == "gpt-5-mini" else []
    assert kinds == ["user", *reasoning, "message", "user"]


def test_a_conversation_the_service_has_lost_is_sent_again(
    bare: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = Emulator()
    has_gone_by: list[bool] = []
    later = SimpleNamespace(
        monotonic=lambda: time.monotonic() + 1e6, time=time.time, sleep=time.sleep
    )

    class Forgetful(_Keyboard):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            line = super().readline(size)
            if line == "What is my name?\n" and not has_gone_by:
                has_gone_by.append(True)
                emulator.clock.advance(31 * 24 * 3600)
                # As for a client that has come back after a month.
                monkeypatch.setattr("azure_responses._sync.executor.time", later)
            return line

    lines = "My name is Ada.\nWhat is my name?\nWhat is my name?\n"
    monkeypatch.setattr("sys.stdin", Forgetful(lines))
    with emulator.serve() as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", emulator.api_key)
        assert main(["chat", "-m", "gpt-4.1"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("Your name is Ada.") == 2
    assert "sending it again" in captured.err
    assert "error" not in captured.err


def test_instructions_and_length_go_with_every_turn(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--instructions", "Be brief.", "--max-output-tokens", "16")
    _chat(monkeypatch, "Count from 1 to 900.", "hi", options=options)
    assert "incomplete: max_output_tokens" in capsys.readouterr().err
    assert [body["instructions"] for body in _bodies(served)] == ["Be brief."] * 2


def test_an_error_is_shown_with_its_hint_and_the_session_goes_on(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served.emulator.faults.add(Fault("http-400", nth=1))
    blocked = "[[azure:block-prompt]]"
    assert _chat(monkeypatch, "hi", blocked, "Reply with exactly: pong") == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == "pong"
    assert captured.err.count("error: 400") == 2
    assert "hint: The prompt was blocked" in captured.err
    # What failed is no part of the conversation.
    assert "previous_response_id" not in _bodies(served)[-1]


def test_a_missing_deployment_is_an_error_that_model_puts_right(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_DEPLOYMENT")
    assert _chat(monkeypatch, "hi", "/model gpt-4o", "Reply with exactly: pong", "/model") == 0
    captured = capsys.readouterr()
    assert "AZURE_OPENAI_DEPLOYMENT" in captured.err
    assert "asking gpt-4o" in captured.err
    assert captured.out.strip() == "pong"
    assert _bodies(served)[-1]["model"] == "gpt-4o"


def test_what_was_stopped_stays_in_the_conversation(
    bare: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[str] = []

    class Impatient(io.StringIO):
        def write(self, text: str, /) -> int:
            printed.append(text)
            if "7" in text:
                raise KeyboardInterrupt
            return len(text)

    emulator = Emulator()
    with emulator.serve() as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", emulator.api_key)
        monkeypatch.setattr("sys.stdout", Impatient())
        assert _chat(monkeypatch, "Count to 9.", "hi", options=("-m", "gpt-4.1")) == 0
        messages = _bodies(server)[-1]["input"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[1]["content"] == "".join(printed).partition("\n")[0]
    assert "stopped" in capsys.readouterr().err


def test_a_ctrl_c_before_any_text_leaves_no_trace(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send = httpx.HTTPTransport.handle_request
    calls: list[int] = []

    def send_unless_first(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return send(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", send_unless_first)
    assert _chat(monkeypatch, "hi", "Reply with exactly: pong") == 0
    captured = capsys.readouterr()
    assert "stopped" in captured.err
    assert captured.out.strip() == "pong"
    assert len(_bodies(served)[-1]["input"]) == 1


# --- commands -------------------------------------------------------------------------------------


def test_clear_begins_a_new_conversation(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _chat(monkeypatch, "My name is Ada.", "/clear", "What is my name?")
    assert "previous_response_id" not in _bodies(served)[-1]
    assert "a new conversation" in capsys.readouterr().err


def test_help_unknown_commands_and_texts_that_begin_with_a_slash(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _chat(monkeypatch, "/help", "/nonsense", "//etc is a folder", "/quit", "unread") == 0
    captured = capsys.readouterr()
    for command in ("/model", "/save", "/clear", "/exit"):
        assert command in captured.err
    assert "/nonsense is not a command" in captured.err
    assert [body["input"][-1]["content"] for body in _bodies(served)] == ["/etc is a folder"]


def test_save_writes_markdown_and_refuses_to_overwrite(
    served: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    talk, there = tmp_path / "my talk.md", tmp_path / "there.md"
    there.write_text("mine", encoding="utf-8")
    _chat(
        monkeypatch,
        "Reply with exactly: pong",
        f"/save {talk}",
        f"/save {there}",
        "/save talk.txt",
        "/save",
        f"/save {tmp_path / 'no' / 'folder.md'}",
        options=("--instructions", "Be brief."),
    )
    written = talk.read_text(encoding="utf-8")
    assert written == ("> Be brief.\n\n## You\n\nReply with exactly: pong\n\n## Model\n\npong\n")
    assert there.read_text(encoding="utf-8") == "mine"
    err = capsys.readouterr().err
    assert f"/save --force {there} replaces it" in err
    assert err.count("name a file that ends in") == 2
    assert "cannot write" in err
    _chat(monkeypatch, f"/save --force {there}")
    assert there.read_text(encoding="utf-8") == "\n"


# --- input that is no terminal --------------------------------------------------------------------


def test_piped_lines_are_answered_without_prompts(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _chat(monkeypatch, "Reply with exactly: pong", typed=False) == 0
    captured = capsys.readouterr()
    assert captured.out == "pong\n"
    assert "> " not in captured.err


def test_an_error_in_piped_lines_is_exit_code_1(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.emulator.faults.add(Fault("http-400", nth=1))
    assert _chat(monkeypatch, "hi", "Reply with exactly: pong", typed=False) == 1


@pytest.mark.parametrize("line", ["^C", "Count to 9."])
def test_a_ctrl_c_without_a_terminal_ends_it(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    class Piped(_Keyboard):
        def isatty(self) -> bool:
            return False

    class Impatient(io.StringIO):
        def write(self, text: str, /) -> int:
            if "7" in text:
                raise KeyboardInterrupt
            return len(text)

    monkeypatch.setattr("sys.stdin", Piped(f"{line}\n"))
    monkeypatch.setattr("sys.stdout", Impatient())
    assert main(["chat"]) == 130


def test_without_configuration_the_emulator_answers(
    bare: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _chat(monkeypatch, "Reply with exactly: pong", typed=False) == 0
    captured = capsys.readouterr()
    assert captured.out == "pong\n"
    assert "embedded emulator" in captured.err


def test_answers_may_be_piped_away_while_questions_are_typed(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _chat(monkeypatch, "Reply with exactly: \\", "pong")
    captured = capsys.readouterr()
    assert captured.out == "pong\n\n"
    assert "> . " in captured.err
