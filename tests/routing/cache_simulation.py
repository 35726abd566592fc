"""What the affinity of prompt caches saves, and what it costs in balance, in virtual time.

`python -m tests.routing.cache_simulation` prints, with and without affinity: the share of input
tokens that came from a cache, the seconds to an answer, the share of the busiest deployment, and
429s.

The model of a cache is that of Microsoft Learn ("Prompt caching"): a resource has the beginnings of
the prompts that it has read within the last minutes, from 1,024 tokens on. How long reading takes
is ours: 20,000 tokens a second, and ten times as many from the cache.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from azure_responses.errors import AzureResponsesError, RateLimitError
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.prompt_cache_keys import CacheKeys, PromptCacheKeys
from azure_responses.routing.route_request import Outcome, RouteRequest, WaitStep
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import read_settings
from tests.routing.fleet import deployment, store_of
from tests.routing.simulation import Refused, Service, Site, World

__all__ = ["AGENTS", "CHATS", "ONE_PROMPT", "RARE", "TIGHT", "Figures", "Workload", "converse"]

_LIFE = 450.0
_LEAST = 1024
_PER_TOKEN, _PER_CACHED = 1 / 20_000, 1 / 200_000
_KEYS = PromptCacheKeys(b"a secret of sixteen bytes")


@dataclass(frozen=True)
class Workload:
    """Conversations that begin one after another.

    Attributes:
        deployments: how many, each of which takes `capacity` tokens a minute.
        conversations, begin: how many, and seconds between their beginnings.
        turns: of each.
        shared: tokens of tools and instructions, the same for all.
        grows: tokens that a turn adds.
        pause: seconds from an answer to the next question, on average.
        is_named: callers name their session; else how a conversation begins tells.
    """

    name: str
    deployments: int
    conversations: int
    begin: float
    turns: int
    shared: int
    grows: int
    pause: float
    capacity: int = 20_000_000
    is_named: bool = False


CHATS = Workload("Chats of 20 turns over 2 resources", 2, 300, 6.0, 20, 2000, 600, 30.0)
TIGHT = replace(
    CHATS,
    name="The same chats, where both resources are at their limits for a while",
    capacity=900_000,
)
AGENTS = Workload(
    "Agents that call 60 times over 4 resources", 4, 40, 20.0, 60, 15_000, 900, 3.0, is_named=True
)
RARE = Workload("One agent, now and then, over 40 resources", 40, 1, 1.0, 200, 8000, 400, 100.0)
ONE_PROMPT = Workload(
    "Single calls with the same 4,000 tokens in front, 5 a second, over 3 resources",
    3, 3000, 0.2, 1, 4000, 300, 1.0,
)  # fmt: skip


@dataclass
class Figures:
    """What it came to."""

    read: int = 0
    cached: int = 0
    refused: int = 0
    served: dict[str, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    @property
    def hits(self) -> float:
        """Of the input tokens, those that came from a cache."""
        return self.cached / self.read

    @property
    def busiest(self) -> float:
        """The share of the deployment with the most calls."""
        return max(self.served.values()) / sum(self.served.values())

    def percentile(self, part: float) -> float:
        """Seconds from a question to its answer."""
        return sorted(self.took)[int(part * (len(self.took) - 1))]


class _Caches:
    """What the resources have in their caches: name → tokens, and until when."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, float]] = {}

    def read(self, place: str, names: dict[str, int], now: float) -> int:
        """How many tokens of a prompt are in the cache; it is read, and so is in it afterwards."""
        found = 0
        for name, tokens in names.items():
            size, until = self._known.get((place, name), (0, 0.0))
            if until > now and size >= _LEAST:
                found = max(found, min(size, tokens))
            self._known[place, name] = (tokens, now + _LIFE)
        return found


class _Conversation:
    """One conversation: asks, waits for the answer, pauses, asks again."""

    def __init__(self, run: "_Run", number: int) -> None:
        self.run, self.name, self.turn = run, f"conversation {number}", 0
        self.keys = _keys(self.name, run.workload.is_named) if run.has_affinity else None

    def ask(self) -> None:
        """The next question."""
        run, load = self.run, self.run.workload
        self.turn += 1
        self.asked = run.world.now
        self.tokens = load.shared + load.grows * self.turn
        asked = RouteRequest("gpt", self.tokens, 300, cache=self.keys)
        self.call = RoutedCall(run.registry, asked, run.world.now)
        self._step()

    def _step(self) -> None:
        world, registry = self.run.world, self.run.registry
        step = self.call.next_step(world.now, world.luck.random())
        if isinstance(step, WaitStep):
            world.after(step.seconds, self._step)
            return
        reservation = store_of(registry).reserve(step.candidates, world.now)
        assert reservation.candidate is not None
        self.call.reserved(reservation, world.now)
        self._attempt(world.services[reservation.candidate.deployment.id])

    def _attempt(self, service: Service) -> None:
        run, load = self.run, self.run.workload
        world, place = run.world, service.site.row.id
        try:
            headers = service.admit(self.tokens + 300, world.now)
        except Refused as refusal:
            run.figures.refused += 1
            self._refused(RateLimitError("429", status_code=429, retry_after=refusal.seconds))
            return
        hit = run.caches.read(place, {"shared": load.shared, self.name: self.tokens}, world.now)
        seconds = 0.4 + (self.tokens - hit) * _PER_TOKEN + hit * _PER_CACHED + 300 * 0.01
        run.figures.read += self.tokens
        run.figures.cached += hit
        run.figures.served[place] = run.figures.served.get(place, 0) + 1
        world.after(seconds, lambda: self._answered(headers, seconds))

    def _refused(self, error: AzureResponsesError) -> None:
        now = self.run.world.now
        store_of(self.run.registry).settle(self.call.failed(error, now), now)
        self._step()

    def _answered(self, headers: dict[str, str], seconds: float) -> None:
        run, now = self.run, self.run.world.now
        outcome = Outcome(headers, self.tokens + 300, seconds, "completed")
        store_of(run.registry).settle(self.call.answered(outcome, now), now)
        run.figures.took.append(now - self.asked)
        if self.turn < run.workload.turns:
            run.world.after(run.world.luck.expovariate(1 / run.workload.pause), self.ask)


class _Run:
    """All conversations over one registry."""

    def __init__(self, workload: Workload, strategy: str, *, has_affinity: bool) -> None:
        rows = [deployment(f"d{number}") for number in range(workload.deployments)]
        sites = [Site(row, workload.capacity, workload.capacity // 400, 1.0) for row in rows]
        settings = read_settings({"strategy": strategy, "timeout": None})
        self.workload, self.has_affinity = workload, has_affinity
        self.world = World(sites, seed=3)
        self.registry = DeploymentRegistry(rows, settings)
        self.caches, self.figures = _Caches(), Figures()


@cache
def converse(workload: Workload, strategy: str = "weighted", *, has_affinity: bool) -> Figures:
    """Have all conversations of a workload; the same arguments give the same figures."""
    run = _Run(workload, strategy, has_affinity=has_affinity)
    for number in range(workload.conversations):
        run.world.after(number * workload.begin, _Conversation(run, number).ask)
    run.world.run()
    return run.figures


def _keys(name: str, is_named: bool) -> CacheKeys | None:
    policy = "You answer for the office. " * 200
    body = {"instructions": policy, "input": [{"role": "user", "content": name}]}
    named = {"metadata": {"session_id": name}} if is_named else {}
    kinds = read_settings({}).affinity_of("gpt")
    return _KEYS.of({**body, **named}, kinds, group="gpt")


def _rows(workload: Workload, strategies: tuple[str, ...]) -> list[str]:
    lines = []
    for strategy in strategies:
        for has_affinity in (False, True):
            figures = converse(workload, strategy, has_affinity=has_affinity)
            lines.append(
                f"| {strategy} | {'with' if has_affinity else 'without'} | {figures.hits:.1%} "
                f"| {figures.percentile(0.5):.2f} | {figures.percentile(0.95):.2f} "
                f"| {figures.busiest:.1%} | {figures.refused} |"
            )
    return lines


def main(show: Callable[[str], None] = print) -> None:
    """Print a table for each workload."""
    for workload in (CHATS, TIGHT, AGENTS, RARE, ONE_PROMPT):
        show(f"{workload.name}\n")
        show("| strategy | affinity | from the cache | p50 s | p95 s | busiest | 429s |")
        show("|---|---|---|---|---|---|---|")
        for line in _rows(workload, ("weighted", "least-busy", "latency", "headroom")):
            show(line)
        show("")


if __name__ == "__main__":
    main()
