"""The body of a streamed answer, which ends the call at Azure when it is closed."""

from collections.abc import AsyncIterator, Iterator

__all__ = ["AsyncStreamBody", "StreamBody"]


class StreamBody:
    """Bytes to send on, as they arrive.

    Args:
        pieces: a generator that has its first piece ready and cleans up when it ends.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._has_begun = False

    def __iter__(self) -> Iterator[bytes]:
        self._has_begun = True
        return self._pieces

    def close(self) -> None:
        """Give up the rest, and the call with it."""
        if not self._has_begun:
            # A generator that never ran would be closed without its clean-up.
            self._has_begun = True
            next(self._pieces, None)
        self._pieces.close()  # type: ignore[attr-defined]


class AsyncStreamBody:
    """`StreamBody`, awaited."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._has_begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._has_begun = True
        return self._pieces

    async def aclose(self) -> None:
        """Give up the rest, and the call with it."""
        if not self._has_begun:
            self._has_begun = True
            await anext(self._pieces, None)
        await self._pieces.aclose()  # type: ignore[attr-defined]
