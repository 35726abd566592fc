"""The stub upstream: a fixed reply to every POST, faster than any client measured here.

nginx where it is installed, else a few lines of asyncio in a process of their own. A path that
begins with `/small` answers one small response, `/stream` a stream of EVENT_COUNT events;
`/chat-small` and `/chat-stream` answer the same as a chat completion and its chunks.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.bodies import make_chunks, make_stream, small_completion, small_reply

__all__ = ["serve_stub"]

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 50m; tcp_nodelay on;
  client_body_temp_path {folder}/body;
  server {{
    listen 127.0.0.1:{port};
    add_header apim-request-id 00000000-0000-4000-8000-000000000000;
    add_header x-ms-region "East US 2";
{locations}
  }}
}}
"""
_LOCATION = """
    location /{name}/ {{ error_page 405 =200 /files/{name}; return 405; }}
    location = /files/{name} {{ internal; default_type {kind}; alias {folder}/{name}; }}
"""
_HEAD = (
    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n"
    "apim-request-id: 00000000-0000-4000-8000-000000000000\r\nx-ms-region: East US 2\r\n\r\n"
)
_START_SECONDS = 10.0


@contextmanager
def serve_stub() -> Iterator[str]:
    """The URL of a running stub, and what it is, on the way to standard output."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        reserved.close()
        command = _command(Path(folder), port)
        print(f"stub upstream: {Path(command[0]).name} on 127.0.0.1:{port}")
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                _await_port(port)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def _command(folder: Path, port: int) -> list[str]:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        return [sys.executable, "-m", "tests.benchmarks.stub", str(port)]
    # The workers of an nginx started by root run as somebody else.
    folder.chmod(0o755)
    locations = []
    for name, (kind, body) in _bodies().items():
        (folder / name).write_bytes(body)
        locations.append(_LOCATION.format(name=name, kind=kind, folder=folder))
    configuration = _NGINX.format(folder=folder, port=port, locations="".join(locations))
    (folder / "nginx.conf").write_text(configuration)
    return [nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def _await_port(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _bodies() -> dict[str, tuple[str, bytes]]:
    """The first part of a path → content type and body."""
    return {
        "small": ("application/json", small_reply()),
        "stream": ("text/event-stream", b"".join(make_stream())),
        "chat-small": ("application/json", small_completion()),
        "chat-stream": ("text/event-stream", b"".join(make_chunks())),
    }


def _replies() -> dict[str, bytes]:
    return {
        name: _HEAD.format(kind=kind, length=len(body)).encode() + body
        for name, (kind, body) in _bodies().items()
    }


async def _serve(port: int) -> None:
    replies = _replies()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length: ")[2].partition("\r\n")[0]
                await reader.readexactly(int(length or 0))
                writer.write(replies[head.split("/", 2)[1]])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
