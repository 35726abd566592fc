"""The answer on stdout: plain text, or Markdown where a terminal can draw it."""

import io
import json
import sys

import pytest

from azure_responses.cli.markdown import MarkdownPrinter
from azure_responses.cli.rendering import (
    PlainPrinter,
    make_printer,
    print_texts,
    text_of,
    texts_of,
)
from azure_responses.types.events import parse_event
from azure_responses.types.response import Response
from tests.canned import message, response, stream_of


class _Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["one ", "two"], "one two\n"),
        (["line\n"], "line\n"),
        ([], ""),
        ([""], ""),
        (["line", ""], "line\n"),
    ],
)
def test_plain_text_ends_its_line_once(pieces: list[str], shown: str) -> None:
    stream = io.StringIO()
    printer = PlainPrinter(stream)
    for piece in pieces:
        printer.write(piece)
    printer.finish()
    printer.finish()
    assert stream.getvalue() == shown


@pytest.mark.parametrize(
    ("stream", "terminal", "kind"),
    [
        (_Screen(), "xterm", MarkdownPrinter),
        (_Screen(), "dumb", PlainPrinter),
        (io.StringIO(), "xterm", PlainPrinter),
    ],
)
def test_the_printer_suits_the_stream(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, terminal: str, kind: type
) -> None:
    monkeypatch.setenv("TERM", terminal)
    assert isinstance(make_printer(stream), kind)


def test_without_rich_the_text_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delitem(sys.modules, "azure_responses.cli.markdown", raising=False)
    monkeypatch.setitem(sys.modules, "rich.markdown", None)
    assert isinstance(make_printer(_Screen()), PlainPrinter)


def test_a_terminal_shows_control_characters_and_does_not_obey_them() -> None:
    # The second is a C1 control, which clears the screen as well as ESC [ does.
    text = "before \x1b[2J \x9b2J after\x07"
    screen, file = _Screen(), io.StringIO()
    for stream in (screen, file):
        PlainPrinter(stream).write(text)
    assert screen.getvalue() == "before ␛[2J \ufffd2J after␇"
    assert file.getvalue() == text


def test_an_answer_that_breaks_off_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        print_texts(str(1 // number) for number in (1, 0))
    assert capsys.readouterr().out == "1\n"


def test_a_refusal_is_text_to_read() -> None:
    part = {"type": "refusal", "refusal": "No."}
    message = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    assert text_of(Response.model_validate({"id": "r", "output": [message]})) == "No."
    assert text_of(Response(id="r")) == ""


def test_messages_are_set_apart_whole_and_streamed() -> None:
    body = response(message("Let me look.", "commentary"), message("Found it.", "final_answer"))
    events = [parse_event(json.dumps(event)) for event in stream_of(body)]
    assert "".join(texts_of(events)) == "Let me look.\n\nFound it."
    assert text_of(Response.model_validate(body)) == "Let me look.\n\nFound it."


def test_a_refusal_is_shown_piece_by_piece() -> None:
    refused = {**message(""), "content": [{"type": "refusal", "refusal": "No."}]}
    events = [parse_event(json.dumps(event)) for event in stream_of(response(refused))]
    assert "".join(texts_of(events)) == "No."
    assert text_of(Response.model_validate(response(refused))) == "No."
