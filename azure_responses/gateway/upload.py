"""Receives a form with files, which may be too long to be held, and sends it on piece by piece.

A form of up to a MiB is held whole: its fields may stand in any order, and it can be sent again to
another resource. Of a longer one the fields before the file are read, and the rest passes as it
arrives. Where they do not say enough, the form is written to a temporary file first: curl sends
fields in the order of its arguments.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress

from azure_responses.gateway.asgi_reply import Receive, error_response
from azure_responses.gateway.body_reader import (
    CallerLeft,
    Refused,
    check_headers,
    receive_piece,
    too_large,
)
from azure_responses.protocol.form_reader import FormError, FormPart, FormReader
from azure_responses.protocol.received_form import FormEdit, FormFields
from azure_responses.router.routed_object import NOT_SENT
from azure_responses.spooled_content import SpooledContent

__all__ = ["PieceReader", "ReceivedUpload", "UploadContent"]

# These fields decide the resource and the use of a form: each may occur once.
_DECIDING = (*NOT_SENT, "purpose", "file_id")

_HELD = 1024 * 1024
# What is read and dropped of a form that is refused, and for how long.
_DISCARDED = 64 * 1024 * 1024
_DISCARD_SECONDS = 2.0
# A sender who is slower than this on average, after the first minute, is cut off: each upload
# holds a connection to Azure.
_LEAST_RATE = 16 * 1024
_GRACE_SECONDS = 60.0
_CLOSE = {"connection": "close"}


class PieceReader:
    """The pieces of a body, within limits of size and time.

    Args:
        receive: of the ASGI server.
        headers: of the request.
        limit: bytes of the body; `setting` is where it is set.

    Attributes:
        length: of the body as it was announced; None where it was not.
        size: bytes read so far.
        is_over: all have been read.
    """

    def __init__(
        self, receive: Receive, headers: Mapping[str, str], limit: int, setting: str
    ) -> None:
        given = headers.get("content-length", "")
        self.length = int(given) if given.isdecimal() else None
        self._receive = receive
        self._headers = headers
        # The limit is one for files: the rest of the form may be as long as what is held of it.
        self._limit = limit + _HELD
        self._setting = setting
        self._began = asyncio.get_running_loop().time()
        self.size = 0
        self.is_over = False

    def check(self) -> None:
        """Raise Refused for a body that is announced as too long (413), or encoded (415)."""
        check_headers(self._headers, self._limit, self._setting, takes_form=True)

    async def discard(self) -> None:
        """Read a little more, before a refusal is sent.

        Most senders read no reply before they have sent everything, and lose it when the
        connection is closed under them.
        """
        if self._headers.get("expect", "").lower() == "100-continue" and not self.size:
            # Nothing has been sent yet.
            return
        end = self.size + _DISCARDED
        with suppress(TimeoutError, Refused, CallerLeft):
            async with asyncio.timeout(_DISCARD_SECONDS):
                self._limit = max(self._limit, end)
                while self.size < end and await self.read():
                    pass

    async def read(self) -> bytes:
        """The next piece; empty at the end.

        Raises:
            Refused: the body becomes too long (413), or is slow (408).
            CallerLeft: the connection was closed before its end.
        """
        while not self.is_over:
            latest = self._began + _GRACE_SECONDS + self.size / _LEAST_RATE
            piece, more = await receive_piece(self._receive, latest)
            self.is_over = not more
            self.size += len(piece)
            if self.size > self._limit:
                raise Refused(too_large(self._limit, self._setting))
            if piece:
                return piece
        return b""


class ReceivedUpload:
    """A form whose first fields are known.

    Args:
        pieces: of the body.
        content_type: of the body.
        count: asked for room for what is held; may raise Refused.

    Raises:
        Refused: the content type names no boundary.
    """

    def __init__(
        self, pieces: PieceReader, content_type: str, count: Callable[[int], None]
    ) -> None:
        self.content_type = content_type
        self._pieces = pieces
        self._count = count
        with _refusing():
            self._fields = FormFields(FormReader(content_type))
        self._held = bytearray()
        # Where the part begins that is being read.
        self._place = 0
        self._is_whole = False
        self._is_begun = False
        self._file: SpooledContent | None = None

    @property
    def values(self) -> Mapping[str, str]:
        """The plain fields: all, or those before a file that is sent on as it arrives."""
        return self._fields.values

    @property
    def filename(self) -> str:
        """Of the first file; empty without one."""
        return self._fields.filename

    @property
    def is_repeatable(self) -> bool:
        """False after sending has begun, unless the whole form is kept."""
        return self._is_whole or not self._is_begun

    async def read_head(self, is_decided: Callable[[Mapping[str, str]], bool]) -> None:
        """Read until the important fields are known, or the form has ended.

        Args:
            is_decided: the fields say enough.

        Raises:
            Refused: the form is invalid, too long or slow.
            CallerLeft: the connection was closed before its end.
        """
        while not self._is_whole and (len(self._held) <= _HELD or self._fields.file is None):
            piece = await self._next()
            self._count(len(piece))
            self._held += piece
            self._is_whole = not piece
        if not (self._is_whole or is_decided(self.values)):
            await self._write_file()

    def content(self, changes: Mapping[str, str | None]) -> "UploadContent":
        """The form as it is sent, with other values of some fields; None leaves a field out."""
        return UploadContent(self, self._fields.edits(changes))

    @property
    def length(self) -> int | None:
        """Of the form as it was received; None where it is not known yet."""
        return self._pieces.size if self._is_whole else self._pieces.length

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The form as it was received.

        The last bytes come only when the form is known to be whole: otherwise the service would
        store what its sender never finished.
        """
        if self._file is not None:
            async with aclosing(aiter(self._file)) as kept:  # type: ignore[type-var]
                async for piece in kept:
                    yield piece
            return
        piece = bytes(self._held)
        if not self._is_whole:
            self._is_begun = True
            while following := await self._next():
                yield piece
                piece = following
        yield piece

    async def file(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the files of the form."""
        reader, is_file = FormReader(self.content_type), False
        with _refusing():
            async for piece in self.pieces():
                for found in reader.feed(piece):
                    if isinstance(found, FormPart):
                        is_file = found.is_file
                    elif is_file:
                        yield found

    def close(self) -> None:
        """Drop what is held."""
        if self._file is not None:
            self._file.close()
        self._held.clear()

    async def _next(self) -> bytes:
        """The next piece, read as a part of the form; empty at the end of the form."""
        piece = await self._pieces.read()
        with _refusing():
            for part in self._fields.feed(piece):
                self._place = part.start
                if self._is_begun and part.name in _DECIDING:
                    raise _late(part.name)
            if not piece:
                self._fields.reader.finish()
            self._fields.refuse_repeated(_DECIDING)
        return piece

    async def _write_file(self) -> None:
        """Write the form to a file, so that all of its fields are known."""
        self._file = SpooledContent(self.content_type)
        batch = self._held
        while piece := await self._next():
            batch += piece
            if len(batch) >= _HELD:
                await asyncio.to_thread(self._file.write, bytes(batch))
                batch.clear()
        await asyncio.to_thread(self._file.write, bytes(batch))
        batch.clear()
        self._is_whole = True


class UploadContent:
    """The content of a request: an upload with some fields replaced.

    Args:
        upload: as it is received.
        edits: of its beginning, or of the whole where that is known.
    """

    def __init__(self, upload: ReceivedUpload, edits: Sequence[FormEdit]) -> None:
        self._upload = upload
        self._edits = edits

    @property
    def content_type(self) -> str:
        """The header."""
        return self._upload.content_type

    @property
    def length(self) -> int | None:
        """In bytes; None where the sender did not announce it."""
        length = self._upload.length
        if length is None:
            return None
        return length + sum(len(new) - (end - start) for start, end, new in self._edits)

    @property
    def is_repeatable(self) -> bool:
        """False after sending has begun, unless the whole form is kept."""
        return self._upload.is_repeatable

    def __iter__(self) -> Iterator[bytes]:
        """Nothing: the gateway is async."""
        raise TypeError("An upload is read by async code only.")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, from the beginning."""
        edits, place, dropped = deque(self._edits), 0, 0
        async with aclosing(self._upload.pieces()) as pieces:
            async for piece in pieces:
                # Edits stand in the bytes that were held, or anywhere in a file.
                while edits and edits[0].start < place + len(piece) + (not piece):
                    start, end, new = edits.popleft()
                    kept = piece[max(0, dropped - place) : max(0, start - place)]
                    if kept or new:
                        yield kept + new
                    dropped = end
                rest = piece[max(0, dropped - place) :]
                place += len(piece)
                if rest:
                    yield rest


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn the error of an invalid form into a refusal."""
    try:
        yield
    except FormError as error:
        raise Refused(
            error_response(400, error.message, code="invalid_form", headers=_CLOSE)
        ) from None


def _late(name: str) -> FormError:
    return FormError(f"The field {name} has to come before the file in a form of this size.")
