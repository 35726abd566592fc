"""The interpreter that has LiteLLM, and one long-lived program in it that does what it is asked.

LiteLLM takes seconds to import, so one process serves a whole module of tests.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.tree import PACKAGE

__all__ = ["ROOT", "Peer", "environment", "find_python"]

ROOT = PACKAGE.parent


def find_python() -> str:
    """The interpreter; the test that needs it skips where there is none."""
    named = os.environ.get("AZURE_RESPONSES_LITELLM")
    if named:
        return named
    if find_spec("litellm") is None:
        pytest.skip("no LiteLLM: set AZURE_RESPONSES_LITELLM to a Python that has it")
    return sys.executable


def environment() -> dict[str, str]:
    """What LiteLLM runs with: this checkout, no network, nothing of Azure's from outside."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "OPENAI_", "LITELLM_", "DATABASE_"))
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "*",
    }


class Peer:
    """A program in LiteLLM's interpreter, see `peer_program`."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("peer_program.py")
        self._process = subprocess.Popen(
            [find_python(), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        ready = self._read()
        if "missing" in ready:
            self.close()
            pytest.skip(f"LiteLLM's interpreter lacks {ready['missing']}")

    def ask(self, deed: str, **arguments: Any) -> Any:
        """What the program answers; an exception in it comes back as `{"raised": …}`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": deed, "with": arguments}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("peer:"):
                return json.loads(line.removeprefix("peer:"))
        raise AssertionError("LiteLLM's program ended")

    def close(self) -> None:
        """End the program by ending its input."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=30)
