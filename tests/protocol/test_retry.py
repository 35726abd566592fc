"""Retry hints and backoff."""

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.protocol.retry import RetryPolicy, backoff, is_transient, retry_hint

_NOW = datetime(2026, 8, 20, 12, 0, 0, tzinfo=UTC)
_SECONDS = _NOW.timestamp()


def _hint(message: str = "", /, **headers: str) -> float | None:
    return retry_hint({k.replace("_", "-"): v for k, v in headers.items()}, message, _SECONDS)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "0"}, 0.0),
        ({"retry_after_ms": "-5"}, 0.0),
        ({"x_ms_retry_after_ms": "250"}, 0.25),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 0.5 "}, 0.5),
        ({"retry_after": "-1"}, 0.0),
        ({"retry_after": format_datetime(_NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry_after": format_datetime(_NOW - timedelta(days=1), usegmt=True)}, 0.0),
        ({"retry_after": "Thu, 20 Aug 2026 14:00:10 +0200"}, 10.0),
        ({"retry_after": "Thu, 20 Aug 2026 12:00:10 -0000"}, 10.0),
        ({"retry_after": "Thu, 20 Aug 2026 12:00:10"}, 10.0),
    ],
)
def test_each_header_form(headers: dict[str, str], expected: float) -> None:
    assert _hint(**headers) == expected


@pytest.mark.parametrize("value", ["", " ", "soon", "nan", "inf", "-inf", "1e999", "Thu, 99 Foo"])
def test_garbage_is_no_hint(value: str) -> None:
    assert _hint(retry_after=value, retry_after_ms=value, x_ms_retry_after_ms=value) is None


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the platform cannot change its time zone")
def test_a_date_does_not_depend_on_the_machines_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert _hint(retry_after="Thu, 20 Aug 2026 12:00:10 -0000") == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_retry_after_ms_wins_over_retry_after() -> None:
    assert _hint(retry_after_ms="100", retry_after="9", x_ms_retry_after_ms="200") == 0.1


def test_x_ms_retry_after_ms_wins_over_retry_after() -> None:
    assert _hint(retry_after="9", x_ms_retry_after_ms="200") == 0.2


def test_an_unreadable_header_leaves_it_to_the_next() -> None:
    assert _hint(retry_after_ms="garbage", x_ms_retry_after_ms="nan", retry_after="9") == 9.0


def test_retry_after_wins_over_a_reset_header_and_that_over_the_sentence() -> None:
    sentence = "Please retry after 45 seconds."
    reset = {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "7"}
    assert _hint(sentence, retry_after="3", **reset) == 3.0
    assert _hint(sentence, **reset) == 7.0
    assert _hint(sentence) == 45.0


@pytest.mark.parametrize(
    ("remaining", "reset", "expected"),
    [
        ("0", "7", 7.0),
        ("-120", "7", 7.0),
        ("1", "7", None),
        ("-1", "0", None),
        ("0", "0", None),
        ("0", "-1", None),
        ("0", "6m0s", 360.0),
        ("0", "1h2m3.5s", 3723.5),
        ("0", "20ms", 0.02),
        ("0", "1s20ms", 1.02),
        ("0", "soon", None),
        ("0", "  ", None),
        ("0", "", None),
        ("unknown", "7", None),
        (None, "7", None),
        ("0", None, None),
        ("0", "9" * 400 + "h", None),
    ],
)
def test_reset_headers_speak_for_limits_that_are_used_up(
    remaining: str | None, reset: str | None, expected: float | None
) -> None:
    headers = {"x-ratelimit-remaining-tokens": remaining, "x-ratelimit-reset-tokens": reset}
    given_headers = {name: value for name, value in headers.items() if value is not None}
    assert retry_hint(given_headers, "", _SECONDS) == expected


def test_the_larger_reset_of_two_used_up_limits_counts() -> None:
    headers = {
        "x_ratelimit_remaining_tokens": "0",
        "x_ratelimit_reset_tokens": "7",
        "x_ratelimit_remaining_requests": "0",
        "x_ratelimit_reset_requests": "500",
        "x_ratelimit_renewalperiod_requests": "60",
    }
    assert _hint(**headers) == 60.0
    assert _hint(**{**headers, "x_ratelimit_remaining_requests": "12"}) == 7.0
    assert _hint(**{**headers, "x_ratelimit_renewalperiod_requests": "-1"}) == 500.0


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "… pricing tier. Please retry after 86400 seconds. Please go here: https://aka.ms",
            86400.0,
        ),
        ("Please retry after 45 seconds.", 45.0),
        ("Please retry after 1 second.", 1.0),
        ("Please Retry After 2.5s", 2.5),
        ("retry after 500ms", 0.5),
        ("retry after 500 milliseconds", 0.5),
        ("retry after 2 minutes", 120.0),
        ("retry after 1 hour", 3600.0),
        ("retry after 1 day.", 86400.0),
        ("retry after 30.", 30.0),
        ("retry after 30", 30.0),
        ("retry after " + "9" * 400 + " seconds", None),
        ("retry after a while", None),
        ("", None),
    ],
)
def test_the_sentence_is_the_last_resort(message: str, expected: float | None) -> None:
    assert _hint(message) == expected


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "retry-after-ms",
                "x-ms-retry-after-ms",
                "retry-after",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
                "x-ratelimit-renewalperiod-tokens",
            ]
        ),
        st.text(max_size=30)
        | st.floats().map(str)
        | st.from_regex(
            r"\w{3}, \d{1,3} \w{3} \d{1,6} \d{2}:\d{2}:\d{2} [+-]\d{1,6}", fullmatch=True
        ),
    ),
    st.text(),
)
def test_a_hint_is_a_finite_number_of_seconds_or_none(
    headers: dict[str, str], message: str
) -> None:
    hint = retry_hint(headers, message, _SECONDS)
    assert hint is None or 0.0 <= hint < float("inf")


@given(st.datetimes(timezones=st.timezones() | st.just(timezone(timedelta(hours=5)))))
def test_any_date_a_server_can_write_is_a_hint(moment: datetime) -> None:
    written = moment.replace(microsecond=0)
    try:
        text = format_datetime(written)
    except ValueError:
        return
    hint = _hint(retry_after=text)
    # A date of the years before 1000 is written so that it reads as another century.
    assert hint is None or hint >= 0.0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_stays_between_nothing_and_its_ceiling(retries: int, jitter: float) -> None:
    policy = RetryPolicy()
    delay = backoff(policy, retries, jitter)
    assert 0.0 <= delay <= min(8.0, 0.5 * 2.0 ** min(retries, 10))


def test_backoff_doubles_from_half_a_second_to_eight_with_full_jitter() -> None:
    assert [backoff(RetryPolicy(), n, 0.5) for n in range(6)] == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0]
    assert backoff(RetryPolicy(), 3, 0.0) == 0.0
    assert backoff(RetryPolicy(first_delay=2.0, longest_delay=3.0), 5, 0.5) == 1.5


@pytest.mark.parametrize(
    ("status", "expected"),
    [(408, True), (409, True), (429, True), (500, True), (502, True), (503, True), (599, True)]
    + [(status, False) for status in (200, 302, 400, 401, 403, 404, 413, 422)],
)
def test_which_statuses_are_transient(status: int, expected: bool) -> None:
    assert is_transient(APIStatusError("m", status_code=status)) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (APIConnectionError("m"), True),
        (APITimeoutError("m"), True),
        (ConfigurationError("m"), False),
        (ResponseFailedError("m"), False),
        (StreamInterruptedError("m"), False),
    ],
)
def test_which_errors_are_transient(error: AzureResponsesError, expected: bool) -> None:
    assert is_transient(error) is expected


@pytest.mark.parametrize("value", ["1e300", "1765000000", "inf", "604801"])
def test_a_time_that_cannot_be_a_wait_is_no_hint(value: str) -> None:
    assert retry_hint({"retry-after": value}, "", 0.0) is None
    assert retry_hint({"retry-after-ms": "1e300"}, "", 0.0) is None
    assert retry_hint({"retry-after": "604800"}, "", 0.0) == 604800.0
