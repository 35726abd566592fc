"""A served gateway under attack: its memory, and how long other callers wait meanwhile."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.benchmarks.stub import serve_stub
from tests.gateway.gateways import KEY, run_process

__all__ = ["Flooded", "Measured", "percentile", "send_for", "serve_flooded"]


@dataclass
class Measured:
    """What an attack did to the others, in seconds and megabytes."""

    calls: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    before: float = 0.0
    peak: float = 0.0

    @property
    def growth(self) -> float:
        """Megabytes that the attack made the process grow by."""
        return self.peak - self.before

    def show(self, attack: str) -> None:
        """Print the figures, which `pytest -s` and a failure show."""
        print(
            f"\n{attack}: +{self.growth:.0f} MB ({self.before:.0f} to {self.peak:.0f}); "
            f"calls p99 {percentile(self.calls) * 1e3:.0f} ms of {len(self.calls)}, "
            f"probes p99 {percentile(self.probes) * 1e3:.0f} ms of {len(self.probes)}"
        )


def percentile(seconds: list[float], share: float = 0.99) -> float:
    """What so large a share of them does not exceed."""
    return sorted(seconds)[int(len(seconds) * share)]


class Flooded:
    """A gateway in a process of its own."""

    def __init__(self, url: str, process: "subprocess.Popen[str]") -> None:
        parts = urlsplit(url)
        self.url = url
        self.place = (parts.hostname or "", parts.port or 0)
        self._process = process

    def connect(self, stack: ExitStack, *, receive_buffer: int | None = None) -> socket.socket:
        """A connection that is closed with the stack."""
        connection = socket.socket()
        stack.enter_context(connection)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(20)
        connection.connect(self.place)
        return connection

    def client(self) -> httpx.Client:
        """A client with a key."""
        return httpx.Client(base_url=self.url, headers={"api-key": KEY}, timeout=60)

    def megabytes(self) -> float:
        """Its resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    @contextmanager
    def watch(self) -> Iterator[Measured]:
        """Inside, others call it and its memory is measured."""
        measured, ended = Measured(), threading.Event()

        def weigh() -> None:
            while not ended.wait(0.02):
                measured.peak = max(measured.peak, self.megabytes())

        host, port = self.place
        command = [sys.executable, "-m", "tests.gateway.bystanders", host, str(port), KEY]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as others:
            assert others.stdout is not None
            assert others.stdout.readline() == "ready\n"
            time.sleep(0.3)
            measured.before = self.megabytes()
            scales = threading.Thread(target=weigh)
            scales.start()
            try:
                yield measured
            finally:
                ended.set()
                scales.join()
                found = json.loads(others.communicate(timeout=60)[0])
        measured.calls, measured.probes = found["calls"], found["probes"]


@contextmanager
def serve_flooded(folder: Path, **general: Any) -> Iterator[Flooded]:
    """A gateway with one deployment that answers at once."""
    with serve_stub() as stub:
        row = {"model": "azure/gpt", "api_base": f"{stub}/small", "api_key": "k"}
        config = {
            "model_list": [{"model_name": "chat", "litellm_params": row}],
            "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32, **general},
        }
        with run_process(config, folder) as (url, process):
            # What is loaded by the first call is none of an attack's doing.
            body = {"model": "chat", "input": "Say hello."}
            for _ in range(3):
                httpx.post(f"{url}/v1/responses", json=body, headers={"api-key": KEY}, timeout=30)
            yield Flooded(url, process)


def send_for(connection: socket.socket, data: bytes, seconds: float) -> int:
    """Send the same again and again until the time is over or nothing more is taken; bytes."""
    sent, ends = 0, time.monotonic() + seconds
    with suppress(OSError):
        while (left := ends - time.monotonic()) > 0:
            connection.settimeout(left)
            sent += connection.send(data)
    return sent
