"""What failures are to blame for, where a call alone does not show it."""

import pytest

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    BadRequestError,
    DeploymentNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.routing.failure_policy import FailureDecision, judge, tokens_used, was_sent
from tests.routing.fleet import ask, deployment, limited, refused_key


def test_a_missing_role_is_loud() -> None:
    verdict = judge(PermissionDeniedError("no role", status_code=403), ask(), deployment("a"))
    assert (verdict.next, verdict.is_loud) == ("retry", True)


def test_a_request_timeout_is_a_failure_of_the_deployment() -> None:
    assert (
        judge(APIStatusError("late", status_code=408), ask(), deployment("a")).cause == "failures"
    )


def test_a_response_that_failed_for_no_reason_given_is_tried_elsewhere_and_blames_nobody() -> None:
    verdict = judge(ResponseFailedError("Too Many Requests"), ask(), deployment("a"))
    assert (verdict.next, verdict.cause) == ("retry", None)
    verdict = judge(ResponseFailedError("no", code="invalid_image"), ask(), deployment("a"))
    assert verdict.next == "stop"


def test_a_callers_impatience_blames_nobody() -> None:
    late, row = APITimeoutError("late"), deployment("a")
    verdict = judge(late, ask(), row, is_callers_time=True)
    assert (verdict.next, verdict.cause) == ("retry", None)
    assert judge(late, ask(), row).cause == "failures"
    cut = StreamInterruptedError("silent")
    assert judge(cut, ask(), row, is_callers_time=True).cause == "failures"
    cut.__cause__ = late
    assert judge(cut, ask(), row, is_callers_time=True).cause is None
    refused = APIConnectionError("refused")
    assert judge(refused, ask(), row, is_callers_time=True).cause == "failures"


@pytest.mark.parametrize(
    "error",
    [
        refused_key(),
        PermissionDeniedError("no role", status_code=403),
        NotFoundError("Resource not found", status_code=404),
        DeploymentNotFoundError("no such deployment", status_code=404),
    ],
)
def test_what_a_call_changed_by_its_caller_meets_blames_nobody(error: AzureResponsesError) -> None:
    verdict = judge(error, ask(is_altered=True), deployment("a"))
    assert (verdict.next, verdict.cause, verdict.is_final) == ("retry", None, True)
    assert judge(error, ask(), deployment("a")).cause is not None


def test_an_unknown_thing_that_a_call_names_is_the_callers_mistake() -> None:
    error = NotFoundError("Prompt not found", status_code=404, param="prompt")
    assert judge(error, ask(), deployment("a")) == FailureDecision("stop")
    missing = DeploymentNotFoundError("none", status_code=404, param="model")
    assert judge(missing, ask(), deployment("a")).cause == "deployment missing"


def test_a_role_that_forbids_deleting_says_nothing_about_calls() -> None:
    error = PermissionDeniedError("no role", status_code=403)
    assert judge(error, ask(can_move=False), deployment("a")).next == "stop"


def test_a_timeout_may_have_been_served() -> None:
    assert was_sent(APITimeoutError("slow"))
    assert was_sent(StreamInterruptedError("cut"))
    assert not was_sent(APIConnectionError("refused"))


def test_what_broke_after_output_costs_its_input_at_least() -> None:
    assert tokens_used(limited(), 10, None, has_output=True) == 10
    assert tokens_used(limited(), 10, 30, has_output=True) == 30
    assert tokens_used(limited(), 10, None, has_output=False) == 0


def test_the_class_of_an_error_names_its_list_of_fallbacks() -> None:
    class TooManyToolsError(BadRequestError):
        fallback = "context window"

    error = TooManyToolsError("m", status_code=400)
    assert judge(error, ask(), deployment("a")).next == "context window"
    assert judge(BadRequestError("m", status_code=400), ask(), deployment("a")).next == "stop"
