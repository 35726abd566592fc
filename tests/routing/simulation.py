"""The strategies against a model of Azure deployments, in virtual time: seeded, nothing is called.

`python -m tests.routing.simulation [calls]` prints, per strategy: the share of the calls each
deployment served, 429s and other wasted attempts, latency, calls that failed, and how much of the
provisioned deployment was used. Round robin and LiteLLM's simple shuffle (restated from
router_strategy/simple_shuffle.py of 1.106.2) are there to compare with.

The model is ours and simple. A standard deployment takes what fits into its tokens and requests of
the last minute and says what is left; a provisioned one (Microsoft Learn, "Provisioned throughput")
is a bucket that drains at its capacity, refuses what comes while it is over the brim, and reports
its utilisation.
"""

import heapq
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random

from azure_responses.errors import (
    AzureResponsesError,
    CredentialError,
    InternalServerError,
    RateLimitError,
)
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import Outcome, RouteRequest, WaitStep
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.settings import read_settings
from azure_responses.routing.strategies import Strategy
from tests.routing.fleet import deployment, store_of

__all__ = [
    "BAD_CREDENTIAL",
    "OTHERS",
    "PAY_AS_YOU_GO",
    "PTU_FIRST",
    "Refused",
    "Result",
    "Scenario",
    "Service",
    "Site",
    "World",
    "simulate",
]

_OURS: tuple[Strategy, ...] = ("weighted", "least-busy", "latency", "headroom")
OTHERS = ("round robin", "LiteLLM simple-shuffle")
_PATIENCE = 60.0
_COOLDOWN = 30.0
_REFUSAL_TIME = 0.02
_TOKEN_TIME = 0.3


@dataclass(frozen=True)
class Site:
    """One deployment of a scenario; `capacity` is tokens a minute.

    Where `gives_token` is False its credential fails after a while, and nothing is sent.
    """

    row: Deployment
    capacity: int
    requests: int
    speed: float
    is_provisioned: bool = False
    gives_token: bool = True


@dataclass(frozen=True)
class Scenario:
    """Deployments, and calls that come at `rate` a second with about `tokens` each."""

    name: str
    sites: Sequence[Site]
    rate: float
    tokens: int = 1500


def _site(name: str, weight: float, order: int, capacity: int, speed: float, ptu: bool) -> Site:
    row = deployment(name, weight=weight, order=order)
    return Site(row, capacity, capacity // 400, speed, ptu)


PTU_FIRST = Scenario(
    "A provisioned deployment first, two standard ones for what it cannot take",
    (
        _site("ptu", 1.0, 1, 600_000, 0.6, True),
        _site("east", 1.0, 2, 600_000, 1.0, False),
        _site("west", 1.0, 2, 300_000, 1.2, False),
    ),
    rate=9.0,
)
PAY_AS_YOU_GO = Scenario(
    "Three standard deployments weighted by their limits, up to 97 % of which is asked for",
    (
        _site("small", 1.0, 1, 200_000, 1.4, False),
        _site("medium", 2.0, 1, 400_000, 1.0, False),
        _site("large", 3.0, 1, 600_000, 0.8, False),
    ),
    rate=8.3,
)


BAD_CREDENTIAL = Scenario(
    "Two standard deployments, one of which has a credential that gives no token",
    (
        Site(deployment("bad"), 1_200_000, 3000, 1.0, gives_token=False),
        Site(deployment("good"), 1_200_000, 3000, 1.0),
    ),
    rate=5.0,
)


class Refused(Exception):
    """The service says 429, and when to come back."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Service:
    """The service's side of one deployment."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.served_tokens = 0
        self.refusals = 0
        self.served = 0
        self._level = 0.0
        self._at = 0.0
        self._minute: deque[tuple[float, int]] = deque()
        self._taken = 0

    def admit(self, tokens: int, now: float) -> dict[str, str]:
        """Take a call, with the headers of its reply; or refuse it, with the time to wait."""
        try:
            return self._pour(tokens, now) if self.site.is_provisioned else self._count(tokens, now)
        except Refused:
            self.refusals += 1
            raise

    def correct(self, estimate: int, used: int, now: float) -> dict[str, str]:
        """The answer is complete."""
        self.served += 1
        self.served_tokens += used
        if not self.site.is_provisioned:
            return {}
        self._drain(now)
        self._level = max(0.0, self._level + used - estimate)
        share = 100 * self._level / self.site.capacity
        return {"azure-openai-deployment-utilization": f"{share:.1f}%"}

    def _pour(self, tokens: int, now: float) -> dict[str, str]:
        self._drain(now)
        over = self._level - self.site.capacity
        if over > 0:
            raise Refused(over * 60.0 / self.site.capacity)
        self._level += tokens
        return {}

    def _drain(self, now: float) -> None:
        self._level = max(0.0, self._level - (now - self._at) * self.site.capacity / 60.0)
        self._at = now

    def _count(self, tokens: int, now: float) -> dict[str, str]:
        while self._minute and self._minute[0][0] <= now - 60.0:
            self._taken -= self._minute.popleft()[1]
        site = self.site
        if self._taken + tokens > site.capacity or len(self._minute) >= site.requests:
            raise Refused(self._minute[0][0] + 60.0 - now)
        self._minute.append((now, tokens))
        self._taken += tokens
        return {
            "x-ratelimit-limit-tokens": str(site.capacity),
            "x-ratelimit-remaining-tokens": str(site.capacity - self._taken),
            "x-ratelimit-limit-requests": str(site.requests),
            "x-ratelimit-remaining-requests": str(site.requests - len(self._minute)),
        }


@dataclass
class Result:
    """What one run came to."""

    name: str
    scenario: Scenario
    services: dict[str, Service]
    calls: int = 0
    failed: int = 0
    wasted: int = 0
    errors: int = 0
    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def refusals(self) -> int:
        """429s of the service."""
        return sum(service.refusals for service in self.services.values())

    def share(self, name: str) -> float:
        """Of the calls served."""
        return self.services[name].served / max(1, len(self.took))

    def utilisation(self, name: str) -> float:
        """Tokens served, of those the deployment could have."""
        service = self.services[name]
        return service.served_tokens / (service.site.capacity * self.seconds / 60.0)

    def percentile(self, part: float) -> float:
        """Seconds to the end of a call, retries and waits included."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


class World:
    """The clock, the services, and what happens next."""

    def __init__(self, sites: Sequence[Site], seed: int) -> None:
        self.luck = Random(seed)
        self.now = 0.0
        self.services = {site.row.id: Service(site) for site in sites}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, happening: Callable[[], None]) -> None:
        """Let something happen."""
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, happening))

    def run(self) -> None:
        """Until nothing is left to happen."""
        while self._events:
            self.now, _, happening = heapq.heappop(self._events)
            happening()


@dataclass
class _Job:
    """One caller's call: how large it is, and what came of it."""

    started: float
    input_tokens: int
    limit: int
    used: int
    think: float
    breaks: bool


_Done = Callable[[float, "dict[str, str] | AzureResponsesError"], None]


def _attempt(world: World, service: Service, job: _Job, done: _Done) -> None:
    """Call a deployment; `done` is told the seconds it took, and headers or the error."""
    estimate = job.input_tokens + job.limit
    if not service.site.gives_token:
        failure = CredentialError("no token")
        world.after(_TOKEN_TIME, lambda: done(_TOKEN_TIME, failure))
        return
    try:
        headers = service.admit(estimate, world.now)
    except Refused as refusal:
        error = RateLimitError("429", status_code=429, retry_after=max(refusal.seconds, 0.001))
        world.after(_REFUSAL_TIME, lambda: done(_REFUSAL_TIME, error))
        return
    seconds = job.think * service.site.speed

    def finish() -> None:
        if job.breaks:
            job.breaks = False
            done(seconds, InternalServerError("500", status_code=500))
            return
        done(seconds, headers | service.correct(estimate, job.used, world.now))

    world.after(seconds, finish)


class _OurCaller:
    """Calls as the router's shells do."""

    def __init__(self, world: World, result: Result, routing: DeploymentRegistry) -> None:
        self.world, self.result, self.routing = world, result, routing

    def place(self, job: _Job) -> None:
        """Begin a call."""
        world = self.world
        asked = RouteRequest("gpt", job.input_tokens, job.limit, deadline=world.now + _PATIENCE)
        call = RoutedCall(self.routing, asked, world.now)

        def step() -> None:
            try:
                following = call.next_step(world.now, world.luck.random())
            except AzureResponsesError:
                self.result.failed += 1
                return
            if isinstance(following, WaitStep):
                world.after(following.seconds, step)
                return
            reservation = store_of(self.routing).reserve(following.candidates, world.now)
            assert reservation.candidate is not None
            call.reserved(reservation, world.now)
            _attempt(world, world.services[reservation.candidate.deployment.id], job, done)

        def done(seconds: float, reply: dict[str, str] | AzureResponsesError) -> None:
            if isinstance(reply, AzureResponsesError):
                self.result.wasted += 1
                store_of(self.routing).settle(call.failed(reply, world.now), world.now)
                step()
                return
            outcome = Outcome(reply, job.used, seconds, "completed")
            store_of(self.routing).settle(call.answered(outcome, world.now), world.now)
            self.result.took.append(world.now - job.started)

        step()


class _OtherCaller:
    """Round robin without memory, or LiteLLM's shuffle with its cooldowns; two retries each."""

    def __init__(self, world: World, result: Result, is_shuffle: bool) -> None:
        self.world, self.result, self.is_shuffle = world, result, is_shuffle
        self._turn = 0
        self._until: Counter[str] = Counter()

    def place(self, job: _Job, retries: int = 2) -> None:
        """Begin a call, or try again."""
        service = self._shuffle() if self.is_shuffle else self._next()
        if service is None:
            self.result.failed += 1
            return

        def done(_: float, reply: dict[str, str] | AzureResponsesError) -> None:
            if not isinstance(reply, AzureResponsesError):
                self.result.took.append(self.world.now - job.started)
                return
            self.result.wasted += 1
            self._cool_down(service.site.row.id, reply)
            if retries:
                self.place(job, retries - 1)
            else:
                self.result.failed += 1

        _attempt(self.world, service, job, done)

    def _next(self) -> Service:
        self._turn += 1
        services = list(self.world.services.values())
        return services[self._turn % len(services)]

    def _shuffle(self) -> Service | None:
        """Of the healthy ones of the lowest order, one by weight."""
        now = self.world.now
        healthy = [s for s in self.world.services.values() if self._until[s.site.row.id] <= now]
        if not healthy:
            return None
        first = min(service.site.row.order for service in healthy)
        rows = [service for service in healthy if service.site.row.order == first]
        return self.world.luck.choices(rows, [s.site.row.weight for s in rows])[0]

    def _cool_down(self, name: str, error: AzureResponsesError) -> None:
        # LiteLLM reads retry-after in whole seconds, which Azure sends rounded up, and counts
        # failures of other kinds as a share of the minute's calls: too few of them here.
        if isinstance(error, RateLimitError):
            seconds = ceil(error.retry_after or _COOLDOWN)
            self._until[name] = int(self.world.now + seconds)


def simulate(scenario: Scenario, name: str, calls: int, seed: int = 1) -> Result:
    """Run one strategy, or one of `OTHERS`, over so many calls."""
    world = World(scenario.sites, seed)
    result = Result(name, scenario, world.services, calls)
    caller: _OurCaller | _OtherCaller
    if name in OTHERS:
        caller = _OtherCaller(world, result, is_shuffle=name != OTHERS[0])
    else:
        settings = read_settings({"strategy": name, "cooldown_time": _COOLDOWN})
        caller = _OurCaller(
            world, result, DeploymentRegistry([s.row for s in scenario.sites], settings)
        )
    arrivals = Random(seed + 1)

    def arrive(left: int) -> None:
        caller.place(_job(arrivals, scenario, world.now))
        # The rate swings by three tenths within ten minutes.
        swing = 1.3 if world.now % 600 < 300 else 0.7
        if left > 1:
            world.after(arrivals.expovariate(scenario.rate * swing), lambda: arrive(left - 1))
        else:
            result.seconds = world.now

    arrive(calls)
    world.run()
    return result


def _job(luck: Random, scenario: Scenario, now: float) -> _Job:
    input_tokens = int(scenario.tokens * luck.uniform(0.3, 1.1))
    output = int(scenario.tokens * luck.uniform(0.1, 0.5))
    think = 0.4 + output * 0.012 * luck.lognormvariate(0.0, 0.3)
    limit = int(scenario.tokens * 0.5)
    return _Job(now, input_tokens, limit, input_tokens + output, think, luck.random() < 0.003)


def table(scenario: Scenario, calls: int) -> str:
    """All strategies over one scenario."""
    names = [site.row.id for site in scenario.sites]
    total = sum(site.row.weight for site in scenario.sites)
    heads = [f"{site.row.id} ({site.row.weight / total:.0%})" for site in scenario.sites]
    columns = ["strategy", *heads, "429s", "wasted", "failed", "p50 s", "p99 s", f"{names[0]} used"]
    rows = [_cells(simulate(scenario, name, calls), names) for name in (*_OURS, *OTHERS)]
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join([f"{scenario.name} ({calls} calls)", "", *map(_line, lines), ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(result: Result, names: Sequence[str]) -> list[str]:
    return [
        result.name,
        *(f"{result.share(name):.1%}" for name in names),
        *(f"{n / result.calls:.2%}" for n in (result.refusals, result.wasted, result.failed)),
        f"{result.percentile(0.5):.2f}",
        f"{result.percentile(0.99):.2f}",
        f"{result.utilisation(names[0]):.1%}",
    ]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for each in (PAY_AS_YOU_GO, PTU_FIRST, BAD_CREDENTIAL):
        print(table(each, count))
