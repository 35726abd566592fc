"""Files of 512 MB: what they add to the memory of a program that sends or reads them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.byte_server import ByteServer

_SIZE = 512 * 2**20
# What the interpreter's allocator and the pools of connections may take besides.
_MOST_ADDED = 48 * 2**20

_PROGRAM = """
import asyncio, json, os, resource, sys
from azure_responses import AsyncAzureResponses, AzureResponses

url, way, side, path = sys.argv[1:]
SIZE = 512 * 2**20

def pieces():
    for _ in range(SIZE // 2**20):
        yield b"x" * 2**20

async def async_pieces():
    for piece in pieces():
        yield piece

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def run_sync():
    with AzureResponses(url, api_key="k" * 32) as client:
        client.files.create(file=b"warm", purpose="batch")
        before = peak()
        if way == "path":
            client.files.create(file=path, purpose="batch")
        elif way == "iterator":
            client.files.create(file=pieces(), purpose="batch")
        elif way == "parts":
            client.uploads.parts.create("u", data=open(path, "rb"))
        elif way == "content":
            client.files.content("f").write_to_file(path + ".out")
        else:
            with client.files.with_streaming_response.content("f") as content:
                content.stream_to_file(path + ".out")
    return peak() - before

async def run_async():
    async with AsyncAzureResponses(url, api_key="k" * 32) as client:
        await client.files.create(file=b"warm", purpose="batch")
        before = peak()
        if way == "path":
            await client.files.create(file=path, purpose="batch")
        elif way == "iterator":
            await client.files.create(file=async_pieces(), purpose="batch")
        elif way == "parts":
            await client.uploads.parts.create("u", data=open(path, "rb"))
        elif way == "content":
            await (await client.files.content("f")).astream_to_file(path + ".out")
        else:
            async with client.files.with_streaming_response.content("f") as content:
                await content.stream_to_file(path + ".out")
    return peak() - before

if side == "trio":
    import trio
    added = trio.run(run_async)
else:
    added = asyncio.run(run_async()) if side == "asyncio" else run_sync()
size = os.path.getsize(path + ".out") if os.path.exists(path + ".out") else None
print(json.dumps({"added": added, "size": size}))
"""


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.jsonl"
    # A file with a hole: as long, and quickly made.
    with path.open("wb") as file:
        file.truncate(_SIZE)
    return path


_WAYS = ["path", "iterator", "parts", "content", "stream"]
_CASES = [(way, side) for way in _WAYS for side in ("sync", "asyncio")]


@pytest.mark.parametrize(("way", "side"), [*_CASES, ("path", "trio"), ("stream", "trio")])
def test_memory_stays_flat(way: str, side: str, large_file: Path) -> None:
    with ByteServer(_SIZE) as server:
        command = [sys.executable, "-c", _PROGRAM, server.url, way, side, str(large_file)]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    out = large_file.with_suffix(".jsonl.out")
    out.unlink(missing_ok=True)
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["added"] < _MOST_ADDED
    if way in ("content", "stream"):
        assert found["size"] == _SIZE
    else:
        assert server.received[-1] > _SIZE
