"""Which of several deployments first: one class per strategy, and all that differs between them.

Each takes the deployments of one priority group that could serve, what is known of them, and a
chance; each gives them in order of preference. A new one is a class here, a name in `Strategy` and
an entry in `STRATEGIES`. None looks at more than `MOST_CANDIDATES` of a large
group: those are drawn by weight, and the best of eight drawn is nearly the best of all, while the
cost of a choice stays the same however many deployments there are. Drawing also keeps replicas
that know the same from all choosing the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from math import log
from typing import ClassVar, Literal, Protocol

from azure_responses.routing.deployment import Deployment, Group, Tier, chances, other_chances
from azure_responses.routing.quota import Headroom
from azure_responses.routing.route_request import RouteRequest

__all__ = [
    "MOST_CANDIDATES",
    "STRATEGIES",
    "STRATEGY_ALIASES",
    "IsFree",
    "Load",
    "Strategy",
    "StrategyName",
    "choose",
    "draw",
]

MOST_CANDIDATES = 8

Strategy = Literal["weighted", "least-busy", "latency", "headroom"]
# The strategies, and what LiteLLM calls them (router.py of 1.106.2).
StrategyName = (
    Strategy
    | Literal[
        "simple-shuffle",
        "latency-based-routing",
        "usage-based-routing",
        "usage-based-routing-v2",
    ]
)

IsFree = Callable[[Deployment], bool]


class Load(Protocol):
    """What a strategy looks at of one deployment."""

    @property
    def in_flight(self) -> int:
        """Attempts under way."""

    @property
    def headroom(self) -> Headroom:
        """What it has left this minute."""

    def latency(self, now: float, *, is_stream: bool) -> float | None:
        """Seconds it lately took; None when that is not known."""


Loads = Mapping[str, Load]


def choose(
    strategy: Strategy,
    group: Group,
    loads: Loads,
    request: RouteRequest,
    now: float,
    jitter: float,
    is_free: IsFree | None,
) -> list[Deployment]:
    """The deployments to try, the best first: lowest `order`, then by strategy.

    One suffices where nothing can be full; with limits there are up to `MOST_CANDIDATES`, so that a
    full deployment spills over to the next, and to the next `order`, without asking again.
    """
    count = MOST_CANDIDATES if group.has_limits else 1
    rules = STRATEGIES[strategy]
    chosen: list[Deployment] = []
    for tier in group.tiers:
        chosen += rules.draw(tier, count - len(chosen), loads, request, now, jitter, is_free)
        if len(chosen) >= count:
            return chosen[:count]
    if chosen or not rules.needs_headroom:
        return chosen
    # By their headers all would refuse; headers may be wrong, and only asking will tell.
    drawn = (draw(tier, jitter, count, is_free) for tier in group.tiers)
    return next((deployments for deployments in drawn if deployments), [])


def draw(tier: Tier, jitter: float, count: int, is_free: IsFree | None) -> list[Deployment]:
    """Up to `count` free deployments, each next one drawn by weight from those left.

    The whole of "weighted": O(log n) while most of the tier is free.
    """
    if count == 1 and is_free is None:
        return [tier.at(jitter)]
    chosen: dict[str, Deployment] = {}
    luck = chances(jitter)
    if count < len(tier.deployments):
        for chance in islice(luck, 2 * count + 2):
            deployment = tier.at(chance)
            if deployment.id not in chosen and (is_free is None or is_free(deployment)):
                chosen[deployment.id] = deployment
                if len(chosen) == count:
                    return list(chosen.values())
    left = [d for d in tier.deployments if d.id not in chosen and (not is_free or is_free(d))]
    return [*chosen.values(), *_shuffled(left, luck)][:count]


def _shuffled(deployments: Sequence[Deployment], luck: Iterator[float]) -> list[Deployment]:
    """All of them, the heavier the earlier: a race of exponential clocks at the rows' weights."""
    clocks = [-log(1.0 - next(luck)) / (d.weight or 1e-9) for d in deployments]
    return [deployments[place] for place in sorted(range(len(clocks)), key=clocks.__getitem__)]


class _RoutingStrategy(ABC):
    """One way to choose.

    Attributes:
        name: in settings.
        aliases: what LiteLLM calls it.
        needs_headroom: it goes by what deployments have left, so that their headers must be read
            and a call's tokens estimated.
    """

    name: ClassVar[Strategy]
    aliases: ClassVar[tuple[str, ...]] = ()
    needs_headroom: ClassVar[bool] = False

    @abstractmethod
    def draw(
        self,
        tier: Tier,
        count: int,
        loads: Loads,
        request: RouteRequest,
        now: float,
        jitter: float,
        is_free: IsFree | None,
    ) -> list[Deployment]:
        """At least `count` free deployments of a tier, if there are so many, the best first.

        `now` is monotonic seconds, `jitter` a chance from 0 to below 1.
        """

    @abstractmethod
    def measure(self, deployment: Deployment, load: Load, request: RouteRequest, now: float) -> str:
        """One clause on what it looks at of a deployment."""


class _Weighted(_RoutingStrategy):
    name = "weighted"
    aliases = ("simple-shuffle",)

    def draw(
        self,
        tier: Tier,
        count: int,
        loads: Loads,
        request: RouteRequest,
        now: float,
        jitter: float,
        is_free: IsFree | None,
    ) -> list[Deployment]:
        return draw(tier, jitter, count, is_free)

    def measure(self, deployment: Deployment, load: Load, request: RouteRequest, now: float) -> str:
        return f"weight {deployment.weight:g}"


class _LeastBusy(_RoutingStrategy):
    """Fewest attempts under way first; the draw breaks ties."""

    name = "least-busy"

    def draw(
        self,
        tier: Tier,
        count: int,
        loads: Loads,
        request: RouteRequest,
        now: float,
        jitter: float,
        is_free: IsFree | None,
    ) -> list[Deployment]:
        drawn = draw(tier, jitter, MOST_CANDIDATES, is_free)
        return sorted(drawn, key=lambda d: loads[d.id].in_flight)

    def measure(self, deployment: Deployment, load: Load, request: RouteRequest, now: float) -> str:
        return f"{load.in_flight} under way"


class _Latency(_RoutingStrategy):
    """Least expected time first: lately seen latency, times the attempts that share it.

    One whose latency is not known counts as the fastest known, so that it is tried, and not by
    all callers at once; the draw breaks ties.
    """

    name = "latency"
    aliases = ("latency-based-routing",)

    def draw(
        self,
        tier: Tier,
        count: int,
        loads: Loads,
        request: RouteRequest,
        now: float,
        jitter: float,
        is_free: IsFree | None,
    ) -> list[Deployment]:
        drawn = draw(tier, jitter, MOST_CANDIDATES, is_free)
        seen = {d.id: loads[d.id].latency(now, is_stream=request.is_stream) for d in drawn}
        fastest = min((seconds for seconds in seen.values() if seconds is not None), default=1.0)

        def expected(deployment: Deployment) -> float:
            seconds = seen[deployment.id]
            share = loads[deployment.id].in_flight + 1
            return (fastest if seconds is None else seconds) * share

        return sorted(drawn, key=expected)

    def measure(self, deployment: Deployment, load: Load, request: RouteRequest, now: float) -> str:
        latency = load.latency(now, is_stream=request.is_stream)
        return "latency not known" if latency is None else f"latency {latency:.2f} s"


class _Headroom(_RoutingStrategy):
    """Those with room for the call, drawn by how many tokens each has left.

    In proportion, not the largest first: deployments then run dry together, and replicas do not
    all fall upon one. One whose limits are not known counts as the average of those known, and
    weights decide where none are known.
    """

    name = "headroom"
    aliases = ("usage-based-routing", "usage-based-routing-v2")
    needs_headroom = True

    def draw(
        self,
        tier: Tier,
        count: int,
        loads: Loads,
        request: RouteRequest,
        now: float,
        jitter: float,
        is_free: IsFree | None,
    ) -> list[Deployment]:
        if len(tier.deployments) > MOST_CANDIDATES:
            ranked = self._rank(
                draw(tier, jitter, MOST_CANDIDATES, is_free), loads, request.tokens, now, jitter
            )
            if ranked:
                return ranked
        # Few, or none of those drawn has room: look at all before leaving the tier.
        free = [d for d in tier.deployments if is_free is None or is_free(d)]
        return self._rank(free, loads, request.tokens, now, jitter)

    def _rank(
        self,
        deployments: Sequence[Deployment],
        loads: Loads,
        tokens: int,
        now: float,
        jitter: float,
    ) -> list[Deployment]:
        roomy = [d for d in deployments if loads[d.id].headroom.has_room(tokens, now)]
        if len(roomy) < 2:
            return roomy
        left = [loads[d.id].headroom.tokens_left(now) for d in roomy]
        counts = [tokens_left for tokens_left in left if tokens_left is not None]
        if counts:
            usual = sum(counts) / len(counts)
            rates = [max(1.0, usual if each is None else each) for each in left]
        else:
            rates = [d.weight or 1e-9 for d in roomy]
        # The order given was drawn by `chances` of the same jitter.
        luck = other_chances(jitter)
        clocks = [-log(1.0 - next(luck)) / rate for rate in rates]
        return [roomy[place] for place in sorted(range(len(clocks)), key=clocks.__getitem__)]

    def measure(self, deployment: Deployment, load: Load, request: RouteRequest, now: float) -> str:
        left = load.headroom.tokens_left(now)
        return "tokens left not known" if left is None else f"{left:.0f} tokens left"


STRATEGIES: Mapping[Strategy, _RoutingStrategy] = {
    each.name: each for each in (_Weighted(), _LeastBusy(), _Latency(), _Headroom())
}
"""The strategies by name."""

STRATEGY_ALIASES: Mapping[str, Strategy] = {
    alias: each.name for each in STRATEGIES.values() for alias in each.aliases
}
"""LiteLLM's names of them."""
