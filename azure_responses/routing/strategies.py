"""Which of several deployments first: one short function per strategy.

Each takes the deployments of one priority group that could serve, what is known of them, and a
chance; each gives them in order of preference. None looks at more than `MOST_BIDS` of a large
group: those are drawn by weight, and the best of eight drawn is nearly the best of all, while the
cost of a choice stays the same however many deployments there are. Drawing also keeps replicas
that know the same from all choosing the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from math import log
from typing import Protocol

from azure_responses.routing.ask import Ask
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.group import Group, Tier, chances, other_chances
from azure_responses.routing.headroom import Headroom
from azure_responses.routing.settings import Strategy

__all__ = [
    "MOST_BIDS",
    "IsFree",
    "Load",
    "choose",
    "draw",
    "rank_headroom",
    "rank_latency",
    "rank_least_busy",
]

MOST_BIDS = 8

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
        """Seconds it lately took; None when nobody knows."""


Loads = Mapping[str, Load]


def choose(
    strategy: Strategy,
    group: Group,
    loads: Loads,
    ask: Ask,
    now: float,
    jitter: float,
    is_free: IsFree | None,
) -> list[Deployment]:
    """The deployments to bid on, the best first: lowest `order`, then by strategy.

    One suffices where nothing can be full; with limits there are up to `MOST_BIDS`, so that a
    full deployment spills over to the next, and to the next `order`, without asking again.
    """
    count = MOST_BIDS if group.has_limits else 1
    chosen: list[Deployment] = []
    for tier in group.tiers:
        if strategy == "weighted":
            chosen += draw(tier, jitter, count - len(chosen), is_free)
        else:
            chosen += _rank(strategy, tier, loads, ask, now, jitter, is_free)
        if len(chosen) >= count:
            return chosen[:count]
    if chosen or strategy != "headroom":
        return chosen
    # By their headers all would refuse; headers may be wrong, and only asking will tell.
    drawn = (draw(tier, jitter, count, is_free) for tier in group.tiers)
    return next((deployments for deployments in drawn if deployments), [])


def _rank(
    strategy: Strategy,
    tier: Tier,
    loads: Loads,
    ask: Ask,
    now: float,
    jitter: float,
    is_free: IsFree | None,
) -> list[Deployment]:
    if strategy == "headroom":
        return _rank_headroom(tier, loads, ask.tokens, now, jitter, is_free)
    drawn = draw(tier, jitter, MOST_BIDS, is_free)
    if strategy == "least-busy":
        return rank_least_busy(drawn, loads)
    return rank_latency(drawn, loads, now, is_stream=ask.is_stream)


def _rank_headroom(
    tier: Tier, loads: Loads, tokens: int, now: float, jitter: float, is_free: IsFree | None
) -> list[Deployment]:
    if len(tier.deployments) > MOST_BIDS:
        drawn = draw(tier, jitter, MOST_BIDS, is_free)
        ranked = rank_headroom(drawn, loads, tokens, now, jitter)
        if ranked:
            return ranked
    # Few, or none of those drawn has room: look at all before leaving the tier.
    free = [d for d in tier.deployments if is_free is None or is_free(d)]
    return rank_headroom(free, loads, tokens, now, jitter)


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


def rank_least_busy(deployments: Sequence[Deployment], loads: Loads) -> list[Deployment]:
    """Fewest attempts under way first; the order given, which was drawn, breaks ties."""
    return sorted(deployments, key=lambda d: loads[d.id].in_flight)


def rank_latency(
    deployments: Sequence[Deployment], loads: Loads, now: float, *, is_stream: bool
) -> list[Deployment]:
    """Least expected time first: lately seen latency, times the attempts that share it.

    One that nobody knows counts as the fastest known, so that it is tried, and not by everybody
    at once; the order given breaks ties.
    """
    known = {d.id: loads[d.id].latency(now, is_stream=is_stream) for d in deployments}
    fastest = min((seconds for seconds in known.values() if seconds is not None), default=1.0)

    def expected(deployment: Deployment) -> float:
        seconds = known[deployment.id]
        share = loads[deployment.id].in_flight + 1
        return (fastest if seconds is None else seconds) * share

    return sorted(deployments, key=expected)


def rank_headroom(
    deployments: Sequence[Deployment],
    loads: Loads,
    tokens: int,
    now: float,
    jitter: float,
) -> list[Deployment]:
    """Those with room for so many tokens, drawn by how many tokens each has left.

    In proportion, not the largest first: deployments then run dry together, and replicas do not
    all fall upon one. One that nobody knows counts as the average of those known, and weights
    decide where nobody knows any.
    """
    roomy = [d for d in deployments if loads[d.id].headroom.has_room(tokens, now)]
    left = [loads[d.id].headroom.tokens_left(now) for d in roomy]
    known = [tokens_left for tokens_left in left if tokens_left is not None]
    if len(roomy) < 2:
        return roomy
    if known:
        usual = sum(known) / len(known)
        rates = [max(1.0, usual if tokens_left is None else tokens_left) for tokens_left in left]
    else:
        rates = [d.weight or 1e-9 for d in roomy]
    # The order given was drawn by `chances` of the same jitter.
    luck = other_chances(jitter)
    clocks = [-log(1.0 - next(luck)) / rate for rate in rates]
    return [roomy[place] for place in sorted(range(len(clocks)), key=clocks.__getitem__)]
