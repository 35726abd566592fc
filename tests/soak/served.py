"""A command of this package as a process of its own, and what it holds open."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

__all__ = ["HAS_PROC", "Served", "free_port"]

HAS_PROC = Path("/proc/self/fd").is_dir()
"""Whether descriptors and memory of another process can be read here."""

_URL = re.compile(r"http://[\w.\[\]:-]+:\d+")
_START_SECONDS = 60.0


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Served:
    """`python -m azure_responses …`, running until it is stopped; a context manager.

    Args:
        arguments: of the command, which prints its URL when it is ready.
        folder: where it runs, and where what it says on standard error is kept.
        name: of that file.
        environment: further variables.
    """

    def __init__(
        self, *arguments: str, folder: Path, name: str, environment: dict[str, str] | None = None
    ) -> None:
        self.log = folder / f"{name}.log"
        self._arguments = arguments
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.url = ""

    def __enter__(self) -> "Served":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._running.pid

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start it, and wait until it says where it is.

        Raises RuntimeError with what it said where it ends instead.
        """
        command = [sys.executable, "-m", "azure_responses", *self._arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        found = _URL.search(self._first_line())
        if found is None:
            self.kill()
            raise RuntimeError(f"{' '.join(command)} did not start:\n{self.log.read_text()}")
        self.url = found[0]

    def _first_line(self) -> str:
        output = self._running.stdout
        assert output is not None
        lines: queue.Queue[str] = queue.Queue()
        # Goes on reading to the end, so that the process is never held up by a full pipe.
        self._reader = threading.Thread(target=_pass_on, args=(output, lines), daemon=True)
        self._reader.start()
        try:
            return lines.get(timeout=_START_SECONDS)
        except queue.Empty:
            return ""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._running.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Its exit code, once it has ended."""
        return self._running.wait(timeout)

    def stop(self, timeout: float = 30.0) -> int:
        """Ask it to end, and wait for its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> None:
        """End it and its workers at once, as a crash would; nothing if it has ended."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._reader is not None:
            self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def resident_mb(self) -> float:
        """The memory it has now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def descriptors(self) -> list[str]:
        """What its descriptors lead to."""
        folder = Path(f"/proc/{self.pid}/fd")
        found = []
        for entry in folder.iterdir():
            try:
                found.append(os.readlink(entry))
            except FileNotFoundError:
                continue
        return sorted(found)

    def open_kinds(self) -> "Counter[str]":
        """How many descriptors it has of each kind.

        A kind is the name of a file, what the kernel calls it (`pipe`, `anon_inode:[eventpoll]`),
        or for TCP `listener`, `from a caller` and `to port 1234`.
        """
        table = Path(f"/proc/{self.pid}/net/tcp").read_text()
        rows = [line.split() for line in table.splitlines()[1:]]
        sockets = {f"socket:[{row[9]}]": self._name_socket(row) for row in rows}
        return Counter(sockets.get(name) or _kind_of(name) for name in self.descriptors())

    def _name_socket(self, row: list[str]) -> str:
        # Of a row: local address, remote address and state; 0A is "listen".
        local, remote = (int(address.rpartition(":")[2], 16) for address in row[1:3])
        if row[3] == "0A":
            return "listener"
        return "from a caller" if local == self.port else f"to port {remote}"


def _kind_of(name: str) -> str:
    return Path(name).name if name.startswith("/") else re.sub(r":\[\d+\]$", "", name)


def _pass_on(output: IO[str], lines: "queue.Queue[str]") -> None:
    for line in output:
        lines.put(line)
    lines.put("")
