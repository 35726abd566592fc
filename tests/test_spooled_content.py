"""Content that is kept on the disk to be sent several times."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from azure_responses.spooled_content import SpooledContent, async_spool, spool


class _Once:
    """Content that can be read once, of many pieces."""

    content_type = "multipart/form-data; boundary=b"
    length = None
    is_repeatable = True

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self._pieces = iter(pieces)
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


_PIECES = [os.urandom(70_000) for _ in range(50)]
_WHOLE = b"".join(_PIECES)


async def _read(content: SpooledContent) -> bytes:
    return b"".join([piece async for piece in content])


def test_what_was_read_once_can_be_read_again_and_again() -> None:
    content = spool(_Once(_PIECES))
    assert content.length == len(_WHOLE)
    assert content.content_type == _Once.content_type
    assert content.is_repeatable
    assert [b"".join(content) for _ in range(3)] == [_WHOLE] * 3
    content.close()


def test_several_readers_do_not_disturb_each_other() -> None:
    async def scenario() -> None:
        content = await async_spool(_Once(_PIECES))
        assert content.length == len(_WHOLE)
        assert await asyncio.gather(*(_read(content) for _ in range(3))) == [_WHOLE] * 3
        content.close()

    asyncio.run(scenario())


def test_readers_of_threads_have_places_of_their_own() -> None:
    content = spool(_Once(_PIECES))
    first, second = iter(content), iter(content)
    assert next(first) == next(second) == _WHOLE[: 256 * 1024]
    content.close()


def test_content_of_nothing_is_nothing() -> None:
    content = spool(_Once([]))
    assert (content.length, list(content)) == (0, [])
    content.close()


def test_what_breaks_off_leaves_no_file_behind() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(OSError, match="gone"):
        spool(_Once(_PIECES, OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        asyncio.run(async_spool(_Once(_PIECES, OSError("gone"))))
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before
