"""Entries edited on a terminal with prompt_toolkit, which is an optional dependency."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from azure_responses.cli.terminal import note

__all__ = ["Editor", "open_editor"]

# prompt_toolkit drops the space at the end of text without a style, and logs would lack it.
_INK = "fg:ansidefault"


class Editor:
    """One entry may have several lines: pasted, or each but the last ended by a backslash.

    Args:
        output: where to draw what is typed.
        history: the file that keeps the entries between sessions.
    """

    def __init__(self, output: Output, history: Path | None) -> None:
        self._output = output
        self._session: PromptSession[str] = PromptSession(
            [(_INK, "> ")],
            multiline=True,
            prompt_continuation=[(_INK, ". ")],
            history=_open_history(history),
            key_bindings=_bind_keys(),
            enable_suspend=True,
            output=output,
        )

    def read(self) -> str:
        """The next entry."""
        try:
            return self._session.prompt()
        finally:
            # prompt_toolkit switches it off, and a paste may come while an answer is printed.
            self._output.enable_bracketed_paste()
            self._output.flush()


@contextmanager
def open_editor(screen: TextIO, history: Path | None) -> Iterator[Editor]:
    """An editor on a terminal, whose settings are restored at the end.

    Text typed or pasted while an answer is printed is not echoed into it; it is the next entry.
    """
    output = _make_output(screen)
    editor = Editor(output, history)
    with _ending_on_sigterm(), _without_echo():
        try:
            yield editor
        finally:
            output.disable_bracketed_paste()
            output.flush()


def _make_output(screen: TextIO) -> Output:
    output = create_output(screen)
    if isinstance(output, Vt100_Output):
        # Nothing here needs the position of the cursor, and not every terminal reports it.
        output.enable_cpr = False
    return output


def _open_history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    try:
        path.touch(mode=0o600)
        with path.open("ab"):
            return FileHistory(path)
    except OSError as error:
        note(f"no history is kept: cannot write {path}: {error.strerror}")
        return InMemoryHistory()


def _bind_keys() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    return bindings


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Exit through `finally` blocks on SIGTERM, so that the terminal is restored."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _without_echo() -> Iterator[None]:
    """Keep what is typed meanwhile in the queue of the terminal until it is read."""
    try:
        import termios
    except ModuleNotFoundError:
        # Windows has no termios.
        yield
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    quiet = termios.tcgetattr(keyboard)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
