"""What one call has met at each deployment, and when it may try it again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf

from azure_responses.protocol.retry import RetryPolicy, backoff
from azure_responses.routing.deployment import Deployment

__all__ = ["TriedDeployments"]

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
class _Entry:
    state: _State = _State.UNTRIED
    ready_at: float = 0.0
    full_until: float = 0.0
    refusals: int = 0
    is_blamed: bool = False


class TriedDeployments(dict[str, _Entry]):
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

    def _of(self, deployment_id: str) -> _Entry:
        return self.setdefault(deployment_id, _Entry())

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
        """True the first time: one call that fails often is not a row of failures."""
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
