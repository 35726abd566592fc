"""The answer on stdout as it arrives: Markdown on a terminal that rich can draw on, else text."""

import sys
from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO

from azure_responses.cli.terminal import is_capable, show_controls
from azure_responses.types.event import StreamEvent
from azure_responses.types.response import Response

__all__ = [
    "PlainPrinter",
    "Printer",
    "make_printer",
    "print_texts",
    "print_whole",
    "text_of",
    "texts_of",
]

_TEXT_EVENTS = ("response.output_text.delta", "response.refusal.delta")


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
            from azure_responses.cli.markdown import MarkdownPrinter
        except ModuleNotFoundError:
            return PlainPrinter(stream)
        return MarkdownPrinter(stream)
    return PlainPrinter(stream)


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
    """Writes text as it is; control characters become visible where a terminal would obey them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._last = "\n"

    def write(self, text: str) -> None:
        self._stream.write(show_controls(text) if self._is_terminal else text)
        self._stream.flush()
        self._last = text[-1:] or self._last

    def finish(self) -> None:
        if self._last != "\n":
            self.write("\n")
