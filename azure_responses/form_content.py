"""Multipart forms as the body of a request: read piece by piece, so that memory stays flat.

A file is given as bytes, a path, a file object, an iterable of bytes, or a tuple of its name and
one of these. Its length is known for bytes, paths and files that can be rewound; any other is sent
without one, in chunks.
"""

import mimetypes
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from inspect import iscoroutinefunction
from io import IOBase
from pathlib import Path
from time import monotonic
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import run_in_thread
from azure_responses.protocol.multipart import closing_line, form_type, part_head
from azure_responses.protocol.object_request import Form, FormFile

__all__ = ["FormContent", "async_form_content", "form_content"]

_PIECE = 64 * 1024
# Handing over to a thread and back costs as much as copying a tenth of this.
_PIECES_AT_ONCE = 16
_LONGEST_TAKE = 1.0
_UNNAMED = "upload"
_IN_BINARY = "Open it in binary mode: open(path, 'rb')."
_ONLY_ONCE = "The content can be read only once, and has been read."


def form_content(form: Form) -> "FormContent":
    """The form as a body for a sync client.

    Raises:
        ConfigurationError: a file is of a type that cannot be sent, or only by an async client.
        OSError: a file cannot be opened.
    """
    content = FormContent(form)
    if content.is_async:
        raise ConfigurationError(
            "An async iterator cannot be sent by a sync client.",
            hint="Use AsyncAzureResponses, or pass bytes, a path, a file or an iterator.",
        )
    return content


async def async_form_content(form: Form) -> "FormContent":
    """The form as a body for an async client; raises what `form_content` raises of a file."""
    # How long a compressed file is, for one, is found out by reading it.
    return await run_in_thread(lambda: FormContent(form))


class FormContent:
    """A form, whose files are read while it is sent.

    Raises what `form_content` raises.
    """

    def __init__(self, form: Form) -> None:
        boundary = os.urandom(16).hex()
        self._parts: list[_FileSource | bytes] = []
        for name, value in form.fields:
            self._parts.append(part_head(boundary, name) + value.encode() + b"\r\n")
        for file in form.files:
            self._add_file(boundary, file)
        self._parts.append(closing_line(boundary))
        self.content_type = form_type(boundary)
        self._sources = [part for part in self._parts if not isinstance(part, bytes)]

    def _add_file(self, boundary: str, file: FormFile) -> None:
        name, source, headers = _read_given(file.given)
        head = part_head(boundary, file.field, name, headers)
        self._parts += [head, source, b"\r\n"]

    @property
    def length(self) -> int | None:
        """In bytes; None where a file does not say how long it is."""
        known = [len(part) if isinstance(part, bytes) else part.length for part in self._parts]
        return None if None in known else sum(filter(None, known))

    @property
    def is_repeatable(self) -> bool:
        """False after the first byte of a file that cannot be read twice was read."""
        return all(source.is_repeatable for source in self._sources)

    @property
    def is_async(self) -> bool:
        """True where a file can be read by async callers only."""
        return any(isinstance(source, _Awaited) for source in self._sources)

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, from the beginning."""
        for part in self._parts:
            yield from [part] if isinstance(part, bytes) else part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, from the beginning; files are read in threads."""
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            # Closed with what reads it: trio warns of generators that are dropped before their end.
            async with aclosing(aiter(part)) as pieces:
                async for piece in pieces:
                    yield piece


@dataclass
class _FileSource:
    """The content of one file.

    Attributes:
        open: begins to read.
        length: in bytes, or None.
        is_repeatable: `open` may be called again.
        is_blocking: reading may take long, so that an event loop must not wait for it.
    """

    open: Callable[[], Iterator[bytes]]
    length: int | None = None
    is_repeatable: bool = True
    is_blocking: bool = True

    def __iter__(self) -> Iterator[bytes]:
        pieces = _check_pieces(self.open())
        return pieces if self.length is None else _exactly(self.length, pieces)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        pieces = iter(self)
        if not self.is_blocking:
            for piece in pieces:
                yield piece
            return
        try:
            while some := await run_in_thread(lambda: _take(pieces)):
                for piece in _cut(some):
                    yield piece
        finally:
            # A thread that is left behind may be reading still, and ends by itself.
            with suppress(ValueError):
                pieces.close()  # type: ignore[attr-defined]


class _Awaited(_FileSource):
    """The content of a file that only async callers can read."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        super().__init__(lambda: iter(()))
        self._pieces = pieces

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        if not self.is_repeatable:
            raise ConfigurationError(_ONLY_ONCE)
        self.is_repeatable = False
        try:
            async for given in self._pieces:
                for piece in _cut(given):
                    yield piece
        finally:
            # A generator of the caller's, which ends here if it was not read to its end.
            close = getattr(self._pieces, "aclose", None)
            if close is not None:
                await close()


def _take(pieces: Iterator[bytes]) -> bytes:
    """The next MiB, or what comes in a second; nothing at the end."""
    taken, room, until = [], _PIECE * _PIECES_AT_ONCE, monotonic() + _LONGEST_TAKE
    for piece in pieces:
        taken.append(piece)
        room -= len(piece)
        # A slow iterator must not leave the connection idle until there is a MiB.
        if room <= 0 or monotonic() >= until:
            break
    return b"".join(taken)


def _check_pieces(given: Iterator[Any]) -> Iterator[bytes]:
    for piece in given:
        yield from _cut(piece)


def _cut(given: Any) -> Iterator[bytes]:
    """A piece as pieces of the usual size: each is a sign that the network takes what is sent."""
    if not isinstance(given, bytes | bytearray | memoryview):
        raise ConfigurationError(
            f"A piece of the file is a {type(given).__name__}, not bytes.", hint=_IN_BINARY
        )
    if isinstance(given, bytes) and len(given) <= _PIECE:
        if given:
            yield given
        return
    whole = memoryview(given).cast("B")
    for start in range(0, len(whole), _PIECE):
        yield bytes(whole[start : start + _PIECE])


def _exactly(length: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """As many bytes as were announced: of a file that grows meanwhile, its beginning."""
    left = length
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return
    if left:
        raise ConfigurationError(
            f"The file became shorter while it was sent: {left} of {length} bytes are missing.",
            hint="Send a file that no other program writes.",
        )


_Headers = dict[str, str | None]


def _read_given(given: Any) -> tuple[str, _FileSource, _Headers]:
    """The name of a file as a caller gave it, its content and the headers of its part."""
    name, content, kind, headers = given, given, None, {}
    if isinstance(given, tuple):
        if not 2 <= len(given) <= 4:
            raise ConfigurationError(
                f"A file is given as a tuple of {len(given)} values.",
                hint="Pass (name, content), (name, content, content type) or these and headers.",
            )
        name, content, kind, headers = (*given, None, None)[:4]
    source = _source_of(content)
    file_name = _name_of(name, content)
    guessed = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    lower = {key.lower(): value for key, value in _mapping_of(headers).items()}
    return file_name, source, {"content-type": guessed, **lower, **_only("content-type", kind)}


def _only(name: str, value: str | None) -> _Headers:
    return {} if value is None else {name: value}


def _mapping_of(headers: Any) -> Mapping[str, str | None]:
    if headers is None or isinstance(headers, Mapping):
        return headers or {}
    raise ConfigurationError(
        f"The headers of a file are a {type(headers).__name__}, not a mapping.", hint="Pass a dict."
    )


def _name_of(given: Any, content: Any) -> str:
    """The name that a tuple gives, else that of the file, else "upload" as in the openai package.

    Azure tells the kind of a file by the ending of its name.
    """
    if isinstance(given, str) and given is not content:
        return given
    named = content
    if not isinstance(content, str | os.PathLike):
        named = getattr(content, "name", None)
        # Web frameworks call it `filename`; the `name` of theirs may be that of the field.
        if not isinstance(content, IOBase):
            named = getattr(content, "filename", None) or named
    # A temporary file without a name has a number there.
    if not isinstance(named, str | bytes | os.PathLike):
        return _UNNAMED
    return Path(os.fsdecode(named)).name or _UNNAMED


def _source_of(content: Any) -> _FileSource:
    if isinstance(content, bytes | bytearray | memoryview):
        view = memoryview(content).cast("B")
        return _FileSource(lambda: _cut(view), len(view), is_blocking=False)
    if isinstance(content, str | os.PathLike):
        return _read_path(content)
    read = getattr(content, "read", None)
    if iscoroutinefunction(read):
        return _Awaited(_read_async_file(read))
    if callable(read):
        return _read_file(content)
    if hasattr(content, "__aiter__"):
        return _Awaited(content)
    if isinstance(content, Iterable) and not isinstance(content, Mapping):
        return _read_iterable(content)
    raise ConfigurationError(
        f"A file is given as a {type(content).__name__}.",
        hint="Pass bytes, a path, a file opened in binary mode, an iterator of bytes, or a tuple "
        "of a name and one of these.",
    )


def _read_path(path: "str | os.PathLike[str]") -> _FileSource:
    def read() -> Iterator[bytes]:
        with open(path, "rb") as file:
            yield from _pieces_of(file)

    mode = os.stat(path).st_mode
    # The size of a pipe or a device says nothing, and what was read of it is gone.
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return _once(read())
    # Opened at once, so that a path that cannot be read is refused before anything is sent.
    with open(path, "rb") as file:
        return _FileSource(read, os.fstat(file.fileno()).st_size)


def _read_file(file: Any) -> _FileSource:
    """A file from its beginning, as the openai package sends it; from where it is if it has none.

    Raises ConfigurationError for one that gives text, or is closed.
    """
    if getattr(file, "closed", False) is True:
        raise ConfigurationError("The file is closed.", hint="Send it before it is closed.")
    if isinstance(file.read(0), str):
        raise ConfigurationError("The file was opened in text mode.", hint=_IN_BINARY)
    length = _length_of(file)
    if length is None:
        return _once(_pieces_of(file))

    def read() -> Iterator[bytes]:
        file.seek(0)
        return _pieces_of(file)

    return _FileSource(read, length)


def _length_of(file: Any) -> int | None:
    seekable = getattr(file, "seekable", None)
    if seekable is None or not seekable():
        return None
    try:
        file.seek(0, os.SEEK_END)
        return int(file.tell())
    except (OSError, ValueError):
        # A compressed file, for one, has no end that could be found without reading it.
        return None


def _pieces_of(file: Any) -> Iterator[Any]:
    while True:
        piece = file.read(_PIECE)
        # None of a file that does not block: it has nothing now, which is not its end.
        if piece is not None and not len(piece):
            return
        yield piece


async def _read_async_file(read: Callable[[int], Any]) -> AsyncIterator[bytes]:
    while piece := await read(_PIECE * _PIECES_AT_ONCE):
        yield piece


def _read_iterable(content: Iterable[Any]) -> _FileSource:
    pieces = iter(content)
    # An iterator gives itself; anything else gives a new iterator each time.
    return _once(pieces) if pieces is content else _FileSource(lambda: iter(content))


def _once(pieces: Iterator[Any]) -> _FileSource:
    def read() -> Iterator[Any]:
        if not source.is_repeatable:
            raise ConfigurationError(_ONLY_ONCE)
        source.is_repeatable = False
        yield from pieces

    source = _FileSource(read)
    return source
