"""LiteLLM's own proxy server, started with a configuration file."""

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.litellm_plugin.peer import ROOT, environment, find_python

__all__ = ["KEY", "serve_proxy"]

KEY = "sk-proxy"
# Some of what the proxy and this package import; importing them to find out takes far longer.
_NEEDED = ("litellm", "fastapi", "uvicorn", "websockets", "aiohttp", "httpx", "pydantic", "azure")
_PROBE = """
import sys
from importlib.util import find_spec
print(*[name for name in sys.argv[1:] if find_spec(name) is None])
"""
_START = 100.0


@contextmanager
def serve_proxy(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """The URL of a proxy with this configuration; skips where the proxy cannot run."""
    python = find_python()
    probe = [python, "-c", _PROBE, *_NEEDED]
    missing = subprocess.check_output(probe, env=environment(), text=True, timeout=100).split()
    if missing:
        pytest.skip(f"LiteLLM's proxy cannot run without {', '.join(missing)}")
    path = folder / "config.yaml"
    # JSON is YAML too.
    path.write_text(json.dumps(config), encoding="utf-8")
    port = _free_port()
    program = "import sys; from litellm import run_server; sys.exit(run_server())"
    command = [python, "-c", program, "--config", str(path), "--host", "127.0.0.1"]
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, env=environment(), stdout=log, stderr=log
        )
        try:
            _wait(process, port, folder / "proxy.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            # As from a terminal: its interpreter then ends in order, coverage included.
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).close()
            return
        time.sleep(0.2)
    raise AssertionError("the proxy did not start:\n" + log.read_text(errors="replace")[-3000:])
