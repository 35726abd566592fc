import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.types import RateLimit


def _limit(**headers: str) -> RateLimit:
    named = {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in headers.items()}
    limit = RateLimit.from_headers(named)
    assert limit is not None
    return limit


def test_replies_without_limits_have_none() -> None:
    assert RateLimit.from_headers({"apim-request-id": "1"}) is None


def test_every_header_is_read() -> None:
    limit = _limit(
        limit_requests="50",
        remaining_requests="49",
        reset_requests="500",
        limit_tokens="50000",
        remaining_tokens="49871",
        reset_tokens="7",
    )
    assert limit == RateLimit(50, 49, 500, 50000, 49871, 7)
    assert limit.requests_known
    assert limit.tokens_known


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        (" 12 ", 12),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("1d", 86400),
        ("120ms", 0.12),
        ("1m30.5s", 90.5),
        ("6M0S", 360),
        ("", None),
        ("soon", None),
        ("6m or so", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_reset_is_read_as_seconds(text: str, seconds: float | None) -> None:
    assert _limit(reset_tokens=text).reset_tokens == seconds


@pytest.mark.parametrize(
    ("limit", "remaining", "known"),
    [
        ("-1", "-1", False),
        ("100", "-1", False),
        ("-1", "0", False),
        (None, "0", False),
        ("100", None, False),
        (None, None, False),
        ("100", "0", True),
        ("100", "-250", True),
        (None, "20", True),
        ("100", "20", True),
    ],
)
def test_minus_one_and_a_lone_zero_say_nothing(
    limit: str | None, remaining: str | None, known: bool
) -> None:
    for unit in ("requests", "tokens"):
        headers = {f"limit_{unit}": limit, f"remaining_{unit}": remaining, "key": "k"}
        read = _limit(**{name: value for name, value in headers.items() if value is not None})
        assert getattr(read, f"{unit}_known") is known


def test_negative_remainders_are_kept_as_sent() -> None:
    assert _limit(remaining_tokens="-250").remaining_tokens == -250


@given(st.text())
def test_no_header_value_raises(text: str) -> None:
    assert _limit(reset_tokens=text, limit_tokens=text).remaining_tokens is None


def test_a_rate_limit_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RateLimit().limit_tokens = 1  # type: ignore[misc]
