"""Uploads and downloads of a served emulator: large ones, half-sent ones, abandoned ones."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from azure_responses.emulator import Emulator, Fault
from tests.emulator.test_forms import TYPE, body

FILES = "/openai/v1/files"
SIZE = 96 * 1024 * 1024
SERVE = """
from azure_responses.emulator import Emulator, Fault
emulator = Emulator()
with emulator.serve() as server:
    print(server.url, emulator.api_key, flush=True)
    input()
"""


@pytest.fixture
def process() -> Iterator[tuple[int, httpx.Client]]:
    """An emulator in a process of its own, whose memory can be measured."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        said = running.stdout.readline()
        assert said, f"the process ended with {running.wait(timeout=20)}"
        url, key = said.split()
        with httpx.Client(
            base_url=url, headers={"api-key": key}, trust_env=False, timeout=60
        ) as client:
            yield running.pid, client
        running.communicate("\n", timeout=20)


def memory(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_large_file_goes_up_and_down_in_little_memory(process: tuple[int, httpx.Client]) -> None:
    pid, client = process
    client.get(FILES)
    before = memory(pid)
    reply = client.post(FILES, content=body(SIZE), headers={"content-type": TYPE})
    assert reply.json()["bytes"] == SIZE
    with client.stream("GET", f"{FILES}/{reply.json()['id']}/content") as download:
        assert download.headers["content-length"] == str(SIZE)
        assert sum(len(piece) for piece in download.iter_raw()) == SIZE
    assert memory(pid) - before < SIZE / 3


def head(size: int, key: str) -> bytes:
    lines = [f"POST {FILES} HTTP/1.1", "host: localhost", f"api-key: {key}",
             f"content-type: {TYPE}", f"content-length: {size}", "", ""]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_a_half_sent_form_leaves_nothing_behind() -> None:
    emulator = Emulator()
    with emulator.serve() as server:
        whole = b"".join(body(10_000_000))
        for sent in (whole[:100], whole[:5_000_000]):
            with socket.create_connection(("127.0.0.1", server.port)) as caller:
                caller.sendall(head(len(whole), emulator.api_key) + sent)
        with httpx.Client(
            base_url=server.url, headers={"api-key": emulator.api_key}, trust_env=False
        ) as client:
            assert client.get(FILES).json()["data"] == []
            # A form that says that it is shorter than it is.
            with socket.create_connection(("127.0.0.1", server.port)) as caller:
                caller.sendall(head(5_000, emulator.api_key) + whole[:5_000])
                assert b" 400 " in caller.recv(200)
            assert client.get(FILES).json()["data"] == []


def test_an_abandoned_download_ends() -> None:
    emulator = Emulator()
    with (
        emulator.serve() as server,
        httpx.Client(
            base_url=server.url, headers={"api-key": emulator.api_key}, trust_env=False
        ) as client,
    ):
        reply = client.post(FILES, content=body(20_000_000), headers={"content-type": TYPE})
        path = f"{FILES}/{reply.json()['id']}/content"
        with client.stream("GET", path) as download:
            next(download.iter_raw())
        # A file that is deleted while it is read is read to its end.
        with client.stream("GET", path) as download:
            pieces = download.iter_raw()
            read = len(next(pieces))
            with httpx.Client(
                base_url=server.url, headers={"api-key": emulator.api_key}, trust_env=False
            ) as other:
                assert other.delete(path.removesuffix("/content")).status_code == 200
            assert read + sum(len(piece) for piece in pieces) == 20_000_000


@pytest.mark.parametrize("kind", ["reset-mid-body", "incomplete-body", "truncate"])
@pytest.mark.parametrize("served", [True, False], ids=["socket", "in process"])
def test_a_download_that_breaks_has_announced_its_length(kind: str, served: bool) -> None:
    emulator = Emulator()
    with (
        emulator.serve() as server,
        httpx.Client(
            transport=None if served else emulator.httpx_transport(),
            base_url=server.url,
            headers={"api-key": emulator.api_key},
            trust_env=False,
        ) as client,
    ):
        reply = client.post(FILES, content=body(5_000_000), headers={"content-type": TYPE})
        emulator.faults.add(Fault(kind, operation="files.content", after_events=3))
        with client.stream("GET", f"{FILES}/{reply.json()['id']}/content") as download:
            assert download.headers["content-length"] == "5000000"
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                for _ in download.iter_raw():
                    pass
        emulator.faults.clear()
        emulator.faults.add(Fault("html-502", operation="files.content"))
        page = client.get(f"{FILES}/{reply.json()['id']}/content")
        assert (page.status_code, "502" in page.text) == (502, True)
