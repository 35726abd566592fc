"""The events of background responses that are streamed, kept so that they can be read again."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.router.upstream_reply import to_bytes

__all__ = ["EventLog", "event_frame", "read_frames"]

_TYPE = re.compile(rb"event: ?([^\r\n]+)")
_DATA = re.compile(rb"data: ?([^\r\n]+)")
# What a log begins with by itself, and what ends it.
_OPENING = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDING = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


class EventLog:
    """The events of one response, read by any number of callers while they come.

    The number of an event is its place.

    Args:
        response: as it begins, with the id that its caller knows.

    Attributes:
        size: of all events, in bytes.
    """

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.size = 0
        self._frames: list[bytes] = []
        self._is_over = False
        self._changed = asyncio.Event()
        for kind in ("response.created", "response.in_progress"):
            self.add(event_frame(kind, len(self._frames), response))

    def add(self, frame: bytes) -> None:
        """One more event."""
        self._frames.append(frame)
        self.size += len(frame)
        self._wake()

    def close(self, response: Mapping[str, Any] | None) -> None:
        """The end, with the event that tells of it; None ends without one."""
        if response is not None:
            kind = f"response.{response['status']}"
            self.add(event_frame(kind, len(self._frames), response))
        self._is_over = True
        self._wake()

    async def follow(self, after: int) -> AsyncGenerator[bytes, None]:
        """The events behind a number, as they come; -1 is before the first."""
        position = after + 1
        while True:
            changed = self._changed
            frames = self._frames[position:]
            position += len(frames)
            if frames:
                yield b"".join(frames)
            elif self._is_over:
                return
            else:
                await changed.wait()

    async def receive(self, pieces: AsyncIterator[bytes]) -> dict[str, Any] | None:
        """Keep the events of a stream; returns the event that ends it, which is not kept."""
        ending: dict[str, Any] | None = None
        async for kind, frame in read_frames(pieces):
            if kind in _ENDING:
                found = _DATA.search(frame)
                event = None if found is None else from_json(found[1])
                # An `error` event says more than the `response.failed` behind it.
                ending = ending or event
            elif kind not in _OPENING:
                self.add(frame)
        return ending

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def read_frames(pieces: AsyncIterator[bytes]) -> AsyncGenerator[tuple[str, bytes], None]:
    """The events of a stream: the type of each, and its bytes."""
    rest = b""
    async for piece in pieces:
        *frames, rest = (rest + piece).split(b"\n\n")
        for frame in frames:
            kind = _TYPE.search(frame)
            if kind is not None:
                yield kind[1].decode(), frame + b"\n\n"


def event_frame(kind: str, number: int, response: Mapping[str, Any]) -> bytes:
    """An event that tells of a whole response."""
    event = {"type": kind, "sequence_number": number, "response": response}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), to_bytes(event))
