"""What this process knows of its deployments: cooldowns, failures, load, latency, headroom.

Limits are the business of the state store, which may be shared with other processes.
"""

from collections.abc import Callable, Iterable, Mapping

from azure_responses.fork import new_lock
from azure_responses.routing.cooldown import Cause, Cooldown
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_state import Status
from azure_responses.routing.outcome import Outcome
from azure_responses.routing.route_request import Candidate
from azure_responses.routing.settings import RouterSettings

__all__ = ["DeploymentHealth"]


class DeploymentHealth:
    """The in-process state of a router; every method may be called from any thread.

    `Reservation.cooldowns` says what other replicas know. Times are monotonic
    seconds.

    Attributes:
        statuses: by deployment id. Reading single values needs no lock; `board` methods write.
        troubled: ids of those that are cooling down or half open; nobody, mostly.
    """

    def __init__(self, deployments: Iterable[Deployment], settings: RouterSettings) -> None:
        self.statuses = {d.id: Status(d, settings) for d in deployments}
        self.troubled: frozenset[str] = frozenset()
        self._reads_headers = settings.needs_headroom
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

    def in_flight(self, deployment_id: str) -> int:
        """Attempts under way."""
        return self.statuses[deployment_id].in_flight

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
        if not self.troubled:
            return False
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
        """An attempt begins; its mark, for `end`."""
        with self._lock:
            status = self.statuses[candidate.deployment.id]
            status.in_flight += 1
            return status.headroom.reserve(candidate.tokens, now) if self._reads_headers else 0

    def end(self, candidate: Candidate, mark: int, used: int, *, was_sent: bool = True) -> None:
        """The attempt is over, and took so many tokens."""
        with self._lock:
            status = self.statuses[candidate.deployment.id]
            status.in_flight -= 1
            if self._reads_headers:
                status.headroom.settle(mark, candidate.tokens, used, was_sent=was_sent)

    def succeed(
        self,
        deployment_id: str,
        mark: int,
        outcome: Outcome,
        now: float,
        *,
        is_stream: bool,
        is_probe: bool,
        is_output_open: bool = False,
    ) -> None:
        """The attempt was answered: failures in a row end, and the answer's figures count."""
        with self._lock:
            status = self.statuses[deployment_id]
            status.cooldown.succeed(is_probe=is_probe)
            if outcome.latency is not None:
                status.time_latency(outcome.latency, now, is_stream=is_stream)
            if is_output_open and outcome.output_tokens is not None:
                status.output.observe(outcome.output_tokens, now)
            if self._reads_headers:
                status.headroom.observe(outcome.headers, mark, now)

    def limit(self, deployment_id: str, hint: float | None, now: float) -> float | None:
        """The service said 429; seconds for which the deployment is in cooldown."""
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
            self.troubled |= {deployment_id}
            return seconds
