"""What is typed and pasted into a session on a terminal: a paste is one entry."""

import json
import re
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.emulator.server import RunningServer
from tests.cli.pseudo_terminal import PseudoTerminal, hide_module
from tests.cli.tmux import Tmux, needs_tmux

_ON = "\x1b[?2004h"
# What the terminal is left with: the last of the two that was written.
_MODE = re.compile(r"\x1b\[\?2004([hl])")
_CODE = "def f():\n\tif x:\n\n\t\treturn 1"


@pytest.fixture(scope="module")
def _running() -> Iterator[RunningServer]:
    latency = Latency(tokens_per_second=200)
    with Emulator([Resource("r")], latency=latency).serve() as running:
        yield running


@pytest.fixture
def server(_running: RunningServer) -> Iterator[RunningServer]:
    """A served emulator that takes a moment; as new in each test."""
    yield _running
    _running.emulator.reset()


def _chat(server: RunningServer, **environment: str) -> PseudoTerminal:
    return PseudoTerminal(
        "chat", "-m", "gpt-4.1",
        endpoint=server.url, key=server.emulator.api_key, environment=environment,
    )  # fmt: skip


def _said(server: RunningServer) -> list[str]:
    """What the user said, turn by turn."""
    requests = [request for request in server.emulator.requests if request.operation == "create"]
    return [json.loads(request.body)["input"][-1]["content"] for request in requests]


def _wait_for_turns(server: RunningServer, count: int) -> list[str]:
    deadline = time.monotonic() + 20
    while len(_said(server)) < count:
        assert time.monotonic() < deadline, _said(server)
        time.sleep(0.02)
    return _said(server)


def _bracketed(text: str) -> str:
    return f"\x1b[200~{text}\x1b[201~"


# --- a paste --------------------------------------------------------------------------------------


_PASTES = [
    ("one\rtwo\rthree\rfour", "one\ntwo\nthree\nfour"),
    ("one\r\ntwo\r\n", "one\ntwo"),
    ("one\n\n\ntwo\n", "one\n\n\ntwo"),
    (_CODE, _CODE),
    ("    indented\n    text", "    indented\n    text"),
    ("/usr/bin\n/etc", "/usr/bin\n/etc"),
    ("ends with \\\nand goes on", "ends with \\\nand goes on"),
    ("日本語\n🎉", "日本語\n🎉"),
]


def test_a_paste_is_one_entry_as_it_was_copied(server: RunningServer) -> None:
    with _chat(server) as terminal:
        for pasted, _ in _PASTES:
            terminal.read_until("> ")
            terminal.type(_bracketed(pasted) + "\r")
            terminal.read_until("tokens")
    assert _said(server) == [sent for _, sent in _PASTES]


def test_a_paste_can_be_typed_on_and_is_recalled_whole(server: RunningServer) -> None:
    with _chat(server) as terminal:
        terminal.read_until("> ")
        terminal.type(_bracketed("one\ntwo\n") + "three\r")
        terminal.read_until("tokens")
        terminal.read_until("> ")
        terminal.type("\x1b[A and more\r")
        terminal.read_until("tokens")
        terminal.read_until("> ")
        terminal.type("\x04")
        terminal.wait()
    assert _said(server) == ["one\ntwo\nthree", "one\ntwo\nthree and more"]


def test_a_thousand_lines_are_one_entry(server: RunningServer) -> None:
    text = "\n".join(f"line {number}" for number in range(1000))
    with _chat(server) as terminal:
        terminal.read_until("> ")
        # In the pieces in which a terminal hands them over.
        pasted = _bracketed(text)
        for start in range(0, len(pasted), 1000):
            terminal.type(pasted[start : start + 1000])
        terminal.read_until("line 999")
        terminal.type("\r")
        terminal.read_until("tokens", 30)
    assert _said(server) == [text]


def test_what_is_pasted_while_an_answer_is_printed_is_the_next_entry(
    server: RunningServer,
) -> None:
    with _chat(server) as terminal:
        terminal.read_until("> ")
        terminal.type("Count from 1 to 60.\r")
        terminal.read_until("1, 2, 3")
        terminal.type(_bracketed("one\ntwo"))
        shown = terminal.read_until("tokens")
        assert "one" not in shown
        terminal.read_until("> ")
        terminal.read_until("two")
        terminal.type("\r")
        terminal.read_until("tokens")
    assert _said(server) == ["Count from 1 to 60.", "one\ntwo"]


def test_lines_typed_ahead_are_entries_of_their_own(server: RunningServer) -> None:
    with _chat(server) as terminal:
        terminal.read_until("> ")
        terminal.type("first\nsecond\n/exit\n")
        assert terminal.wait()[0] == 0
    assert _said(server) == ["first", "second"]


def test_a_backslash_continues_a_line_and_an_empty_entry_is_no_turn(
    server: RunningServer,
) -> None:
    with _chat(server) as terminal:
        terminal.read_until("> ")
        terminal.type("\r")
        terminal.read_until("> ")
        terminal.type("one\\\r")
        terminal.read_until(". ")
        terminal.type("two\r")
        terminal.read_until("tokens")
    assert _said(server) == ["one\ntwo"]


@needs_tmux
@pytest.mark.parametrize("editor", ["prompt_toolkit", "readline"])
def test_a_paste_in_tmux_is_one_entry(server: RunningServer, tmp_path: Path, editor: str) -> None:
    extra = hide_module(tmp_path, "prompt_toolkit") if editor == "readline" else {}
    with Tmux(
        tmp_path, "chat", "-m", "gpt-4.1",
        AZURE_OPENAI_ENDPOINT=server.url, AZURE_OPENAI_API_KEY=server.emulator.api_key, **extra,
    ) as tmux:  # fmt: skip
        tmux.wait_for("> ")
        tmux.wait_for("Ctrl-D leaves")
        time.sleep(0.3)
        tmux.paste("one\ntwo\n\nfour\n", bracketed=True)
        tmux.wait_for("four")
        assert _said(server) == []
        tmux.run("send-keys", "-t", ":1", "Enter")
        tmux.wait_for("tokens")
        assert _said(server) == ["one\ntwo\n\nfour"]
        # Without the codes a paste is typing: nothing of it is lost, and each line is an entry.
        tmux.paste("five\nsix\n", bracketed=False)
        assert _wait_for_turns(server, 3)[1:] == ["five", "six"]
        tmux.wait_for("tokens", count=3)
        tmux.run("send-keys", "-t", ":1", "C-d")
        tmux.wait_for("ended with 0")


# --- the terminal is left as it was ---------------------------------------------------------------


def _leave(terminal: PseudoTerminal) -> None:
    terminal.type("/exit\r")


def _press_ctrl_d(terminal: PseudoTerminal) -> None:
    terminal.type("\x04")


def _terminate(terminal: PseudoTerminal) -> None:
    terminal.send_signal(signal.SIGTERM)


def _interrupt_and_leave(terminal: PseudoTerminal) -> None:
    terminal.type("\x03")
    terminal.read_until("Ctrl-D or /exit leaves")
    terminal.read_until("> ")
    terminal.type("\x04")


@pytest.mark.parametrize("end", [_leave, _press_ctrl_d, _terminate, _interrupt_and_leave])
def test_the_terminal_is_as_it_was_when_the_session_ends(
    server: RunningServer, end: Callable[[PseudoTerminal], None]
) -> None:
    with _chat(server) as terminal:
        before = terminal.modes()
        shown = terminal.read_until("> ")
        assert _ON in shown
        end(terminal)
        code, rest = terminal.wait()
        assert code == (143 if end is _terminate else 0)
        assert _MODE.findall(shown + rest)[-1] == "l"
        assert terminal.modes() == before


@pytest.mark.parametrize("end", ["\x03", "terminate"])
def test_an_answer_that_is_broken_off_leaves_the_terminal_as_it_was(
    server: RunningServer, end: str
) -> None:
    with _chat(server) as terminal:
        before = terminal.modes()
        shown = terminal.read_until("> ")
        terminal.type("Count from 1 to 300.\r")
        shown += terminal.read_until("1, 2, 3")
        if end == "terminate":
            terminal.send_signal(signal.SIGTERM)
        else:
            terminal.type(end)
            shown += terminal.read_until("stopped")
            shown += terminal.read_until("> ")
            terminal.type("\x04")
        code, rest = terminal.wait()
        assert code == (143 if end == "terminate" else 0)
        assert _MODE.findall(shown + rest)[-1] == "l"
        assert terminal.modes() == before


def test_an_error_leaves_the_terminal_as_it_was(server: RunningServer) -> None:
    server.emulator.faults.add(Fault("http-400", nth=1))
    with _chat(server) as terminal:
        before = terminal.modes()
        shown = terminal.read_until("> ")
        terminal.type("hi\r")
        shown += terminal.read_until("error: 400")
        shown += terminal.read_until("> ")
        terminal.type("\x04")
        assert terminal.wait()[0] == 0
        assert terminal.modes() == before


# --- history --------------------------------------------------------------------------------------


def test_history_is_kept_in_the_file_that_is_named(server: RunningServer, tmp_path: Path) -> None:
    history = tmp_path / "history"
    for typed in (_bracketed("one\ntwo") + "\r", "\x1b[A\r"):
        with _chat(server, AZURE_RESPONSES_HISTORY=str(history)) as terminal:
            terminal.read_until("> ")
            # History is read while the first keys are awaited.
            time.sleep(0.3)
            terminal.type(typed)
            terminal.read_until("tokens")
            terminal.read_until("> ")
            terminal.type("\x04")
            assert terminal.wait()[0] == 0
    assert _said(server) == ["one\ntwo", "one\ntwo"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_written_is_said_and_costs_no_session(
    server: RunningServer, tmp_path: Path
) -> None:
    path = tmp_path / "no" / "history"
    with _chat(server, AZURE_RESPONSES_HISTORY=str(path)) as terminal:
        assert f"cannot write {path}" in terminal.read_until("> ").replace("\r\n", "")
        terminal.type("hi\r")
        terminal.read_until("tokens")
    assert _said(server) == ["hi"]
