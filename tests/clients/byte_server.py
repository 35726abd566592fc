"""A server that swallows uploads of any size, and sends downloads of any size."""

import re
import socket
from contextlib import suppress
from typing import Any

from tests.clients.socket_server import SocketServer

__all__ = ["ByteServer"]

_PIECE = b"x" * 2**16
_FILE = b'{"id":"file-1","object":"file","bytes":%d,"filename":"a","purpose":"batch"}'


class ByteServer(SocketServer):
    """Answers `POST` with the number of bytes that came, and `GET` with `size` bytes.

    Attributes:
        received: the length of each body.
    """

    def __init__(self, size: int) -> None:
        super().__init__(lambda connection: None)
        self.received: list[int] = []
        self._size = size

    def __enter__(self) -> "ByteServer":
        super().__enter__()
        return self

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as reader:
            while head := _read_head(reader):
                if head.startswith(b"get "):
                    self._send(connection)
                    continue
                count = _swallow(reader, head)
                self.received.append(count)
                _reply(connection, _FILE % count)

    def _send(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % self._size)
        left = self._size
        while left > 0:
            connection.sendall(_PIECE[:left])
            left -= len(_PIECE)


def _read_head(reader: Any) -> bytes:
    lines = []
    while (line := reader.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join(lines).lower()


def _swallow(reader: Any, head: bytes) -> int:
    found = re.search(rb"content-length: (\d+)", head)
    if found:
        return _skip(reader, int(found[1]))
    count = 0
    while size := int(reader.readline(), 16):
        count += _skip(reader, size)
        reader.readline()
    reader.readline()
    return count


def _skip(reader: Any, count: int) -> int:
    left = count
    while left:
        left -= len(reader.read(min(left, 2**18)))
    return count


def _reply(connection: socket.socket, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    connection.sendall(head % len(body) + body)
