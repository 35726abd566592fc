"""Which of several deployments comes first: one class per strategy, and all that differs there.

A new strategy is a class here, a name in `Strategy` and an object in `STRATEGIES`; settings,
explanations and the documentation of options read it from there.

No strategy looks at more than `MOST_CANDIDATES` of a large group. Those are drawn by weight: the
best of eight drawn is nearly the best of all, while the cost of a choice does not grow with the
number of deployments. Drawing also prevents that replicas which know the same all choose the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple, Protocol

from azure_responses.routing.deployment import Deployment, Group, IsFree, Tier, race, random_numbers
from azure_responses.routing.quota import Headroom
from azure_responses.routing.route_request import RouteRequest

__all__ = [
    "MOST_CANDIDATES",
    "STRATEGIES",
    "STRATEGY_ALIASES",
    "RoutingContext",
    "Load",
    "RoutingStrategy",
    "Strategy",
    "StrategyName",
]

MOST_CANDIDATES = 8

Strategy = Literal["weighted", "least-busy", "latency", "headroom"]
# The strategies, and what LiteLLM calls them (router.py of 1.106.2). Type checkers cannot read
# these names from the classes; a test compares them.
StrategyName = (
    Strategy
    | Literal[
        "simple-shuffle",
        "latency-based-routing",
        "usage-based-routing",
        "usage-based-routing-v2",
    ]
)


class Load(Protocol):
    """What a strategy looks at of one deployment."""

    @property
    def in_flight(self) -> int:
        """Attempts under way."""

    @property
    def headroom(self) -> Headroom:
        """What it has left this minute."""

    def latency(self, now: float, *, is_stream: bool) -> float | None:
        """Seconds it took lately; None when that is not known."""


class RoutingContext(NamedTuple):
    """What a strategy chooses for, and by what.

    Attributes:
        request: the call.
        loads: by deployment id.
        now: monotonic seconds.
        jitter: a random number from 0 to below 1.
        is_free: whether a deployment may be called now; None when all may.
    """

    request: RouteRequest
    loads: Mapping[str, Load]
    now: float
    jitter: float
    is_free: IsFree | None = None


class RoutingStrategy(ABC):
    """One way to choose.

    Attributes:
        name: in settings.
        aliases: LiteLLM's names of it.
        needs_headroom: it uses what deployments have left, so that their headers must be read and
            a call's tokens estimated.
    """

    name: ClassVar[Strategy]
    aliases: ClassVar[tuple[str, ...]] = ()
    needs_headroom: ClassVar[bool] = False

    def choose(self, group: Group, context: RoutingContext) -> list[Deployment]:
        """The deployments to try, the best first: lowest `order`, then by strategy.

        One is enough where no deployment can be full. With limits there are up to
        `MOST_CANDIDATES`, so that the state store goes on from a full deployment to the next, and
        to the next `order`, in one request.
        """
        count = MOST_CANDIDATES if group.has_limits else 1
        chosen: list[Deployment] = []
        for tier in group.tiers:
            chosen += self.draw(tier, count - len(chosen), context)
            if len(chosen) >= count:
                return chosen[:count]
        return chosen

    def draw(self, tier: Tier, count: int, context: RoutingContext) -> list[Deployment]:
        """At least `count` free deployments of a tier, if there are so many, the best first."""
        return tier.draw(count, context.jitter, context.is_free)

    @abstractmethod
    def measure(self, deployment: Deployment, context: RoutingContext) -> str:
        """One clause on what it looks at of a deployment, for explanations."""


class _Weighted(RoutingStrategy):
    """Drawn by weight."""

    name = "weighted"
    aliases = ("simple-shuffle",)

    def measure(self, deployment: Deployment, context: RoutingContext) -> str:
        return f"weight {deployment.weight:g}"


class _LeastBusy(RoutingStrategy):
    """Fewest attempts under way first; the draw breaks ties."""

    name = "least-busy"

    def draw(self, tier: Tier, count: int, context: RoutingContext) -> list[Deployment]:
        drawn = tier.draw(MOST_CANDIDATES, context.jitter, context.is_free)
        return sorted(drawn, key=lambda d: context.loads[d.id].in_flight)

    def measure(self, deployment: Deployment, context: RoutingContext) -> str:
        return f"{context.loads[deployment.id].in_flight} under way"


class _Latency(RoutingStrategy):
    """Least expected time first: the recent latency, times the attempts that share it.

    A deployment whose latency is not known counts as the fastest known, so that it is tried, and
    not by all callers at once; the draw breaks ties.
    """

    name = "latency"
    aliases = ("latency-based-routing",)

    def draw(self, tier: Tier, count: int, context: RoutingContext) -> list[Deployment]:
        drawn = tier.draw(MOST_CANDIDATES, context.jitter, context.is_free)
        loads, now, is_stream = context.loads, context.now, context.request.is_stream
        seen = {d.id: loads[d.id].latency(now, is_stream=is_stream) for d in drawn}
        fastest = min((seconds for seconds in seen.values() if seconds is not None), default=1.0)

        def expected(deployment: Deployment) -> float:
            seconds = seen[deployment.id]
            share = loads[deployment.id].in_flight + 1
            return (fastest if seconds is None else seconds) * share

        return sorted(drawn, key=expected)

    def measure(self, deployment: Deployment, context: RoutingContext) -> str:
        load = context.loads[deployment.id]
        latency = load.latency(context.now, is_stream=context.request.is_stream)
        return "latency not known" if latency is None else f"latency {latency:.2f} s"


class _Headroom(RoutingStrategy):
    """Those with room for the call, drawn by how many tokens each has left.

    In proportion, not the largest first: deployments then run out together, and replicas do not
    all call the same one. A deployment whose limits are not known counts as the average of those
    known; weights decide where none are known.
    """

    name = "headroom"
    aliases = ("usage-based-routing", "usage-based-routing-v2")
    needs_headroom = True

    def choose(self, group: Group, context: RoutingContext) -> list[Deployment]:
        chosen = super().choose(group, context)
        if chosen:
            return chosen
        # By their headers all would refuse. Headers may be wrong, and only a call will tell.
        count = MOST_CANDIDATES if group.has_limits else 1
        drawn = (tier.draw(count, context.jitter, context.is_free) for tier in group.tiers)
        return next((deployments for deployments in drawn if deployments), [])

    def draw(self, tier: Tier, count: int, context: RoutingContext) -> list[Deployment]:
        is_free = context.is_free
        if len(tier.deployments) > MOST_CANDIDATES:
            ranked = self._rank(tier.draw(MOST_CANDIDATES, context.jitter, is_free), context)
            if ranked:
                return ranked
        # Few, or none of those drawn has room: look at all before leaving the tier.
        return self._rank([d for d in tier.deployments if is_free is None or is_free(d)], context)

    def _rank(self, deployments: Sequence[Deployment], context: RoutingContext) -> list[Deployment]:
        loads, now, tokens = context.loads, context.now, context.request.tokens
        roomy = [d for d in deployments if loads[d.id].headroom.has_room(tokens, now)]
        if len(roomy) < 2:
            return roomy
        left = [loads[d.id].headroom.tokens_left(now) for d in roomy]
        known = [tokens_left for tokens_left in left if tokens_left is not None]
        if known:
            usual = sum(known) / len(known)
            rates = [max(1.0, usual if each is None else each) for each in left]
        else:
            rates = [d.weight for d in roomy]
        # The order given was drawn with the same jitter; the salt makes this order independent.
        return race(roomy, rates, random_numbers(context.jitter, salt=0x9E3779B97F4A7C15))

    def measure(self, deployment: Deployment, context: RoutingContext) -> str:
        left = context.loads[deployment.id].headroom.tokens_left(context.now)
        return "tokens left not known" if left is None else f"{left:.0f} tokens left"


STRATEGIES: Mapping[Strategy, RoutingStrategy] = {
    each.name: each for each in (_Weighted(), _LeastBusy(), _Latency(), _Headroom())
}
"""The strategies by name."""

STRATEGY_ALIASES: Mapping[str, Strategy] = {
    alias: each.name for each in STRATEGIES.values() for alias in each.aliases
}
"""LiteLLM's names of them."""
