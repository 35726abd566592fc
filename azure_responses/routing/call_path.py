"""The path of one call: the groups it passes, and what it has met at each deployment."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf

from azure_responses.protocol.retry import RetryPolicy, backoff
from azure_responses.routing.deployment import Deployment, Group
from azure_responses.routing.deployment_registry import DeploymentRegistry, FallbackKind
from azure_responses.routing.route_request import RouteRequest

__all__ = ["FallbackPath", "TriedDeployments"]


@dataclass(slots=True)
class Stop:
    """One group on the path of a call.

    Attributes:
        name: of the group.
        scope: the deployments that the call may use there; None when there are none.
        tries: attempts made there that count as retries, and the first.
        attempts: all attempts made there.
        extra_retries: what the deployment tried last adds to the router's `num_retries`.
        was_skipped: the input is too long for the group, and another was ahead.
    """

    name: str
    scope: Group | None
    tries: int = 0
    attempts: int = 0
    extra_retries: int = 0
    was_skipped: bool = False


class FallbackPath:
    """The path of one call between groups. No group is put on it twice, and never too many.

    A group that cannot serve now is passed over: the call goes on to the fallbacks, and comes back
    when it has to wait. A group left for the context window or the content policy is left for good.

    Attributes:
        here: the group the call is in.
    """

    def __init__(self, registry: DeploymentRegistry, request: RouteRequest) -> None:
        self._registry = registry
        self._request = request
        self._pin = request.pin
        name = registry.settings.aliases.get(request.group, request.group)
        scope = registry.scope(name, request, request.pin)
        self._first = self.here = Stop(name, scope)
        self._stops = [self._first]
        self._ahead: deque[Stop] = deque()
        self._passed: list[Stop] = []
        self._fallbacks: tuple[str, ...] = ()
        # Most groups state no context windows, which is seen without a call.
        has_windows = scope is not None and scope.largest_window is not None
        if has_windows and self._is_too_small(self.here):
            self._ahead.append(self._first)
            self._move()

    @property
    def retry_limit(self) -> int:
        """Retries allowed in this group: the router's, and those of the deployment tried last."""
        return self._registry.settings.num_retries + self.here.extra_retries

    @property
    def is_fallback(self) -> bool:
        """True outside the group that was asked for."""
        return self.here is not self._first

    @property
    def passed_over(self) -> list[Group]:
        """What could not serve then, but may later."""
        return [stop.scope for stop in self._passed if stop.scope is not None]

    @property
    def scopes(self) -> list[Group]:
        """Of all groups put on the path so far."""
        return [stop.scope for stop in self._stops if stop.scope is not None]

    def enter(self, deployment: Deployment) -> tuple[str, ...]:
        """An attempt is made here; the groups other than the first that were tried so far."""
        here = self.here
        here.tries += 1
        here.attempts += 1
        here.extra_retries = deployment.max_retries or 0
        if here is not self._first and here.name not in self._fallbacks:
            self._fallbacks = (*self._fallbacks, here.name)
        return self._fallbacks

    def excuse(self) -> None:
        """The attempt made last uses up no retry."""
        self.here.tries -= 1

    def advance(self, *, may_return: bool) -> bool:
        """Go on, for this group cannot serve now; False when there is nowhere to go."""
        if may_return:
            # Without retries left there is no reason to come back to it.
            self._passed.append(self.here)
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
        chain = self._registry.fallbacks.chain(kind, self.here.name)
        ahead = [stop.name for stop in self._ahead]
        names = [name for name in chain if name in ahead] + self._fresh(kind)
        return any(self._scope_of(name) is not None for name in names)

    def widen(self) -> bool:
        """Free the call from its pin, where the settings say so; False where they do not."""
        pin = self._pin
        choice = self._request.on_origin_down or self._registry.settings.on_origin_down
        if pin is None or not self._request.can_move:
            return False
        # Without its history or with reasoning that it cannot read, another resource refuses the
        # call; either loss has to be the caller's choice (decision 0007).
        is_replay = pin.is_hard and pin.field == "previous_response_id" and choice == "replay"
        is_strip = not pin.is_hard and choice == "strip"
        if not (is_replay or is_strip):
            return False
        self._pin = None
        for stop in self._stops:
            stop.scope = self._scope_of(stop.name)
        return self.here.scope is not None

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
        chain = dict.fromkeys(self._registry.fallbacks.chain(kind, self.here.name))
        # Chains may name each other in a circle, so that what was seen is left out, and all are
        # counted.
        room = self._registry.settings.max_fallbacks + 1 - len(self._stops)
        return [name for name in chain if name not in seen][:room]

    def _extend(self, kind: FallbackKind) -> None:
        stops = [Stop(name, self._scope_of(name)) for name in self._fresh(kind)]
        self._stops += stops
        # In front: the fallbacks of a fallback are tried before those of the group before it.
        self._ahead.extendleft(reversed(stops))

    def _move(self) -> bool:
        while self._ahead:
            stop = self._ahead.popleft()
            if stop.scope is None:
                continue
            self.here = stop
            if not self._skips():
                return True
        return self._take_skipped()

    def _skips(self) -> bool:
        """True when the input is too long for all of this group, and another is ahead."""
        here = self.here
        if here.was_skipped or not self._is_too_small(here):
            return False
        self._extend("context window")
        here.was_skipped = bool(self._ahead)
        return here.was_skipped

    def _is_too_small(self, stop: Stop) -> bool:
        return stop.scope is not None and stop.scope.is_too_small(self._request.input_tokens)

    def _take_skipped(self) -> bool:
        """Where no attempt was made at all, try the groups that seemed too small."""
        # The number of tokens is an estimate: only the service knows that the input is too long.
        skipped = [stop for stop in self._stops if stop.was_skipped and stop.attempts == 0]
        if not skipped or self._passed or any(stop.attempts for stop in self._stops):
            return False
        self.here = skipped[0]
        return True


# A service that keeps naming times that do not hold is believed this often, and asked less often
# each time.
_MOST_REFUSALS = 10
_FIRST_REFUSAL_PAUSE = 0.05
_POLICY = RetryPolicy()


class _State(Enum):
    """What an attempt on a deployment has come to, for the call that made it."""

    UNTRIED = "no attempt has failed"
    PAUSED = "may be tried after a backoff, which is drawn when it is first needed"
    TIMED = "may be tried at a known time"
    GIVEN_UP = "not tried again by this call"


@dataclass(slots=True)
class _Met:
    state: _State = _State.UNTRIED
    ready_at: float = 0.0
    full_until: float = 0.0
    refusals: int = 0
    is_blamed: bool = False


class TriedDeployments(dict[str, _Met]):
    """By deployment id, what one call has met there; times are monotonic seconds.

    Empty while nothing has gone wrong, which is the usual case: then no method is called.

    | State | Entered when | The call may try it |
    |---|---|---|
    | untried | no attempt has failed | at once |
    | paused | an attempt failed, and there was no cooldown | after a backoff |
    | timed | an attempt failed; the cooldown or the service says for how long | then |
    | given up | the credential was refused, or the deployment does not exist | never |

    In each state the deployment may also be full: the state store had no room on it, and expects
    some at a known time. A failure in any state replaces the state. Of deployments that are not
    untried the call makes further attempts only where no untried one is left.
    """

    # Of the last failure, whose backoff is drawn only when it is needed.
    _failed_at = 0.0

    def _of(self, deployment_id: str) -> _Met:
        return self.setdefault(deployment_id, _Met())

    def is_untried(self, deployment_id: str, now: float) -> bool:
        """True when no attempt failed there and it is not full."""
        entry = self.get(deployment_id)
        return entry is None or (entry.state is _State.UNTRIED and entry.full_until <= now)

    def has_room(self, deployment_id: str, now: float) -> bool:
        """False while the state store expects no room on it."""
        entry = self.get(deployment_id)
        return entry is None or entry.full_until <= now

    def repeatable(self, deployments: Iterable[Deployment], now: float) -> list[Deployment]:
        """Those that failed this call, may be tried again, and are not full."""
        return [
            deployment
            for deployment in deployments
            if (entry := self.get(deployment.id)) is not None
            and entry.state in (_State.PAUSED, _State.TIMED)
            and entry.full_until <= now
        ]

    def note_full(self, deployment_ids: Iterable[str], until: float) -> None:
        """The state store had no room on these."""
        for deployment_id in deployment_ids:
            self._of(deployment_id).full_until = until

    def full_until(self) -> Mapping[str, float]:
        """Until when those are full that were."""
        return {name: entry.full_until for name, entry in self.items() if entry.full_until}

    def give_up(self, deployment_id: str, now: float) -> None:
        """An attempt failed in a way that does not change while a caller waits."""
        self._failed_at = now
        self._of(deployment_id).state = _State.GIVEN_UP

    def note_failure(self, deployment_id: str, now: float, cooldown: float | None) -> None:
        """An attempt failed, and started a cooldown of so many seconds or none."""
        self._failed_at = now
        entry = self._of(deployment_id)
        if cooldown is None:
            entry.state = _State.PAUSED
        else:
            entry.state, entry.ready_at = _State.TIMED, now + cooldown

    def note_refusal(self, deployment_id: str, now: float) -> bool:
        """After `note_failure`: the failure was a refusal that said when to come back.

        Returns True while it need not count as a retry.

        litellm#34399: deployments that share one quota all refuse, and none serves until then.
        """
        entry = self._of(deployment_id)
        entry.refusals += 1
        pause = _FIRST_REFUSAL_PAUSE * 2.0 ** min(entry.refusals - 1, _MOST_REFUSALS)
        entry.ready_at = max(entry.ready_at, now + pause)
        return entry.refusals <= _MOST_REFUSALS

    def blame(self, deployment_id: str) -> bool:
        """True the first time: the failures of one call do not count as consecutive."""
        entry = self._of(deployment_id)
        is_first, entry.is_blamed = not entry.is_blamed, True
        return is_first

    def ready_at(self, deployment_id: str, retries: int, jitter: float, delay: float) -> float:
        """When a repeatable deployment may be tried; `delay` is the least pause, in seconds."""
        entry = self[deployment_id]
        if entry.state is _State.PAUSED:
            pause = max(backoff(_POLICY, retries, jitter), delay)
            entry.state, entry.ready_at = _State.TIMED, self._failed_at + pause
        return entry.ready_at

    def wait(self, deployment_id: str, now: float) -> float:
        """Seconds until it may be tried, as far as is known; infinite once it is given up."""
        entry = self.get(deployment_id)
        if entry is None:
            return 0.0
        if entry.state is _State.GIVEN_UP:
            return inf
        ready_at = entry.ready_at if entry.state is _State.TIMED else now
        return max(ready_at, entry.full_until) - now
