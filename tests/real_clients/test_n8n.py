"""The library that n8n's nodes call; n8n itself does not install from the registry of npm."""

import os
import shutil
from pathlib import Path

import pytest

from tests.real_clients.driving import ROOT, Report, run_program

_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"
_MODELS = ("chat", "responses", "kimi")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    modules, node = os.environ.get(_VARIABLE), shutil.which("node")
    if not modules or not Path(modules, "@langchain", "openai").exists():
        pytest.skip(f"no LangChain: set {_VARIABLE} to a node_modules with @langchain/openai")
    if not node:
        pytest.skip("no Node")
    program = ROOT / "tests" / "real_clients" / "programs" / "drive_n8n_nodes.mjs"
    return run_program([node, str(program)], ["gateway"], folder, **{_VARIABLE: modules})


def test_a_credential_is_tried_by_listing_models(report: Report) -> None:
    assert {"gpt-5-mini", "kimi-k2.5"} <= set(report.judge("gateway", "listed").seen)


@pytest.mark.parametrize("model", _MODELS)
def test_a_node_gets_its_answer(report: Report, model: str) -> None:
    assert report.judge("gateway", f"{model} invoked").seen == "pong"


@pytest.mark.parametrize("model", _MODELS)
def test_a_streamed_answer_reports_its_tokens(report: Report, model: str) -> None:
    seen = report.judge("gateway", f"{model} streamed").seen
    assert seen["text"] == "pong"
    assert seen["total"] > 0


@pytest.mark.parametrize("model", _MODELS)
def test_an_agent_calls_its_tool_and_uses_the_result(report: Report, model: str) -> None:
    assert "sun in Rome" in report.judge("gateway", f"{model} agent").seen
