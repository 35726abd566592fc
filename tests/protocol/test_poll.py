"""How often to ask for a background response."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import APITimeoutError, ConfigurationError
from azure_responses.protocol.resumption import Poll
from azure_responses.types.response import Response


def _response(status: Any) -> Response:
    return Response.model_validate({"id": "resp_1", "status": status})


_AT_WORK = _response("in_progress")


@pytest.mark.parametrize("status", ["completed", "failed", "incomplete", "cancelled", None])
def test_an_ended_response_ends_the_wait_even_when_the_time_is_up(status: str | None) -> None:
    assert Poll(0.0, None, 1.0).delay(_response(status), 99.0) is None


@pytest.mark.parametrize("status", ["queued", "in_progress", "something_new", ["odd"]])
def test_a_response_at_work_is_asked_again(status: Any) -> None:
    assert Poll(0.0, None, None).delay(_response(status), 0.0) == 0.5


def test_the_interval_grows_from_half_a_second_to_five() -> None:
    poll = Poll(0.0, None, None)
    delays = [poll.delay(_AT_WORK, 0.0) for _ in range(9)]
    assert delays[:3] == [0.5, 0.75, 1.125]
    assert delays[-1] == 5.0
    assert delays == sorted(delay for delay in delays if delay is not None)


@pytest.mark.parametrize("interval", [0.0, 0.1, 30.0])
def test_a_given_interval_stays(interval: float) -> None:
    poll = Poll(0.0, interval, None)
    assert [poll.delay(_AT_WORK, 0.0) for _ in range(3)] == [interval] * 3


def test_the_last_wait_ends_with_the_time() -> None:
    poll = Poll(100.0, 30.0, 40.0)
    assert poll.delay(_AT_WORK, 100.0) == 30.0
    assert poll.delay(_AT_WORK, 130.0) == 10.0
    with pytest.raises(APITimeoutError, match="resp_1 is still in_progress") as caught:
        poll.delay(_AT_WORK, 140.0)
    assert caught.value.hint


@given(st.floats(0.01, 1000), st.none() | st.floats(0.01, 100))
def test_a_wait_never_outlasts_its_time(timeout: float, interval: float | None) -> None:
    poll = Poll(0.0, interval, timeout)
    now = 0.0
    for _ in range(10_000):
        try:
            delay = poll.delay(_AT_WORK, now)
        except APITimeoutError:
            break
        assert delay is not None
        assert delay > 0.0
        now += delay
    assert now <= timeout * (1 + 1e-9) or interval is not None


def test_a_poll_may_take_what_is_left_of_the_wait_but_a_second_at_least() -> None:
    assert Poll(0.0, None, None).patience(5.0) is None
    assert [Poll(0.0, None, 10.0).patience(now) for now in (0.0, 8.0, 9.5, 99.0)] == [10, 2, 1, 1]


@pytest.mark.parametrize("odd", [float("nan"), "5", [1]])
def test_what_is_no_number_of_seconds_is_refused(odd: Any) -> None:
    with pytest.raises(ConfigurationError, match="poll_interval is"):
        Poll(0.0, odd, None)
    with pytest.raises(ConfigurationError, match="timeout is"):
        Poll(0.0, None, odd)


@pytest.mark.parametrize("interval", [-0.1, float("inf")])
def test_nobody_can_sleep_for_less_than_no_time_or_for_ever(interval: float) -> None:
    with pytest.raises(ConfigurationError, match="poll_interval is"):
        Poll(0.0, interval, None)


def test_a_time_that_is_up_already_allows_one_look() -> None:
    poll = Poll(10.0, None, -3.0)
    assert poll.patience(10.0) == 1.0
    assert poll.delay(_response("completed"), 10.0) is None
    with pytest.raises(APITimeoutError):
        poll.delay(_AT_WORK, 10.0)
