"""An answer in Markdown, drawn by rich on a terminal as it arrives, without loss of text."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from html import unescape
from itertools import takewhile
from typing import ClassVar, TextIO

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.text import Text

from azure_responses.cli.terminal import making_way, show_controls

__all__ = ["MarkdownPrinter", "draw_markdown", "split_blocks"]

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# Lines that may continue a list; of an unfinished line also what may become the next item.
_CONTINUES = re.compile(r"[ \t]|[-*+]([ \t]|\Z)|\d+([.)]([ \t]|\Z)|\Z)")
# The line ends of the parser.
_LINE_END = re.compile(r"\r\n?|\n")
# `List<String>` in a sentence would be read as HTML, and rich draws no HTML. A definition of a
# link (`[1]: https://…`) would be drawn nowhere.
_PARSER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["strikethrough", "table"])
    .disable("reference")
)


class MarkdownPrinter:
    """Draws finished blocks as Markdown, and the unfinished one as text that is replaced.

    So text that has scrolled away is never drawn again, however long the answer. All writes come
    from one thread: another one that refreshed the unfinished block could erase a finished block
    that is printed at the same moment.
    """

    def __init__(self, stream: TextIO, console: Console | None = None) -> None:
        self._stream = stream
        self._console = console or Console(file=stream, highlight=False)
        self._rest = ""
        self._rows: list[str] = []
        self._has_printed = False
        self._stack = ExitStack()

    def write(self, text: str) -> None:
        if not self._rest:
            self._stack.close()
            self._stack.enter_context(making_way(self._take_away))
        self._rest += show_controls(text)
        complete, rest = split_blocks(self._rest)
        self._replace(complete, self._tail(rest))
        self._rest = rest

    def finish(self) -> None:
        self._replace(self._rest if self._rest.strip() else "", [])
        self._rest = ""
        self._stack.close()

    def _take_away(self) -> None:
        self._replace("", [])

    def _tail(self, rest: str) -> list[str]:
        """The last rows of the unfinished block, as many as the terminal shows."""
        height = max(1, self._console.height - 2)
        # Two columns are left for the ^C that a terminal shows where it is typed.
        rows = [_wrap(line, self._console, margin=2) for line in rest.splitlines()[-height:]]
        return [row for group in rows for row in group][-height:]

    def _replace(self, complete: str, rows: list[str]) -> None:
        """Write a finished block, and the unfinished one from its first row that has changed."""
        old = self._rows
        kept = 0 if complete else _count_equal(old[:-1], rows[:-1])
        drawn = self._draw(complete) if complete else ""
        # A Ctrl-C in the write may leave these rows twice; with a wrong count it would erase text.
        self._rows = []
        self._stream.write(_erase(len(old) - kept) + drawn + "\n".join(rows[kept:]))
        self._stream.flush()
        self._rows = rows

    def _draw(self, text: str) -> str:
        gap = "\n" if self._has_printed else ""
        self._has_printed = True
        return gap + draw_markdown(text, self._console)


def _count_equal(old: list[str], new: list[str]) -> int:
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _erase(count: int) -> str:
    """Erase the last rows; never more, even where the terminal was resized meanwhile.

    A narrower terminal shows one row as two, so that some rows are seen twice. Each row is erased
    by itself: tmux keeps a screen that is cleared from its first cell on in the scrollback, so
    every unfinished state would be there.
    """
    return "\r\x1b[K" + "\x1b[A\x1b[K" * (count - 1) if count else ""


def split_blocks(text: str) -> tuple[str, str]:
    """Markdown whose blocks are complete, and the rest that more text may still change.

    A block ends at a blank line, but not within a code fence, nor where a list may go on.
    """
    position = cut = 0
    fence: str | None = None
    is_after_blank = False
    for line in text.splitlines(keepends=True):
        if is_after_blank and fence is None and line.strip() and not _CONTINUES.match(line):
            cut = position
        fence = _fence_after(line, fence)
        is_after_blank = not line.strip()
        position += len(line)
    return text[:cut], text[cut:]


def _fence_after(line: str, fence: str | None) -> str | None:
    """The fence that is open after a line, given the one open before it."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if fence is None:
        return match[1]
    closes = match[1].startswith(fence) and not line[match.end() :].strip()
    return None if closes else fence


class _Table(TableElement):
    """A table whose long words continue on the next line; rich cuts them off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            for column in getattr(table, "columns", ()):
                column.overflow = "fold"
            yield table


class _Markdown(Markdown):
    elements: ClassVar = {**Markdown.elements, "table_open": _Table}

    def __init__(self, markup: str) -> None:
        super().__init__(markup)
        self.parsed = _PARSER.parse(markup)
        for token in self.parsed:
            token.children = list(_spell_out(token.children or []))
        self.parsed = _keep_cells(self.parsed, markup)


def draw_markdown(text: str, console: Console) -> str:
    """The lines to write; the text as it came where drawing would lose characters."""
    markdown = _Markdown(text)
    drawn = _capture(console, markdown)
    if _letters(_contents(markdown.parsed)) <= _letters([Text.from_ansi(drawn).plain]):
        return drawn
    return "".join(f"{row}\n" for line in text.splitlines() for row in _wrap(line, console))


def _wrap(line: str, console: Console, margin: int = 0) -> list[str]:
    """The rows that a line of text takes up, `margin` columns short of the terminal's width."""
    width = max(2, console.width - margin)
    return [row.plain for row in Text(line).wrap(console, width)] or [""]


def _capture(console: Console, markdown: Markdown) -> str:
    with console.capture() as capture:
        console.print(markdown)
    return capture.get()


def _spell_out(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens, with the addresses of links and images as text: many terminals show no links."""
    href = label = ""
    for token in tokens:
        if token.type == "image":
            yield _text(f"🌆 {token.content} ({token.attrs.get('src', '')})")
            continue
        yield token
        label += token.content
        if token.type == "link_open":
            href, label = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close" and href != label:
            yield _text(f" ({href})")


def _keep_cells(tokens: Iterable[Token], text: str) -> list[Token]:
    """The tokens, with a table as its source where a row has more cells than there are columns.

    The parser drops those cells, and models write `int | None` in tables.
    """
    lines = _LINE_END.split(text)
    kept: list[Token] = []
    start = 0
    for token in tokens:
        if token.type == "table_open":
            start = len(kept)
        kept.append(token)
        if token.type == "table_close":
            source = "\n".join(lines[slice(*(kept[start].map or ()))])
            if not _letters([unescape(source)]) <= _letters(_contents(kept[start:])):
                kept[start:] = [Token("code_block", "code", 0, content=f"{source}\n")]
    return kept


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _contents(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _contents(token.children)
        else:
            yield token.content


def _letters(texts: Iterable[str]) -> Counter[str]:
    return Counter(character for text in texts for character in text if character.isalnum())
