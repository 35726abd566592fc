"""Gateways to test with: in process, and as a process of their own."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml

from azure_responses.gateway.app import GatewayApp, create_app
from azure_responses.gateway.uvicorn_server import GatewayServer, listen

__all__ = ["KEY", "Running", "config_of", "run_process", "run_server", "serve"]

KEY = "sk-test-0123456789-abcdef"


def config_of(url: str, *names: str, **general: Any) -> dict[str, Any]:
    """A configuration with the group `chat` on resources of an emulator at `url`."""
    return {
        "model_list": [
            {
                "model_name": "chat",
                "litellm_params": {
                    "model": "azure/gpt",
                    "api_base": f"{url}/resources/{name}",
                    "api_key": f"key-of-{name}",
                },
                "model_info": {"id": name, "base_model": "gpt-5-mini"},
            }
            for name in names
        ],
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32, **general},
    }


class Running:
    """A gateway on a port."""

    def __init__(self, url: str, app: GatewayApp) -> None:
        self.url = url
        self.app = app

    def client(self, key: str = KEY, **options: Any) -> httpx.Client:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)


@contextmanager
def serve(config: Mapping[str, Any]) -> Iterator[Running]:
    """A gateway on a free port, in a thread."""
    app = create_app(config)
    with run_server(GatewayServer(app)) as port:
        yield Running(f"http://127.0.0.1:{port}", app)


@contextmanager
def run_server(server: uvicorn.Server) -> Iterator[int]:
    """A server in a thread, and its port."""
    with listen("127.0.0.1", 0) as listener:

        def run() -> None:
            # uvicorn's own `run` would take the signals of the process.
            with asyncio.Runner() as runner:
                runner.run(server._serve([listener]))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@contextmanager
def run_process(
    config: Mapping[str, Any] | None,
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`azure-responses serve` as a process, and its URL."""
    command = [sys.executable, "-m", "azure_responses", "serve", "--port", "0", *arguments]
    if config is not None:
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(dict(config)))
        command += ["--config", str(path)]
    with (
        (folder / "stderr").open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line.startswith("RUNNING on http://"), (folder / "stderr").read_text()
            yield line.removeprefix("RUNNING on "), process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()
