"""Timeouts of routed calls and of their attempts."""

import math
import time

import httpx
import pytest

from azure_responses.router.deadline import deadline_of, shorten
from azure_responses.transport import Timeout


def test_a_deadline_is_as_far_away_as_the_caller_waits() -> None:
    before = time.monotonic()
    deadline = deadline_of(5.0)
    assert deadline is not None
    assert before + 5 <= deadline <= time.monotonic() + 5


def test_without_a_timeout_the_deadline_never_comes() -> None:
    assert deadline_of(None) == math.inf


@pytest.mark.parametrize(
    ("timeout", "left", "expected"),
    [
        (10.0, None, 10.0),
        (10.0, math.inf, 10.0),
        (10.0, 9.9, 10.0),
        (10.0, 4.0, 4.0),
        (None, 4.0, 4.0),
        (httpx.Timeout(10.0, connect=1.0), 4.0, httpx.Timeout(4.0, connect=1.0)),
        (httpx.Timeout(None), 4.0, httpx.Timeout(4.0)),
    ],
)
def test_an_attempt_may_take_no_more_than_what_is_left(
    timeout: Timeout, left: float | None, expected: Timeout
) -> None:
    assert shorten(timeout, left) == expected
