"""Time to the first token, pace, jitter, and the lag of reading."""

import random

import pytest

from azure_responses.emulator import Latency, ReadLag

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
