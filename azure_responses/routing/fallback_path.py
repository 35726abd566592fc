"""The groups a call visits: where it is, where it may go next, where it may come back to."""

from collections import deque
from dataclasses import dataclass

from azure_responses.routing.deployment import Deployment, Group
from azure_responses.routing.deployment_registry import DeploymentRegistry, FallbackKind
from azure_responses.routing.route_request import RouteRequest

__all__ = ["FallbackPath"]


@dataclass(slots=True)
class _Stop:
    """One group: what the call may use of it, and how often it has tried."""

    name: str
    scope: Group | None
    tries: int = 0
    excused: int = 0
    extra_retries: int = 0
    was_skipped: bool = False


class FallbackPath:
    """The way of one call between groups. No group is put on it twice, and never too many.

    Attributes:
        bidders: the deployments candidate on last.
    """

    def __init__(self, registry: DeploymentRegistry, request: RouteRequest) -> None:
        self._registry = registry
        self._request = request
        self._pin = request.pin
        name = registry.resolve(request.group)
        self._first = self._here = _Stop(name, registry.scope(name, request, request.pin))
        self._stops = [self._first]
        self._ahead: deque[_Stop] = deque()
        self._passed: list[_Stop] = []
        self._fallbacks: tuple[str, ...] = ()
        self.bidders: tuple[Deployment, ...] = ()
        if self._first.scope is not None and self._first.scope.is_too_small(request.input_tokens):
            self._ahead.append(self._first)
            self._move()

    @property
    def name(self) -> str:
        """The group the call is in."""
        return self._here.name

    @property
    def scope(self) -> Group | None:
        """The deployments it may use there; None when there are none."""
        return self._here.scope

    @property
    def tries(self) -> int:
        """Attempts made in this group, without those that were excused."""
        return self._here.tries - self._here.excused

    @property
    def retry_limit(self) -> int:
        """Retries allowed in this group: the router's, and what the row tried last adds."""
        return self._registry.settings.num_retries + self._here.extra_retries

    @property
    def is_fallback(self) -> bool:
        """True outside the group that was asked for."""
        return self._here is not self._first

    @property
    def passed_over(self) -> list[Group]:
        """What could not serve then, but may later."""
        return [stop.scope for stop in self._passed if stop.scope is not None]

    @property
    def scopes(self) -> list[Group]:
        """Of all groups put on the way so far."""
        return [stop.scope for stop in self._stops if stop.scope is not None]

    def enter(self, deployment: Deployment) -> tuple[str, ...]:
        """An attempt is made here; the groups other than the first that were tried so far."""
        self._here.tries += 1
        self._here.extra_retries = deployment.max_retries or 0
        if self.is_fallback and self.name not in self._fallbacks:
            self._fallbacks = (*self._fallbacks, self.name)
        return self._fallbacks

    def excuse(self) -> None:
        """The attempt made last uses up no retry."""
        self._here.excused += 1

    def advance(self, *, may_return: bool) -> bool:
        """Go on, for this group cannot serve now; False when there is nowhere to go."""
        if may_return:
            self._passed.append(self._here)
        self._extend("general")
        return self._move()

    def leave(self, kind: FallbackKind) -> bool:
        """Leave this group for good, for what fallbacks of a kind offer; False: they do not."""
        if not self.leads_on(kind):
            return False
        self._extend(kind)
        return self._move()

    def leads_on(self, kind: FallbackKind) -> bool:
        """True when fallbacks of a kind lead from here to a group that was not tried."""
        chain = self._registry.fallbacks.chain(kind, self.name)
        ahead = [stop.name for stop in self._ahead]
        names = [name for name in chain if name in ahead] + self._fresh(kind)
        return any(self._scope_of(name) is not None for name in names)

    def widen(self) -> bool:
        """Free the call from its pin, where the settings say so; False where they do not."""
        pin = self._pin
        choice = self._request.on_origin_down or self._registry.settings.on_origin_down
        if pin is None or not self._request.can_move:
            return False
        is_replay = pin.is_hard and pin.field == "previous_response_id" and choice == "replay"
        is_strip = not pin.is_hard and choice == "strip"
        if not (is_replay or is_strip):
            return False
        self._pin = None
        for stop in self._stops:
            stop.scope = self._scope_of(stop.name)
        return self._here.scope is not None

    def go_back(self) -> None:
        """Return to the first group passed over; the others are ahead again."""
        self._ahead.extendleft(reversed(self._passed))
        self._passed = []
        self._move()

    def _scope_of(self, name: str) -> Group | None:
        return self._registry.scope(name, self._request, self._pin)

    def _fresh(self, kind: FallbackKind) -> list[str]:
        """The groups that fallbacks of a kind add here, as many as are still allowed."""
        if not self._request.can_move:
            return []
        seen = {stop.name for stop in self._stops}
        chain = dict.fromkeys(self._registry.fallbacks.chain(kind, self.name))
        room = self._registry.settings.max_fallbacks + 1 - len(self._stops)
        return [name for name in chain if name not in seen][:room]

    def _extend(self, kind: FallbackKind) -> None:
        stops = [_Stop(name, self._scope_of(name)) for name in self._fresh(kind)]
        self._stops += stops
        self._ahead.extendleft(reversed(stops))

    def _move(self) -> bool:
        while self._ahead:
            stop = self._ahead.popleft()
            if stop.scope is None:
                continue
            self._here = stop
            if not self._skips():
                return True
        return self._take_skipped()

    def _skips(self) -> bool:
        """True when the input is too long for all of this group, and another is ahead."""
        here, tokens = self._here, self._request.input_tokens
        if here.was_skipped or here.scope is None or not here.scope.is_too_small(tokens):
            return False
        self._extend("context window")
        here.was_skipped = bool(self._ahead)
        return here.was_skipped

    def _take_skipped(self) -> bool:
        """Where nothing else was even tried, try what seemed too small."""
        skipped = [stop for stop in self._stops if stop.was_skipped and stop.tries == 0]
        if not skipped or self._passed or any(stop.tries for stop in self._stops):
            return False
        self._here = skipped[0]
        return True
