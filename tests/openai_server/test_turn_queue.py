"""Turns of one lane follow one another, those of several lanes are made at once, up to a limit."""

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.openai_server.turn_queue import TurnQueue, WebSocketLimits

lanes = st.sampled_from([None, "a", "b", "c"])


@given(st.lists(st.one_of(lanes.map(lambda lane: ("add", lane)), st.just(("end", None)))))
def test_each_lane_is_first_in_first_out_and_never_overlaps(
    steps: list[tuple[str, str | None]],
) -> None:
    queue: TurnQueue[int] = TurnQueue(WebSocketLimits(most_active=2))
    added: dict[str | None, list[int]] = {}
    begun: dict[str | None, list[int]] = {}
    running: list[str | None] = []
    for number, (step, lane) in enumerate(steps):
        if step == "add":
            queue.add(lane, number, 1)
            added.setdefault(lane, []).append(number)
        elif running:
            queue.end(running.pop(0))
        while (found := queue.begin()) is not None:
            assert found[0] not in running
            running.append(found[0])
            begun.setdefault(found[0], []).append(found[1])
        assert queue.active == len(running) <= 2
        idle = [name for name in added if len(begun.get(name, [])) < len(added[name])]
        # A place is never left empty while a lane could use it.
        assert len(running) == 2 or all(name in running for name in idle)
    while running:
        queue.end(running.pop(0))
        while (found := queue.begin()) is not None:
            running.append(found[0])
            begun.setdefault(found[0], []).append(found[1])
    assert begun == added
    assert queue.waiting == 0


def test_a_lane_that_waits_for_a_place_gets_it_before_a_lane_that_had_one() -> None:
    queue: TurnQueue[str] = TurnQueue(WebSocketLimits(most_active=1))
    for lane, turn in [("a", "a1"), ("a", "a2"), ("b", "b1")]:
        queue.add(lane, turn, 1)
    order = []
    while (found := queue.begin()) is not None:
        order.append(found[1])
        queue.end(found[0])
    assert order == ["a1", "b1", "a2"]


def test_a_connection_has_so_many_names_besides_the_lane_without_one() -> None:
    queue: TurnQueue[int] = TurnQueue(WebSocketLimits(most_lanes=2))
    for lane in ("a", "b"):
        assert queue.knows(lane)
        queue.add(lane, 1, 1)
    assert not queue.knows("c")
    assert queue.knows("a")
    assert queue.knows(None)


def test_what_waits_is_bounded_by_number_and_by_size() -> None:
    queue: TurnQueue[int] = TurnQueue(WebSocketLimits(most_waiting=2, most_waiting_bytes=10))
    assert queue.has_room(1000)
    queue.add(None, 1, 8)
    assert queue.has_room(2)
    assert not queue.has_room(3)
    queue.add(None, 2, 1)
    assert not queue.has_room(0)
    assert queue.begin() == (None, 1)
    assert queue.has_room(9)
    assert queue.clear() == [None]
    assert queue.waiting == 0
    queue.end(None)
    assert queue.begin() is None
