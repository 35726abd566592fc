"""What to send again, and when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    PermissionDeniedError,
    RateLimitError,
    ResponseNotFoundError,
)
from azure_responses.protocol.call import Call, RetryDecision
from tests.protocol.samples import make_call

_NOW = 1000.0


def _limited(retry_after: float | None = None) -> RateLimitError:
    return RateLimitError("m", status_code=429, retry_after=retry_after)


def _missing() -> ResponseNotFoundError:
    return ResponseNotFoundError("m", status_code=404)


def _delays(call: Call, error: AzureResponsesError, jitter: float = 0.5) -> list[float]:
    """The delays until the call gives up on the same error again and again."""
    delays: list[float] = []
    now = _NOW
    while True:
        try:
            attempt = call.next_attempt(error, now, jitter)
        except AzureResponsesError as raised:
            if raised is not error:
                raise
            return delays
        delays.append(attempt.delay)
        now += attempt.delay
        assert len(delays) < 100


@pytest.mark.parametrize(
    "error",
    [
        APIConnectionError("m"),
        APITimeoutError("m"),
        APIStatusError("m", status_code=408),
        APIStatusError("m", status_code=409),
        _limited(),
        InternalServerError("m", status_code=503),
    ],
)
def test_a_passing_failure_is_retried_with_growing_delays_until_retries_are_used_up(
    error: AzureResponsesError,
) -> None:
    assert _delays(make_call(max_retries=3), error) == [0.25, 0.5, 1.0]
    assert _delays(make_call(), error) == [0.25, 0.5]
    assert _delays(make_call(max_retries=0), error) == []


@pytest.mark.parametrize(
    "error",
    [
        BadRequestError("m", status_code=400),
        AuthenticationError("token", status_code=401),
        ConfigurationError("m"),
        _missing(),
    ],
)
def test_a_lasting_failure_is_raised_at_once(error: AzureResponsesError) -> None:
    assert _delays(make_call(max_retries=5), error) == []


def test_what_the_service_asks_is_what_is_waited() -> None:
    assert _delays(make_call(), _limited(7.5)) == [7.5, 7.5]
    assert _delays(make_call(), _limited(0.0)) == [0.0, 0.0]


def test_a_hint_longer_than_the_callers_patience_is_raised_at_once_with_the_hint() -> None:
    call = make_call(patience=20.0)
    error = _limited(20.5)
    with pytest.raises(RateLimitError) as caught:
        call.next_attempt(error, _NOW, 0.5)
    assert caught.value.retry_after == 20.5
    assert call.retries == 0
    assert _delays(make_call(patience=20.0), _limited(20.0)) == [20.0, 20.0]


def test_endless_patience_waits_for_any_hint() -> None:
    assert _delays(make_call(patience=None), _limited(86400.0)) == [86400.0, 86400.0]


def test_one_budget_serves_all_kinds_of_failure() -> None:
    call = make_call(max_retries=2)
    call.next_attempt(_limited(), _NOW, 0.5)
    call.next_attempt(APIConnectionError("m"), _NOW, 0.5)
    with pytest.raises(InternalServerError):
        call.next_attempt(InternalServerError("m", status_code=500), _NOW, 0.5)


# Tokens.


@pytest.mark.parametrize(
    "message",
    [
        "Unauthorized. Access token is missing, invalid, audience is incorrect "
        "(https://cognitiveservices.azure.com), or have expired.",
        "The token has expired.",
        "Unauthorized",
    ],
)
@pytest.mark.parametrize("max_retries", [0, 2])
def test_a_refused_token_is_refreshed_exactly_once(message: str, max_retries: int) -> None:
    call = make_call(can_refresh_token=True, max_retries=max_retries)
    error = AuthenticationError(message, status_code=401)
    assert call.next_attempt(error, _NOW, 0.5) == RetryDecision(
        0.0, refreshes_token=True, refusal=error.message
    )
    assert call.retries == 0
    with pytest.raises(AuthenticationError):
        call.next_attempt(error, _NOW, 0.5)


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("Access denied due to invalid subscription key", status_code=401),
        PermissionDeniedError("Principal's token lacks a role", status_code=401),
        BadRequestError("custom subdomain for token authentication", status_code=400),
    ],
)
def test_what_a_new_token_would_not_change_is_raised(error: AzureResponsesError) -> None:
    assert _delays(make_call(can_refresh_token=True), error) == []


def test_a_key_cannot_be_refreshed() -> None:
    assert _delays(make_call(), AuthenticationError("expired token", status_code=401)) == []


def test_a_refresh_leaves_the_retries_as_they_were() -> None:
    call = make_call(can_refresh_token=True, max_retries=1)
    call.next_attempt(AuthenticationError("expired", status_code=401), _NOW, 0.5)
    assert _delays(call, _limited()) == [0.25]


# Read-after-write lag.


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_a_fresh_response_is_looked_for_until_its_window_closes(jitter: float) -> None:
    delays = _delays(make_call(born=_NOW, max_retries=1), _missing(), jitter)
    assert 10 <= len(delays) <= 25
    assert 30.0 <= sum(delays) <= 40.0
    assert all(0.25 <= delay <= 4.0 for delay in delays)
    assert delays[:4] == [ceiling * (0.5 + jitter / 2) for ceiling in (0.5, 1.0, 2.0, 4.0)]


def test_the_window_is_counted_from_the_birth() -> None:
    assert _delays(make_call(born=_NOW - 41.0), _missing()) == []
    late = _delays(make_call(born=_NOW - 38.0), _missing())
    assert 0 < sum(late) <= 2.0


def test_looking_for_a_fresh_response_costs_no_retry() -> None:
    call = make_call(born=_NOW, max_retries=1)
    for _ in range(3):
        call.next_attempt(_missing(), _NOW, 0.5)
    assert call.retries == 0
    assert _delays(call, _limited()) == [0.25]


def test_with_retries_off_a_fresh_response_is_not_looked_for_again() -> None:
    assert _delays(make_call(born=_NOW, max_retries=0), _missing()) == []


def test_a_router_waits_for_what_it_made_although_it_retries_elsewhere() -> None:
    call = make_call(born=_NOW, max_retries=0, awaits_writes=True)
    assert call.policy.waits_for_writes
    assert call.next_attempt(_missing(), _NOW, 0.5).delay > 0
    with pytest.raises(RateLimitError):
        call.next_attempt(_limited(), _NOW, 0.5)


def test_waiting_for_what_was_made_ends_with_the_callers_patience() -> None:
    call = make_call(born=_NOW, patience=2.0)
    assert 1.0 < sum(_delays(call, _missing())) <= 2.0


@pytest.mark.parametrize(
    ("policy", "resumptions"),
    [({}, 2), ({"max_retries": 0}, 0), ({"max_retries": 0, "awaits_writes": True}, 2)],
)
def test_how_often_a_background_stream_is_taken_up_again(
    policy: dict[str, Any], resumptions: int
) -> None:
    assert make_call(**policy).policy.resumptions == resumptions


def test_a_patient_window_does_not_overflow() -> None:
    call = make_call(born=_NOW, fresh_window=1e9, patience=None)
    for _ in range(2000):
        assert call.next_attempt(_missing(), _NOW, 0.5).delay <= 4.0


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 6))
def test_a_backoff_is_never_negative_nor_longer_than_its_ceiling(
    jitter: float, retries: int
) -> None:
    for number, delay in enumerate(_delays(make_call(max_retries=retries), _limited(), jitter)):
        assert 0.0 <= delay <= min(8.0, 0.5 * 2**number)


# Secrets.


def test_the_secret_that_was_sent_does_not_come_back_in_an_error() -> None:
    call = make_call()
    call.secret = "hush-hush"
    assert call.context.secrets == ("hush-hush",)
    error = call.failure(401, {}, b'{"error": {"message": "bad key hush-hush"}}', 0.0)
    assert "hush-hush" not in str(error)


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": "hush-hush"},
        {"authorization": "Bearer hush-hush"},
        {"authorization": "hush-hush"},
    ],
)
def test_nor_does_one_among_the_callers_own_headers(headers: dict[str, str]) -> None:
    error = make_call(headers=headers).failure(401, {}, b"you sent hush-hush", 0.0)
    assert "hush-hush" not in str(error)


def test_an_empty_credential_header_redacts_nothing() -> None:
    assert make_call(headers={"api-key": ""}).context.secrets == ()


def test_a_reply_is_judged_in_the_calls_situation() -> None:
    error = make_call(response_id="resp_1").failure(404, {}, b"", 0.0)
    assert isinstance(error, ResponseNotFoundError)


def test_a_response_that_has_begun_is_not_asked_for_again_when_its_connection_is_lost() -> None:
    call = make_call(max_retries=5)
    call.has_begun = True
    for lost in (APIConnectionError("m"), APITimeoutError("m")):
        with pytest.raises(APIConnectionError) as caught:
            call.next_attempt(lost, _NOW, 0.5)
        assert caught.value is lost
    # The service has ended it by itself.
    assert call.next_attempt(_limited(3.0), _NOW, 0.5) == RetryDecision(3.0)
