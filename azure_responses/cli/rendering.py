"""The answer on stdout as it arrives, and what it used and cost."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Protocol, TextIO

from azure_responses.cli.terminal import is_capable, show_controls
from azure_responses.protocol.partial_response import TextPieces
from azure_responses.types.items import OutputMessage
from azure_responses.types.model import StreamEvent
from azure_responses.types.response import Response
from azure_responses.types.usage import Usage

__all__ = [
    "PlainPrinter",
    "Printer",
    "describe_cost",
    "describe_tokens",
    "incomplete_reason",
    "make_printer",
    "print_columns",
    "print_texts",
    "print_whole",
    "show_cost",
    "summarise",
    "text_of",
    "texts_of",
]

_REFUSAL = "response.refusal.delta"
# Between two messages, such as commentary and the final answer.
_APART = "\n\n"


class Printer(Protocol):
    """Shows one answer."""

    def write(self, text: str) -> None:
        """Show another piece."""

    def finish(self) -> None:
        """End the answer, complete or not; the next output starts on a new line."""


def texts_of(events: Iterable[StreamEvent]) -> Iterator[str]:
    """The pieces of text or of a refusal in events; an empty line separates messages."""
    pieces = TextPieces()
    latest: int | None = None
    for event in events:
        text = pieces.take(event)
        if str(event.type) == _REFUSAL:
            delta = getattr(event, "delta", None)
            text = delta if isinstance(delta, str) else None
        if not text:
            continue
        index = getattr(event, "output_index", latest)
        # The text of another output item is another message.
        if latest is not None and index != latest:
            yield _APART
        latest = index
        yield text


def make_printer(stream: TextIO | None = None) -> Printer:
    """The printer that suits a stream, stdout by default."""
    stream = stream or sys.stdout
    if is_capable(stream):
        try:
            from azure_responses.cli.markdown import MarkdownPrinter
        # rich is in the extra `cli`.
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
    messages = [item for item in response.output if isinstance(item, OutputMessage)]
    return _APART.join(item.text for item in messages if item.text) or response.refusal or ""


class PlainPrinter:
    """Writes text as it is; on a terminal control characters become visible, not executed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # In a file or pipe, control characters are data that must arrive unchanged.
        self._is_terminal = stream.isatty()
        self._last = "\n"

    def write(self, text: str) -> None:
        self._stream.write(show_controls(text) if self._is_terminal else text)
        self._stream.flush()
        self._last = text[-1:] or self._last

    def finish(self) -> None:
        if self._last != "\n":
            self.write("\n")


# Ten tokens of a small model cost less, and `$0.000000` reads as free of charge.
_SMALLEST = Decimal("0.000001")


def incomplete_reason(response: Response) -> str | None:
    """Why a response is incomplete, in one phrase; None for one that is not."""
    if response.status != "incomplete":
        return None
    reason = getattr(response.incomplete_details, "reason", None) or "no reason given"
    return f"incomplete: {reason}"


def print_columns(lines: Sequence[Sequence[str]], left: int) -> None:
    """Print rows of text in columns; the first `left` are aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def summarise(response: Response) -> str:
    """Tokens and cost of a response."""
    tokens = describe_tokens(response.usage)
    cost = describe_cost(response.cost)
    return f"{tokens}, {cost}"


def describe_tokens(usage: Usage | None) -> str:
    """Token counts, with those that were cached or used for reasoning."""
    if usage is None:
        return "tokens unknown"
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    reasoning = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
    return (
        f"{usage.input_tokens:,} input{cached} + {usage.output_tokens:,} output{reasoning} tokens"
    )


def describe_cost(cost: Decimal | None) -> str:
    """US dollars, with as many digits as a small amount needs."""
    if cost is None:
        return "price unknown"
    return f"${cost:,.2f}" if cost >= 10 else f"${show_cost(cost)}"


def show_cost(cost: Decimal) -> str:
    """An amount with six digits after the point, and more where it would look like zero."""
    return f"{cost:.6f}" if not cost or cost >= _SMALLEST else f"{cost:.12f}".rstrip("0")
