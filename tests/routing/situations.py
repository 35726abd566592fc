"""Situations in which one caller's trouble must not become another's, in virtual time.

`python -m tests.routing.situations` prints for each: the calls that were refused though they could
have been served, the longest time to an answer among the others, and how long a caller waits who
had nothing to do with it and comes last.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

from azure_responses.errors import APITimeoutError, AzureResponsesError, RateLimitError
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import Outcome, RouteRequest, WaitStep
from azure_responses.routing.routed_call import RoutedCall
from tests.routing.fleet import deployment, fleet, store_of

__all__ = ["SITUATIONS", "Figures", "Situation", "play"]

Reply = tuple[float, Outcome | AzureResponsesError]
"""The seconds an attempt takes, and what it comes to then."""


@dataclass(frozen=True)
class Situation:
    """Callers who come at the seconds given, and a bystander.

    Attributes:
        service: told the time, what a deployment answers to an attempt.
        asked: what the callers ask; `patience` is the timeout that each chose, or None.
        bystander: when somebody comes who chose no timeout, or None.
    """

    name: str
    routing: Callable[[], DeploymentRegistry]
    service: Callable[[float], Reply]
    arrivals: tuple[float, ...]
    asked: RouteRequest
    patience: float | None = None
    bystander: float | None = None


@dataclass
class Figures:
    """What it came to, in seconds; `refused` are calls."""

    refused: int = 0
    took: list[float] = field(default_factory=list)
    bystander: float | None = None

    @property
    def longest(self) -> float:
        """The longest time to an answer."""
        return max(self.took, default=0.0)


class _Stage:
    def __init__(self, situation: Situation, seed: int) -> None:
        self.situation = situation
        self.routing = situation.routing()
        self.luck = Random(seed)
        self.now = 0.0
        self.figures = Figures()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, happening: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, happening))

    def run(self) -> None:
        while self._events:
            self.now, _, happening = heapq.heappop(self._events)
            happening()

    def call(self, asked: RouteRequest, done: Callable[[bool, float], None]) -> None:
        """Make a call as a shell does; `done` is told whether it was answered, and how late."""
        began, store = self.now, store_of(self.routing)
        call = RoutedCall(self.routing, asked, began)

        def step() -> None:
            try:
                following = call.next_step(self.now, self.luck.random())
            except AzureResponsesError:
                done(False, self.now - began)
                return
            if isinstance(following, WaitStep):
                self.at(self.now + following.seconds, step)
                return
            reservation = store.reserve(following.candidates, self.now)
            if reservation.candidate is None:
                call.refused(reservation, self.now)
                step()
                return
            call.reserved(reservation, self.now)
            allowed = call.attempt_timeout(self.now) or inf
            seconds, reply = self.situation.service(self.now)
            if seconds > allowed:
                seconds, reply = allowed, APITimeoutError("late")
            self.at(self.now + seconds, lambda: end(reply))

        def end(reply: Outcome | AzureResponsesError) -> None:
            if isinstance(reply, AzureResponsesError):
                store.settle(call.failed(reply, self.now), self.now)
                step()
                return
            store.settle(call.answered(reply, self.now), self.now)
            done(True, self.now - began)

        step()


def play(situation: Situation, seed: int = 1) -> Figures:
    """Let it happen."""
    stage = _Stage(situation, seed)
    figures = stage.figures

    def arrive() -> None:
        # A caller who chose no timeout leaves it to the router's.
        patience = situation.patience
        deadline = None if patience is None else stage.now + patience
        stage.call(situation.asked._replace(deadline=deadline), note)

    def note(is_answered: bool, seconds: float) -> None:
        if is_answered:
            figures.took.append(seconds)
        else:
            figures.refused += 1

    def watch(_: bool, seconds: float) -> None:
        figures.bystander = seconds

    for when in situation.arrivals:
        stage.at(when, arrive)
    if situation.bystander is not None:
        stage.at(situation.bystander, lambda: stage.call(RouteRequest("gpt", 5, 10), watch))
    stage.run()
    return figures


def _slow(_: float) -> Reply:
    return 1.8, Outcome(tokens=15)


def _hanging_at_first(now: float) -> Reply:
    return (1e9, Outcome()) if now < 6.5 else (0.5, Outcome(tokens=15))


def _small(_: float) -> Reply:
    return 0.5, _small_answer


def _busy_until_twelve(now: float) -> Reply:
    if now < 12.0:
        return 0.02, RateLimitError("429", status_code=429, retry_after=12.0 - now)
    return 0.5, Outcome(tokens=15)


# So that the figures of earlier commits can be had, whose outcomes and asks say less.
_known: dict[str, Any] = {"output_tokens": 10} if "output_tokens" in Outcome._fields else {}
_small_answer = Outcome(tokens=15, **_known)
_open: dict[str, Any] = {"is_output_open": True} if "is_output_open" in RouteRequest._fields else {}

HURRIED = Situation(
    "Three callers in a hurry (1.5 s) on a slow, healthy row; a fourth who chose nothing",
    lambda: fleet("a"),
    _slow,
    (0.0, 0.1, 0.2),
    RouteRequest("gpt", 5, 10),
    patience=1.5,
    bystander=2.0,
)
ONE_SLOW_CALL = Situation(
    "One call on a row with timeout: 2 that hangs for 6.5 s; another call",
    lambda: fleet(deployment("a", timeout=2.0)),
    _hanging_at_first,
    (0.0,),
    RouteRequest("gpt", 5, 10),
    patience=6.0,
    bystander=7.0,
)
SMALL_CALLS = Situation(
    "Ten calls of 15 tokens at once on a row with tpm: 2000, none with a limit of its own",
    lambda: fleet(deployment("a", tpm=2000)),
    _small,
    (0.0,) * 10,
    RouteRequest("gpt", 5, 1000, **_open),
    patience=30.0,
    bystander=3.0,
)
SHARED_QUOTA = Situation(
    "Ten calls, one a second, on three rows that share one quota, which is used up for 12 s",
    lambda: fleet(*(deployment(name, resource="one") for name in "abc")),
    _busy_until_twelve,
    tuple(float(second) for second in range(10)),
    RouteRequest("gpt", 5, 10),
    patience=60.0,
    bystander=13.0,
)
SITUATIONS = (HURRIED, ONE_SLOW_CALL, SMALL_CALLS, SHARED_QUOTA)


def _print() -> None:
    print("| situation | refused | longest answer s | bystander waits s |\n|---|---|---|---|")
    for situation in SITUATIONS:
        found = play(situation)
        waits = "–" if found.bystander is None else f"{found.bystander:.1f}"
        print(f"| {situation.name} | {found.refused} | {found.longest:.1f} | {waits} |")


if __name__ == "__main__":
    _print()
