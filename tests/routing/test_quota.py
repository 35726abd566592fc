"""What is left of a deployment's quota."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.quota import RUNNING_WAIT, Headroom, MinuteWindow, Utilisation

_Steps = st.lists(
    st.tuples(st.floats(0, 30, allow_nan=False), st.integers(0, 40), st.integers(0, 40)),
    max_size=60,
)


@given(steps=_Steps, rpm=st.integers(1, 5), tpm=st.integers(40, 100))
def test_no_sixty_seconds_ever_hold_more_than_the_limit(
    steps: list[tuple[float, int, int]], rpm: int, tpm: int
) -> None:
    window, now = MinuteWindow(rpm, tpm), 0.0
    taken: list[tuple[float, int]] = []
    for pause, tokens, used in steps:
        now += pause
        slot = window.reserve(tokens, now)
        if slot is not None:
            counted = min(tokens, used)
            window.settle(slot, tokens, counted)
            taken.append((now, counted))
        recent = [count for at, count in taken if at > now - 60.0]
        assert len(recent) <= rpm
        assert sum(recent) <= tpm


@given(steps=_Steps)
def test_the_wait_named_is_enough_and_room_is_never_denied_after_it(
    steps: list[tuple[float, int, int]],
) -> None:
    window, now = MinuteWindow(3, 60), 0.0
    for pause, tokens, _ in steps:
        now += pause
        wait = window.wait(tokens, now)
        assert 0.0 <= wait <= 61.0
        assert (window.wait(tokens, now) == 0.0) == (wait == 0.0)
        now += wait
        slot = window.reserve(tokens, now + 1e-6)
        assert slot is not None
        window.settle(slot, tokens, tokens)


def test_what_is_given_back_may_be_used_again() -> None:
    window = MinuteWindow(1, 100)
    slot = window.reserve(100, 0.5)
    assert slot == 0
    assert window.reserve(1, 1.0) is None
    window.settle(slot, 100, 0, refunds_request=True)
    assert window.reserve(100, 1.0) == 1


def test_tokens_used_beyond_the_reservation_count() -> None:
    window = MinuteWindow(None, 100)
    slot = window.reserve(10, 0.0)
    assert slot is not None
    window.settle(slot, 10, 95)
    assert window.reserve(6, 0.0) is None
    assert window.reserve(5, 0.0) is not None


def test_a_settlement_after_the_minute_changes_nothing() -> None:
    window = MinuteWindow(1, 100)
    slot = window.reserve(50, 0.0)
    assert slot is not None
    assert window.reserve(50, 61.0) == 61
    window.settle(slot, 50, 99)
    assert (window.requests, window.tokens) == (1, 50)


def test_a_request_larger_than_the_limit_is_sent_when_nothing_else_is() -> None:
    window = MinuteWindow(None, 10)
    assert window.reserve(50, 0.0) is not None
    assert window.reserve(50, 1.0) is None
    assert window.wait(50, 1.0) == RUNNING_WAIT
    window.settle(0, 50, 50)
    assert window.wait(50, 1.0) == 60.0


def test_how_much_of_a_reservation_is_used_is_learnt() -> None:
    window = MinuteWindow(None, 100)
    for used in (40, 4, 4, 4):
        slot = window.reserve(40, 0.0)
        assert slot is not None
        window.settle(slot, 40, used)
    assert window.tokens == 52
    window.reserve(35, 1.0)
    # Of the running call's 35 two fifths will have been used.
    assert window.wait(20, 1.0) == RUNNING_WAIT
    assert window.wait(34, 1.0) == 60.0


def test_times_of_two_threads_in_the_wrong_order_are_counted_late_rather_than_early() -> None:
    window = MinuteWindow(5, None)
    assert window.reserve(0, 10.0) == 10
    assert window.reserve(0, 9.0) == 10


def test_a_limit_of_nothing_is_never_free() -> None:
    window = MinuteWindow(0, None)
    assert window.reserve(0, 1.0) is None
    assert window.wait(0, 1.0) == 61.0


def _headers(tokens: object = None, requests: object = None, **more: object) -> dict[str, str]:
    named = {
        "x-ratelimit-remaining-tokens": tokens,
        "x-ratelimit-remaining-requests": requests,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }
    return {key: str(value) for key, value in named.items() if value is not None}


def test_nothing_is_known_at_first() -> None:
    headroom = Headroom()
    assert headroom.tokens_left(0.0) is None
    assert headroom.requests_left(0.0) is None
    assert headroom.has_room(10**9, 0.0)


@pytest.mark.parametrize(("tokens", "requests"), [(-1, -1), (0, 0), (None, None)])
def test_azures_placeholders_mean_unknown(tokens: int | None, requests: int | None) -> None:
    headroom = Headroom()
    headroom.observe(_headers(tokens, requests), headroom.reserve(1, 0.0), 0.0)
    assert headroom.has_room(10**9, 0.0)


def test_what_was_reserved_after_the_call_that_was_answered_is_subtracted() -> None:
    headroom = Headroom()
    first = headroom.reserve(100, 0.0)
    second = headroom.reserve(40, 0.0)
    headroom.observe(_headers(1000, 10), first, 1.0)
    assert headroom.tokens_left(1.0) == 960
    assert headroom.requests_left(1.0) == 9
    headroom.settle(second, 40, 25)
    assert headroom.tokens_left(1.0) == 975
    headroom.settle(headroom.reserve(30, 1.0), 30, 0, was_sent=False)
    assert headroom.tokens_left(1.0) == 975
    assert headroom.requests_left(1.0) == 9


def test_a_reply_to_an_earlier_call_does_not_overrule_a_later_one() -> None:
    headroom = Headroom()
    first, second = headroom.reserve(1, 0.0), headroom.reserve(1, 0.0)
    headroom.observe(_headers(500), second, 1.0)
    headroom.observe(_headers(900), first, 2.0)
    assert headroom.tokens_left(2.0) == 500
    headroom.settle(first, 1, 5)
    assert headroom.tokens_left(2.0) == 500


def test_a_call_has_room_only_within_both_remainders() -> None:
    headroom = Headroom()
    headroom.observe(_headers(100, 1), headroom.reserve(1, 0.0), 0.0)
    assert headroom.has_room(100, 0.0)
    assert not headroom.has_room(101, 0.0)
    headroom.reserve(0, 0.0)
    assert not headroom.has_room(1, 0.0)


def test_headers_are_forgotten_with_their_window() -> None:
    headroom = Headroom()
    headroom.observe(_headers(5, 5), headroom.reserve(1, 0.0), 0.0)
    assert headroom.tokens_left(59.0) == 5
    assert headroom.tokens_left(60.0) is None
    short = _headers(5, 5, x_ratelimit_reset_tokens=7, x_ratelimit_reset_requests=0)
    headroom.observe(short, headroom.reserve(1, 100.0), 100.0)
    assert headroom.requests_left(106.0) == 5
    assert headroom.requests_left(107.0) is None


def test_reservations_are_forgotten_with_the_minute() -> None:
    headroom = Headroom()
    for second in range(200):
        headroom.reserve(10, float(second))
    headroom.observe(_headers(1000), 1, 199.0)
    assert headroom.tokens_left(199.0) == 1000 - 600


def test_one_remainder_may_be_known_without_the_other() -> None:
    headroom = Headroom()
    headroom.observe(_headers(tokens=50), headroom.reserve(1, 0.0), 0.0)
    assert headroom.requests_left(0.0) is None
    headroom.observe(_headers(requests=5), headroom.reserve(1, 0.0), 0.0)
    assert headroom.tokens_left(0.0) is None


def test_a_provisioned_deployment_in_full_use_has_no_room_until_it_drains() -> None:
    headroom = Headroom()
    headers = {"azure-openai-deployment-utilization": "130.5%"}
    headroom.observe(headers, headroom.reserve(1, 0.0), 0.0)
    assert not headroom.has_room(1, 18.0)
    assert headroom.has_room(1, 19.0)


@pytest.mark.parametrize("text", ["90%", "90", " 90.0% "])
def test_a_report_drains_as_the_minute_passes(text: str) -> None:
    utilisation = Utilisation()
    utilisation.observe(text, 0.0)
    assert utilisation.share(0.0) == pytest.approx(0.9)
    assert utilisation.share(30.0) == pytest.approx(0.4)
    assert utilisation.share(59.0) == 0.0
    assert utilisation.share(60.0) is None


@pytest.mark.parametrize("text", [None, "", "much", "-5", "inf", "nan"])
def test_what_is_no_share_is_passed_over(text: str | None) -> None:
    utilisation = Utilisation()
    utilisation.observe(text, 0.0)
    assert utilisation.share(0.0) is None


def test_the_weight_of_a_token_is_learnt() -> None:
    utilisation = Utilisation()
    utilisation.observe("50%", 0.0)
    utilisation.add(1000)
    assert utilisation.share(0.0) == pytest.approx(0.5)
    # 1000 tokens of a capacity of 10000 a minute, while a tenth of a minute drains as much.
    utilisation.observe("50%", 6.0)
    utilisation.add(2500)
    assert utilisation.share(6.0) == pytest.approx(0.75)
    utilisation.add(-500)
    assert utilisation.share(6.0) == pytest.approx(0.7)


def test_an_empty_deployment_teaches_nothing() -> None:
    utilisation = Utilisation()
    utilisation.observe("0%", 0.0)
    utilisation.add(1000)
    utilisation.observe("10%", 1.0)
    utilisation.observe("90%", 100.0)
    utilisation.add(1000)
    assert utilisation.share(100.0) == pytest.approx(0.9)
