"""The openai package: 3.x, and 2.x where LiteLLM's interpreter brings it."""

import sys
from pathlib import Path

import pytest

from tests.real_clients.driving import Report, drive, find_python

_NAMED_ADA = "Your name is Ada."
_EVENTS = list(range(11))


@pytest.fixture(scope="module", params=["3", "2"])
def major(request: pytest.FixtureRequest) -> str:
    """The first number of the package's version."""
    return str(request.param)


@pytest.fixture(scope="module")
def report(folder: Path, major: str) -> Report:
    python = sys.executable
    if major == "2":
        python = find_python("AZURE_RESPONSES_LITELLM", "openai 2.x")
    return drive(python, "drive_openai", folder)


def test_a_response_is_created(report: Report, mode: str, major: str) -> None:
    seen = report.judge(mode, "create").seen
    assert seen["version"].split(".")[0] == major
    assert (seen["text"], seen["model"]) == ("pong", "gpt-5-mini")
    read, written, total = seen["usage"]
    assert 0 < read < total == read + written
    assert seen["request_id"]


def test_the_async_client_creates_continues_and_streams(report: Report, mode: str) -> None:
    seen = report.judge(mode, "create_async").seen
    assert seen == {"text": _NAMED_ADA, "streamed": "pong"}


def test_follow_ups_reach_the_resource_that_knows_them(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "follow_up")
    assert verdict.seen == {"texts": [_NAMED_ADA] * 4}
    assert verdict.has_sent("previous_response_id") == [False, True, True, True, True]
    assert verdict.statuses == [200] * 5
    assert len(verdict.resources) == 1


def test_a_response_is_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "stream").seen
    assert (seen["first"], seen["last"]) == ("response.created", "response.completed")
    assert seen["numbers"] == _EVENTS
    assert (seen["ids"], seen["final"]) == (1, "pong")


def test_an_answer_is_parsed(report: Report, mode: str) -> None:
    assert report.judge(mode, "parse").seen["parsed"]["age"] == 36


def test_a_stored_response_is_read_streamed_again_and_deleted(report: Report, mode: str) -> None:
    assert report.judge(mode, "stored").seen == {
        "same": True,
        "text": "pong",
        "items": ["Reply with exactly: pong"],
        "again": "response.completed",
        "gone": 404,
    }


def test_a_background_response_is_polled_and_cancelled(report: Report, mode: str) -> None:
    seen = report.judge(mode, "background").seen
    assert seen == {"began": "queued", "text": "pong", "cancelled": "cancelled"}


def test_a_function_is_called_and_its_result_used(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "tools")
    assert (verdict.seen["call"], verdict.seen["arguments"]) == ("get_weather", {"city": "Paris"})
    assert "12 degrees and rain" in verdict.seen["text"]
    assert len(verdict.resources) == 1


def test_encrypted_reasoning_returns_to_the_resource_that_sealed_it(
    report: Report, mode: str
) -> None:
    verdict = report.judge(mode, "reasoning")
    assert verdict.seen["texts"][1:] == [_NAMED_ADA] * 3
    assert verdict.seen["sealed"] == 4
    assert verdict.has_sent("encrypted_content") == [False, True, True, True]
    assert len(verdict.resources) == 1


def test_chat_completions_call_functions_and_are_parsed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "chat").seen
    assert (seen["call"], seen["finish"]) == ("get_weather", ["tool_calls", "stop"])
    assert "12 degrees" in seen["text"]
    assert seen["parsed"]["age"] == 36
    assert seen["tokens"] > 0


def test_chat_completions_are_streamed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "chat_stream").seen
    assert seen["text"] == "pong"
    assert seen["tokens"] > 0


def test_azures_client_is_served(report: Report, mode: str) -> None:
    verdict = report.judge(mode, "azure")
    assert verdict.seen == {"text": "pong", "chat": "pong", "retrieved": "pong"}


def test_the_models_are_listed(report: Report, mode: str) -> None:
    seen = report.judge(mode, "models").seen
    if mode == "emulator":
        # Azure lists the models that can be deployed.
        assert "gpt-5-mini-2025-08-07" in seen["listed"]
    else:
        assert seen["listed"][:3] == ["gpt-5-mini", "gpt-4.1", "slow"]
    assert seen["one"].startswith("gpt-5-mini")


def test_errors_are_of_the_packages_classes(report: Report, mode: str) -> None:
    seen = report.judge(mode, "errors").seen
    code = "DeploymentNotFound" if mode == "emulator" else "model_not_found"
    assert seen["model"] == ["NotFoundError", 404, code]
    assert seen["parameter"] == ["BadRequestError", 400, "integer_above_max_value"]
    assert seen["filter"] == ["BadRequestError", 400, "content_filter"]
    assert seen["previous"][0] in ("NotFoundError", "BadRequestError")
    assert seen.get("key") == (401 if mode == "gateway" else None)
