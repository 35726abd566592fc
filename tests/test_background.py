"""The tests where SIGINT is ignored, as a shell's script starts them in the background."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_INTERRUPTED = ["tests/emulator/test_server.py::test_an_interrupt_ends_it_cleanly"]


def _members(session: int) -> list[str]:
    """The commands of the processes in a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except (OSError, ValueError):
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_in_the_background_the_tests_pass_and_leave_no_process() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_INTERRUPTED]
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env={n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert _members(process.pid) == []
