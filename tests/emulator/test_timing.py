"""Running and frozen clocks."""

import random
import time

import pytest

from azure_responses.emulator import Clock, Latency, ReadLag


def test_a_running_clock_follows_the_machine_and_its_advances() -> None:
    clock = Clock()
    assert clock.now() == pytest.approx(time.time(), abs=1)
    clock.advance(3600)
    assert clock.now() == pytest.approx(time.time() + 3600, abs=1)
    assert not clock.is_frozen
    assert clock.wait(1.5) == 1.5


def test_a_frozen_clock_moves_by_advancing_and_by_waiting() -> None:
    clock = Clock(100.0)
    assert clock.is_frozen
    clock.advance(5)
    assert clock.wait(10) == 0
    assert clock.wait(0) == 0
    assert clock.now() == 115.0


def test_a_clock_can_be_frozen_and_let_go_again() -> None:
    clock = Clock()
    clock.freeze()
    assert clock.now() == clock.now()
    clock.freeze(1000.0)
    assert clock.now() == 1000.0
    clock.run()
    assert clock.now() == pytest.approx(1000.0, abs=1)
    clock.run()
    assert not clock.is_frozen


def test_no_clock_runs_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)


@pytest.mark.parametrize("seconds", [1e12, float("inf"), float("nan")])
def test_no_clock_goes_beyond_what_a_reply_can_be_dated_with(seconds: float) -> None:
    for clock in (Clock(), Clock(0.0)):
        before = clock.now()
        with pytest.raises(ValueError, match="clock"):
            clock.advance(seconds)
        assert clock.now() - before < 60
        with pytest.raises(ValueError, match="clock"):
            clock.freeze(seconds)
    with pytest.raises(ValueError, match="clock"):
        Clock(-1.0)


EVENTS = [
    {"type": "response.created"},
    {"type": "response.queued"},
    {"type": "response.in_progress"},
    {"type": "response.output_item.added"},
    {"type": "response.output_text.delta"},
    {"type": "response.output_text.delta"},
    {"type": "response.completed"},
]


def test_offsets_wait_for_the_first_token_then_pace_the_deltas() -> None:
    latency = Latency(first_token=2.0, tokens_per_second=4.0)
    offsets = latency.offsets(EVENTS, random.Random(0))
    assert offsets == [0, 0, 0, 2.0, 2.25, 2.5, 2.5]


def test_background_offsets_begin_with_the_queue() -> None:
    latency = Latency(first_token=2.0, queued=3.0, running=5.0)
    offsets = latency.offsets(EVENTS, random.Random(0), background=True)
    assert offsets == [0, 0, 3.0, 8.0, 8.0, 8.0, 8.0]


def test_jitter_varies_and_is_seeded() -> None:
    latency = Latency(first_token=1.0, tokens_per_second=10, jitter=0.3)
    one, same, other = (latency.offsets(EVENTS, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert one == sorted(one)


def test_a_whole_reply_takes_the_first_token_and_all_the_others() -> None:
    dice = random.Random(0)
    assert Latency(first_token=1.0, tokens_per_second=5).whole(10, dice) == 3.0
    assert Latency(first_token=1.0).whole(10, dice) == 1.0
    assert Latency().whole(10, dice) == 0.0


def test_gaps_of_a_chat_stream() -> None:
    dice = random.Random(0)
    assert Latency().gaps(3, dice) == [0.0, 0.0, 0.0]
    assert Latency(first_token=1.0, tokens_per_second=4).gaps(3, dice) == [1.0, 0.25, 0.25]
    assert Latency(first_token=1.0).gaps(3, dice) == [1.0, 0.0, 0.0]


def test_negative_waits_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Latency(queued=-1)
    with pytest.raises(ValueError, match="more than 0"):
        Latency(tokens_per_second=0)
    with pytest.raises(ValueError, match="0 or more"):
        ReadLag(median=-1)


def test_reading_lags_only_after_a_stream_unless_told_otherwise() -> None:
    dice = random.Random(0)
    assert ReadLag().draw(dice, streamed=True) == 0
    assert ReadLag(median=6.0).draw(dice, streamed=False) == 0
    assert ReadLag(median=6.0, streamed_only=False).draw(dice, streamed=False) > 0


def test_the_lag_has_the_reported_median_and_cap() -> None:
    dice = random.Random(0)
    lags = sorted(ReadLag(median=6.0).draw(dice, streamed=True) for _ in range(2001))
    assert lags[1000] == pytest.approx(6.0, rel=0.1)
    assert lags[-1] == 33.0
