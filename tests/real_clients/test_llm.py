"""simonw's llm, with the plug-in."""

from pathlib import Path

import pytest

from tests.real_clients.driving import Report, Verdict, drive, find_clients

_NAMED_ADA = "Your name is Ada."


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return drive(find_clients("llm"), "drive_llm", folder, ["injected"])


def _judge(report: Report, case: str) -> Verdict:
    return report.judge("injected", case)


def test_a_prompt_is_answered_by_reasoning_models_and_others(report: Report) -> None:
    seen = _judge(report, "prompt").seen
    assert (seen["text"], seen["plain"]) == ("pong", "pong")
    assert seen["name"] == "Azure Responses: azure/gpt-5-mini"
    assert seen["tokens"] > 0


def test_the_option_that_would_leave_for_openai_is_not_there(report: Report) -> None:
    assert _judge(report, "prompt").seen["elsewhere"] is True


def test_an_answer_is_streamed(report: Report) -> None:
    seen = _judge(report, "stream").seen
    assert seen["pieces"] > 1
    assert "Say hello" in seen["text"]


def test_a_prompt_is_awaited(report: Report) -> None:
    assert _judge(report, "awaited").seen == {"text": "pong"}


def test_a_tool_loop_runs_to_its_end(report: Report) -> None:
    verdict = _judge(report, "tools")
    assert verdict.seen["text"].endswith("12 degrees in Paris")
    assert len(verdict.resources) == 1


def test_the_output_has_a_schema(report: Report) -> None:
    assert _judge(report, "schema").seen["parsed"]["age"] == 36


def test_the_turns_of_a_conversation_reach_the_resource_that_sealed_their_reasoning(
    report: Report,
) -> None:
    verdict = _judge(report, "turns")
    assert verdict.seen["texts"] == [_NAMED_ADA] * 4
    assert verdict.has_sent("encrypted_content") == [False, True, True, True, True]
    assert len(verdict.resources) == 1


def test_settings_that_cannot_be_used_leave_the_rest_of_llm_alone(report: Report) -> None:
    assert _judge(report, "unusable").seen["others"] is True


def test_without_a_file_the_environment_names_the_model(report: Report) -> None:
    seen = _judge(report, "unusable").seen
    assert (seen["text"], seen["unset"]) == ("pong", [])
