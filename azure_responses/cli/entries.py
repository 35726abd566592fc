"""What the user of a chat types or pastes, one entry at a time.

A paste is one entry: after ESC [ ? 2004 h a terminal marks where a paste begins and ends.
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
    """A source of entries."""

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
    """A terminal that executes no control sequences, or one without prompt_toolkit."""

    def __init__(self) -> None:
        if is_capable(sys.stdout):
            _edit_with_readline()

    def _read_line(self, prompt: str) -> str:
        if sys.stdout.isatty():
            return input(prompt)
        # stdout is a file or a pipe, which gets answers only.
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
        # Replaced by an object without a file, as some programs and tests do.
        return None
    return next((stream for stream in (sys.stdout, sys.stderr) if is_capable(stream)), None)


def _edit_with_readline() -> None:
    try:
        import readline
    except ModuleNotFoundError:
        return
    # Python switches this off, because its own prompt cannot read several lines. libedit, which
    # macOS has under the same name, does not support it.
    if "libedit" not in (readline.__doc__ or ""):
        readline.parse_and_bind("set enable-bracketed-paste on")
