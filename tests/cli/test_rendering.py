"""The answer on stdout: plain text, or Markdown that is drawn block by block."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from azure_responses.cli.rendering import (
    MarkdownPrinter,
    PlainPrinter,
    make_printer,
    print_texts,
    split_blocks,
    text_of,
)
from azure_responses.types.response import Response
from tests.cli.pseudo_terminal import plain


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
    ("text", "complete", "rest"),
    [
        ("one", "", "one"),
        ("one\n\n", "", "one\n\n"),
        ("one\n\ntwo", "one\n\n", "two"),
        ("one\n\n\ntwo\n\nth", "one\n\n\ntwo\n\n", "th"),
        ("- a\n\n- b", "", "- a\n\n- b"),
        ("1. a\n\n2. b", "", "1. a\n\n2. b"),
        ("- a\n\n  more", "", "- a\n\n  more"),
        ("- a\n\nafter", "- a\n\n", "after"),
        ("```\nx\n\ny", "", "```\nx\n\ny"),
        ("```\nx\n\ny\n```\n\nz", "```\nx\n\ny\n```\n\n", "z"),
        ("~~~~\n```\n\nx\n~~~~\n\nz", "~~~~\n```\n\nx\n~~~~\n\n", "z"),
        ("```py\nx\n```py\n\ny", "", "```py\nx\n```py\n\ny"),
    ],
)
def test_a_block_is_complete_where_more_text_cannot_change_it(
    text: str, complete: str, rest: str
) -> None:
    assert split_blocks(text) == (complete, rest)


@given(st.text(alphabet="ab-`~1. \n", max_size=60), st.integers(0, 60))
def test_no_text_is_lost_wherever_it_is_cut(text: str, cut: int) -> None:
    done, rest = split_blocks(text[:cut])
    more, rest = split_blocks(rest + text[cut:])
    assert done + more + rest == text


def _drawn(text: str, size: int) -> str:
    screen = _Screen()
    console = Console(
        file=screen, force_terminal=True, width=60, height=10, color_system="standard"
    )
    printer = MarkdownPrinter(console)
    for start in range(0, len(text), size):
        printer.write(text[start : start + size])
    printer.finish()
    printer.finish()
    return screen.getvalue()


def test_markdown_is_drawn_with_its_styles() -> None:
    drawn = _drawn("Some **bold** text.\n\nA second paragraph.\n", 7)
    assert "\x1b[1mbold\x1b[0m" in drawn
    ending = [line.strip() for line in plain(drawn).splitlines() if line.strip()]
    assert ending[-1] == "A second paragraph."
    assert "Some bold text." in ending


def test_a_block_taller_than_the_terminal_is_shown_whole_at_its_end() -> None:
    text = "```\n" + "\n".join(f"line {number}" for number in range(40)) + "\n```\n"
    drawn = plain(_drawn(text, 50))
    assert all(f"line {number}" in drawn for number in range(40))


def test_nothing_is_drawn_of_no_answer() -> None:
    assert _drawn("", 1) == ""
    assert plain(_drawn(" \n", 1)).strip() == ""


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


@pytest.mark.parametrize("module", ["rich.console", "rich.live"])
def test_without_rich_the_text_is_plain(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setitem(sys.modules, module, None)
    assert isinstance(make_printer(_Screen()), PlainPrinter)


def test_an_answer_that_breaks_off_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        print_texts(str(1 // number) for number in (1, 0))
    assert capsys.readouterr().out == "1\n"


def test_a_refusal_is_text_to_read() -> None:
    part = {"type": "refusal", "refusal": "No."}
    message = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    assert text_of(Response.model_validate({"id": "r", "output": [message]})) == "No."
    assert text_of(Response(id="r")) == ""
