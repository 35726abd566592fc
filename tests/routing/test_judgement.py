"""What failures are to blame for, where a call alone does not show it."""

import pytest

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    PermissionDeniedError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.routing.judgement import judge, tokens_used, was_sent
from tests.routing.fleet import ask, deployment, limited


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


@pytest.mark.parametrize(
    ("own", "patience", "cause"),
    [
        (None, None, "failures"),
        (None, 30.0, "failures"),
        (None, 0.05, None),
        (60.0, 0.05, None),
        (0.5, 0.5, "failures"),
        (0.5, 0.05, None),
    ],
)
def test_who_gives_a_deployment_no_time_blames_nobody(
    own: float | None, patience: float | None, cause: str | None
) -> None:
    row = deployment("a", timeout=own)
    verdict = judge(APITimeoutError("late"), ask(), row, patience)
    assert (verdict.next, verdict.cause) == ("retry", cause)
    assert judge(APIConnectionError("refused"), ask(), row, patience).cause == "failures"


def test_a_timeout_may_have_been_served() -> None:
    assert was_sent(APITimeoutError("slow"))
    assert was_sent(StreamInterruptedError("cut"))
    assert not was_sent(APIConnectionError("refused"))


def test_what_broke_after_output_costs_its_input_at_least() -> None:
    assert tokens_used(limited(), 10, None, has_output=True) == 10
    assert tokens_used(limited(), 10, 30, has_output=True) == 30
    assert tokens_used(limited(), 10, None, has_output=False) == 0
