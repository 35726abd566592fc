"""What is known of the service's errors, in one place; its readers have tests of their own."""

import pytest

from azure_responses.doctor.findings import SERVICE_STEPS
from azure_responses.errors import ContentFilterError, UnsupportedOperationError
from azure_responses.protocol.known_errors import STATUS_IN_STREAM, find_connection_step, find_known


def test_a_code_is_known_in_any_case_and_before_words() -> None:
    first, *_ = find_known(400, "Content_Filter", "API version not supported")
    assert (first.error, first.in_stream, first.step) == (ContentFilterError, 400, "call")


def test_words_are_known_in_any_case_and_only_with_their_status() -> None:
    first, *_ = find_known(400, "BadRequest", "api VERSION not supported")
    assert (first.error, first.step) == (UnsupportedOperationError, "api-version")
    assert not list(find_known(409, "BadRequest", "API version not supported"))


def test_a_row_leaves_to_later_ones_what_it_does_not_know() -> None:
    first, *later = find_known(429, None, "high demand")
    assert "region is busy" in str(first.hint)
    assert (first.step, later[-1].step) == (None, "rate-limit")


@pytest.mark.parametrize(
    ("code", "status"),
    [("rate_limit_exceeded", 429), ("contentfilter", 400), ("deploymentnotfound", 404)],
)
def test_a_code_stands_for_a_status_inside_a_stream(code: str, status: int) -> None:
    assert STATUS_IN_STREAM[code] == status


def test_a_code_inside_a_stream_stands_for_one_of_its_own_statuses() -> None:
    for code, status in STATUS_IN_STREAM.items():
        assert code == code.lower()
        assert any(code in row.codes for row in find_known(status, code, "")), code


def test_every_step_is_one_of_a_diagnosis() -> None:
    rows = [row for status in range(400, 600) for row in find_known(status, None, "")]
    coded = [row for code, at in STATUS_IN_STREAM.items() for row in find_known(at, code, "")]
    steps = {row.step for row in (*rows, *coded)} - {None}
    assert steps
    assert steps <= set(SERVICE_STEPS)


@pytest.mark.parametrize(
    ("message", "step"),
    [
        ("[Errno -2] Name or service not known", "dns"),
        ("certificate verify failed", "tls"),
        ("[Errno 111] Connection refused", "tcp"),
        ("reset by peer", None),
    ],
)
def test_a_failed_connection_has_its_step_by_its_words(message: str, step: str | None) -> None:
    assert find_connection_step(message) == step
