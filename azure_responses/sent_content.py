"""One attempt to send content piece by piece: how far it came, and whose fault its end was."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

from azure_responses.errors import APIConnectionError, APITimeoutError
from azure_responses.protocol.object_request import Content

__all__ = ["SentContent"]


class SentContent:
    """The content of a request during one attempt.

    Attributes:
        error: what reading the content raised, which is not the network's failure; else None.
        note_progress: called with True before a piece is read, which takes no time of the
            service's, and with False before it is sent and after the last, so that the time limit
            is one for each piece.
    """

    def __init__(self, content: Content) -> None:
        self.error: Exception | None = None
        self.note_progress: Callable[[bool], None] = _ignore
        self.content_type = content.content_type
        self.length = content.length
        self._content = content
        self._reading: Any = None
        self._taken = 0

    @property
    def is_repeatable(self) -> bool:
        """As of the content."""
        return self._content.is_repeatable

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, from the beginning."""
        try:
            for piece in self._content:
                self._note(len(piece))
                yield piece
        except Exception as error:
            self.error = error
            raise
        self.note_progress(False)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, from the beginning, for async callers."""
        self._reading = aiter(self._content)
        return self

    async def __anext__(self) -> bytes:
        self.note_progress(True)
        try:
            piece: bytes = await anext(self._reading)
        except StopAsyncIteration:
            self.note_progress(False)
            raise
        except Exception as error:
            self.error = error
            raise
        self._note(len(piece))
        return piece

    async def aclose(self) -> None:
        """Stop reading."""
        close = getattr(self._reading, "aclose", None)
        if close is not None:
            # The network library may not have left it yet, and ends it then.
            with suppress(RuntimeError):
                await close()

    def close(self) -> None:
        """Nothing: what is not referenced any more is closed."""

    def explain(self, error: APIConnectionError) -> None:
        """Say in the error how much of the content had been read when the connection failed."""
        if self._taken in (0, self.length):
            return
        of = "" if self.length is None else f" of {self.length}"
        error.message = f"{error.message.rstrip('.')}, after {self._taken}{of} bytes of the body."
        if error.hint is None and not isinstance(error, APITimeoutError):
            error.hint = (
                "A server or proxy that closes the connection within a body mostly refuses its "
                "size: see its limits, or send a smaller file."
            )

    def _note(self, size: int) -> None:
        self._taken += size
        self.note_progress(False)


def _ignore(_is_reading: bool) -> None:
    pass
