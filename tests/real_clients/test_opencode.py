"""opencode, configured for Azure and for a gateway."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real_clients.driving import KEY, Stage

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"
_MODEL = "gpt-5-mini"
Opencode = Callable[..., list[dict[str, Any]]]


def _find_opencode() -> str:
    modules = os.environ.get(_VARIABLE)
    program = Path(modules or "", ".bin", "opencode")
    if not modules or not program.exists():
        pytest.skip(f"no opencode: set {_VARIABLE} to a node_modules with opencode-ai")
    return str(program)


def _provider(stage: Stage, name: str) -> dict[str, Any]:
    azure = stage.rows[0]["litellm_params"]
    package, url, key = {
        "azure": ("@ai-sdk/azure", f"{azure['api_base']}/openai/v1", azure["api_key"]),
        "gateway": ("@ai-sdk/openai", f"{stage.url}/v1", KEY),
        "gateway with chat": ("@ai-sdk/openai-compatible", f"{stage.url}/v1", KEY),
    }[name]
    limits = {"context": 200_000, "output": 8_000}
    model = {"name": _MODEL, "reasoning": True, "tool_call": True, "limit": limits}
    options = {"baseURL": url, "apiKey": key}
    return {"npm": package, "name": name, "options": options, "models": {_MODEL: model}}


def _environment(home: Path, config: dict[str, Any]) -> dict[str, str]:
    """A home of its own, and nothing fetched that the run does not need."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "HOME": str(home),
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "NO_PROXY": "*",
    }


@pytest.fixture(params=["azure", "gateway", "gateway with chat"])
def opencode(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Opencode:
    """Runs `opencode run` and gives the events that it prints."""
    program = _find_opencode()
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    config = {"share": "disabled", "provider": {"chosen": _provider(stage, request.param)}}

    def run(*arguments: str) -> list[dict[str, Any]]:
        # With a title given, no call is made to find one.
        command = [program, "run", "--pure", "--format", "json", "--title", "Test"]
        done = subprocess.run(
            [*command, "--model", f"chosen/{_MODEL}", *arguments],
            cwd=work,
            env=_environment(home, config),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def _parts(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    failed = [event for event in events if event["type"] == "error"]
    assert not failed
    return [event["part"] for event in events if event["type"] == kind]


def test_a_tool_turn_runs_and_its_session_is_continued(opencode: Opencode) -> None:
    events = opencode("Use bash with command: echo hello")
    (call,) = _parts(events, "tool_use")
    assert call["state"]["input"] == {"command": "echo hello"}
    assert call["state"]["output"] == "hello\n"
    assert "hello" in _parts(events, "text")[-1]["text"]
    continued = opencode("--continue", "Reply with exactly: pong")
    assert _parts(continued, "text")[-1]["text"] == "pong"
