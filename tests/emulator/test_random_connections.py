"""Random creates, forks and steers on one connection: nothing is lost, doubled or out of order."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure_responses.emulator import Emulator, Latency, WebSocketMode
from tests.emulator.connections import ENDS, Connection, open_connection

_LANES = st.sampled_from([None, "a", "b", "c"])
_CREATE = st.tuples(st.just("create"), _LANES, st.integers(0, 9), st.booleans())
_STEER = st.tuples(st.just("steer"), st.none(), st.sampled_from([0, 0, 3, 1, 2]), st.booleans())


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    latency = Latency(first_token=0.005, tokens_per_second=2000)
    made = Emulator(websocket=WebSocketMode(lanes=True), latency=latency)
    yield made
    made.close()


class Walk:
    """What was sent on a connection, and what came back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.creates = self.steers = 0
        self.frames: list[dict[str, Any]] = []
        self.known: list[str] = []

    def perform(self, kind: str, lane: str | None, index: int, is_stored: bool) -> None:
        previous = self.known[-1 - index % 3] if index % 3 < len(self.known) else None
        if kind == "steer":
            self.steers += 1
            self.connection.send(
                type="response.steer", previous_response_id=previous or "resp_none", input="More"
            )
        else:
            self.creates += 1
            where = {} if lane is None else {"stream_id": lane}
            self.connection.begin(
                model="gpt-6",
                input="[[azure:length:60]]",
                store=is_stored,
                previous_response_id=previous,
                **where,
            )
        # Some of what comes back is read in between, as far as it is there.
        with contextlib.suppress(TimeoutError):
            for _ in range(index):
                self.take(0.02)

    def take(self, timeout: float = 5.0) -> None:
        frame = self.connection.receive(timeout)
        self.frames.append(frame)
        if frame["type"] == "response.created":
            self.known.append(frame["response"]["id"])

    def count(self, *kinds: str) -> int:
        return sum(frame["type"] in kinds for frame in self.frames)

    def is_settled(self) -> bool:
        """Every create has its end, every steer its answer, and every successor its end."""
        steers = self.count("response.steer.accepted", "response.steer.failed")
        ended = self.count(*ENDS)
        steered = {
            frame["steer"]["previous_response_id"]
            for frame in self.frames
            if frame["type"] == "response.steer.accepted"
        }
        return steers >= self.steers and ended >= self.creates + len(steered)


@given(steps=st.lists(_CREATE | _STEER, min_size=3, max_size=12))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_is_lost_or_doubled(emulator: Emulator, steps: list[Any]) -> None:
    with open_connection(emulator) as connection:
        walk = Walk(connection)
        for step in steps:
            walk.perform(*step)
        deadline = time.monotonic() + 20
        while not walk.is_settled():
            assert time.monotonic() < deadline
            walk.take()
        with pytest.raises(TimeoutError):
            connection.receive(timeout=0.02)
    _check(walk.frames)


def _check(frames: list[dict[str, Any]]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    active: dict[str | None, str] = {}
    for frame in frames:
        kind, lane = frame["type"], frame.get("stream_id")
        if kind == "response.created":
            # One lane makes one response at a time.
            assert lane not in active
            active[lane] = frame["response"]["id"]
        if kind == "error" or (kind == "response.steer.failed" and not frame["sequence_number"]):
            continue
        numbers[active[lane]].append(frame["sequence_number"])
        if kind in ENDS:
            assert frame["response"]["id"] == active.pop(lane)
    for counted in numbers.values():
        assert counted == list(range(len(counted)))
