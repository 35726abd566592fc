"""Which connection is ended where there are too many, or they hold too much."""

import pytest

from azure_responses.gateway.connection_limits import ConnectionLimits, ConnectionPlaces


class _Connection:
    """One that notes that it was ended, and tells of it as the real one does."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.is_ended = False
        self._limits = limits
        self.has_place = limits.enter(self)

    def evict(self) -> None:
        self.is_ended = True
        self._limits.leave(self)


def test_the_connection_that_has_waited_longest_makes_place_for_a_new_one() -> None:
    limits = ConnectionLimits(most=2)
    first, second, third = (_Connection(limits) for _ in range(3))
    assert (first.is_ended, second.is_ended, third.has_place) == (True, False, True)


def test_a_call_in_progress_is_not_ended_for_a_new_connection() -> None:
    limits = ConnectionLimits(most=2)
    working, waiting = _Connection(limits), _Connection(limits)
    limits.work(working)
    _Connection(limits)
    assert (working.is_ended, waiting.is_ended) == (False, True)
    # Its call is over: it is the last in the order of those who wait.
    limits.wait(working)
    _Connection(limits)
    assert not working.is_ended


def test_where_all_are_at_work_a_new_connection_finds_no_place() -> None:
    limits = ConnectionLimits(most=1)
    working = _Connection(limits)
    limits.work(working)
    refused = _Connection(limits)
    assert not refused.has_place
    limits.hold(refused, 10**9)
    limits.wait(refused)
    assert not working.is_ended
    limits.leave(refused)
    limits.leave(working)
    assert _Connection(limits).has_place


def test_who_held_much_first_is_ended_where_all_hold_too_much() -> None:
    limits = ConnectionLimits(most_bytes=100_000)
    idle, first, second = (_Connection(limits) for _ in range(3))
    limits.hold(first, 50_000)
    limits.hold(second, 40_000)
    limits.hold(first, 60_000)
    assert not first.is_ended
    limits.hold(second, 41_000)
    assert (idle.is_ended, first.is_ended, second.is_ended) == (False, True, False)
    limits.hold(second, 99_000)
    assert not second.is_ended
    limits.hold(second, 100)
    limits.hold(idle, 100_000)
    assert not second.is_ended


def test_one_that_holds_more_than_all_may_is_ended() -> None:
    limits = ConnectionLimits(most_bytes=100_000)
    greedy = _Connection(limits)
    limits.hold(greedy, 100_001)
    assert greedy.is_ended
    assert _Connection(limits).has_place


def test_bytes_that_nobody_wants_are_read_at_one_pace_for_all() -> None:
    limits = ConnectionLimits()
    assert limits.pause(5_000_000, now=10.0) == pytest.approx(0.1)
    assert limits.pause(5_000_000, now=10.05) == pytest.approx(0.15)
    assert limits.pause(5_000_000, now=20.0) == pytest.approx(0.1)


def test_a_place_for_a_websocket_is_given_back() -> None:
    places = ConnectionPlaces(3, 2)
    assert places.enter("a") is None
    assert places.enter("a") is None
    full = places.enter("a")
    assert full is not None
    assert (full.status, full.code) == (429, "websocket_connections_exceeded")
    assert places.enter("b") is None
    crowded = places.enter("c")
    assert crowded is not None
    assert (crowded.status, crowded.code, places.open) == (503, "gateway_saturated", 3)
    places.leave("a")
    assert places.enter("a") is None
    for key in ("a", "a", "b"):
        places.leave(key)
    assert places.open == 0
