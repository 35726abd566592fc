"""Codex CLI, as its users configure it for Azure and for a gateway."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.real_clients.driving import KEY, ROOT, Stage

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"
_SOCKETS = "supports_websockets = true"
# What is configured → the base URL's owner, further settings, and the model.
_WAYS = {
    "azure": ("azure", "", "gpt-5-mini"),
    "azure preview": ("azure", 'query_params = { api-version = "preview" }', "gpt-5-mini"),
    "azure over sockets": ("azure", _SOCKETS, "gpt-5-mini"),
    "gateway": ("gateway", "", "gpt-5-mini"),
    "gateway over sockets": ("gateway", _SOCKETS, "gpt-5-mini"),
    "sockets on both sides": ("gateway", _SOCKETS, "gpt-5-mini-socket"),
}
_CONFIG = """
model = "{model}"
model_provider = "chosen"
[model_providers.chosen]
name = "Azure"
base_url = "{url}"
env_key = "CODEX_TEST_KEY"
wire_api = "responses"
request_max_retries = 0
{more}
"""
Codex = Callable[..., list[dict[str, Any]]]


_PAGE = ROOT / "docs" / "clients" / "codex.md"


def _find_codex() -> str:
    modules = os.environ.get(_VARIABLE)
    program = Path(modules or "", ".bin", "codex")
    if not modules or not program.exists():
        pytest.skip(f"no Codex: set {_VARIABLE} to a node_modules with @openai/codex")
    return str(program)


def _configure(stage: Stage, way: str) -> tuple[dict[str, str], str]:
    """The provider's settings and its key."""
    owner, more, model = _WAYS[way]
    azure = stage.rows[0]["litellm_params"]
    url = f"{azure['api_base']}/openai/v1" if owner == "azure" else f"{stage.url}/v1"
    key = azure["api_key"] if owner == "azure" else KEY
    return {"url": url, "more": more, "model": model}, key


@pytest.fixture(params=_WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How Codex is configured."""
    return str(request.param)


@pytest.fixture
def codex(way: str, stage: Stage, tmp_path: Path) -> Codex:
    """Runs `codex exec` in a home of its own and gives the events that it prints."""
    program = _find_codex()
    settings, key = _configure(stage, way)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (home / "config.toml").write_text(_CONFIG.format(**settings), encoding="utf-8")
    environment = {**os.environ, "CODEX_HOME": str(home), "CODEX_TEST_KEY": key, "NO_PROXY": "*"}

    def run(*arguments: str) -> list[dict[str, Any]]:
        command = [program, "exec", "--skip-git-repo-check", "-s", "danger-full-access", "--json"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def test_the_configuration_of_the_page_works(stage: Stage, tmp_path: Path) -> None:
    program = _find_codex()
    page = _PAGE.read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (command,) = re.findall(r"```sh\nazure-responses (.*?) --write\n```", page)
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    url = "http://127.0.0.1:4000"
    environment = {
        **os.environ,
        "CODEX_HOME": str(home),
        "AZURE_RESPONSES_GATEWAY_KEY": KEY,
        "NO_PROXY": "*",
    }
    made = [sys.executable, "-m", "azure_responses", *command.split()]
    printed = subprocess.run(made, capture_output=True, text=True, env=environment, timeout=60)
    assert tomllib.loads(printed.stdout) == tomllib.loads(shown)
    written = [one.replace(url, stage.url) for one in made]
    subprocess.run([*written, "--write"], check=True, env=environment, timeout=60)
    done = subprocess.run(
        [program, "exec", "--skip-git-repo-check", "--json", "Use exec_command with cmd: echo hi"],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert _said(events)


def test_the_list_of_models_is_there_in_the_form_that_codex_reads(stage: Stage) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    request = Request(f"{stage.url}/v1/models?client_version=0.171.0", headers=headers)
    with urlopen(request, timeout=30) as reply:
        listed = json.load(reply)
    slugs = [model["slug"] for model in listed["models"]]
    assert slugs == [model["id"] for model in listed["data"]]
    assert "gpt-5-mini" in slugs


def _said(events: list[dict[str, Any]]) -> str:
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return str([item["text"] for item in items if item["type"] == "agent_message"][-1])


def _ran(events: list[dict[str, Any]]) -> int:
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return sum(item["type"] == "command_execution" for item in items)


def _count_turns(stage: Stage) -> tuple[float, int]:
    """Turns that came over WebSockets so far: to the gateway, and to Azure."""
    request = Request(f"{stage.url}/metrics", headers={"authorization": f"Bearer {KEY}"})
    with urlopen(request, timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    name = "azure_responses_websocket_turns"
    counted = [float(line.split()[-1]) for line in lines if line.startswith(name)]
    carried = [each for each in list(stage.emulator.requests) if each.transport == "websocket"]
    return sum(counted), len(carried)


def test_a_socket_carries_the_turns_where_both_sides_have_them(
    codex: Codex, stage: Stage, way: str
) -> None:
    before = _count_turns(stage)
    assert _ran(codex("Use exec_command with cmd: echo hello")) == 1
    by_callers, at_azure = (
        after > earlier for after, earlier in zip(_count_turns(stage), before, strict=True)
    )
    assert by_callers is (way in ("gateway over sockets", "sockets on both sides"))
    assert at_azure is (way in ("azure over sockets", "sockets on both sides"))


def test_a_tool_turn_runs_and_its_session_is_resumed(codex: Codex) -> None:
    events = codex("My name is Ada. Use exec_command with cmd: echo hello")
    assert _ran(events) == 1
    assert "exec_command" in _said(events)
    assert not any("Reconnecting" in str(event) for event in events)
    assert _said(codex("resume", "--last", "What is my name?")) == "Your name is Ada."


def test_a_turn_goes_on_after_it_was_compacted(codex: Codex, stage: Stage) -> None:
    before = len(stage.emulator.requests)
    limit = ("-c", "model_auto_compact_token_limit=5000")
    events = codex(*limit, "My name is Ada. Use exec_command with cmd: echo hello")
    assert _ran(events) == 1
    reached = list(stage.emulator.requests)[before:]
    sent = [request.json() for request in reached if request.operation == "create"]
    kinds = [[item["type"] for item in body["input"]] for body in sent]
    assert any(items[-1] == "compaction_trigger" for items in kinds)
    assert any("compaction" in items for items in kinds)
    assert _said(codex(*limit, "resume", "--last", "What is my name?")) == "Your name is Ada."
