"""Continue's command line program, with the configuration that its page shows."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real_clients.driving import KEY, ROOT, Stage

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"
_PAGE = ROOT / "docs" / "clients" / "continue.md"
Continue = Callable[..., str]


def _configuration(url: str, model: str) -> str:
    """The page's file, with the model first that is to be called."""
    (text,) = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    text = text.replace("http://127.0.0.1:4000", url).replace("sk-your-gateway-key", KEY)
    head, *entries = re.split(r"(?m)^(?=  - name: )", text)
    chosen = [entry for entry in entries if f"model: {model}\n" in entry]
    assert len(chosen) == 1
    return head + chosen[0]


@pytest.fixture(params=["gpt-5-mini", "kimi-k2.5"])
def model(request: pytest.FixtureRequest) -> str:
    """A model that is called over Responses, and one over chat completions."""
    return str(request.param)


@pytest.fixture
def cn(model: str, stage: Stage, tmp_path: Path) -> Continue:
    """Runs `cn -p` in a home of its own and gives what it prints."""
    modules = os.environ.get(_VARIABLE)
    program = Path(modules or "", ".bin", "cn")
    if not modules or not program.exists():
        pytest.skip(f"no Continue: set {_VARIABLE} to a node_modules with @continuedev/cli")
    path, work = tmp_path / "config.yaml", tmp_path / "work"
    path.write_text(_configuration(stage.url, model), encoding="utf-8")
    work.mkdir()
    environment = {**os.environ, "HOME": str(tmp_path), "CONTINUE_TELEMETRY_ENABLED": "0"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(program), "-p", "--config", str(path), *arguments],
            cwd=work,
            env={**environment, "NO_PROXY": "*"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    return run


def test_an_answer_is_printed(cn: Continue, stage: Stage, model: str) -> None:
    before = len(stage.emulator.requests)
    assert "hello there" in cn("Reply with exactly: hello there")
    (sent,) = list(stage.emulator.requests)[before:]
    assert sent.operation == ("create" if model == "gpt-5-mini" else "chat")


def test_a_tool_runs_and_its_result_is_used(cn: Continue) -> None:
    printed = cn("--auto", "Use Bash with command: echo hello")
    assert "hello" in printed.split("returned:")[-1]


def test_a_session_goes_on(cn: Continue) -> None:
    cn("My name is Ada.")
    assert "Ada" in cn("--resume", "What is my name?")
