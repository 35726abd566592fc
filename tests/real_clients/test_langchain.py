"""langchain-openai."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_clients

_ANSWER = "12 degrees in Paris"
_NAMED_ADA = "Your name is Ada."


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("langchain_openai"), "drive_langchain", folder)


def test_a_response_is_a_message(report: Report, mode: str) -> None:
    seen = report.judge(mode, "responses").seen
    assert (seen["text"], seen["id"]) == ("pong", "resp_")
    assert seen["tokens"] > 0


def test_a_bound_tool_is_called(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "responses_tools")
    assert verdict.seen["call"] == "get_weather"
    assert _ANSWER in verdict.seen["text"]
    assert len(verdict.resources) == 1


def test_responses_are_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "responses_stream").seen
    assert seen["pieces"] > 1
    assert "Say hello" in seen["text"]


def test_responses_are_awaited(report: Report, mode: str) -> None:
    assert report.judge(mode, "responses_async").seen == {"text": "pong", "streamed": "pong"}


def test_stored_turns_reach_the_resource_that_knows_them(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "stored_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("previous_response_id") == [False, *[True] * 7]
    assert len(verdict.resources) == 1


def test_replayed_reasoning_returns_to_the_resource_that_sealed_it(
    report: Report, mode: str
) -> None:
    verdict = report.judge(mode, "replayed_turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("encrypted_content") == [False, *[True] * 7]
    assert verdict.statuses == [200] * 8
    assert len(verdict.resources) == 1


def test_the_output_has_a_schema(report: Report, mode: str) -> None:
    assert [person["age"] for person in report.judge(mode, "structured").seen["parsed"]] == [36, 36]


def test_chat_completions_call_tools_and_are_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "chat").seen
    assert seen["call"] == "get_weather"
    assert _ANSWER in seen["text"]
    assert seen["streamed"] == "pong"
    assert all(tokens > 0 for tokens in seen["tokens"])
    assert len(seen["tokens"]) == 1


def test_azures_model_is_served(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "azure")
    assert verdict.seen == {"texts": ["pong", "pong"]}
