"""What failures mean, and how many retries follow them."""

from math import inf

import pytest

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    BadRequestError,
    CredentialError,
    DeploymentNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.routing.failure_policy import (
    FailureDecision,
    RetryBudget,
    is_callers_time,
    judge,
    name_deployment,
    reached_service,
    tokens_used,
)
from azure_responses.routing.route_request import RouteRequest
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


def test_an_error_about_a_credential_names_its_deployment_once() -> None:
    error = CredentialError("No token.")
    name_deployment(error, deployment("east"))
    name_deployment(error, deployment("west"))
    assert error.deployment == "east"
    assert error.message == "Deployment 'east': No token."


def test_a_timeout_may_have_been_served() -> None:
    assert reached_service(APITimeoutError("slow"))
    assert reached_service(StreamInterruptedError("cut"))
    assert not reached_service(APIConnectionError("refused"))


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


@pytest.mark.parametrize(
    ("asked", "own", "late", "is_callers"),
    [
        (ask(deadline=1.5, patience=1.5), None, 1.5, True),
        (ask(deadline=1.5, patience=1.5), 30.0, 1.49, True),
        # The row's own two seconds have passed, and the caller would have waited longer.
        (ask(deadline=30.0, patience=30.0), 2.0, 2.0, False),
        # No connection within the ten seconds of ours.
        (ask(deadline=30.0, patience=30.0), None, 10.0, False),
        # httpx.Timeout(30, connect=0.2)
        (ask(deadline=30.0, patience=0.2), 2.0, 0.2, True),
        # A caller who waits for ever.
        (ask(deadline=inf), 2.0, 2.0, False),
        (ask(deadline=inf), None, 100.0, False),
    ],
)
def test_a_timeout_is_the_callers_where_their_time_has_passed(
    asked: RouteRequest, own: float | None, late: float, is_callers: bool
) -> None:
    assert is_callers_time(asked, own, asked.deadline, 600.0, late) is is_callers


def test_the_configured_time_is_the_deployments_where_it_has_all_of_it() -> None:
    assert not is_callers_time(ask(), None, 600.0, 600.0, 600.0)
    assert not is_callers_time(ask(), None, None, None, 600.0)
    # Earlier attempts took the rest.
    assert is_callers_time(ask(), None, 5.0, 600.0, 5.0)
    assert not is_callers_time(ask(), 2.0, 5.0, 600.0, 2.0)


def test_retries_follow_calls_at_the_ratio() -> None:
    budget = RetryBudget(0.25, 0.0)
    budget.withdraw(0.0)
    assert not budget.has_retry(0.0)
    for _ in range(4):
        budget.deposit()
    assert budget.has_retry(0.0)


def test_time_alone_allows_a_few() -> None:
    budget = RetryBudget(0.0, 1.0)
    for _ in range(10):
        assert budget.has_retry(0.0)
        budget.withdraw(0.0)
    assert not budget.has_retry(0.5)
    assert budget.has_retry(1.0)


def test_what_is_saved_up_is_bounded() -> None:
    budget = RetryBudget(1.0, 1.0)
    for _ in range(100):
        budget.deposit()
    for _ in range(10):
        budget.withdraw(1000.0)
    assert not budget.has_retry(1000.0)


def test_none_allowed_means_none() -> None:
    budget = RetryBudget(0.0, 0.0)
    budget.deposit()
    assert not budget.has_retry(9.0)
