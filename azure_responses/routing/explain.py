"""Why a call goes where it goes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from azure_responses.protocol.deployment_apis import DeploymentAPIs, describe_api
from azure_responses.protocol.families import facts_of
from azure_responses.routing.call_path import FallbackPath
from azure_responses.routing.deployment import Deployment, Group
from azure_responses.routing.deployment_health import DeploymentHealth
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.route_request import Pin, RouteRequest
from azure_responses.routing.strategies import RoutingContext

__all__ = ["Explanation", "Verdict", "describe_obstacle", "explain"]

_MEDIAN = 0.5  # where a call would use a random number
_NO_WAITS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What routing would do with one deployment.

    Attributes:
        deployment: its id.
        host: of its endpoint.
        serves: it may take this call.
        reason: one clause, such as "cooling down after a rate limit for 12.5 s".
        until: seconds until the reason no longer holds, or None when time does not change it.
        is_limited: it stays out for a limit of requests or tokens, not for a failure.
        speaks: the API that it is called over, and why; empty where it may not be called.
    """

    deployment: str
    host: str
    serves: bool
    reason: str
    until: float | None = None
    is_limited: bool = False
    speaks: str = ""

    def __str__(self) -> str:
        # Most speak the Responses API, of which nothing has to be said.
        is_plain = self.speaks.startswith("the Responses API")
        over = f", over {self.speaks}" if self.speaks and not is_plain else ""
        return f"{self.deployment} ({self.host}): {self.reason}{over}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What routing would do with a call now.

    Attributes:
        group: the group asked for.
        deployment: the id of the deployment it would go to, or None when none can take it.
        verdicts: the deployments that may take it, in order of preference, then the others.
        fallbacks: the groups that would be asked afterwards, in order.
        wait: seconds until the first of them can serve; 0 when one can now, None when none ever.
        fallback: the group that would serve in place of the one asked for, or None.
        strips_reasoning: it would serve without encrypted reasoning that it cannot read.
        replays: it would serve with the history of the response that the call continues.
    """

    group: str
    deployment: str | None
    verdicts: tuple[Verdict, ...]
    fallbacks: tuple[str, ...] = ()
    wait: float | None = None
    fallback: str | None = None
    strips_reasoning: bool = False
    replays: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "verdicts": [asdict(verdict) for verdict in self.verdicts]}

    def __str__(self) -> str:
        lines = [self._outcome()]
        lines += [f"  {'+' if verdict.serves else '-'} {verdict}" for verdict in self.verdicts]
        if self.fallbacks:
            lines.append(f"  then the groups {', '.join(self.fallbacks)}")
        return "\n".join(lines)

    def _outcome(self) -> str:
        if self.deployment is not None:
            return f"{self.group}: {self.deployment} would serve{self._circumstances()}"
        if not self.verdicts:
            return f"{self.group}: no deployment is configured for this model"
        if self.wait is None:
            return f"{self.group}: no deployment can serve"
        return f"{self.group}: no deployment can serve for another {self.wait:.1f} s"

    def _circumstances(self) -> str:
        group = f", of the group {self.fallback}" if self.fallback else ""
        reasoning = ", without the encrypted reasoning" if self.strips_reasoning else ""
        return group + reasoning + (", with the history in the input" if self.replays else "")


def describe_obstacle(
    deployment: Deployment,
    health: DeploymentHealth,
    now: float,
    *,
    full: float = 0.0,
    is_pinned: bool = False,
    is_too_small: bool = False,
) -> Verdict | None:
    """What keeps a deployment from taking a call, or None.

    Args:
        deployment, health: which, and what is known of all.
        now: monotonic seconds.
        full: seconds until its rpm and tpm have room; 0 when they have now.
        is_pinned: the call has to go to its resource.
        is_too_small: its context window does not hold the call, and another's does.
    """
    if deployment.is_batch and not is_pinned:
        return _refuse(deployment, "a batch deployment: takes batches only")
    if deployment.weight == 0 and not is_pinned:
        return _refuse(deployment, "weight 0: takes only calls that are pinned to it")
    if is_too_small:
        size = deployment.max_input_tokens
        return _refuse(deployment, f"its context window of {size} tokens is too small")
    return _describe_wait(deployment, health, now, full)


def _describe_wait(
    deployment: Deployment, health: DeploymentHealth, now: float, full: float
) -> Verdict | None:
    """An obstacle that passes with time; `until` says when.

    The longest one counts: a call that comes back before it would be refused again.
    """
    cooldown = health.statuses[deployment.id].cooldown
    left = cooldown.until - now
    if left > 0:
        reason = f"cooling down for another {left:.1f} s ({cooldown.cause})"
        is_limited = cooldown.cause in ("rate limit", "another replica")
        return _refuse(deployment, reason, max(left, full), is_limited=is_limited)
    # Half open: one call probes it, and the others wait for what comes of that.
    if not cooldown.is_open(now):
        reason = f"being probed by another call ({cooldown.cause})"
        return _refuse(deployment, reason, cooldown.remaining(now))
    if full > 0:
        reason = f"full for another {full:.1f} s (rpm, tpm)"
        return _refuse(deployment, reason, full, is_limited=True)
    return None


def _refuse(
    deployment: Deployment, reason: str, until: float | None = None, *, is_limited: bool = False
) -> Verdict:
    return Verdict(deployment.id, deployment.host, False, reason, until, is_limited)


def explain(
    registry: DeploymentRegistry,
    request: RouteRequest,
    now: float,
    full: Mapping[str, float] = _NO_WAITS,
) -> Explanation:
    """Which deployment would serve a call, and why the others would not; changes nothing.

    Where chance decides, the order is one of those that may come about.

    Args:
        registry: the router's deployments.
        request: the call.
        now: monotonic seconds.
        full: deployment id → seconds until its rpm and tpm have room, of those without any.
    """
    survey = _Survey(registry, request, now, full)
    serving, others = survey.look()
    chosen = next(iter(serving), None)
    waits = [v.until for v in (*serving.values(), *others) if v.until is not None]
    pin_left = survey.pin_left(chosen)
    # Read before `groups_ahead`, which moves the path on.
    fallback = survey.path.here.name if chosen and survey.path.is_fallback else None
    return Explanation(
        request.group,
        chosen,
        (*serving.values(), *others),
        survey.groups_ahead(),
        min(waits, default=None),
        fallback,
        strips_reasoning=pin_left is not None and not pin_left.is_hard,
        replays=pin_left is not None and pin_left.is_hard,
    )


def _speaks(deployment: Deployment, asked: str) -> str:
    """What the deployment speaks, by its entry or the family of its model."""
    name = deployment.name_for(asked)
    facts = facts_of(deployment.base_model, name, overrides=deployment.facts)
    apis = DeploymentAPIs(deployment.api, lambda _: facts.preferred_api)
    return describe_api(apis.of(name), facts)


class _Survey:
    """The way a call would take between groups, and what stands in its way there."""

    def __init__(
        self,
        registry: DeploymentRegistry,
        request: RouteRequest,
        now: float,
        full: Mapping[str, float],
    ) -> None:
        # The same path as that of a real call, so that the two cannot differ.
        self.path = FallbackPath(registry, request)
        self._registry = registry
        self._request = request
        self._now = now
        self._full = full
        # A wish excludes nothing.
        self._pin = None if request.pin is None or request.pin.is_wish else request.pin

    def look(self) -> tuple[dict[str, Verdict], list[Verdict]]:
        """Those that would serve in the first group with any, and the others met on the way."""
        met: dict[str, Verdict] = {}
        while True:
            verdicts = {verdict.deployment: verdict for verdict in self._verdicts()}
            serving = {name: verdict for name, verdict in verdicts.items() if verdict.serves}
            met = {n: v for n, v in {**met, **verdicts}.items() if n not in serving}
            if serving or not self._goes_on():
                return serving, list(met.values())

    def _goes_on(self) -> bool:
        if self._pin is not None and self.path.widen():
            self._pin = None
            return True
        return self.path.advance(may_return=True)

    def pin_left(self, deployment_id: str | None) -> Pin | None:
        """The call's pin, where the deployment is not on its resource."""
        pin, deployment = self._request.pin, self._registry.by_id(deployment_id or "")
        if pin is None or pin.is_wish or deployment is None:
            return None
        return pin if deployment.resource not in pin.resources else None

    def groups_ahead(self) -> tuple[str, ...]:
        """The groups that would be asked afterwards."""
        names = []
        while self.path.advance(may_return=True):
            names.append(self.path.here.name)
        return tuple(names)

    def _verdicts(self) -> tuple[Verdict, ...]:
        """Of the deployments of the present group: those that may serve first, the best of all."""
        scope, group = self.path.here.scope, self._registry.group_of(self.path.here.name)
        # A pin narrows the scope; those it excludes are listed too, with that as the reason.
        members = dict.fromkeys((*(scope.deployments if scope else ()), *group))
        obstacles = {deployment.id: self._obstacle(deployment, scope) for deployment in members}
        ranked = self._ranked(scope, {name for name, verdict in obstacles.items() if verdict})
        able = [self._describe(deployment) for deployment in ranked]
        return (*able, *(verdict for verdict in obstacles.values() if verdict))

    def _describe(self, deployment: Deployment) -> Verdict:
        """Why the deployment may take the call."""
        registry = self._registry
        context = RoutingContext(self._request, registry.health.statuses, self._now, _MEDIAN)
        clauses = [f"order {deployment.order}", registry.strategy.measure(deployment, context)]
        if self._pin:
            clauses.insert(0, f"on the resource that {self._pin.field} needs")
        if self._request.cache is not None:
            holders = registry.prompt_caches.holders(self._request.cache, self._now)
            if deployment in holders.deployments:
                clauses.append(f"has the prompt cache of this {holders.name}")
        if registry.health.statuses[deployment.id].cooldown.is_tripped:
            clauses.append("half open: one probe at a time")
        speaks = _speaks(deployment, self.path.here.name)
        reason = ", ".join(clauses)
        return Verdict(deployment.id, deployment.host, True, reason, 0.0, speaks=speaks)

    def _obstacle(self, deployment: Deployment, scope: Group | None) -> Verdict | None:
        if scope is None or deployment not in scope.deployments:
            field = self._request.pin.field if self._request.pin else "the call"
            reason = f"on another resource than {field} needs"
            return Verdict(deployment.id, deployment.host, False, reason)
        return describe_obstacle(
            deployment,
            self._registry.health,
            self._now,
            full=self._full.get(deployment.id, 0.0),
            is_pinned=self._pin is not None,
            is_too_small=not scope.holds(deployment, self._request.input_tokens),
        )

    def _ranked(self, scope: Group | None, obstructed: set[str]) -> list[Deployment]:
        if scope is None:
            return []
        free = [d for d in scope.deployments if d.id not in obstructed]
        registry = self._registry
        context = RoutingContext(
            self._request,
            registry.health.statuses,
            self._now,
            _MEDIAN,
            lambda deployment: deployment.id not in obstructed,
        )
        chosen = registry.choose(scope, context)
        wished = registry.by_tag(self._pin.deployment or "") if self._pin else None
        first = [wished] if wished in free and wished else []
        return list(dict.fromkeys([*first, *chosen, *sorted(free, key=lambda d: d.order)]))
