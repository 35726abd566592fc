"""Ends the connection of a caller who reads too little of what is written for them."""

import asyncio

__all__ = ["ReadingWatch"]

_LEAST_READ = 32 * 1024


class ReadingWatch:
    """Watches one connection while its caller has something to read.

    asyncio closes a connection when all of it is read: one whose caller reads nothing would stay,
    with what was written for it, for as long as the caller likes. Here it is aborted when less than
    32 KiB are read in `seconds` and more is left.

    Args:
        transport: of the connection.
        seconds: of patience.
    """

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._unread = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def unread(self) -> int:
        """Bytes that were written and not read."""
        return self._transport.get_write_buffer_size()

    def begin(self) -> None:
        """Watch, where there is something to read and no watch yet."""
        if self._timer is None and self.unread:
            self._unread = self.unread
            self._timer = self._loop.call_later(self._seconds, self._look)

    def note_reading(self) -> None:
        """Nearly all of it was read: the time begins anew."""
        self._unread = 0

    def stop(self) -> None:
        """The connection has ended, or belongs to another."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._unread and self.unread > max(0, self._unread - _LEAST_READ):
            self._transport.abort()
        else:
            self.begin()
