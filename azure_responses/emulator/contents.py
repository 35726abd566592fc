"""What callers upload and download: bytes in memory, or a temporary file where they are many."""

import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import IO

__all__ = ["SPOOLED_BYTES", "StoredContent", "ContentWriter"]

SPOOLED_BYTES = 4 * 1024 * 1024
"""More than this goes into a temporary file."""
_PIECE = 256 * 1024


class _Spool:
    """A temporary file that is closed, and so deleted, with the last content in it."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._lock = threading.Lock()
        # A file that is only dropped would warn that it was never closed.
        weakref.finalize(self, self._file.close)

    def write(self, piece: bytes) -> None:
        with self._lock:
            self._file.write(piece)

    def read(self, begin: int, size: int) -> bytes:
        # Several downloads share the position of the file.
        with self._lock:
            self._file.seek(begin)
            return self._file.read(size)


class StoredContent:
    """Bytes that are read as a whole or in pieces, wherever they are kept.

    Args:
        source: the bytes, or the temporary file that holds them.
        begin, size: which part of the source it is; all of it by default.
    """

    def __init__(
        self, source: "bytes | _Spool" = b"", begin: int = 0, size: int | None = None
    ) -> None:
        self._source = source
        self._begin = begin
        given = len(source) if isinstance(source, bytes) else 0
        self.size = given - begin if size is None else size

    @property
    def is_in_memory(self) -> bool:
        """False where a temporary file holds it."""
        return isinstance(self._source, bytes)

    def read(self, begin: int = 0, end: int | None = None) -> bytes:
        """The bytes from `begin` to `end`, in one piece."""
        end = self.size if end is None else min(end, self.size)
        begin = min(begin, end)
        if isinstance(self._source, bytes):
            # The whole of it is no copy.
            return self._source[self._begin + begin : self._begin + end]
        return self._source.read(self._begin + begin, end - begin)

    def pieces(self, size: int = _PIECE) -> Iterator[bytes]:
        """The bytes piece by piece; none where it is empty."""
        for begin in range(0, self.size, size):
            yield self.read(begin, begin + size)

    def lines(self) -> Iterator[bytes]:
        """The lines without their ends, also a last one that has no end."""
        rest = b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def find(self, needle: bytes, begin: int = 0) -> int:
        """Where `needle` stands first, from `begin` on; -1 where it does not."""
        step = max(_PIECE, len(needle))
        while begin < self.size:
            # Pieces overlap, as the needle may stand across the end of one.
            piece = self.read(begin, begin + step + len(needle) - 1)
            found = piece.find(needle)
            if found >= 0:
                return begin + found
            begin += step
        return -1

    def part(self, begin: int, end: int) -> "StoredContent":
        """A part of it that shares the bytes."""
        if isinstance(self._source, bytes):
            return StoredContent(self.read(begin, end))
        return StoredContent(self._source, self._begin + begin, end - begin)


class ContentWriter:
    """Takes bytes piece by piece, and keeps them in memory only while they are few.

    Args:
        most: beyond so many bytes they go into a temporary file; None is never.
    """

    def __init__(self, most: int | None = SPOOLED_BYTES) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._spool: _Spool | None = None
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Add a piece at the end."""
        self.size += len(piece)
        if self._spool is not None:
            self._spool.write(piece)
            return
        self._pieces.append(piece)
        if self._most is not None and self.size > self._most:
            self._spool = _Spool()
            for kept in self._pieces:
                self._spool.write(kept)
            self._pieces.clear()

    def finish(self) -> StoredContent:
        """What was written; nothing may be written afterwards."""
        if self._spool is None:
            # Most bodies are one piece, which need not be copied.
            return StoredContent(
                self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            )
        return StoredContent(self._spool, 0, self.size)

    @staticmethod
    def join(contents: Iterable[StoredContent]) -> StoredContent:
        """Several contents as one."""
        writer = ContentWriter()
        for content in contents:
            for piece in content.pieces():
                writer.write(piece)
        return writer.finish()
