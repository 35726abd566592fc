"""A minute's requests and tokens."""

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.quota import RUNNING_WAIT, MinuteWindow

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
