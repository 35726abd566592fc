"""A server in a process of its own that answers with the word it was asked, plain or over TLS.

Each answer says in `x-connection` which connection it came over, counted from 1. A stream stops
half-way for as long as `_PAUSE` says.
"""

import asyncio
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["echo_server"]

_PAUSE = 0.3
_WORD = re.compile(rb"word-[\w-]+")
_numbers = count(1)


@contextmanager
def echo_server(certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve; the URL. With a certificate and its key over TLS."""
    command = [sys.executable, "-m", "tests.echo_server", *map(str, certificate or ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        scheme = "https" if certificate else "http"
        try:
            yield f"{scheme}://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def _response(word: str, status: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": word, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status}
    return {
        "id": f"resp_{word}",
        "object": "response",
        "status": status,
        "model": "gpt-5",
        "output": [{**message, "content": [part]}] if status == "completed" else [],
    }


def _event(kind: str, **fields: Any) -> bytes:
    body = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


async def _stream(word: str, writer: asyncio.StreamWriter, head: bytes) -> None:
    begun, ended = _response(word, "in_progress"), _response(word, "completed")
    writer.write(head + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    writer.write(_event("response.created", sequence_number=0, response=begun))
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    kind = "response.output_text.delta"
    writer.write(_event(kind, sequence_number=1, delta=word[:3], **delta))
    await writer.drain()
    await asyncio.sleep(_PAUSE)
    writer.write(_event(kind, sequence_number=2, delta=word[3:], **delta))
    writer.write(_event("response.completed", sequence_number=3, response=ended))
    writer.write(b"0\r\n\r\n")


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    found = _WORD.findall(body)
    word = found[-1].decode() if found else "word-none"
    # Long enough for another process to read from the same socket.
    await asyncio.sleep(0.001)
    start = b"HTTP/1.1 200 OK\r\nx-connection: %d\r\n" % number
    if json.loads(body or b"{}").get("stream"):
        await _stream(word, writer, start)
    else:
        text = json.dumps(_response(word, "completed")).encode()
        kind = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text)
        writer.write(start + kind + text)
    await writer.drain()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    number = next(_numbers)
    try:
        while True:
            await _answer(reader, writer, number)
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def _main(certificate: list[str]) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
