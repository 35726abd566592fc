"""What the user of a session types or pastes, one entry at a time.

A paste is one entry: a terminal that is asked to (ESC [ ? 2004 h) says where one begins and ends.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, TextIO

from azure_responses.cli.terminal import is_capable, note

__all__ = ["Entries", "Lines", "PlainTerminal", "open_entries"]

_HISTORY_VARIABLE = "AZURE_RESPONSES_HISTORY"


class Entries(Protocol):
    """Hands out entries."""

    def read(self) -> str:
        """The next entry.

        Raises:
            EOFError: the user leaves.
            KeyboardInterrupt: the user pressed Ctrl-C.
        """


class Lines:
    """Lines that are piped in; a backslash at the end of one continues it on the next."""

    def read(self) -> str:
        lines = [self._read_line("> ")]
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            lines.append(self._read_line(". "))
        return "\n".join(lines)

    def _read_line(self, prompt: str) -> str:
        return input()


class PlainTerminal(Lines):
    """A terminal that obeys no control sequences, or one without prompt_toolkit."""

    def __init__(self) -> None:
        if is_capable(sys.stdout):
            _edit_with_readline()

    def _read_line(self, prompt: str) -> str:
        if sys.stdout.isatty():
            return input(prompt)
        # The answers go elsewhere, and the prompt must not go with them.
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return input()


def open_entries() -> AbstractContextManager[Entries]:
    """The entries of stdin, with an editor where it is a terminal that can have one."""
    if not sys.stdin.isatty():
        return nullcontext(Lines())
    screen = _find_screen()
    if screen is None:
        return nullcontext(PlainTerminal())
    path = os.environ.get(_HISTORY_VARIABLE)
    try:
        from azure_responses.cli.editor import open_editor
    except ModuleNotFoundError:
        if path:
            note("no history is kept: it needs pip install 'azure-responses[cli]'")
        return nullcontext(PlainTerminal())
    return open_editor(screen, Path(path).expanduser() if path else None)


def _find_screen() -> TextIO | None:
    """Where to draw what is typed: answers may be piped away."""
    try:
        sys.stdin.fileno()
    except OSError:
        # What only looks like a terminal has no keys to read.
        return None
    return next((stream for stream in (sys.stdout, sys.stderr) if is_capable(stream)), None)


def _edit_with_readline() -> None:
    try:
        import readline
    except ModuleNotFoundError:
        return
    # Python switches this off, because its own prompt cannot take several lines. The other
    # library of that name, libedit, knows no such thing.
    if "libedit" not in (readline.__doc__ or ""):
        readline.parse_and_bind("set enable-bracketed-paste on")
