"""The deployments of a router, its settings, and what it knows."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.explain import Explanation, Verdict, describe, describe_obstacle
from azure_responses.routing.fallback_path import FallbackPath
from azure_responses.routing.group import Group
from azure_responses.routing.route_request import Pin, RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.strategies import choose

__all__ = ["Routing"]

_NOBODY_IS_FULL: Mapping[str, float] = MappingProxyType({})


class Routing(DeploymentRegistry):
    """Chooses deployments; one per router, shared by its threads and event loops."""

    def start(self, request: RouteRequest, now: float) -> RoutedCall:
        """Begin a call; `now` in monotonic seconds."""
        return RoutedCall(self, request, now)

    def explain(
        self, request: RouteRequest, now: float, full: Mapping[str, float] = _NOBODY_IS_FULL
    ) -> Explanation:
        """Which deployment would serve, and why the others would not; changes nothing.

        Where chance decides, the order is one of those that may come about.

        Args:
            request: the call.
            now: monotonic seconds.
            full: deployment id → seconds until its rpm and tpm have room, of those without any.
        """
        route, pin = FallbackPath(self, request), request.pin
        passed: dict[str, Verdict] = {}
        while True:
            verdicts = self._verdicts(route, request, pin, now, full)
            serving = {v.deployment: v for v in verdicts if v.serves}
            known = {**passed, **{v.deployment: v for v in verdicts}}
            passed = {name: verdict for name, verdict in known.items() if name not in serving}
            if serving:
                break
            if pin is not None and route.widen():
                pin = None
            elif not route.advance(may_return=True):
                break
        chosen = next(iter(serving), None)
        fallback = route.name if chosen and route.is_fallback else None
        verdicts = (*serving.values(), *passed.values())
        waits = [verdict.until for verdict in verdicts if verdict.until is not None]
        left = None if chosen is None else self._pin_left(request, chosen)
        return Explanation(
            request.group,
            chosen,
            verdicts,
            _groups_ahead(route),
            min(waits, default=None),
            fallback,
            strips_reasoning=left is not None and not left.is_hard,
            replays=left is not None and left.is_hard,
        )

    def _pin_left(self, request: RouteRequest, deployment_id: str) -> Pin | None:
        """The call's pin, where the deployment is not on its resource."""
        deployment = self.by_id(deployment_id)
        is_elsewhere = request.pin and deployment and deployment.resource != request.pin.resource
        return request.pin if is_elsewhere else None

    def _verdicts(
        self,
        route: FallbackPath,
        request: RouteRequest,
        pin: Pin | None,
        now: float,
        full: Mapping[str, float],
    ) -> tuple[Verdict, ...]:
        """Of the deployments of the present group: those that may serve first, the best of all."""
        scope = route.scope
        members = dict.fromkeys((*(scope.deployments if scope else ()), *self.group_of(route.name)))
        obstacles = {d.id: self._obstacle(d, request, pin, scope, now, full) for d in members}
        ranked = self._ranked(request, pin, scope, {i for i, v in obstacles.items() if v}, now)
        pinned = f"on the resource that {pin.field} needs" if pin else ""
        strategy = self.settings.strategy
        able = [describe(d, self.health, request, now, strategy, pins=pinned) for d in ranked]
        return (*able, *(verdict for verdict in obstacles.values() if verdict))

    def _obstacle(
        self,
        deployment: Deployment,
        request: RouteRequest,
        pin: Pin | None,
        scope: Group | None,
        now: float,
        full: Mapping[str, float],
    ) -> Verdict | None:
        if scope is None or deployment not in scope.deployments:
            field = request.pin.field if request.pin else "the call"
            reason = f"on another resource than {field} needs"
            return Verdict(deployment.id, deployment.host, False, reason)
        return describe_obstacle(
            deployment,
            self.health,
            request,
            now,
            full=full.get(deployment.id, 0.0),
            is_pinned=pin is not None,
            is_too_small=not scope.holds(deployment, request.input_tokens),
        )

    def _ranked(
        self,
        request: RouteRequest,
        pin: Pin | None,
        scope: Group | None,
        obstructed: set[str],
        now: float,
    ) -> Iterable[Deployment]:
        if scope is None:
            return []
        free = [d for d in scope.deployments if d.id not in obstructed]
        chosen = choose(
            self.settings.strategy,
            scope,
            self.health.statuses,
            request,
            now,
            0.5,
            lambda deployment: deployment.id not in obstructed,
        )
        wished = self.by_tag(pin.deployment or "") if pin else None
        first = [wished] if wished in free and wished else []
        return list(dict.fromkeys([*first, *chosen, *sorted(free, key=lambda d: d.order)]))


def _groups_ahead(route: FallbackPath) -> tuple[str, ...]:
    names = []
    while route.advance(may_return=True):
        names.append(route.name)
    return tuple(names)
