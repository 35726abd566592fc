"""Messages on stderr, and what the terminal there can show."""

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self, TextIO

from azure_responses.errors import APIStatusError, AzureResponsesError

__all__ = [
    "INTERRUPTED",
    "StatusLine",
    "dim",
    "encodes",
    "is_capable",
    "making_way",
    "note",
    "paint",
    "report",
    "report_interrupt",
    "show_controls",
    "spell",
    "supports_colour",
]

INTERRUPTED = 130
"""Exit code of an interrupted command: 128 + SIGINT, as shells report it."""

_STYLES = {"dim": "2", "green": "32", "red": "31"}
# A terminal must not execute what an answer holds: ESC [ 2 J would clear the screen.
_VISIBLE = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_CLEAR_LINE = "\r\x1b[K"


# Each erases something unfinished from the screen, which is drawn again with the next piece.
_unfinished: list[Callable[[], None]] = []


def note(text: str) -> None:
    """Print a message that is not part of the answer."""
    for take_away in _unfinished:
        take_away()
    print(text, file=sys.stderr, flush=True)


@contextmanager
def making_way(take_away: Callable[[], None]) -> Iterator[None]:
    """Have `note` erase what is unfinished first; the note would be erased with it otherwise."""
    _unfinished.append(take_away)
    try:
        yield
    finally:
        _unfinished.remove(take_away)


def report(error: AzureResponsesError, *, has_connection_options: bool = True) -> None:
    """Print what went wrong and what to change, without a traceback.

    Args:
        error: the error.
        has_connection_options: the command has options in place of the library's arguments, so
            hints name the options.
    """
    status = f"{error.status_code} " if isinstance(error, APIStatusError) else ""
    note(f"error: {status}{error.message}")
    hint = spell(error.hint or "") if has_connection_options else error.hint
    if hint:
        note(f"hint: {hint}")
    if isinstance(error, APIStatusError) and error.request_id:
        note(f"request id: {error.request_id}")


def report_interrupt() -> None:
    """End the interrupted line, so that the prompt of the shell starts on a new one."""
    sys.stdout.write("\n")
    sys.stdout.flush()
    note("interrupted")


def is_capable(stream: TextIO) -> bool:
    """True for a terminal that executes control sequences."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def supports_colour(stream: TextIO) -> bool:
    """True for a capable terminal whose user has not set NO_COLOR (see no-color.org)."""
    return is_capable(stream) and not os.environ.get("NO_COLOR")


def show_controls(text: str) -> str:
    """Text whose control characters a terminal shows (ESC as ␛) and does not execute."""
    return text.translate(_VISIBLE)


def encodes(stream: TextIO, text: str) -> bool:
    """True where a stream can show these characters."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def paint(text: str, style: str, stream: TextIO) -> str:
    """`text` in a style where the stream shows styles: "dim", "green" or "red"."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if supports_colour(stream) else text


def dim(text: str) -> str:
    """`text` dimmed, where stderr shows colours."""
    return paint(text, "dim", sys.stderr)


class StatusLine:
    """A status and its age: one line that keeps itself up to date, or a line per change.

    A context manager; on a terminal the line is gone once it ends.
    """

    def __init__(self, stream: TextIO | None = None, interval: float = 0.25) -> None:
        self._stream = stream or sys.stderr
        self._is_live = is_capable(self._stream)
        self._interval = interval
        self._status: str | None = None
        self._started_at = time.monotonic()
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def show(self, status: str) -> None:
        """Show this status from now on."""
        with self._lock:
            is_new, self._status = status != self._status, status
            if self._is_live:
                self._draw()
            elif is_new:
                self._write(self._line() + "\n")

    def hide(self) -> None:
        """Erase the line and show nothing more."""
        with self._lock:
            if self._is_live and not self._is_over.is_set():
                self._write(_CLEAR_LINE)
            self._is_over.set()

    def __enter__(self) -> Self:
        self._started_at = time.monotonic()
        if self._is_live:
            self._stack.enter_context(making_way(self._take_away))
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        self.hide()

    def _take_away(self) -> None:
        with self._lock:
            if not self._is_over.is_set():
                self._write(_CLEAR_LINE)

    def _tick(self) -> None:
        while not self._is_over.wait(self._interval):
            with self._lock:
                if self._status is not None:
                    self._draw()

    def _draw(self) -> None:
        if not self._is_over.is_set():
            # A line that continues in the next row could not be erased.
            line = self._line()[: shutil.get_terminal_size().columns - 1]
            self._write(_CLEAR_LINE + paint(line, "dim", self._stream))

    def _line(self) -> str:
        return f"{self._status}, {time.monotonic() - self._started_at:.0f} s"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


# What is written for Python, and what the user of a command can do instead. An argument that has
# neither an option nor a variable is left out. tests/cli/test_spelling.py reads all hints.
_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"[Pp]ass (?:model|deployment)='<deployment name>'", "Pass --model DEPLOYMENT"),
    (r"[Pp]ass (?:model|deployment)=…", "Pass --model DEPLOYMENT"),
    (r"endpoint='([^']*)'", r"--endpoint \1"),
    (r"api_version='([^']*)'", r"--api-version \1"),
    (r"Use None, 'v1', 'preview', 'latest' or a date such as '([^']*)'",
     r"Use v1, preview, latest or a date such as \1"),
    (r"or pass '([^']*)'", r"or pass --api-version \1"),
    (r"\bapi_version\b(?! ')", "--api-version"),
    (r"Pass verify='[^']*' or set SSL_CERT_FILE", "Set SSL_CERT_FILE"),
    (r"Pass verify='<([^']*)>'", r"Set SSL_CERT_FILE to the \1"),
    (r"pass api_key \(or set AZURE_OPENAI_API_KEY\)", "set AZURE_OPENAI_API_KEY"),
    (r"Pass it as azure_ad_token \(or set (\w+)\)", r"Set \1 to it"),
    (r"[Pp]ass the key as api_key", "Set AZURE_OPENAI_API_KEY to the key"),
    (r"A key is passed as api_key", "A key is set as AZURE_OPENAI_API_KEY"),
    (r"(L|l)eave api_key out", r"\1eave AZURE_OPENAI_API_KEY unset"),
    (r"or pass a key\b", "or set AZURE_OPENAI_API_KEY"),
    (r"\bazure_ad_token\b", "AZURE_OPENAI_AD_TOKEN"),
    (r"\bapi_key\b", "AZURE_OPENAI_API_KEY"),
    (r"a credential or azure_ad_token_provider does", "`az login` does"),
    (r", or pass allow_insecure=True if the network is trusted", ""),
    (r"[;,] (?:or )?pass scope= if this resource [^.]*", ""),
    (r"(?: Pass )?preview_path=True[^.]*\.", ""),
    (r"Use preview_path only with [^.]*\.", ""),
    (r", or pass truncation='auto' to let the service drop the oldest items", ""),
    (r"\b(?:as )?proxy= or in HTTPS_PROXY", "in HTTPS_PROXY"),
    (r"\bas proxy=", "in HTTPS_PROXY"),
    (r"With store=False pass include=\['([^']*)'\]", r"With `store` false ask for `include` \1"),
    (r"with store=False", "without being stored"),
    (r"Pass extra_headers=\{'([^']*)': '([^']*)'\}\.", r"Send the header \1: \2."),
    (r", or pass drop_params=True", ""),
    (r"such as extra_headers=\{'([^']*)': '([^']*)'\}, or as default_headers of the client",
     r"\1: \2"),
    (r"Pass agent='NAME' or agent='NAME:VERSION'",
     "Name it as azure_ai/agents/NAME or azure_ai/agents/NAME:VERSION"),
    (r"`retry_after` seconds", "as long as it says"),
    (r"call responses\.create\b", "use `ask` or `chat`"),
    (r"pass the typed items of `response\.output`", "leave it out of them"),
    (r"; `content_filters` says by which category(?: and severity)?", ""),
)  # fmt: skip


def spell(text: str) -> str:
    """A hint with options and variables instead of the library's arguments."""
    for python, command in _SPELLINGS:
        text = re.sub(python, command, text)
    return text.strip()
