"""The AI SDK of Vercel, with schemas of zod 4."""

import os
import shutil
from pathlib import Path

import pytest

from tests.real_clients.driving import ROOT, Report, run_program

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    modules, node = os.environ.get(_VARIABLE), shutil.which("node")
    if not modules or not Path(modules, "ai").exists():
        pytest.skip(f"no AI SDK: set {_VARIABLE} to a node_modules with ai")
    if not node:
        pytest.skip("no Node")
    program = ROOT / "tests" / "real_clients" / "programs" / "drive_ai_sdk.mjs"
    return run_program([node, str(program)], ["gateway"], folder, **{_VARIABLE: modules})


@pytest.mark.parametrize("model", ["responses", "chat", "azure", "direct"])
class TestEveryModel:
    """The gateway by both of its routes and as Azure, and the emulator itself."""

    def test_tools_with_integers_are_called_and_their_results_used(
        self, report: Report, model: str
    ) -> None:
        seen = report.judge("gateway", f"{model} tools").seen
        assert seen["steps"] == 2
        assert "days of sun in Rome" in seen["text"]

    def test_output_with_integers_has_its_type(self, report: Report, model: str) -> None:
        seen = report.judge("gateway", f"{model} structured").seen
        assert seen == {"name": "Ada Lovelace", "age": 36}

    def test_answers_are_streamed(self, report: Report, model: str) -> None:
        assert report.judge("gateway", f"{model} streamed").seen == "pong"

    def test_turns_are_sent_back(self, report: Report, model: str) -> None:
        assert report.judge("gateway", f"{model} turns").seen == "Your name is Ada."
