"""The deployments of a router, its settings, and what it knows."""

from collections.abc import Iterable

from azure_responses.routing.ask import Ask
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.explain import Explanation, Verdict, describe, describe_obstacle
from azure_responses.routing.group import Group
from azure_responses.routing.roster import Roster
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.strategies import choose

__all__ = ["Routing"]


class Routing(Roster):
    """Chooses deployments; one per router, shared by its threads and event loops."""

    def start(self, ask: Ask, now: float) -> RoutedCall:
        """Begin a call; `now` in monotonic seconds."""
        return RoutedCall(self, ask, now)

    def explain(self, ask: Ask, now: float) -> Explanation:
        """Which deployment would serve, and why the others would not; changes nothing.

        Where chance decides, the order is one of those that may come about.
        """
        scope = self.scope(ask.group, ask, ask.pin)
        members = dict.fromkeys((*(scope.deployments if scope else ()), *self.group_of(ask.group)))
        obstacles = {d.id: self._obstacle(d, ask, scope, now) for d in members}
        ranked = self._ranked(ask, scope, {i for i, v in obstacles.items() if v}, now)
        pinned = ask.pin and f"on the resource that {ask.pin.field} needs"
        verdicts = [
            describe(d, self.board, ask, now, self.settings.strategy, pins=pinned or "")
            for d in ranked
        ]
        verdicts += [verdict for verdict in obstacles.values() if verdict]
        waits = [verdict.until for verdict in verdicts if verdict.until is not None]
        fallbacks = self.fallbacks.chain("general", self.resolve(ask.group)) if ask.can_move else ()
        return Explanation(
            ask.group,
            verdicts[0].deployment if ranked else None,
            tuple(verdicts),
            fallbacks[: self.settings.max_fallbacks],
            min(waits, default=None),
        )

    def _obstacle(
        self, deployment: Deployment, ask: Ask, scope: Group | None, now: float
    ) -> Verdict | None:
        if scope is None or deployment not in scope.deployments:
            field = ask.pin.field if ask.pin else "the call"
            reason = f"on another resource than {field} needs"
            return Verdict(deployment.id, deployment.host, False, reason)
        return describe_obstacle(deployment, self.board, ask, now, is_pinned=ask.pin is not None)

    def _ranked(
        self, ask: Ask, scope: Group | None, obstructed: set[str], now: float
    ) -> Iterable[Deployment]:
        if scope is None:
            return []
        free = [d for d in scope.deployments if d.id not in obstructed]
        chosen = choose(
            self.settings.strategy,
            scope,
            self.board.statuses,
            ask,
            now,
            0.5,
            lambda deployment: deployment.id not in obstructed,
        )
        wished = self.by_tag(ask.pin.deployment or "") if ask.pin else None
        first = [wished] if wished in free and wished else []
        return list(dict.fromkeys([*first, *chosen, *sorted(free, key=lambda d: d.order)]))
