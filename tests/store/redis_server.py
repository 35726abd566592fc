"""A real Redis or Valkey on a free port, which can be killed and started again."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PROGRAM", "RedisServer", "running"]

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A server without persistence: what it knew is gone when it is killed.

    Args:
        options: further words of its command line.
    """

    def __init__(self, *options: str) -> None:
        self.options = options
        self.port = _free_port()
        self.second_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it takes connections.

        Raises RuntimeError when it ends at once, as for an option it does not know.
        """
        assert PROGRAM is not None
        words = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        words += ["--loglevel", "warning", *self.options]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {' '.join(words)}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return bool(connection.recv(16))
        except OSError:
            return False

    def pause(self) -> None:
        """Have it hang: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def running(server: RedisServer) -> Iterator[RedisServer]:
    """Start a server; it is gone afterwards, however the test ends."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
