"""The npm package `openai`."""

import os
import shutil
from pathlib import Path

import pytest

from tests.real_clients.driving import ROOT, Report, run_program

_NAMED_ADA = "Your name is Ada."
_VARIABLE = "AZURE_RESPONSES_NODE_MODULES"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    modules, node = os.environ.get(_VARIABLE), shutil.which("node")
    if not modules:
        pytest.skip(f"no npm packages: set {_VARIABLE} to a node_modules with openai")
    if not node:
        pytest.skip("no Node")
    program = ROOT / "tests" / "real_clients" / "programs" / "drive_npm_openai.mjs"
    return run_program([node, str(program)], ["gateway"], folder, **{_VARIABLE: modules})


def test_a_response_is_created(report: Report) -> None:
    seen = report.judge("gateway", "create").seen
    assert seen["text"] == "pong"
    assert seen["tokens"] > 0


def test_a_response_is_streamed(report: Report) -> None:
    assert report.judge("gateway", "stream").seen == {
        "first": "response.created",
        "last": "response.completed",
        "text": "pong",
    }


def test_follow_ups_reach_the_resource_that_knows_them(report: Report) -> None:
    verdict = report.judge("gateway", "turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("previous_response_id") == [False, True, True, True, True]
    assert len(verdict.resources) == 1


def test_encrypted_reasoning_returns_to_the_resource_that_sealed_it(report: Report) -> None:
    verdict = report.judge("gateway", "replayed")
    assert verdict.seen["texts"][1:] == [_NAMED_ADA] * 3
    assert verdict.has_sent("encrypted_content") == [False, True, True, True]
    assert len(verdict.resources) == 1


def test_a_stored_response_is_retrieved_listed_and_deleted(report: Report) -> None:
    seen = report.judge("gateway", "stored").seen
    assert seen == {"text": "pong", "items": ["Reply with exactly: pong"], "gone": 404}


def test_a_background_response_is_polled(report: Report) -> None:
    assert report.judge("gateway", "background").seen == {"began": "queued", "text": "pong"}


def test_a_function_is_called_and_its_result_used(report: Report) -> None:
    seen = report.judge("gateway", "tools").seen
    assert seen["call"] == "get_weather"
    assert "12 degrees" in seen["text"]


def test_chat_completions_call_functions_and_are_streamed(report: Report) -> None:
    seen = report.judge("gateway", "chat").seen
    assert "12 degrees" in seen["text"]
    assert seen["streamed"] == "pong"


def test_azures_client_is_served(report: Report) -> None:
    assert report.judge("gateway", "azure").seen == {"text": "pong", "chat": "pong"}


def test_errors_are_of_the_packages_classes(report: Report) -> None:
    seen = report.judge("gateway", "errors").seen
    assert seen["unknown"] == ["NotFoundError", 404, "model_not_found"]
    assert seen["key"] == "AuthenticationError"
