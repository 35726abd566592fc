"""What routing adds to a call: `python -m tests.benchmarks.routing_choice`.

From the start of a call to its settlement, with nothing sent: choose, reserve, begin, answer,
settle; and what the keys of its prompt cache add, in routing and while a body is
read. Processor time, the best of several rounds: what else the machine does only adds.
"""

from collections.abc import Mapping
from random import Random
from time import process_time
from typing import Any

from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.prompt_cache_keys import AffinityKind, CacheKeys, PromptCacheKeys
from azure_responses.routing.route_request import AttemptStep, Outcome, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.store.memory import MemoryState
from tests.routing.fleet import deployment, fleet

__all__ = ["measure", "measure_keys"]

_CALLS = 2000
_ROUNDS = 7
_HEADERS: Mapping[str, str] = {
    "x-ratelimit-limit-tokens": "10000000",
    "x-ratelimit-remaining-tokens": "9000000",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9000",
}


_ROWS: Mapping[str, dict[str, Any]] = {
    "none": {},
    "rpm, tpm": {"rpm": 10**7, "tpm": 10**9},
    "none; a prompt cache": {"has_keys": True},
}

_KEYS = PromptCacheKeys(b"a secret of sixteen bytes")
_KINDS: frozenset[AffinityKind] = frozenset({"session_affinity", "prompt_caching"})
_LONG = "You answer for the office. " * 200
_TURNS = [{"role": "user", "content": _LONG[:600]}, {"role": "assistant", "content": _LONG}] * 50
_TOOLS = [
    {"type": "function", "name": f"tool_{number}", "description": _LONG[:500], "parameters": {}}
    for number in range(30)
]
_BODIES: Mapping[str, dict[str, Any]] = {
    "a short prompt": {"input": "Hello"},
    "prompt_cache_key": {"input": "Hello", "prompt_cache_key": "key"},
    "a long prompt": {"instructions": _LONG, "input": "Hello"},
    "an agent's prompt": {"tools": _TOOLS, "instructions": _LONG, "input": _TURNS},
}


def _call(
    routing: DeploymentRegistry,
    state: MemoryState,
    luck: Random,
    now: float,
    keys: CacheKeys | None,
) -> None:
    call = RoutedCall(routing, RouteRequest("gpt", 100, 100, cache=keys), now)
    step = call.next_step(now, luck.random())
    assert isinstance(step, AttemptStep)
    grant = state.reserve(step.candidates, now)
    call.reserved(grant, now)
    outcome = Outcome(_HEADERS, 150, 0.5, "completed")
    state.settle(call.answered(outcome, now + 0.5), now + 0.5)


def measure(count: int, strategy: str, *, has_keys: bool = False, **row: Any) -> float:
    """Microseconds per call with so many deployments, each with these limits."""
    keys = _read("prompt_cache_key") if has_keys else None
    routing = fleet(*(deployment(str(n), **row) for n in range(count)), strategy=strategy)
    state, luck, best, now = MemoryState(), Random(1), float("inf"), 0.0
    for _ in range(_ROUNDS):
        start = process_time()
        for _ in range(_CALLS):
            now += 0.01
            _call(routing, state, luck, now, keys)
        best = min(best, process_time() - start)
    return best / _CALLS * 1e6


def _read(name: str) -> CacheKeys | None:
    return _KEYS.of(_BODIES[name], _KINDS, group="gpt", owner="team", headers={"accept": "*/*"})


def measure_keys(name: str) -> float:
    """Microseconds to make the keys of a body."""
    best = float("inf")
    for _ in range(_ROUNDS):
        start = process_time()
        for _ in range(_CALLS):
            _read(name)
        best = min(best, process_time() - start)
    return best / _CALLS * 1e6


def main() -> None:
    """Print a table."""
    print("| strategy | limits | 2 deployments | 100 deployments | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for strategy in ("weighted", "least-busy", "latency", "headroom"):
        for name, row in _ROWS.items():
            few, many = (measure(count, strategy, **row) for count in (2, 100))
            print(f"| {strategy} | {name} | {few:.1f} us | {many:.1f} us | {many / few:.2f} |")

    print("\n| the keys of | |\n| --- | --- |")
    for name in _BODIES:
        print(f"| {name} | {measure_keys(name):.1f} us |")


if __name__ == "__main__":
    main()
