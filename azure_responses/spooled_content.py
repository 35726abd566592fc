"""Content that is sent several times, kept in a temporary file so that memory stays flat."""

import os
from collections.abc import AsyncIterator, Iterator
from functools import partial
from tempfile import TemporaryFile

from azure_responses.event_loop import run_in_thread
from azure_responses.protocol.object_request import Content

__all__ = ["SpooledContent", "async_spool", "spool"]

_PIECE = 256 * 1024
# Handing over to a thread costs more than copying a small piece.
_AT_ONCE = 1024 * 1024


class SpooledContent:
    """The bytes of another content, which any number of readers may read at once.

    The file has no name; it disappears when it is closed or the program ends.

    Attributes:
        content_type: of the other content.
        length: in bytes, so far.
        is_repeatable: always.
    """

    is_repeatable = True

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self.length = 0
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self.length += len(data)

    def _read(self, place: int) -> bytes:
        # Not `read`: its place in the file would be that of all readers.
        return os.pread(self._file.fileno(), _PIECE, place)

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, from the beginning."""
        place = 0
        while piece := self._read(place):
            yield piece
            place += len(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, from the beginning; they are read in threads."""
        place = 0
        while piece := await run_in_thread(partial(self._read, place)):
            yield piece
            place += len(piece)

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def spool(content: Content) -> SpooledContent:
    """A copy of content on the disk; what reading or writing raises leaves no file behind."""
    spooled = SpooledContent(content.content_type)
    try:
        for piece in content:
            spooled.write(piece)
    except BaseException:
        spooled.close()
        raise
    return spooled


async def async_spool(content: Content) -> SpooledContent:
    """`spool` for async callers."""
    spooled = SpooledContent(content.content_type)
    waiting: list[bytes] = []
    try:
        async for piece in content:
            waiting.append(piece)
            if sum(map(len, waiting)) >= _AT_ONCE:
                await run_in_thread(partial(spooled.write, b"".join(waiting)))
                waiting.clear()
        await run_in_thread(partial(spooled.write, b"".join(waiting)))
    except BaseException:
        spooled.close()
        raise
    return spooled
