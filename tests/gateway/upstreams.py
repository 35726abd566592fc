"""A resource that counts what it is sent, and answers embeddings, images, audio and files."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

__all__ = ["Sent", "Upstream", "serve_upstream"]

# More of a body than this is counted and not kept.
_KEPT = 2 * 1024 * 1024


@dataclass
class Sent:
    """A request as it arrived.

    Attributes:
        body: its beginning.
        size: of the body.
        is_whole: the body has ended.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    size: int = 0
    is_whole: bool = False
    digest: Any = field(default_factory=sha256)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[Sent, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """The resource.

    Attributes:
        url: where it is.
        sent: the requests, the earliest first.
        answers: by the last part of the path; called with the request and a writer.
        pause: seconds between two reads of a body.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[Sent] = []
        self.answers: dict[str, Answer] = {}
        self.pause = 0.0

    def paths(self) -> list[str]:
        return [sent.path for sent in self.sent]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    sent = await self._read(reader)
                    await self._answer(sent, writer)
                    await writer.drain()
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Sent:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = [line.partition(": ") for line in head[1:] if line]
        sent = Sent(method, path, {name.lower(): value for name, _, value in pairs})
        self.sent.append(sent)
        async for piece in _pieces(reader, sent.headers):
            sent.digest.update(piece)
            sent.size += len(piece)
            if len(sent.body) < _KEPT:
                sent.body += piece
            if self.pause:
                await asyncio.sleep(self.pause)
        sent.is_whole = True
        return sent

    async def _answer(self, sent: Sent, writer: asyncio.StreamWriter) -> None:
        name = sent.path.partition("?")[0].rpartition("/")[2]
        if name in self.answers:
            await self.answers[name](sent, writer)
        else:
            reply(writer, json.dumps(_ANSWERS.get(name, _FILE)).encode())


async def _line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise asyncio.IncompleteReadError(line, None)
    return line


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]) -> Any:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await _line(reader), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return
    left = int(headers.get("content-length", 0))
    while left:
        piece = await reader.read(min(left, 256 * 1024))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


def reply(
    writer: asyncio.StreamWriter,
    body: bytes,
    kind: str = "application/json",
    status: str = "200 OK",
    more: str = "",
) -> None:
    """Write a whole reply."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    writer.write(head.encode() + body)


_FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.txt"}
_ANSWERS: dict[str, Any] = {
    "embeddings": {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.0000001]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
    },
    "transcriptions": {
        "text": "Hello.",
        "usage": {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
            "output_tokens": 45,
            "total_tokens": 59,
        },
    },
    "translations": {"text": "Hello.", "duration": 10.0},
}
_ANSWERS["generations"] = _ANSWERS["edits"] = {
    "created": 1,
    "data": [{"b64_json": "AAAA"}],
    "usage": {
        "total_tokens": 1100,
        "input_tokens": 100,
        "output_tokens": 1000,
        "input_tokens_details": {"text_tokens": 60, "image_tokens": 40},
    },
}
_ANSWERS["variations"] = {"created": 1, "data": [{"b64_json": "AAAA"}]}


@contextmanager
def serve_upstream() -> Iterator[Upstream]:
    """The resource on a free port, in a thread."""
    upstream, ready, stop = Upstream(), threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
        upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield upstream
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
