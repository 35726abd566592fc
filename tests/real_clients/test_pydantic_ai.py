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


@pytest.mark.parametrize("model", ["responses", "chat"])
def test_messages_are_sent_back_over_turns_with_tool_calls(
    report: Report, mode: str, model: str
) -> None:
    verdict = report.judge(mode, "history")
    seen = verdict.seen[model]
    assert [seen["texts"][turn] for turn in (2, 4)] == [_NAMED_ADA] * 2
    assert all(_ANSWER in seen["texts"][turn] for turn in (1, 3))
    assert seen["calls"] == [{"city": "Paris"}] * 2
    assert verdict.statuses == [200] * 14


def test_messages_of_streams_are_sent_back(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "streamed_history")
    first, second, last = verdict.seen["texts"]
    assert _ANSWER in first
    assert _ANSWER in second
    assert last == "pong"
    assert verdict.statuses == [200] * 5
