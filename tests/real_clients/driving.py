"""Starts what the clients call, and the programs that have them; reads what those report."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zlib import crc32

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Latency, Resource
from tests.tree import PACKAGE

__all__ = [
    "KEY",
    "MODES",
    "Report",
    "Stage",
    "Verdict",
    "drive",
    "find_clients",
    "find_python",
    "run_program",
    "set_stage",
]

ROOT = PACKAGE.parent
KEY = "sk-gateway-of-the-tests-0123456789"
MODES = ("gateway", "injected", "emulator")
_AZURE_KEY = "azure-key"
_PATIENCE = 100.0


@dataclass(frozen=True)
class Stage:
    """The gateway, the emulator behind it, and the rows that lead there."""

    url: str
    emulator: Emulator
    emulator_url: str
    rows: list[dict[str, Any]]

    def errand(self, modes: Sequence[str]) -> str:
        """What a program is told."""
        told = {
            "modes": modes,
            "url": self.url,
            "key": KEY,
            "emulator": self.emulator_url,
            "rows": self.rows,
        }
        return json.dumps(told)


@dataclass(frozen=True)
class Verdict:
    """What one case of a program saw, and the requests that had reached Azure."""

    seen: Any
    requests: list[dict[str, Any]]

    @property
    def resources(self) -> set[str]:
        """Who was asked."""
        return {request["resource"] for request in self.requests}

    @property
    def statuses(self) -> list[int]:
        """What was answered."""
        return [request["status"] for request in self.requests]

    def has_sent(self, field: str) -> list[bool]:
        """For each request, whether a field was in it that says something."""
        return [f'"{field}":"' in request["body"].replace(" ", "") for request in self.requests]


@dataclass(frozen=True)
class Report:
    """What a program reported of all its cases."""

    entries: dict[str, dict[str, Any]]

    def judge(self, mode: str, case: str) -> Verdict:
        """One case in one mode; fails with the case's traceback if it broke off."""
        entry = self.entries[mode][case]
        assert "error" not in entry, f"{entry['error']}\n{entry['requests']}"
        return Verdict(entry["seen"], entry["requests"])


@contextmanager
def set_stage(folder: Path) -> Iterator[Stage]:
    """`azure-responses serve` over two resources that know nothing of each other."""
    emulator = _make_emulator()
    with emulator.serve() as server:
        rows = list(_rows(server.resource_url))
        config = {"model_list": rows, "general_settings": {"master_key": KEY}}
        path = folder / "config.yaml"
        # JSON is YAML too.
        path.write_text(json.dumps(config), encoding="utf-8")
        with _serve(path, folder / "gateway.log") as url:
            yield Stage(url, emulator, server.url, rows)


def find_python(variable: str, what: str) -> str:
    """The interpreter that a variable names; the test that needs it skips without."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"no {what}: set {variable} to a Python that has it")
    return named


def find_clients(module: str) -> str:
    """The interpreter that has the clients; skips where it or this client is not there."""
    python = find_python("AZURE_RESPONSES_CLIENTS", "environment of clients")
    probe = "import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)"
    if subprocess.run([python, "-c", probe, module], timeout=_PATIENCE).returncode:
        pytest.skip(f"AZURE_RESPONSES_CLIENTS has no {module}")
    return python


def drive(python: str, program: str, folder: Path, modes: Sequence[str] = MODES) -> Report:
    """Run a program of `tests.real_clients.programs`; it runs its cases in every mode."""
    command = [python, "-m", f"tests.real_clients.programs.{program}"]
    return run_program(command, modes, folder)


def run_program(
    command: list[str], modes: Sequence[str], folder: Path, **environment: str
) -> Report:
    """Run a command over a stage of its own; it takes an errand and prints a report last.

    It is run once, whichever processes of a test run ask: imports take it longer than its cases.
    """
    name = f"{crc32(' '.join(command).encode()):08x}"
    with (folder / f"{name}.lock").open("w") as lock:
        _wait_for(lock)
        path = folder / f"{name}.json"
        if not path.exists():
            (folder / name).mkdir()
            with set_stage(folder / name) as stage:
                printed = _print_of([*command, stage.errand(modes)], environment)
            path.write_text(printed.splitlines()[-1], encoding="utf-8")
    return Report(json.loads(path.read_text(encoding="utf-8")))


def _print_of(command: list[str], environment: Mapping[str, str]) -> str:
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )
    assert run.returncode == 0, run.stderr[-5000:]
    return run.stdout


def _wait_for(lock: IO[str]) -> None:
    """Hold a lock until it is closed; in a test run of one process there is nobody to wait for."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)


def _make_emulator() -> Emulator:
    deployments = [
        EmulatedDeployment("gpt-5-mini", model="gpt-5-mini"),
        EmulatedDeployment("gpt-4.1", model="gpt-4.1"),
        EmulatedDeployment("my-custom-o1-pro", model="o3"),
        EmulatedDeployment("kimi-k2.5", model="kimi-k2.5"),
        EmulatedDeployment("claude-sonnet-4-5", model="claude-sonnet-4-5"),
        EmulatedDeployment("slow", model="gpt-5-mini", latency=Latency(queued=0.2, running=0.2)),
    ]
    return Emulator(
        [Resource(name, keys=[_AZURE_KEY], deployments=deployments) for name in ("east", "west")]
    )


def _rows(url_of: Any) -> Iterator[dict[str, Any]]:
    for group, model in (
        ("gpt-5-mini", "azure/gpt-5-mini"),
        ("gpt-4.1", "azure/gpt-4.1"),
        ("slow", "azure/slow"),
        ("gpt-5-mini-socket", "azure/gpt-5-mini"),
        ("kimi-k2.5", "azure_ai/kimi-k2.5"),
        ("claude-sonnet-4-5", "azure_ai/claude-sonnet-4-5"),
        ("my-custom-o1-pro", "azure/responses/my-custom-o1-pro"),
    ):
        for name in ("east", "west"):
            params: dict[str, Any] = {
                "model": model,
                "api_base": url_of(name),
                "api_key": _AZURE_KEY,
                **({"websocket": True} if group.endswith("-socket") else {}),
            }
            yield {
                "model_name": group,
                "litellm_params": params,
                "model_info": {"id": f"{group}-{name}"},
            }


def _environment() -> dict[str, str]:
    """This checkout, no network, and nothing of Azure's or OpenAI's from outside."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "OPENAI_", "LITELLM_", "LANGCHAIN_", "LANGSMITH_"))
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "NO_PROXY": "*",
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
        "LANGSMITH_TRACING": "false",
    }


@contextmanager
def _serve(config: Path, log: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "azure_responses", "serve"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--config", str(config), "--port", "0"],
            cwd=ROOT,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        # Reading the announcement waits for as long as it takes, but not for ever.
        alarm = threading.Timer(_PATIENCE, process.kill)
        alarm.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            alarm.cancel()
            assert line.startswith("RUNNING on "), line + log.read_text(errors="replace")[-3000:]
            yield line.removeprefix("RUNNING on ").strip()
        finally:
            alarm.cancel()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
