"""A server on a real socket that says what happened to its connections."""

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

__all__ = ["SocketServer", "event", "streaming_head"]


def event(name: str, json: str) -> bytes:
    """One server-sent event in a chunk of its own."""
    body = f"event: {name}\ndata: {json}\n\n".encode()
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


def streaming_head() -> bytes:
    """The head of a streamed reply."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )


class SocketServer:
    """Answers each connection with a function that is given the connected socket.

    Attributes:
        url: where it listens.
        opened, released: how many connections began, and how many the client has closed.
        requests: the bytes each request arrived as.
    """

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._answer = answer
        self.opened = 0
        self.released = 0
        self.requests: list[bytes] = []

    def wait_for_release(self, count: int = 1, seconds: float = 5.0) -> bool:
        """True as soon as the client has closed so many connections."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.released >= count:
                return True
            time.sleep(0.005)
        return False

    def __enter__(self) -> "SocketServer":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing alone does not wake a thread that is blocked in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.opened += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                while request := _read_request(connection):
                    self.requests.append(request)
                    self._answer(connection)
            except OSError:
                pass
            self.released += 1


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
