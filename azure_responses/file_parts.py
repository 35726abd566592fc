"""A large file in parts; no part is read into memory as a whole."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Self

from azure_responses.errors import ConfigurationError

__all__ = ["FileParts"]


class FileParts:
    """The parts of a file, in order; each is a file of its own for `files.create` and the like.

    Args:
        given: a path, bytes, or a file opened in binary mode, which is read from its beginning.
        name: of the file; None takes that of the path or the file.
        size: in bytes; None asks the file.
        part_size: the most bytes of a part.

    Raises:
        ConfigurationError: there is no name or no size, or one that is impossible.
        OSError: the path cannot be opened.
    """

    def __init__(self, given: Any, name: str | None, size: int | None, part_size: int) -> None:
        if part_size <= 0:
            raise ConfigurationError(f"part_size is {part_size}; it is a number of bytes above 0.")
        self._is_own = isinstance(given, str | os.PathLike | bytes | bytearray | memoryview)
        self._file = _open(given) if self._is_own else given
        if not hasattr(self._file, "read") or isinstance(self._file.read(0), str):
            raise ConfigurationError(
                "The file is neither bytes, a path, nor a file opened in binary mode."
            )
        self._part_size = part_size
        self._can_seek = bool(getattr(self._file, "seekable", lambda: False)())
        try:
            self.name = name or _name_of(given)
            self.size = _size_of(self._file, self._can_seek) if size is None else size
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator["_FilePart"]:
        for start in range(0, self.size, self._part_size):
            length = min(self._part_size, self.size - start)
            yield _FilePart(self._file, start if self._can_seek else None, length)

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._is_own:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _FilePart:
    """Some bytes of a file, as a file.

    Args:
        file: the whole.
        start: where the part begins; None is where the file is, which cannot be rewound.
        length: in bytes.
    """

    def __init__(self, file: IO[bytes], start: int | None, length: int) -> None:
        self._file = file
        self._start = start
        self._length = length
        self._position = 0

    def seekable(self) -> bool:
        """True where the part can be sent again."""
        return self._start is not None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of every file, for the beginning and the end."""
        self._position = self._length if whence == os.SEEK_END else offset
        return self._position

    def tell(self) -> int:
        """As of every file."""
        return self._position

    def read(self, size: int) -> bytes:
        """As of every file; nothing after the end of the part."""
        size = min(size, self._length - self._position)
        if not size:
            return b""
        if self._start is not None:
            self._file.seek(self._start + self._position)
        piece = self._file.read(size)
        if not piece:
            raise ConfigurationError(
                f"The file ended {self._length - self._position} bytes too early.",
                hint="Give the number of its bytes as bytes=.",
            )
        self._position += len(piece)
        return piece


def _open(given: Any) -> IO[bytes]:
    return open(given, "rb") if isinstance(given, str | os.PathLike) else BytesIO(given)


def _name_of(given: Any) -> str:
    named = given if isinstance(given, str | os.PathLike) else getattr(given, "name", None)
    if isinstance(named, str | os.PathLike) and Path(named).name:
        return Path(named).name
    raise ConfigurationError("The file has no name.", hint="Pass filename='report.pdf'.")


def _size_of(file: Any, can_seek: bool) -> int:
    if not can_seek:
        raise ConfigurationError(
            "How many bytes there are is not known before the end.", hint="Pass bytes=."
        )
    file.seek(0, os.SEEK_END)
    return int(file.tell())
