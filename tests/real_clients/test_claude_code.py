"""Claude Code, with the variables that its page shows."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real_clients.driving import KEY, ROOT, Stage

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"
_PAGE = ROOT / "docs" / "clients" / "claude-code.md"
Claude = Callable[..., dict[str, Any]]


def _variables(url: str, model: str) -> dict[str, str]:
    """Those of the page, with the address, the key and the model of the test."""
    block = re.findall(r"```sh\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    block = block.replace("http://127.0.0.1:4000", url).replace("sk-your-gateway-key", KEY)
    block = block.replace("claude-sonnet-4-5", model)
    return dict(line.removeprefix("export ").split("=", 1) for line in block.splitlines())


@pytest.fixture
def claude(stage: Stage, tmp_path: Path) -> Claude:
    """Runs `claude -p` in a home of its own and gives the result that it prints."""
    modules = os.environ.get(_VARIABLE)
    program = Path(modules or "", ".bin", "claude")
    if not modules or not program.exists():
        pytest.skip(f"no Claude Code: set {_VARIABLE} to a node_modules with it")
    work = tmp_path / "work"
    work.mkdir()

    def run(model: str, *arguments: str) -> dict[str, Any]:
        environment = {**os.environ, **_variables(stage.url, model), "HOME": str(tmp_path)}
        done = subprocess.run(
            [str(program), "-p", "--output-format", "json", "--allowedTools", "Bash", *arguments],
            cwd=work,
            env={**environment, "DISABLE_AUTOUPDATER": "1", "NO_PROXY": "*"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout)
        assert not found["is_error"], found
        return found

    return run


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "gpt-5-mini", "kimi-k2.5"])
def test_a_turn_is_answered_by_deployments_of_every_api(
    claude: Claude, stage: Stage, model: str
) -> None:
    before = len(stage.emulator.requests)
    found = claude(model, "--", "Reply with exactly: hello there")
    assert found["result"]
    assert found["usage"]["output_tokens"] > 0
    reached = list(stage.emulator.requests)[before:]
    assert reached
    assert {request.status for request in reached} == {200}


def test_a_tool_runs_and_its_result_is_used(claude: Claude) -> None:
    found = claude("gpt-5-mini", "--", "Use Bash with command: echo hello")
    assert found["num_turns"] == 2
    assert found["result"].endswith("returned: hello")


def test_a_session_goes_on(claude: Claude) -> None:
    first = claude("gpt-5-mini", "--", "Use Bash with command: echo first")
    again = claude(
        "gpt-5-mini", "--resume", first["session_id"], "--", "Use Bash with command: echo second"
    )
    assert again["result"].endswith("returned: second")
