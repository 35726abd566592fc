"""Where the entries of a session come from, without the editor."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer
from tests.cli.pseudo_terminal import PseudoTerminal, hide_module

_PASTE = "\x1b[200~one\rtwo\r\rfour\x1b[201~\r"


@pytest.fixture(scope="module")
def _running() -> Iterator[RunningServer]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def server(_running: RunningServer) -> Iterator[RunningServer]:
    """A served emulator, as new in each test."""
    yield _running
    _running.emulator.reset()


def _said(server: RunningServer) -> list[str]:
    return [
        json.loads(request.body)["input"][-1]["content"] for request in server.emulator.requests
    ]


def test_without_prompt_toolkit_a_paste_is_one_entry_too(
    server: RunningServer, tmp_path: Path
) -> None:
    environment = hide_module(tmp_path, "prompt_toolkit")
    environment["AZURE_RESPONSES_HISTORY"] = str(tmp_path / "kept")
    with PseudoTerminal(
        "chat",
        "-m",
        "gpt-4.1",
        endpoint=server.url,
        key=server.emulator.api_key,
        environment=environment,
    ) as terminal:
        before = terminal.modes()
        shown = terminal.read_until("> ")
        assert "no history is kept" in shown
        assert "\x1b[?2004h" in shown
        terminal.type(_PASTE)
        shown += terminal.read_until("tokens")
        shown += terminal.read_until("> ")
        terminal.type("\x04")
        code, rest = terminal.wait()
        assert terminal.modes() == before
    assert code == 0
    assert _said(server) == ["one\ntwo\n\nfour"]
    assert (shown + rest).rindex("\x1b[?2004l") > (shown + rest).rindex("\x1b[?2004h")


def test_a_terminal_that_obeys_no_control_sequences_gets_none(server: RunningServer) -> None:
    with PseudoTerminal(
        "chat", "-m", "gpt-4.1",
        endpoint=server.url, key=server.emulator.api_key, terminal="dumb",
    ) as terminal:  # fmt: skip
        shown = terminal.read_until("> ")
        terminal.type("Reply with exactly: **pong**\n")
        shown += terminal.read_until("tokens")
        shown += terminal.read_until("> ")
        terminal.type("\x04")
        _, rest = terminal.wait()
    assert "\x1b" not in shown + rest
    assert "**pong**" in shown
