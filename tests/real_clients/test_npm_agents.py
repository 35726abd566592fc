"""The Agents SDK for JavaScript, with schemas of zod 4."""

import os
import shutil
from pathlib import Path

import pytest

from tests.real_clients.driving import ROOT, Report, run_program

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    modules, node = os.environ.get(_VARIABLE), shutil.which("node")
    if not modules or not Path(modules, "@openai", "agents").exists():
        pytest.skip(f"no Agents SDK: set {_VARIABLE} to a node_modules with @openai/agents")
    if not node:
        pytest.skip("no Node")
    program = ROOT / "tests" / "real_clients" / "programs" / "drive_npm_agents.mjs"
    return run_program([node, str(program)], ["gateway"], folder, **{_VARIABLE: modules})


@pytest.mark.parametrize("model", ["responses", "chat"])
@pytest.mark.parametrize("target", ["gateway", "emulator"])
class TestEveryModel:
    """Both APIs of the gateway and of the emulator itself."""

    def test_a_session_sends_its_items_back(self, report: Report, target: str, model: str) -> None:
        _, forecast, name = report.judge(target, f"{model} session").seen
        assert "3 days of sun in Rome" in forecast
        assert name == "Your name is Ada."

    def test_output_with_integers_has_its_type(
        self, report: Report, target: str, model: str
    ) -> None:
        seen = report.judge(target, f"{model} structured").seen
        assert seen == {"name": "Ada Lovelace", "age": 36}

    def test_a_tool_loop_is_streamed(self, report: Report, target: str, model: str) -> None:
        assert "3 days of sun in Rome" in report.judge(target, f"{model} streamed").seen
