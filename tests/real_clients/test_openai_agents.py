"""openai-agents."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_clients

_ANSWER = "12 degrees in Paris"
_NAMED_ADA = "Your name is Ada."


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("agents"), "drive_openai_agents", folder)


def test_a_tool_loop_runs_to_its_end(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "tool_loop")
    assert _ANSWER in verdict.seen["text"]
    assert verdict.seen["items"] == [
        "reasoning_item",
        "tool_call_item",
        "tool_call_output_item",
        "reasoning_item",
        "message_output_item",
    ]
    assert verdict.seen["requests"] == len(verdict.requests) == 2
    assert verdict.seen["tokens"] > 0
    assert len(verdict.resources) == 1


def test_a_tool_loop_is_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "streamed").seen
    assert _ANSWER in seen["text"]
    assert seen["deltas"] == seen["text"]
    assert {"raw_response_event", "run_item_stream_event"} <= set(seen["kinds"])


def test_stored_turns_reach_the_resource_that_knows_them(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "stored_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("previous_response_id") == [False, True, True, True, True]
    assert verdict.statuses == [200] * 5
    assert len(verdict.resources) == 1


def test_the_turns_of_a_tool_loop_may_name_each_other(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "stored_tool_loop")
    assert _ANSWER in verdict.seen["text"]
    assert verdict.has_sent("previous_response_id") == [False, True]
    assert len(verdict.resources) == 1


def test_replayed_reasoning_returns_to_the_resource_that_sealed_it(
    report: Report, mode: str
) -> None:
    verdict = report.judge(mode, "replayed_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("encrypted_content") == [False, True, True, True, True]
    assert verdict.statuses == [200] * 5
    assert len(verdict.resources) == 1


def test_a_session_sends_its_items_back(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "session_turns")
    assert _ANSWER in verdict.seen["texts"][1]
    assert verdict.seen["texts"][2] == _NAMED_ADA
    assert verdict.statuses == [200] * 4
    assert len(verdict.resources) == 1


@pytest.mark.parametrize("case", ["conversation_turns", "conversation_turns_of_ours"])
def test_a_conversation_of_the_service_keeps_the_turns(
    report: Report, mode: str, case: str
) -> None:
    verdict = report.judge(mode, case)
    assert _ANSWER in verdict.seen["texts"][1]
    assert verdict.seen["texts"][2] == _NAMED_ADA
    assert verdict.seen["items"] > 6
    assert verdict.seen["left"] == verdict.seen["items"] - 1
    assert set(verdict.statuses) == {200}


def test_the_output_has_a_type(report: Report, mode: str) -> None:
    assert report.judge(mode, "structured").seen["parsed"]["age"] == 36


def test_chat_completions_serve_it_too(report: Report, mode: str) -> None:
    seen = report.judge(mode, "chat").seen
    assert _ANSWER in seen["text"]
    assert seen["streamed"] == seen["text"]
