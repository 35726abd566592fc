"""The spend log: a file of JSON lines that several processes may append to."""

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from azure_responses.errors import ConfigurationError

__all__ = ["SpendLog"]

_PIECE = 1024 * 1024


class SpendLog:
    """Appends whole lines, and goes on in a new file when the old one has been moved away.

    Each batch is one write to a file opened for appending, which the kernel does not mix with
    the writes of others. A file that a crash left without its last line's end gets one first.

    Raises:
        ConfigurationError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._is_stale = False
        try:
            self._file = self._open()
        except OSError as error:
            raise ConfigurationError(
                f"The spend log {path} cannot be written: {error.strerror}.",
                hint="Make its folder, or give general_settings.spend_log another path.",
            ) from error

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, each with its end.

        Raises:
            OSError: the disk is full or gone. Some of the lines may have been written, and will
                stand there twice; `azure-responses cost` counts a response once.
        """
        with self._lock:
            if self._is_stale or self._has_moved():
                self._reopen()
            # A write that fails half-way leaves a line without its end, which opening mends.
            self._is_stale = True
            for piece in _pieces(lines):
                self._append(piece)
            self._is_stale = False

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            os.close(self._file)

    def _open(self) -> int:
        # Names of end users stand in it: for the owner and the group only.
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                os.write(file, b"\n")
        except OSError:
            # Tried again every second while the disk is full: none may stay open.
            os.close(file)
            raise
        return file

    def _reopen(self) -> None:
        fresh = self._open()
        os.close(self._file)
        self._file = fresh

    def _has_moved(self) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return True
        here = os.fstat(self._file)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _append(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[os.write(self._file, left) :]


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines taken together, none of them cut."""
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
