"""The whole body of a reply, within bounds of time and size.

An error's body may break off, or never end: its status is known, so that what can be read of it in
a moment has to do.
"""

from contextlib import aclosing, suppress

import anyio
import httpx

from azure_responses.errors import APIConnectionError, APITimeoutError
from azure_responses.protocol.exchange import LARGEST_REPLY, Reply
from azure_responses.timeouts import TimeLimit
from azure_responses.transport import AsyncIncomingReply

__all__ = ["read_reply", "async_read_reply"]

_LARGEST_ERROR = 1024 * 1024
_ERROR_SECONDS = 5.0


class _Pieces:
    """What has arrived of a body."""

    def __init__(self, *, is_success: bool) -> None:
        self._pieces: list[bytes] = []
        self._room = LARGEST_REPLY if is_success else _LARGEST_ERROR

    def add(self, piece: bytes) -> None:
        """Raises APIConnectionError when it becomes too much."""
        self._pieces.append(piece)
        self._room -= len(piece)
        if self._room < 0:
            raise APIConnectionError(
                f"The reply is larger than {LARGEST_REPLY // 2**20} MiB, and was given up."
            )

    def join(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


def read_reply(response: httpx.Response, limit: TimeLimit) -> Reply:
    """The whole reply; of an error at least the status.

    Raises:
        APIConnectionError: a body that is too large; an APITimeoutError: one that takes too long.
        httpx.HTTPError: it broke off.
    """
    is_success = response.is_success
    pieces = _Pieces(is_success=is_success)
    if not is_success:
        limit.hurry(_ERROR_SECONDS)
    try:
        for piece in response.iter_bytes():
            pieces.add(piece)
            # The caller's own client, too, may be kept waiting by a byte now and then.
            if limit.left() <= 0:
                raise APITimeoutError("The service did not answer in time.")
    except (httpx.HTTPError, APIConnectionError):
        if is_success:
            raise
    return Reply(response.status_code, response.headers, pieces.join())


async def async_read_reply(reply: AsyncIncomingReply, limit: TimeLimit) -> Reply:
    """`read_reply`, awaited; the time of a success is kept by the caller."""
    pieces = _Pieces(is_success=reply.is_success)
    if reply.is_success:
        await _collect(reply, pieces)
    else:
        # Before the caller's time is over, which would hide the status.
        seconds = min(_ERROR_SECONDS, limit.left() / 2)
        with anyio.move_on_after(seconds), suppress(Exception):
            await _collect(reply, pieces)
    return Reply(reply.status_code, reply.headers, pieces.join())


async def _collect(reply: AsyncIncomingReply, pieces: _Pieces) -> None:
    async with aclosing(reply.aiter_bytes()) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            pieces.add(chunk)
