"""How often to ask for a background response."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import APITimeoutError, ConfigurationError
from azure_responses.protocol.polling import BATCH, FILE, FILE_BATCH, STORE_FILE, Poll, Polled
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
def test_what_is_not_a_number_of_seconds_is_refused(odd: Any) -> None:
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


# --- what the service asks for ---------------------------------------------------------------


def _hinted(**headers: str) -> Response:
    response = _response("in_progress")
    response.attach({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"openai_poll_after_ms": "2500"}, 2.5),
        ({"openai_poll_after_ms": "2500", "retry_after": "9"}, 2.5),
        ({"OpenAI_Poll_After_Ms": "750"}, 0.75),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"x_ms_retry_after_ms": "3000"}, 3.0),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.5),
        ({"openai_poll_after_ms": "soon", "retry_after": "7"}, 7.0),
        ({"openai_poll_after_ms": "0"}, 0.1),
        ({"retry_after": "-5"}, 0.1),
        ({"retry_after": "1790000000"}, 0.5),
        ({"retry_after": "nan"}, 0.5),
    ],
)
def test_the_service_says_when_to_ask_again(headers: dict[str, str], delay: float) -> None:
    assert Poll(0.0, None, None).delay(_hinted(**headers), 0.0) == delay


def test_an_interval_of_the_caller_wins_over_the_hint_of_the_service() -> None:
    assert Poll(0.0, 3.0, None).delay(_hinted(retry_after="7"), 0.0) == 3.0


def test_a_hint_does_not_outlast_the_wait() -> None:
    assert Poll(0.0, None, 4.0).delay(_hinted(retry_after="7"), 1.0) == 3.0


# --- what is waited for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("polled", "status"),
    [
        (BATCH, "validating"),
        (BATCH, "cancelling"),
        (BATCH, "finalizing"),
        (STORE_FILE, "in_progress"),
        (FILE_BATCH, "in_progress"),
        (FILE, "uploaded"),
        (FILE, "resting"),
    ],
)
def test_what_has_not_ended_is_asked_again(polled: Polled, status: str) -> None:
    poll = Poll(0.0, None, 10.0, polled)
    assert poll.delay(_response(status), 0.0) == polled.first
    with pytest.raises(APITimeoutError, match=f"{polled.name} resp_1 is still {status}") as caught:
        poll.delay(_response(status), 10.0)
    assert caught.value.hint == polled.hint


@pytest.mark.parametrize(
    ("polled", "status"),
    [(BATCH, "expired"), (BATCH, "failed"), (STORE_FILE, "cancelled"), (FILE, "processed")],
)
def test_what_has_ended_is_not(polled: Polled, status: str) -> None:
    assert Poll(0.0, None, None, polled).delay(_response(status), 0.0) is None


def test_a_batch_is_asked_for_once_a_minute_in_the_end() -> None:
    poll = Poll(0.0, None, None, BATCH)
    delays = [poll.delay(_response("in_progress"), 0.0) for _ in range(20)]
    assert delays[0] == 1.0
    assert delays[-1] == 60.0


def test_the_arguments_of_the_openai_package_are_milliseconds_and_seconds() -> None:
    poll = Poll.every(1500, 10, 0.0, STORE_FILE)
    assert poll.delay(_AT_WORK, 0.0) == 1.5
    assert poll.patience(0.0) == 10.0
    assert Poll.every(None, None, 0.0, STORE_FILE).patience(0.0) is None


@pytest.mark.parametrize("odd", [-1, float("nan"), "5", []])
def test_odd_arguments_are_refused_by_their_name(odd: Any) -> None:
    with pytest.raises(ConfigurationError, match="poll_interval_ms is") as caught:
        Poll.every(odd, None, 0.0, STORE_FILE)
    assert "milliseconds" in str(caught.value.hint)
    with pytest.raises(ConfigurationError, match="max_wait_seconds is"):
        Poll.every(None, odd, 0.0, STORE_FILE)
