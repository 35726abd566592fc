"""What this process knows of its deployments: cooldowns, failures, load, latency, headroom.

Limits are the business of the state store, which may be shared with other processes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from azure_responses.fork import new_lock
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.quota import Headroom
from azure_responses.routing.route_request import Candidate, Outcome, RouteRequest
from azure_responses.routing.settings import RouterSettings
from azure_responses.routing.token_estimate import UsualTokens

__all__ = [
    "Cause",
    "Cooldown",
    "CooldownRules",
    "DeploymentState",
    "DeploymentHealth",
]

Cause = Literal[
    "rate limit", "failures", "credential refused", "deployment missing", "another replica"
]

# How often to look whether a probe under way has ended.
_PROBE_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class CooldownRules:
    """How many consecutive failures trip a deployment; its cooldown in seconds, and the longest."""

    allowed_fails: int
    seconds: float
    longest: float
    probe_lease: float = 600.0


class Cooldown:
    """The cooldown and circuit breaker of one deployment; callers hold the lock.

    A rate limit starts a cooldown. Failures trip it: after the cooldown it is half open, which lets
    one probe through at a time until one succeeds; a failed probe doubles the time. A deadline
    never moves back. Times are monotonic seconds.
    """

    __slots__ = ("_probe_until", "cause", "failures", "is_tripped", "rules", "trips", "until")

    def __init__(self, rules: CooldownRules) -> None:
        self.rules = rules
        self.until = 0.0
        self.cause: Cause = "rate limit"
        self.failures = 0
        self.trips = 0
        self.is_tripped = False
        self._probe_until: float | None = None

    def is_open(self, now: float) -> bool:
        """True when it may be called now (half open: when no other probe is under way)."""
        if self.until > now:
            return False
        return not self.is_tripped or not self._is_probed(now)

    def remaining(self, now: float) -> float:
        """Seconds until it may be called; 0 when it may be now."""
        if self.until > now:
            return self.until - now
        return _PROBE_PATIENCE if self.is_tripped and self._is_probed(now) else 0.0

    def extend(self, seconds: float, cause: Cause, now: float) -> None:
        """Start a cooldown of so many seconds, unless a longer one is under way."""
        if now + seconds > self.until:
            self.until = now + seconds
            self.cause = cause

    def claim_probe(self, now: float) -> bool:
        """Take the one probe of a half-open deployment; False when another call has it."""
        if not self.is_open(now):
            return False
        # A probe whose caller never reports back must not keep the deployment shut for ever.
        self._probe_until = now + self.rules.probe_lease
        return True

    def release_probe(self) -> None:
        """Let another call probe."""
        self._probe_until = None

    def succeed(self, *, is_probe: bool) -> None:
        """An attempt was answered. Only a probe closes a tripped breaker.

        An answer to what was sent before it tripped says nothing about now.
        """
        if is_probe:
            self.is_tripped = False
            self.trips = 0
            self._probe_until = None
        if not self.is_tripped:
            self.failures = 0

    def limit(self, hint: float | None, now: float) -> float:
        """The service said 429: a cooldown as long as it asked for, else the usual time.

        Returns its seconds. A rate limit is no failure: the deployment works, and is not tripped.
        """
        seconds = self.rules.seconds if hint is None else hint
        self.extend(seconds, "rate limit", now)
        return seconds

    def fail(
        self,
        cause: Cause,
        now: float,
        *,
        hint: float | None = None,
        at_once: bool = False,
        is_probe: bool = False,
        counts: bool = True,
    ) -> float | None:
        """An attempt failed; seconds of cooldown, or None when it goes on.

        `hint` is what the service asked for and is heeded from the first failure on. `at_once`
        trips without waiting for more failures. `counts` is False for a further attempt of a call
        whose failure was counted: the failures of one call do not count as consecutive.
        """
        self.failures += counts
        is_many = counts and self.failures >= self.rules.allowed_fails
        trips = at_once or is_probe or is_many
        if not trips or (self.is_tripped and not is_probe):
            if hint:
                self.extend(hint, cause, now)
            return hint or None
        seconds = self._trip(hint)
        self.extend(seconds, cause, now)
        return seconds

    def _trip(self, hint: float | None) -> float:
        seconds = self.rules.seconds if hint is None else hint
        # Bounded before it is multiplied: two to the power of thousands of trips overflows.
        doubled = min(seconds * 2.0 ** min(self.trips, 30), self.rules.longest)
        self.trips += 1
        self.is_tripped = True
        self._probe_until = None
        return max(seconds, doubled)

    def _is_probed(self, now: float) -> bool:
        return self._probe_until is not None and now < self._probe_until


# Seconds after which a latency says nothing any more: one slow answer must not keep a deployment
# without calls, and so without a newer latency, for ever.
_LATENCY_LIFE = 60.0
_NEWEST_SHARE = 0.3


class DeploymentState:
    """One deployment's cooldown, load, latency and headroom; the health holds the lock."""

    __slots__ = ("_latency", "cooldown", "deployment", "headroom", "in_flight", "output")

    def __init__(self, deployment: Deployment, settings: RouterSettings) -> None:
        usual = deployment.cooldown_time
        self.deployment = deployment
        self.cooldown = Cooldown(
            CooldownRules(
                allowed_fails=settings.allowed_fails,
                seconds=settings.cooldown_time if usual is None else usual,
                longest=settings.longest_cooldown,
                probe_lease=settings.timeout or 600.0,
            )
        )
        self.headroom = Headroom()
        self.output = UsualTokens()
        self.in_flight = 0
        # By whether it streams: seconds, and when they were seen.
        self._latency: dict[bool, tuple[float, float]] = {}

    def latency(self, now: float, *, is_stream: bool) -> float | None:
        """Seconds it lately took to the first output of a stream, or to a whole answer."""
        seconds, at = self._latency.get(is_stream, (None, 0.0))
        return seconds if now < at + _LATENCY_LIFE else None

    def time_latency(self, seconds: float, now: float, *, is_stream: bool) -> None:
        """An answer took so long: an exponentially weighted moving average."""
        before = self.latency(now, is_stream=is_stream)
        mean = seconds if before is None else before + _NEWEST_SHARE * (seconds - before)
        self._latency[is_stream] = (mean, now)


class DeploymentHealth:
    """The in-process state of a router; every method may be called from any thread.

    `Reservation.cooldowns` says what other replicas know. Times are monotonic
    seconds.

    Attributes:
        statuses: by deployment id. Reading single values needs no lock; only the methods of this
            class write, which hold it.
        troubled: ids of those that are in cooldown or half open; mostly empty.
    """

    def __init__(self, deployments: Iterable[Deployment], settings: RouterSettings) -> None:
        self.statuses = {d.id: DeploymentState(d, settings) for d in deployments}
        self.troubled: frozenset[str] = frozenset()
        self._reads_headers = settings.needs_headroom
        self._has_no_cooldowns = settings.disable_cooldowns
        self._lock = new_lock()

    def forget_calls(self) -> None:
        """Forget the calls under way: in a forked process they are the parent's."""
        with self._lock:
            for status in self.statuses.values():
                status.in_flight = 0
                status.cooldown.release_probe()

    def learn(self, cooldowns: Mapping[str, float], now: float) -> None:
        """Take over cooldowns (id → seconds remaining) that other replicas noted.

        None is shortened; ids that this router does not have are passed over.
        """
        for deployment_id, seconds in cooldowns.items():
            if deployment_id in self.statuses and seconds > 0:
                self._cool_down(deployment_id, seconds, now)

    def cooldowns(self, now: float) -> dict[str, float]:
        """Deployment id → seconds it is still in cooldown."""
        left = {name: self.statuses[name].cooldown.until - now for name in self.troubled}
        return {name: seconds for name, seconds in left.items() if seconds > 0}

    def is_open(self, deployment_id: str, now: float) -> bool:
        """True when nothing keeps the deployment from being called."""
        return self.statuses[deployment_id].cooldown.is_open(now)

    def is_only_limited(self, deployment_id: str, now: float) -> bool:
        """True when the deployment is in cooldown, but for its quota and not for failures."""
        cooldown = self.statuses[deployment_id].cooldown
        is_limit = cooldown.cause in ("rate limit", "another replica")
        return cooldown.until > now and is_limit and not cooldown.is_tripped

    def tidy(self, now: float) -> bool:
        """Forget troubles that have passed; True when some are left."""
        with self._lock:
            cooldowns = ((name, self.statuses[name].cooldown) for name in self.troubled)
            left = [name for name, c in cooldowns if c.is_tripped or c.until > now]
            if len(left) != len(self.troubled):
                self.troubled = frozenset(left)
        return bool(left)

    def claim_probe(self, deployment_id: str, now: float) -> bool:
        """Take the probe of a half-open deployment; False when another call has it."""
        with self._lock:
            return self.statuses[deployment_id].cooldown.claim_probe(now)

    def release_probe(self, deployment_id: str) -> None:
        """Give it back untried."""
        with self._lock:
            self.statuses[deployment_id].cooldown.release_probe()

    def begin(self, candidate: Candidate, now: float) -> int:
        """An attempt begins; its mark, for `succeed` and `end`."""
        with self._lock:
            status = self.statuses[candidate.deployment.id]
            status.in_flight += 1
            return status.headroom.reserve(candidate.tokens, now) if self._reads_headers else 0

    def end(self, candidate: Candidate, mark: int, used: int, *, was_sent: bool = True) -> None:
        """The attempt ended without an answer, and took so many tokens."""
        with self._lock:
            status = self.statuses[candidate.deployment.id]
            status.in_flight -= 1
            if self._reads_headers:
                status.headroom.settle(mark, candidate.tokens, used, was_sent=was_sent)

    def succeed(
        self,
        candidate: Candidate,
        mark: int,
        outcome: Outcome,
        now: float,
        used: int,
        request: RouteRequest,
        *,
        is_probe: bool,
    ) -> None:
        """The attempt was answered: consecutive failures end, and the answer's figures count.

        `used` is the tokens that it took.
        """
        with self._lock:
            status = self.statuses[candidate.deployment.id]
            status.in_flight -= 1
            # Without trouble there is nothing to end.
            if is_probe or status.cooldown.failures:
                status.cooldown.succeed(is_probe=is_probe)
            if outcome.latency is not None:
                status.time_latency(outcome.latency, now, is_stream=request.is_stream)
            if request.is_output_open and outcome.output_tokens is not None:
                status.output.observe(outcome.output_tokens, now)
            if self._reads_headers:
                status.headroom.settle(mark, candidate.tokens, used)
                status.headroom.observe(outcome.headers, mark, now)

    def limit(self, deployment_id: str, hint: float | None, now: float) -> float | None:
        """The service said 429; seconds for which the deployment is in cooldown."""
        if self._has_no_cooldowns:
            return None
        return self._change(deployment_id, lambda cooldown: cooldown.limit(hint, now))

    def fail(
        self,
        deployment_id: str,
        cause: Cause,
        now: float,
        *,
        hint: float | None,
        at_once: bool,
        is_probe: bool,
        counts: bool = True,
    ) -> float | None:
        """The attempt failed; seconds for which the deployment is in cooldown, or None."""
        if self._has_no_cooldowns:
            return None
        return self._change(
            deployment_id,
            lambda cooldown: cooldown.fail(
                cause, now, hint=hint, at_once=at_once, is_probe=is_probe, counts=counts
            ),
        )

    def _cool_down(self, deployment_id: str, seconds: float, now: float) -> None:
        cooldown = self.statuses[deployment_id].cooldown
        # What this process knows of the cause is more than that another one knew of it.
        cause: Cause = cooldown.cause if cooldown.until > now else "another replica"
        self._change(deployment_id, lambda known: known.extend(seconds, cause, now))

    def _change(
        self, deployment_id: str, change: Callable[[Cooldown], float | None]
    ) -> float | None:
        with self._lock:
            seconds = change(self.statuses[deployment_id].cooldown)
            # A new set each time: callers read it without the lock.
            self.troubled |= {deployment_id}
            return seconds
