"""Why a call goes where it goes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_health import DeploymentHealth
from azure_responses.routing.route_request import RouteRequest
from azure_responses.routing.strategies import STRATEGIES, Strategy

__all__ = ["Explanation", "Verdict", "describe", "describe_obstacle"]


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
    """

    deployment: str
    host: str
    serves: bool
    reason: str
    until: float | None = None
    is_limited: bool = False

    def __str__(self) -> str:
        return f"{self.deployment} ({self.host}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What routing would do with a call now.

    Attributes:
        group: the group asked for.
        deployment: the id of the deployment it would go to, or None when nobody can take it.
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
    request: RouteRequest,
    now: float,
    *,
    full: float = 0.0,
    is_pinned: bool = False,
    is_too_small: bool = False,
) -> Verdict | None:
    """What keeps a deployment from taking a call, or None.

    Args:
        deployment, request, now: which, for what, and when in monotonic seconds.
        health: what is known of it.
        full: seconds until its rpm and tpm have room; 0 when they have now.
        is_pinned: the call has to go to its resource.
        is_too_small: its context window does not hold the call, and another's does.
    """

    def out(reason: str, until: float | None = None, *, is_limited: bool = False) -> Verdict:
        return Verdict(deployment.id, deployment.host, False, reason, until, is_limited)

    if deployment.weight == 0 and not is_pinned:
        return out("weight 0: takes only calls that are pinned to it")
    if is_too_small:
        return out(f"its context window of {deployment.max_input_tokens} tokens is too small")
    cooldown = health.statuses[deployment.id].cooldown
    left = cooldown.until - now
    if left > 0:
        reason = f"cooling down for another {left:.1f} s ({cooldown.cause})"
        is_limited = cooldown.cause in ("rate limit", "another replica")
        return out(reason, max(left, full), is_limited=is_limited)
    if not cooldown.is_open(now):
        return out(
            f"being probed by another call ({cooldown.cause})", until=cooldown.remaining(now)
        )
    if full > 0:
        return out(f"full for another {full:.1f} s (rpm, tpm)", full, is_limited=True)
    return None


def describe(
    deployment: Deployment,
    health: DeploymentHealth,
    request: RouteRequest,
    now: float,
    strategy: Strategy,
    *,
    pins: str,
) -> Verdict:
    """Why a deployment may take a call; `pins` says that it is pinned, or is empty."""
    status = health.statuses[deployment.id]
    measure = STRATEGIES[strategy].measure(deployment, status, request, now)
    probe = ", half open: one probe at a time" if status.cooldown.is_tripped else ""
    clauses: Sequence[str] = [f"order {deployment.order}", measure]
    reason = ", ".join([pins, *clauses] if pins else clauses) + probe
    return Verdict(deployment.id, deployment.host, True, reason, 0.0)
