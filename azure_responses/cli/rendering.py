"""The answer on stdout as it arrives: Markdown on a terminal that rich can draw on, else text."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from azure_responses.cli.terminal import is_capable
from azure_responses.types.event import StreamEvent
from azure_responses.types.response import Response

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "MarkdownPrinter",
    "PlainPrinter",
    "Printer",
    "make_printer",
    "print_texts",
    "print_whole",
    "split_blocks",
    "text_of",
    "texts_of",
]

_TEXT_EVENTS = ("response.output_text.delta", "response.refusal.delta")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CONTINUES = re.compile(r"[ \t]|[-*+][ \t]|\d+[.)][ \t]")
_REFRESHES_PER_SECOND = 10


class Printer(Protocol):
    """Shows one answer."""

    def write(self, text: str) -> None:
        """Show another piece."""

    def finish(self) -> None:
        """End the answer, complete or not; the next output starts on a line of its own."""


def texts_of(events: Iterable[StreamEvent]) -> Iterator[str]:
    """The pieces of text, or of a refusal, among some events."""
    for event in events:
        delta = getattr(event, "delta", None)
        if str(event.type) in _TEXT_EVENTS and isinstance(delta, str):
            yield delta


def make_printer(stream: TextIO | None = None) -> Printer:
    """The printer that suits a stream, stdout by default."""
    stream = stream or sys.stdout
    if is_capable(stream):
        try:
            return MarkdownPrinter(_make_console(stream))
        except ModuleNotFoundError:
            pass
    return PlainPrinter(stream)


def _make_console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, highlight=False)


def print_texts(texts: Iterable[str]) -> None:
    """Print an answer as its pieces arrive."""
    printer = make_printer()
    try:
        for text in texts:
            printer.write(text)
    finally:
        printer.finish()


def print_whole(response: Response, *, as_json: bool) -> None:
    """Print an answer that is complete."""
    if as_json:
        print(response.to_json())
    else:
        print_texts([text_of(response)])


def text_of(response: Response) -> str:
    """What there is to read: the text, or the refusal."""
    return response.output_text or response.refusal or ""


class PlainPrinter:
    """Writes text as it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = "\n"

    def write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
        self._last = text[-1:] or self._last

    def finish(self) -> None:
        if self._last != "\n":
            self.write("\n")


class MarkdownPrinter:
    """Draws finished blocks as Markdown for good, and the unfinished one as text that is replaced.

    So what has scrolled away is never drawn again, however long the answer.
    """

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._console = console
        self._rest = ""
        self._has_printed = False
        self._live = Live(
            console=console,
            transient=True,
            refresh_per_second=_REFRESHES_PER_SECOND,
            vertical_overflow="crop",
        )

    def write(self, text: str) -> None:
        complete, self._rest = split_blocks(self._rest + text)
        if not self._live.is_started:
            self._live.start()
        if complete:
            self._live.update("")
            self._print(complete)
        self._live.update(self._tail())

    def finish(self) -> None:
        if self._live.is_started:
            self._live.update("")
            self._live.stop()
        if self._rest.strip():
            self._print(self._rest)
        self._rest = ""

    def _tail(self) -> Any:
        """The last lines of the unfinished block, as many as the terminal shows."""
        from rich.text import Text

        lines = self._rest.splitlines()
        return Text("\n".join(lines[-max(1, self._console.height - 2) :]))

    def _print(self, text: str) -> None:
        from rich.markdown import Markdown

        if self._has_printed:
            self._console.print()
        self._console.print(Markdown(text))
        self._has_printed = True


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
