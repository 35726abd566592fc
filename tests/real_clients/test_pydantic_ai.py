"""pydantic-ai."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_clients

_ANSWER = "12 degrees in Paris"
_NAMED_ADA = "Your name is Ada."


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("pydantic_ai"), "drive_pydantic_ai", folder)


def test_a_tool_loop_runs_to_its_end(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "tools")
    assert _ANSWER in verdict.seen["text"]
    assert verdict.seen["requests"] == len(verdict.requests) == 2
    assert verdict.seen["tokens"] > 0
    assert len(verdict.resources) == 1


def test_the_output_has_a_type(report: Report, mode: str) -> None:
    assert [person["age"] for person in report.judge(mode, "structured").seen["parsed"]] == [36, 36]


def test_answers_are_streamed(report: Report, mode: str) -> None:
    for pieces, text in report.judge(mode, "streamed").seen["seen"]:
        assert pieces > 1
        assert "Say hello" in text


def test_replayed_reasoning_returns_to_the_resource_that_sealed_it(
    report: Report, mode: str
) -> None:
    verdict = report.judge(mode, "replayed_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("encrypted_content") == [False, True, True, True, True]
    assert verdict.statuses == [200] * 5
    assert len(verdict.resources) == 1


def test_stored_turns_reach_the_resource_that_knows_them(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "stored_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("previous_response_id") == [False, True, True, True, True]
    assert len(verdict.resources) == 1


def test_chat_completions_serve_it_too(report: Report, mode: str) -> None:
    assert _ANSWER in report.judge(mode, "chat").seen["text"]
