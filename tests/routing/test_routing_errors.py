"""The errors of a call that nobody can serve."""

import pytest

from azure_responses.errors import BadRequestError, InternalServerError, RateLimitError
from azure_responses.routing.route_request import Pin
from azure_responses.routing.routing_errors import (
    no_deployment_serves,
    origin_unknown,
    with_context,
)
from tests.routing.fleet import ask, deployment, fleet, limited


def test_limits_of_all_are_a_429_and_one_failure_among_them_a_503() -> None:
    routing = fleet("a", "b")
    scopes = [routing.groups["gpt"]]
    routing.health.limit("a", 5.0, 0.0)
    assert isinstance(no_deployment_serves(routing, ask(), scopes, {"b": 3.0}, 0.0), RateLimitError)
    routing.health.fail("b", "failures", 0.0, hint=None, at_once=True, is_probe=False)
    error = no_deployment_serves(routing, ask(), scopes, {}, 0.0)
    assert isinstance(error, InternalServerError)
    assert error.retry_after == 5.0
    assert "a (a.example): cooling down for another 5.0 s (rate limit)" in error.message
    assert "b (b.example): cooling down for another 30.0 s (failures)" in error.message


def test_a_preference_is_not_said_to_tie_a_call_to_a_resource() -> None:
    routing = fleet("a", "b")
    scopes = [routing.groups["gpt"]]
    wish = Pin("resource-a", field="model", is_hard=False, is_wish=True)
    for pin, is_tied in ((wish, False), (wish._replace(is_wish=False), True)):
        error = no_deployment_serves(routing, ask(), scopes, {}, 0.0, pin)
        assert ("ties it to its resource" in error.message) == is_tied


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_an_unknown_origin_names_the_field(field: str) -> None:
    error = origin_unknown(Pin("gone", field=field), fleet("a"), ask())
    assert field in error.message
    assert (error.status_code, error.param) == (404, field)


def test_context_is_added_to_the_hint_and_keeps_the_old_one() -> None:
    error = with_context(limited(9.0), ("x", "y"), 2.0)
    assert error.hint == "Fallbacks tried without success: x, y."
    assert error.retry_after == 2.0
    error.hint = "Ask for quota."
    assert with_context(error, ("z",), None).hint == (
        "Ask for quota. Fallbacks tried without success: z."
    )
    assert error.retry_after == 2.0


def test_the_time_to_wait_is_only_for_errors_that_pass() -> None:
    error = with_context(BadRequestError("no", status_code=400), (), 5.0)
    assert error.retry_after is None
    assert error.hint is None


def test_a_message_does_not_list_a_hundred_deployments() -> None:
    routing = fleet(*(f"d{number}" for number in range(100)))
    for row in routing.deployments:
        routing.health.limit(row.id, 9.0, 0.0)
    error = no_deployment_serves(routing, ask(), list(routing.groups.values()), {}, 0.0)
    assert str(error).count("cooling down") == 8
    assert "d7 (" in str(error)
    assert "and 92 more" in str(error)
    assert error.retry_after == 9.0


def test_a_group_that_time_does_not_help_is_not_to_be_waited_for() -> None:
    routing = fleet(deployment("a", weight=0.0))
    routing.health.limit("a", 9.0, 0.0)
    error = no_deployment_serves(routing, ask(), list(routing.groups.values()), {}, 0.0)
    assert error.retry_after is None
    assert "weight above 0" in str(error.hint)
