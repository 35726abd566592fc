"""Microsoft Agent Framework."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_clients

_ANSWER = "12 degrees in Paris"
_NAMED_ADA = "Your name is Ada."


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("agent_framework_openai"), "drive_agent_framework", folder)


def test_a_tool_loop_runs_to_its_end(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "tools")
    assert _ANSWER in verdict.seen["text"]
    assert verdict.seen["tokens"] > 0
    assert len(verdict.resources) == 1


def test_a_tool_loop_is_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "streamed").seen
    assert seen["pieces"] > 1
    assert seen["text"].endswith(_ANSWER)
    assert seen["text"].count(_ANSWER) == 1


def test_the_turns_of_a_session_reach_the_resource_that_knows_them(
    report: Report, mode: str
) -> None:
    verdict = report.judge(mode, "turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("previous_response_id") == [False, True, True, True, True]
    assert len(verdict.resources) == 1


def test_the_output_has_a_type(report: Report, mode: str) -> None:
    assert report.judge(mode, "structured").seen["parsed"]["age"] == 36


def test_chat_completions_serve_it_too(report: Report, mode: str) -> None:
    seen = report.judge(mode, "chat").seen
    assert _ANSWER in seen["text"]
    assert seen["streamed"] == seen["text"]
