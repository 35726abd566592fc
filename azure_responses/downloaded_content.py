"""The content of a stored file, as a download gives it: its pieces, its text, a file of it."""

import codecs
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from shutil import copymode
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from weakref import finalize

from azure_responses.errors import APIConnectionError
from azure_responses.event_loop import run_in_thread
from azure_responses.types.result import request_id_of

__all__ = ["BinaryContent", "Chunker", "LineReader", "TextReader", "charset_of", "replace_file"]

# What is larger is kept on disk, so that memory stays flat.
_IN_MEMORY = 8 * 2**20
_PIECE = 256 * 1024
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)


def charset_of(headers: Mapping[str, str]) -> str:
    """The encoding that the content type names; UTF-8 where it names none that is known."""
    found = _CHARSET.search(headers.get("content-type", ""))
    try:
        return codecs.lookup(found[1]).name if found else "utf-8"
    except LookupError:
        return "utf-8"


class Chunker:
    """Cuts pieces of any size into chunks of one size; None leaves them as they are."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._rest = b""

    def add(self, piece: bytes) -> Iterator[bytes]:
        """The chunks that are complete."""
        if self._size is None:
            yield piece
            return
        whole = self._rest + piece
        complete = len(whole) // self._size * self._size
        for start in range(0, complete, self._size):
            yield whole[start : start + self._size]
        self._rest = whole[complete:]

    def end(self) -> Iterator[bytes]:
        """What is left."""
        if self._rest:
            yield self._rest


class TextReader:
    """Turns pieces into text; a character may be cut in two between them."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def add(self, piece: bytes) -> Iterator[str]:
        """The text that is complete."""
        text = self._decoder.decode(piece)
        if text:
            yield text

    def end(self) -> Iterator[str]:
        """What is left."""
        text = self._decoder.decode(b"", final=True)
        if text:
            yield text


class LineReader:
    """Turns pieces into lines without their ends.

    Only a line feed ends a line, with or without a carriage return before it: the other separators
    that Python knows may stand inside the JSON of a line of a batch.
    """

    def __init__(self, encoding: str) -> None:
        self._text = TextReader(encoding)
        self._rest: list[str] = []

    def add(self, piece: bytes) -> Iterator[str]:
        """The lines that are complete."""
        for text in self._text.add(piece):
            *complete, rest = text.split("\n")
            for line in complete:
                yield "".join([*self._rest, line]).removesuffix("\r")
                self._rest = []
            self._rest.append(rest)

    def end(self) -> Iterator[str]:
        """The last line, where no line feed ends it."""
        line = "".join([*self._rest, *self._text.end()])
        if line:
            yield line


@contextmanager
def replace_file(path: "str | os.PathLike[str]") -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` only when all was written.

    A download that breaks off so leaves no file behind that looks complete. A device or a pipe is
    written as it is.
    """
    target = os.path.realpath(os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as file:
            yield file
        return
    draft = f"{target}.{os.urandom(4).hex()}.part"
    try:
        with open(draft, "xb") as file:
            yield file
        if os.path.exists(target):
            copymode(target, draft)
        os.replace(draft, target)
    finally:
        # Gone already where it took its place.
        with suppress(FileNotFoundError):
            os.unlink(draft)


class BinaryContent:
    """The whole content of a stored file; large content is kept in a temporary file.

    It offers what the openai package's binary content does, for sync and async programs alike.

    Attributes:
        headers: of the reply, in lower case.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._file: Any = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        # Closed when nothing refers to the content any more; few programs close it.
        self._closer = finalize(self, self._file.close)

    def append(self, piece: bytes) -> None:
        """Add what has arrived."""
        self._file.write(piece)

    @property
    def content(self) -> bytes:
        """All bytes."""
        return self.read()

    @property
    def text(self) -> str:
        """The bytes as text, in the encoding that the content type names, else UTF-8."""
        return self.content.decode(self.encoding, "replace")

    @property
    def encoding(self) -> str:
        """The encoding of `text`."""
        return charset_of(self.headers)

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`; quote it to Azure support."""
        return request_id_of(self.headers)

    def json(self, **options: Any) -> Any:
        """The JSON value that the content is; `options` are those of `json.loads`."""
        return json.loads(self.content, **options)

    def read(self) -> bytes:
        """All bytes, at each call."""
        self._check_open()
        self._file.seek(0)
        whole: bytes = self._file.read()
        return whole

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The bytes in pieces, each of `chunk_size` bytes except the last."""
        size = _PIECE if chunk_size is None else chunk_size
        position = 0
        while True:
            self._check_open()
            self._file.seek(position)
            piece: bytes = self._file.read(size)
            if not piece:
                return
            position += len(piece)
            yield piece

    iter_raw = iter_bytes

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """The text in pieces; `chunk_size` is in bytes."""
        return self._each(TextReader(self.encoding), chunk_size)

    def iter_lines(self) -> Iterator[str]:
        """The lines, without their ends."""
        return self._each(LineReader(self.encoding), None)

    def write_to_file(self, file: "str | os.PathLike[str]") -> None:
        """Write the bytes to a path."""
        self.stream_to_file(file)

    def stream_to_file(
        self, file: "str | os.PathLike[str]", *, chunk_size: int | None = None
    ) -> None:
        """Write the bytes to a path, piece by piece."""
        with replace_file(file) as target:
            for piece in self.iter_bytes(chunk_size):
                target.write(piece)

    def close(self) -> None:
        """Forget the content; nothing can be read after it."""
        self._closer()

    async def aread(self) -> bytes:
        """`read`, for programs that await it."""
        return self.read()

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """`iter_bytes`: `async for piece in await content.aiter_bytes()`."""
        return _asynchronous(self.iter_bytes(chunk_size))

    async def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """`iter_raw`, likewise."""
        return _asynchronous(self.iter_bytes(chunk_size))

    async def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """`iter_text`, likewise."""
        return _asynchronous(self.iter_text(chunk_size))

    async def aiter_lines(self) -> AsyncIterator[str]:
        """`iter_lines`, likewise."""
        return _asynchronous(self.iter_lines())

    async def astream_to_file(
        self, file: "str | os.PathLike[str]", *, chunk_size: int | None = None
    ) -> None:
        """`stream_to_file`, in a thread."""
        await run_in_thread(lambda: self.stream_to_file(file, chunk_size=chunk_size))

    async def aclose(self) -> None:
        """`close`, for programs that await it."""
        self.close()

    def __repr__(self) -> str:
        kind, size = self.headers.get("content-type"), self.headers.get("content-length")
        return f"BinaryContent(content_type={kind!r}, content_length={size!r})"

    def _each(self, reader: Any, chunk_size: int | None) -> Iterator[str]:
        for piece in self.iter_bytes(chunk_size):
            yield from reader.add(piece)
        yield from reader.end()

    def _check_open(self) -> None:
        if not self._closer.alive:
            raise APIConnectionError("The content was closed before it was read.")


async def _asynchronous(items: Iterator[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
