"""What a timeout allows in all, and for each phase of an attempt."""

import math
import time

import httpx
import pytest

from azure_responses.timeouts import (
    OpeningTimeout,
    TimeLimit,
    Timeout,
    limit_of,
    limited_phases,
)


def test_a_limit_is_the_number_of_its_seconds_and_runs_until_it_is_restarted() -> None:
    limit = TimeLimit(5.0)
    assert limit == 5.0
    assert 4 < limit.left() <= 5
    limit.hurry(1)
    assert 0 < limit.left() <= 1
    limit.hurry(3)
    assert limit.left() <= 1
    limit.restart()
    assert 4 < limit.left() <= 5


def test_a_limit_that_is_over_has_nothing_left() -> None:
    limit = TimeLimit(0.01)
    time.sleep(0.02)
    assert limit.left() < 0


def test_without_a_timeout_there_is_always_time_left() -> None:
    limit = limit_of(None)
    assert limit.left() == math.inf
    limit.hurry(1)
    assert limit.left() <= 1


@pytest.mark.parametrize(
    ("timeout", "silence", "total"),
    [
        (7.0, 7.0, 7),
        (httpx.Timeout(7.0), 7.0, 7),
        (httpx.Timeout(5.0, read=9.0), 9.0, 9),
        (httpx.Timeout(9.0, read=2.0), 2.0, 9),
        (httpx.Timeout(None, read=2.0), 2.0, 2),
        (httpx.Timeout(5.0, read=None), 1e8, math.inf),
        (OpeningTimeout(9.0, 3.0), 9.0, 3),
    ],
)
def test_a_whole_reply_may_take_as_long_as_the_longest_phase(
    timeout: Timeout, silence: float, total: float
) -> None:
    limit = limit_of(timeout)
    assert limit == silence
    assert limit.left() == total or total - 1 < limit.left() <= total


def test_no_phase_lasts_longer_than_the_time_to_the_first_output() -> None:
    timeout = OpeningTimeout(httpx.Timeout(None, read=9.0), 3.0)
    limit = limit_of(timeout)
    phases = limited_phases(timeout, limit)
    assert phases.pop("read") is limit
    assert all(seconds is not None and 2 < seconds <= 3 for seconds in phases.values())
    limit.hurry(-1)
    phases = limited_phases(timeout, limit)
    assert phases["connect"] == 0.001
