"""Which deployments have the beginning of a prompt in their cache, as far as calls passed here.

A choice by strategy stays as it is but for one thing: of the deployments with the same `order`, one
that has the cache comes first, unless it is in cooldown, has no room for the call, or has far more
calls under way than the one that the strategy chose.
"""

from collections import OrderedDict
from typing import NamedTuple

from azure_responses.fork import new_lock
from azure_responses.routing.deployment import Deployment, Group
from azure_responses.routing.prompt_cache_keys import CacheKey, CacheKeys, cache_life
from azure_responses.routing.strategies import MOST_CANDIDATES, RoutingContext, RoutingStrategy

__all__ = ["CacheHolders", "PromptCaches"]

# A deployment with the cache may have so many times the calls under way of the one chosen without
# it, and so many besides: a hit saves a part of the input, a queue costs every call.
_MOST_TIMES = 2.0
_SLACK = 8


class _Use(NamedTuple):
    """The last use of a cache at one deployment.

    `level` rises by one with each call and falls at the rate that the key allows.
    """

    deployment: Deployment
    at: float
    until: float
    level: float

    def level_at(self, now: float, rate: int) -> float:
        return max(0.0, self.level - (now - self.at) * rate / 60.0)


class CacheHolders(NamedTuple):
    """Where the cache of a call is.

    Attributes:
        deployments: those that have it and may take more calls of its key, the latest used first.
        name: what the key is made of.
        chance: in place of a random number where the cache is not known, so that replicas choose
            alike; None where chance should decide.
    """

    deployments: tuple[Deployment, ...] = ()
    name: str = ""
    chance: float | None = None


class PromptCaches:
    """A bounded table of keys; every method may be called from any thread.

    Args:
        life: seconds after its last use for which a cache is expected to last; None goes by the
            model.
        capacity: keys remembered; those used longest ago go.
    """

    def __init__(self, life: float | None = None, capacity: int = 20_000) -> None:
        self._life = life
        self._capacity = capacity
        self._uses: OrderedDict[bytes, tuple[_Use, ...]] = OrderedDict()
        self._lock = new_lock()

    def holders(self, keys: CacheKeys, now: float) -> CacheHolders:
        """Where the cache is that belongs to the first of these keys that one has."""
        chance = None
        for key in keys.keys:
            uses = [use for use in self._uses.get(key.digest, ()) if use.until > now]
            able = [use.deployment for use in uses if use.level_at(now, key.rate) < key.rate]
            if able:
                return CacheHolders(tuple(able), key.name)
            # Of the widest key that is new. One that is used too often for one deployment must not
            # lead all calls to the same.
            if not uses:
                chance = key.chance
        return CacheHolders(chance=chance)

    def knows(self, key: CacheKey, now: float) -> bool:
        """True where some deployment is known to have the cache of a key."""
        return any(use.until > now for use in self._uses.get(key.digest, ()))

    def leads_to(self, key: CacheKey, deployment: Deployment) -> bool:
        """True where a deployment had the latest call of a key."""
        uses = self._uses.get(key.digest)
        return uses is not None and uses[0].deployment is deployment

    def note(self, keys: CacheKeys, deployment: Deployment, now: float, calls: int = 1) -> None:
        """A call with these keys is sent to a deployment, or with `calls` of 0 was answered."""
        with self._lock:
            for key in keys.keys:
                self._note(key, keys.life, deployment, now, calls)
            while len(self._uses) > self._capacity:
                self._uses.popitem(last=False)

    def _note(
        self, key: CacheKey, life: float, deployment: Deployment, now: float, calls: int
    ) -> None:
        before = self._uses.get(key.digest, ())
        own = next((use for use in before if use.deployment is deployment), None)
        level = calls + (own.level_at(now, key.rate) if own else 0.0)
        usual = cache_life(deployment.base_model or deployment.model)
        until = now + max(life, usual if self._life is None else self._life)
        others = (use for use in before if use.deployment is not deployment and use.until > now)
        latest = _Use(deployment, now, until, level)
        # Replaced and not taken out: other threads read the table without the lock.
        self._uses[key.digest] = (latest, *others)[:MOST_CANDIDATES]
        self._uses.move_to_end(key.digest)

    def choose(
        self, keys: CacheKeys, strategy: RoutingStrategy, group: Group, context: RoutingContext
    ) -> list[Deployment]:
        """What a strategy chooses, with a deployment in front that has the cache."""
        holders = self.holders(keys, context.now)
        if holders.chance is not None:
            context = context._replace(jitter=holders.chance)
        chosen = strategy.choose(group, context)
        if not (chosen and holders.deployments):
            return chosen
        best = next(
            (d for d in holders.deployments if _may_lead(d, group, context, chosen[0])), None
        )
        if best is None:
            return chosen
        return [best, *(each for each in chosen if each is not best)][: len(chosen)]


def _may_lead(
    deployment: Deployment, group: Group, context: RoutingContext, chosen: Deployment
) -> bool:
    """True where a deployment may come before the one that the strategy chose."""
    if deployment is chosen:
        return True
    # An `order` is a wish of the operator that says more than a cache.
    tier = next(tier for tier in group.tiers if tier.order == chosen.order)
    if deployment not in tier.deployments:
        return False
    if context.is_free is not None and not context.is_free(deployment):
        return False
    load, other = context.loads[deployment.id], context.loads[chosen.id]
    if not load.headroom.has_room(context.request.tokens, context.now):
        return False
    share = deployment.weight / chosen.weight if chosen.weight else 1.0
    return load.in_flight <= _SLACK + _MOST_TIMES * share * other.in_flight
