"""langchain-openai."""

import json
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


class TestAzuresModel:
    """`AzureChatOpenAI`, by responses and by chat completions."""

    def test_tools_with_integers_are_called(self, report: Report, mode: str) -> None:
        seen = report.judge(mode, "azure_tools").seen
        for way in ("responses", "chat"):
            assert seen[way]["calls"] == [{"city": "Rome", "days": 3}]
            assert "3 days of sun in Rome" in seen[way]["text"]

    def test_no_model_is_named_on_the_route_of_a_deployment(
        self, report: Report, mode: str
    ) -> None:
        requests = report.judge(mode, "azure_tools").requests
        named = [json.loads(request["body"])["model"] for request in requests]
        # The gateway and the router say what they call; LangChain itself sends null.
        chat = [None] if mode == "emulator" else ["gpt-5-mini"]
        assert named == ["gpt-5-mini"] * 2 + chat * 2

    def test_the_output_has_a_schema(self, report: Report, mode: str) -> None:
        seen = report.judge(mode, "azure_structured").seen
        assert [person["age"] for person in seen.values()] == [36, 36]

    def test_answers_are_streamed(self, report: Report, mode: str) -> None:
        for pieces, text in report.judge(mode, "azure_stream").seen.values():
            assert pieces > 1
            assert "Say hello" in text

    def test_turns_and_tool_calls_are_sent_back(self, report: Report, mode: str) -> None:
        verdict = report.judge(mode, "azure_turns")
        assert verdict.seen == {"responses": _NAMED_ADA, "chat": _NAMED_ADA}
        assert set(verdict.statuses) == {200}
