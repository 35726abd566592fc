"""Markdown on a terminal: what is drawn is whole, whatever the pace, the size and the text."""

import io
import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from azure_responses.cli.markdown import MarkdownPrinter, draw_markdown, split_blocks
from azure_responses.cli.terminal import note
from azure_responses.emulator import Emulator, Latency, Resource
from tests.cli.pseudo_terminal import PseudoTerminal, Screen, plain
from tests.cli.tmux import Tmux, needs_tmux


@pytest.mark.parametrize(
    ("text", "complete", "rest"),
    [
        ("one", "", "one"),
        ("one\n\n", "", "one\n\n"),
        ("one\n\ntwo", "one\n\n", "two"),
        ("one\n\n\ntwo\n\nth", "one\n\n\ntwo\n\n", "th"),
        ("- a\n\n- b", "", "- a\n\n- b"),
        ("1. a\n\n2. b", "", "1. a\n\n2. b"),
        ("- a\n\n-", "", "- a\n\n-"),
        ("- a\n\n1", "", "- a\n\n1"),
        ("- a\n\n1.", "", "- a\n\n1."),
        ("- a\n\n1\n", "- a\n\n", "1\n"),
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
    return _write(text, _console(60, 10), size)


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


# --- nothing is lost in drawing -------------------------------------------------------------------

_SHORT = """\
# A heading

A paragraph of words that is long enough to need two rows of a terminal with eighty columns, **so**.

```python
def add(a: int, b: int) -> int:
    return a + b
```

- an item
- another

1. one
2. two

The end without a newline"""
_TABLE = (
    "| name | what it holds | 説明 |\n|---|---|---|\n"
    f"| {'long' * 12} | {'a cell whose words wrap ' * 3} | {'日本語のテキスト' * 4} |\n"
)
_WIDE = "日本語の文章は単語の間に空白がない。" * 6 + " Emoji: 🎉 👩‍👩‍👧 🇯🇵 ✅ done."
_MEDIUM = f"{_WIDE}\n\n{_TABLE}\n{_SHORT}"
_CODE = "\n".join(f"line_{number:02} = {number}" for number in range(40))
_PARAGRAPHS = "\n\n".join(f"Paragraph{number:02} " + "of words " * 14 for number in range(12))
_LONG = f"{_PARAGRAPHS}\n\n```python\n{_CODE}\n```\n\n{_MEDIUM}"


def _console(width: int, height: int = 24) -> Console:
    return Console(
        file=_Terminal(), force_terminal=True, width=width, height=height, color_system="standard"
    )


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _rows(text: str, width: int = 80, size: int = 7) -> list[str]:
    """What a terminal shows of an answer that comes in pieces of a size."""
    screen = Screen(24, width)
    screen.show(_write(text, _console(width), size).replace("\n", "\r\n").encode())
    return screen.rows()


def _write(text: str, console: Console, size: int) -> str:
    stream = _Terminal()
    printer = MarkdownPrinter(stream, console)
    for start in range(0, len(text), size):
        printer.write(text[start : start + size])
    printer.finish()
    printer.finish()
    return stream.getvalue()


def _letters(text: str) -> Counter[str]:
    return Counter(letter for letter in text if letter.isalnum())


def _missing(text: str, rows: list[str]) -> list[str]:
    """The words of an answer that a terminal does not show, be they broken over rows.

    Those of tables are left out: they are broken within their column.
    """
    shown = re.sub(r"\s", "", "".join(rows))
    said = "\n".join(line for line in text.splitlines() if not line.startswith(("```", "|")))
    return [word for word in re.findall(r"\w+", said) if word not in shown]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["", "  "])
def test_a_table_whose_row_has_too_many_cells_is_shown_as_its_source(indent: str, end: str) -> None:
    rows = ["- item", "", f"{indent}|name|type|use|", f"{indent}|-|-|-|"]
    rows += [f"{indent}|a|`int | None`|counts **words**|", "", "After *it*."]
    drawn = plain(draw_markdown(end.join(rows), _console(80)))
    assert "|a|`int | None`|counts **words**|" in drawn
    assert "After it." in drawn


def test_a_table_with_links_and_entities_is_drawn_as_a_table() -> None:
    table = "|name|use|\n|-|-|\n|[a](http://b.example)|x &amp; y \\| z|"
    drawn = plain(draw_markdown(table, _console(80)))
    assert " (http://b.example)" in drawn
    assert "x & y | z" in drawn


@pytest.mark.parametrize("width", [6, 20, 33, 80, 200])
@pytest.mark.parametrize(
    "text",
    [
        "Use `vector<int>` and List<String>, <b>bold</b>.\n\n<div>block</div>",
        "[label](http://one.example/a) and ![picture](http://two.example/b.png) and <http://three>",
        "See [ref][1].\n\n[1]: http://four.example/reference",
        "|" + "|".join(f"h{n}" for n in range(30)) + "|\n" + "|--" * 30 + "|\n"
        "|" + "|".join(f"cell{n}" for n in range(30)) + "|",
        _TABLE,
        _WIDE,
        _SHORT,
    ],
    ids=["html", "links", "reference", "columns", "table", "wide", "short"],
)
def test_every_word_is_drawn_at_every_width(text: str, width: int) -> None:
    drawn = plain(draw_markdown(text, _console(width)))
    joined = re.sub(r"\s", "", drawn)
    assert _letters(text.replace("```python", "")) <= _letters(joined)
    if width >= 80 and "|" not in text:
        words = re.findall(r"[\w:/.]*[a-z]", text.replace("```python", "").replace("**", ""))
        assert [word for word in words if word.isascii() and word not in joined] == []


@given(
    st.lists(
        st.sampled_from([
            "# h ", "\n\n", "- item", "1. one", "\n", "> q", "| a | b |\n|--|--|\n| c | d |",
            "```\ncode\n```", "`x`", "**b**", "[l](http://u)", "日本", "<div>", "    in",
        ]),
        max_size=14,
    ),
    st.integers(2, 80),
    st.integers(1, 7),
)  # fmt: skip
def test_the_pieces_of_an_answer_leave_the_letters_of_the_whole(
    parts: list[str], width: int, size: int
) -> None:
    text = "".join(parts)
    drawn, whole = _rows(text, width, size), _rows(text, width, 1000)
    assert _letters("".join(drawn)) == _letters("".join(whole))


def test_control_characters_of_an_answer_are_shown_and_not_obeyed() -> None:
    rows = _rows("first\n\n\x1b[2J\x1b[H\x9b2Jsecond")
    assert rows == ["first", "", "␛[2J␛[H\ufffd2Jsecond"]


def test_a_note_in_the_middle_of_an_answer_is_lost_no_more_than_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = _Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    printer = MarkdownPrinter(stream, _console(80))
    printer.write("first\n\n```\none\ntwo")
    note("warning: beware")
    printer.write("\nthree\n```\n\nlast")
    printer.finish()
    note("the end")
    screen = Screen()
    screen.show(stream.getvalue().replace("\n", "\r\n").encode())
    shown = [row.strip() for row in screen.rows() if row.strip()]
    assert shown == ["first", "warning: beware", "one", "two", "three", "last", "the end"]


# --- in a terminal --------------------------------------------------------------------------------

# AZURE_RESPONSES_TERMINAL_RUNS=50 is the whole matrix.
_RUNS = int(os.environ.get("AZURE_RESPONSES_TERMINAL_RUNS", "1"))


def _serve(pace: float) -> Emulator:
    return Emulator([Resource("r")], latency=Latency(first_token=0.1, tokens_per_second=pace))


def _ask(emulator: Emulator, url: str, text: str) -> PseudoTerminal:
    return PseudoTerminal(
        "ask", "-m", "gpt-4.1", f"Reply with exactly: {text}",
        endpoint=url, key=emulator.api_key,
    )  # fmt: skip


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("pace", "text"), [(15, _SHORT), (60, _MEDIUM), (500, _LONG)])
def test_an_answer_leaves_on_the_screen_what_was_drawn_without_haste(
    pace: float, text: str
) -> None:
    expected = _rows(text)
    assert _missing(text, expected) == []

    def run(_: int) -> list[str]:
        with _ask(emulator, server.url, text) as terminal:
            assert terminal.wait(120)[0] == 0
            return terminal.screen.rows()

    emulator = _serve(pace)
    with emulator.serve() as server, ThreadPoolExecutor(6) as pool:
        for rows in pool.map(run, range(_RUNS)):
            assert rows == expected


@pytest.mark.parametrize(
    "sizes", [[(24, 40), (24, 120)], [(8, 80), (40, 80)], [(10, 30), (30, 132), (24, 80)]]
)
def test_nothing_is_lost_where_the_window_is_resized_meanwhile(
    sizes: list[tuple[int, int]],
) -> None:
    emulator = _serve(300)
    with emulator.serve() as server, _ask(emulator, server.url, _LONG) as terminal:
        for number, size in enumerate(sizes, start=1):
            terminal.read_until(f"Paragraph{number * 2:02}")
            terminal.resize(*size)
        assert terminal.wait()[0] == 0
        assert _missing(_LONG, terminal.screen.rows()) == []


def test_a_ctrl_c_midway_leaves_what_was_said() -> None:
    emulator = _serve(200)
    with emulator.serve() as server, _ask(emulator, server.url, _LONG) as terminal:
        terminal.read_until("Paragraph03 of words")
        terminal.type("\x03")
        code, _ = terminal.wait()
        rows = terminal.screen.rows()
    assert code == 130
    assert rows[-1] == "interrupted"
    assert _missing(_LONG[: _LONG.index("Paragraph03") + 20], rows) == []


def test_what_is_typed_meanwhile_costs_no_text() -> None:
    emulator = _serve(200)
    with emulator.serve() as server, _ask(emulator, server.url, _MEDIUM) as terminal:
        for word in ("文章", "long", "heading", "item"):
            terminal.read_until(word)
            terminal.type("typed\n")
        assert terminal.wait()[0] == 0
        assert _missing(_MEDIUM, terminal.screen.rows()) == []


@needs_tmux
def test_a_terminal_that_reflows_its_rows_loses_nothing_either(tmp_path: Path) -> None:
    emulator = _serve(200)
    prompt = f"Reply with exactly: {_LONG}"
    with (
        emulator.serve() as server,
        Tmux(
            tmp_path, "ask", "-m", "gpt-4.1", prompt,
            AZURE_OPENAI_ENDPOINT=server.url, AZURE_OPENAI_API_KEY=emulator.api_key,
        ) as tmux,
    ):  # fmt: skip
        for number, size in enumerate([(15, 50), (30, 120), (20, 70)], start=1):
            tmux.wait_for(f"Paragraph{number * 2:02}")
            tmux.resize(*size)
        tmux.wait_for("ended with 0")
        assert _missing(_LONG, tmux.rows()) == []


@needs_tmux
def test_no_unfinished_state_is_left_for_those_who_scroll_back(tmp_path: Path) -> None:
    words = " ".join(f"word{number}" for number in range(40))
    emulator = _serve(200)
    with (
        emulator.serve() as server,
        Tmux(
            tmp_path, "ask", "-m", "gpt-4.1", f"Reply with exactly: {words}",
            AZURE_OPENAI_ENDPOINT=server.url, AZURE_OPENAI_API_KEY=emulator.api_key,
        ) as tmux,
    ):  # fmt: skip
        tmux.wait_for("ended with 0")
        assert "".join(tmux.rows()).count("word0") == 1


@pytest.mark.parametrize(("option", "size"), [("--stream", 7), ("--no-stream", len(_LONG))])
def test_the_status_of_a_background_response_draws_over_none_of_its_answer(
    option: str, size: int
) -> None:
    latency = Latency(queued=0.3, running=0.3, tokens_per_second=2000)
    emulator = Emulator([Resource("r")], latency=latency)
    arguments = ("ask", "-m", "gpt-4.1", "--background", option, f"Reply with exactly: {_LONG}")
    with (
        emulator.serve() as server,
        PseudoTerminal(*arguments, endpoint=server.url, key=emulator.api_key) as terminal,
    ):
        terminal.read_until("starting")
        assert terminal.wait()[0] == 0
        assert terminal.screen.rows() == _rows(_LONG, size=size)


def test_a_conversation_leaves_whole_answers_on_the_screen() -> None:
    emulator = _serve(500)
    with (
        emulator.serve() as server,
        PseudoTerminal(
            "chat", "-m", "gpt-4.1", endpoint=server.url, key=emulator.api_key
        ) as terminal,
    ):
        terminal.read_until("> ")
        terminal.type(f"\x1b[200~Reply with exactly: {_MEDIUM}\x1b[201~\r")
        # What is typed while an answer is printed is not echoed into it.
        terminal.read_until("説明")
        terminal.type("typed")
        terminal.read_until("tokens")
        terminal.type("\x15/exit\r")
        assert terminal.wait()[0] == 0
        answer, _, _ = "\n".join(terminal.screen.rows()).partition(" tokens")
    expected = _rows(_MEDIUM)
    assert answer.split("\n")[-len(expected) - 1 : -1] == expected
