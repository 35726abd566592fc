"""Running and frozen clocks."""

import time

import pytest

from azure_responses.emulator import Clock


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
