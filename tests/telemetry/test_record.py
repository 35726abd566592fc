"""What a record works out of what it holds."""

from decimal import Decimal

import pytest

from azure_responses.errors import APIConnectionError, RateLimitError
from tests.telemetry.samples import make_record, make_response


def test_the_cost_is_that_of_the_response() -> None:
    response = make_response()
    response.attach({}, lambda _: Decimal("0.5"))
    assert make_record(response=response).cost == Decimal("0.5")


@pytest.mark.parametrize("response", [None, {"usage": {}}])
def test_without_a_result_there_is_no_cost(response: object) -> None:
    assert make_record(response=response).cost is None


@pytest.mark.parametrize(
    ("user", "safety_identifier", "expected"),
    [("alice", "hash", "hash"), ("alice", None, "alice"), (None, None, None)],
)
def test_the_end_user_is_the_safety_identifier_before_the_user(
    user: str | None, safety_identifier: str | None, expected: str | None
) -> None:
    assert make_record(user=user, safety_identifier=safety_identifier).end_user == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, None),
        (RateLimitError("busy", status_code=429, code="too_many_requests"), "too_many_requests"),
        (RateLimitError("busy", status_code=429), "429"),
        (APIConnectionError("broken"), "APIConnectionError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_the_type_of_an_error_is_azures_code_then_the_status_then_its_class(
    error: BaseException | None, expected: str | None
) -> None:
    assert make_record(error=error).error_type == expected


def test_a_repr_shows_neither_content_nor_the_url() -> None:
    record = make_record(parameters={"input": "secret"}, response="secret", url="https://secret")
    assert "secret" not in repr(record)
