"""A real browser without a window."""

import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["dump"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60


def dump(url: str, folder: Path, host: str) -> str:
    """The page at a URL as Chromium has it, where `host` leads to the loopback."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    command = [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
        *("--disable-sync", f"--user-data-dir={folder}", "--virtual-time-budget=5000"),
        *(f"--host-resolver-rules=MAP {host} 127.0.0.1", "--dump-dom", url),
    ]
    done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    return done.stdout.decode()
