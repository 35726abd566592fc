"""Timeouts of routed calls and of their attempts."""

import math
import time

import httpx
import pytest

from azure_responses.router.deadline import (
    deadline_of,
    for_async_stream,
    for_stream,
    shorten,
)
from azure_responses.timeouts import OpeningTimeout, limit_of, limited_phases
from azure_responses.transport import Timeout, phases_of


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


@pytest.mark.parametrize(
    ("timeout", "left", "own", "expected", "opening"),
    [
        (10.0, None, None, 10.0, None),
        (10.0, math.inf, None, 10.0, None),
        (10.0, 9.9, None, 10.0, 9.9),
        (10.0, 4.0, 4.0, 4.0, 4.0),
        (10.0, 8.0, 4.0, 4.0, 4.0),
        (None, 4.0, 4.0, 4.0, 4.0),
    ],
)
def test_a_stream_that_has_all_its_time_is_asked_for_as_usual(
    timeout: Timeout,
    left: float | None,
    own: float | None,
    expected: Timeout,
    opening: float | None,
) -> None:
    assert for_async_stream(timeout, left, own) == (expected, opening)
    asked = for_stream(timeout, left, own)
    assert phases_of(asked) == phases_of(expected)
    assert getattr(asked, "opening", None) == opening


@pytest.mark.parametrize(("own", "silence"), [(None, 10.0), (6.0, 6.0)])
def test_a_stream_that_is_late_may_be_as_silent_as_any_other(
    own: float | None, silence: float
) -> None:
    timeout = for_stream(10.0, 4.0, own)
    assert isinstance(timeout, OpeningTimeout)
    assert (timeout.opening, timeout.read) == (4.0, silence)
    limit = limit_of(timeout)
    phases = limited_phases(timeout, limit)
    assert all(phases[name] <= 4.0 for name in ("connect", "pool", "write"))  # type: ignore[operator]
    assert (phases["read"], 3 < limit.left() <= 4) == (silence, True)
    timeout, patience = for_async_stream(10.0, 4.0, own)
    assert patience == 4.0
    assert phases_of(timeout) == {"connect": 4.0, "read": silence, "write": 4.0, "pool": 4.0}


def test_a_stream_without_a_timeout_may_be_silent_for_ever() -> None:
    assert phases_of(for_async_stream(None, 4.0, None)[0])["read"] is None
