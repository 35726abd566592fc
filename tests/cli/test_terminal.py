"""What stderr is told, and what its terminal can show."""

import io
import time

import pytest

from azure_responses.cli.terminal import (
    StatusLine,
    encodes,
    is_capable,
    note,
    paint,
    supports_colour,
)


class _Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_only_a_terminal_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paint("x", "red", _Screen()) == "\x1b[31mx\x1b[0m"
    assert paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", "red", _Screen()) == "x"
    assert is_capable(_Screen())


@pytest.mark.parametrize("terminal", ["dumb", None])
def test_a_dumb_terminal_is_not_painted(
    monkeypatch: pytest.MonkeyPatch, terminal: str | None
) -> None:
    if terminal:
        monkeypatch.setenv("TERM", terminal)
    else:
        monkeypatch.delenv("TERM")
    assert not supports_colour(_Screen())


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("no-such-encoding", False)]
)
def test_what_a_stream_can_show_follows_its_encoding(encoding: str, can: bool) -> None:
    class Stream(io.StringIO):
        @property
        def encoding(self) -> str:  # type: ignore[override]
            return encoding

    assert encodes(Stream(), "✓") is can


def test_without_a_terminal_there_is_a_line_per_change() -> None:
    stream = io.StringIO()
    with StatusLine(stream) as status:
        status.show("queued")
        status.show("queued")
        status.show("in_progress")
    assert stream.getvalue() == "queued, 0 s\nin_progress, 0 s\n"


def test_a_terminal_has_one_line_that_grows_older_and_goes_away() -> None:
    stream = _Screen()
    with StatusLine(stream, interval=0.01) as status:
        time.sleep(0.03)
        assert stream.getvalue() == ""
        status.show("queued")
        time.sleep(0.1)
        status.hide()
        hidden = stream.getvalue()
        status.show("too late")
        status.hide()
    shown = stream.getvalue()
    assert shown == hidden
    assert shown.count("queued, 0 s") > 2
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")


def test_a_note_takes_the_status_line_away_and_stands_on_one_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = _Screen()
    monkeypatch.setattr("sys.stderr", stream)
    with StatusLine(stream) as status:
        status.show("queued")
        note("warning: beware")
        status.hide()
        note("the end")
    assert "\r\x1b[Kwarning: beware\n" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[Kthe end\n")


def test_a_status_is_cut_where_it_would_go_on_in_the_next_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = _Screen()
    with StatusLine(stream) as status:
        status.show("in_progress resp_0123456789abcdef")
    shown = stream.getvalue()
    assert "in_progress resp_01" in shown
    assert "in_progress resp_012" not in shown
