from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.budget import period_end, period_start, read_expiry, read_period
from azure_responses.gateway.spend import DAY, day_of

_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "days"),
    [("daily", 1), ("Weekly", 7), ("monthly", 30), ("7d", 7), ("24h", 1), ("1mo", 30), ("2w", 14)],
)
def test_a_period_is_a_number_of_days(text: str, days: int) -> None:
    assert read_period(text) == days


@pytest.mark.parametrize("text", ["", "1h", "36h", "0d", "-1d", "often", "99999d", "٣d"])
def test_any_other_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number of days"):
        read_period(text)


@given(st.floats(0, 2e9), st.integers(1, 400), st.floats(0, 2e9))
def test_now_is_always_within_its_period(created: float, period: int, now: float) -> None:
    start = period_start(created, period, now)
    assert start <= day_of(now) < start + period
    assert (start - day_of(created)) % period == 0
    assert start * DAY <= now < period_end(created, period, now)


def test_without_a_period_everything_counts() -> None:
    assert period_start(_NOON, None, _NOON) == 0


def test_an_expiry_is_a_duration_or_a_date() -> None:
    assert read_expiry("30d", _NOON) == _NOON + 30 * DAY
    assert read_expiry("2027-01-31", _NOON) == datetime(2027, 1, 31, tzinfo=UTC).timestamp()
    later = datetime(2027, 1, 31, 10, tzinfo=UTC).timestamp()
    assert read_expiry("2027-01-31T12:00:00+02:00", _NOON) == later


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2020-01-01", "has passed"),
        ("0d", "has passed"),
        ("999999999y", "too far"),
        ("soon", "neither"),
        ("2027-13-01", "neither"),
    ],
)
def test_any_other_expiry_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_expiry(text, _NOON)


def test_a_text_that_is_read_at_every_start_has_to_be_a_date_and_may_have_passed() -> None:
    assert read_expiry("2020-01-01", None) == datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    with pytest.raises(ValueError, match="every start"):
        read_expiry("30d", None)
