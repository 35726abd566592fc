"""What routing adds to a call: `python -m tests.benchmarks.routing_choice`.

From the start of a call to its settlement, with nothing sent: choose, reserve, begin, answer,
settle. Processor time, the best of several rounds: what else the machine does only adds.
"""

from collections.abc import Mapping
from random import Random
from time import process_time
from typing import Any

from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import AttemptStep, Outcome, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.store.memory import MemoryState
from tests.routing.fleet import deployment, fleet

__all__ = ["measure"]

_CALLS = 2000
_ROUNDS = 7
_HEADERS: Mapping[str, str] = {
    "x-ratelimit-limit-tokens": "10000000",
    "x-ratelimit-remaining-tokens": "9000000",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9000",
}


def _call(routing: DeploymentRegistry, state: MemoryState, luck: Random, now: float) -> None:
    call = RoutedCall(routing, RouteRequest("gpt", 100, 100), now)
    step = call.next_step(now, luck.random())
    assert isinstance(step, AttemptStep)
    grant = state.reserve(step.candidates, now)
    call.reserved(grant, now)
    outcome = Outcome(_HEADERS, 150, 0.5, "completed")
    state.settle(call.answered(outcome, now + 0.5), now + 0.5)


def measure(count: int, strategy: str, **row: Any) -> float:
    """Microseconds per call with so many deployments, each with these limits."""
    routing = fleet(*(deployment(str(n), **row) for n in range(count)), strategy=strategy)
    state, luck, best, now = MemoryState(), Random(1), float("inf"), 0.0
    for _ in range(_ROUNDS):
        start = process_time()
        for _ in range(_CALLS):
            now += 0.01
            _call(routing, state, luck, now)
        best = min(best, process_time() - start)
    return best / _CALLS * 1e6


def main() -> None:
    """Print a table."""
    print("| strategy | limits | 2 deployments | 100 deployments | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for strategy in ("weighted", "least-busy", "latency", "headroom"):
        for name, row in (("none", {}), ("rpm, tpm", {"rpm": 10**7, "tpm": 10**9})):
            few, many = (measure(count, strategy, **row) for count in (2, 100))
            print(f"| {strategy} | {name} | {few:.1f} us | {many:.1f} us | {many / few:.2f} |")


if __name__ == "__main__":
    main()
