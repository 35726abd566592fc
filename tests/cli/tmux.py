"""The command in a real terminal multiplexer, which keeps a screen, reflows it and pastes."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from types import TracebackType

import pytest

__all__ = ["Tmux", "needs_tmux"]

needs_tmux = pytest.mark.skipif(which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """Runs `azure-responses` in a server of tmux of its own; a context manager.

    Args:
        folder: for the server's socket.
        arguments: of the command.
        environment: what it finds there.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._socket = folder / "tmux"
        self._arguments = arguments
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
        kept.pop("NO_COLOR", None)
        self._environment = {**kept, "LC_ALL": "C.UTF-8", **environment}

    def __enter__(self) -> "Tmux":
        command = shlex.join([sys.executable, "-m", "azure_responses", *self._arguments])
        size = ("-x", "80", "-y", "24")
        self.run("-f", "/dev/null", "new-session", "-d", *size, "cat")
        self.run("set-option", "-g", "history-limit", "50000")
        self.run("set-option", "-g", "remain-on-exit", "on")
        # The first window began before there was so much history.
        self.run("new-window", "-k", "-t", ":1", f"{command}; echo ended with $?")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run("kill-server")

    def run(self, *arguments: str, given: str | None = None) -> str:
        """One command of tmux."""
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return done.stdout

    def paste(self, text: str, *, bracketed: bool) -> None:
        """Paste, as a terminal that says so or as one that only types fast."""
        self.run("load-buffer", "-", given=text)
        self.run("paste-buffer", *(["-p"] if bracketed else []), "-t", ":1")

    def resize(self, lines: int, columns: int) -> None:
        """Drag the window to another size."""
        self.run("resize-window", "-t", ":1", "-x", str(columns), "-y", str(lines))

    def rows(self) -> list[str]:
        """What is on the screen and above it; rows that only the width broke are joined."""
        return self.run("capture-pane", "-t", ":1", "-p", "-J", "-S", "-").rstrip("\n").split("\n")

    def wait_for(self, words: str, seconds: float = 20.0, count: int = 1) -> None:
        """Until the screen, or what has left it, shows these words so many times."""
        deadline = time.monotonic() + seconds
        while "\n".join(self.rows()).count(words) < count:
            assert time.monotonic() < deadline, f"{words!r} did not come: {self.rows()}"
            time.sleep(0.05)
