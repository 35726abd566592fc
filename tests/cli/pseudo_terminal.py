"""The command in a pseudo-terminal, typed at and read from as a user does."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte

__all__ = ["PseudoTerminal", "Screen", "hide_module", "plain"]

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


def plain(text: str) -> str:
    """Text without the control sequences of a terminal."""
    return _SEQUENCE.sub("", text)


def hide_module(folder: Path, name: str) -> dict[str, str]:
    """The environment of a Python in which a module is not installed."""
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules[{name!r}] = None\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


class Screen(pyte.HistoryScreen):
    """What a terminal shows, and what has scrolled away.

    It keeps what a narrower window hides, so that only what was erased is missing.
    """

    def __init__(self, lines: int = 24, columns: int = 80) -> None:
        super().__init__(columns, lines, history=100_000)
        self._widest = columns
        self._stream = pyte.ByteStream(self)

    def show(self, data: bytes) -> None:
        """Receive what a program writes."""
        self._stream.feed(data)

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """As a window that somebody drags: rows leave at the top where the cursor needs it."""
        self.lines, self.columns = lines or self.lines, columns or self.columns
        excess = max(0, self.cursor.y - self.lines + 1)
        self.history.top.extend(self.buffer[row] for row in range(excess))
        moved = {row - excess: line for row, line in self.buffer.items() if row >= excess}
        self.buffer.clear()
        self.buffer.update(moved)
        self.cursor.y -= excess
        self.cursor.x = min(self.cursor.x, self.columns - 1)
        self._widest = max(self._widest, self.columns)

    def rows(self) -> list[str]:
        """Every row from the first that was ever written, without the space at its end."""
        lines = [*self.history.top, *(self.buffer[row] for row in range(self.lines))]
        rows = ["".join(line[x].data for x in range(self._widest)).rstrip() for line in lines]
        while rows and not rows[-1]:
            rows.pop()
        return rows


class PseudoTerminal:
    """Runs `azure-responses` with a terminal of its own; a context manager.

    Args:
        arguments: of the command.
        endpoint, key: put into its environment.
        terminal: the TERM it is told.
        environment: what else it finds there.
        size: lines and columns.

    Attributes:
        screen: what the terminal shows of what was read so far.
    """

    def __init__(
        self,
        *arguments: str,
        endpoint: str,
        key: str,
        terminal: str = "xterm",
        size: tuple[int, int] = (24, 80),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._arguments = arguments
        self._size = size
        self.screen = Screen(*size)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
        self._environment = {
            **kept,
            "AZURE_OPENAI_ENDPOINT": endpoint,
            "AZURE_OPENAI_API_KEY": key,
            "TERM": terminal,
            **(environment or {}),
        }
        self._environment.pop("NO_COLOR", None)
        self._unread = ""

    def __enter__(self) -> "PseudoTerminal":
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "azure_responses", *self._arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        os.close(self._master)

    def type(self, text: str) -> None:
        """Press these keys; "\\x03" is Ctrl-C and "\\x04" Ctrl-D."""
        os.write(self._master, text.encode())

    def send_signal(self, number: int) -> None:
        """Send the command a signal."""
        self._process.send_signal(number)

    def modes(self) -> list[Any]:
        """How the terminal treats what is typed."""
        return termios.tcgetattr(self._master)

    def resize(self, lines: int, columns: int) -> None:
        """Drag the window to another size; the command gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def read_until(self, words: str, seconds: float = 20.0) -> str:
        """What appeared up to and with these words; fails when they do not come."""
        deadline = time.monotonic() + seconds
        while words not in self._unread:
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready and not self._receive():
                break
            assert time.monotonic() < deadline, f"{words!r} did not come: {self._unread!r}"
        assert words in self._unread, f"ended without {words!r}: {self._unread!r}"
        end = self._unread.index(words) + len(words)
        text, self._unread = self._unread[:end], self._unread[end:]
        return text

    def wait(self, seconds: float = 20.0) -> tuple[int, str]:
        """The exit code, and what was left to read."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"did not end: {self._unread!r}"
            if select.select([self._master], [], [], 0.05)[0]:
                self._receive()
        while select.select([self._master], [], [], 0.05)[0] and self._receive():
            pass
        text, self._unread = self._unread, ""
        return self._process.returncode, text

    def _receive(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # Linux says so when the last process has left the terminal.
            return False
        self.screen.show(data)
        self._unread += data.decode("utf-8", "replace")
        return bool(data)
