"""One call: which deployment next, and what its outcome means for the one after."""

from collections.abc import Iterable
from dataclasses import replace
from math import inf

from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.retry import RetryPolicy, backoff
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.failure_policy import (
    FailureDecision,
    is_about_credential,
    is_busy,
    is_callers_time,
    judge,
    name_deployment,
    tokens_used,
    was_sent,
)
from azure_responses.routing.fallback_path import FallbackPath
from azure_responses.routing.quota import RUNNING_WAIT
from azure_responses.routing.route_request import (
    AttemptStep,
    Candidate,
    Outcome,
    Pin,
    Reservation,
    RouteRequest,
    Settlement,
    WaitStep,
    candidate_for,
)
from azure_responses.routing.routing_errors import (
    deadline_passed,
    no_deployment_serves,
    origin_unknown,
    unknown_model,
    with_context,
)
from azure_responses.routing.strategies import IsFree, choose

__all__ = ["RoutedCall"]

_SPREAD = 0.1  # of a wait, so that those who wait for one deployment do not all come at once
_SHORTEST_WAIT = 0.01
_LOOK_AGAIN = 0.25
_SHORTEST_ATTEMPT = 1.0
_SHORTEST_TIME = 0.001
# A service that keeps naming times that do not hold is believed so often, and asked less and less.
_MOST_REFUSALS = 10
_FIRST_REFUSAL_PAUSE = 0.05


class RoutedCall:
    """The state of one call, told what happens; not for two threads at once.

    The shell's loop: `next_step` → WaitStep: sleep, then call it again; AttemptStep: reserve one of
    the candidates in the state store, then `reserved` or `refused`; after an attempt exactly one of
    `answered`, `failed` and `abandoned`, whose Settlement goes to the state store. `next_step`
    raises the final error once nothing is left to try. Azure knows the deployment as
    `deployment.name_for(group)`.

    Attributes:
        request: as given.
        deadline: monotonic seconds; the request's, else the router's timeout from now, or None.
        attempts: how many were reserved.
        fallbacks: the groups the call was given to after the first, in order.
        deployment: the one reserved last, or None.
        group: the group it is in now.
        waited: seconds of waiting asked for so far.
        is_probe: this attempt tests a deployment that had failed too often.
        alarm: what an operator has to know of the last failure (a refused credential, a missing
            deployment), to be logged loudly; None when there is nothing.
        strips_reasoning: the deployment reserved cannot read the encrypted reasoning of the
            request, which has to be left out of this attempt.
        replays_history: the deployment reserved does not have the response that the request
            continues; this attempt has to carry its history instead.
    """

    def __init__(self, routing: DeploymentRegistry, request: RouteRequest, now: float) -> None:
        timeout = routing.settings.timeout
        self.request = request
        self.deadline = request.deadline
        if request.deadline is None and timeout is not None:
            self.deadline = now + timeout
        self.attempts = 0
        self.fallbacks: tuple[str, ...] = ()
        self.deployment: Deployment | None = None
        self.waited = 0.0
        self.is_probe = False
        self.alarm: str | None = None
        self.strips_reasoning = False
        self.replays_history = False
        self._routing = routing
        self._pin: Pin | None = request.pin
        self._route = FallbackPath(routing, request)
        # What this call has met: when each deployment it tried may be tried again (None: after a
        # backoff not drawn yet; inf: not by this call), and until when each that had no room is
        # full.
        self._tried: dict[str, float | None] = {}
        self._full: dict[str, float] = {}
        self._failed_at = now
        self._claimed: list[str] = []
        self._candidate: Candidate | None = None
        self._slot = 0
        self._mark = 0
        self._began = now
        self._left: float | None = None
        self._blamed: set[str] = set()
        self._refusals: dict[str, int] = {}
        self._error: AzureResponsesError | None = None
        self._final: AzureResponsesError | None = None
        routing.retry_budget.deposit()

    @property
    def group(self) -> str:
        """The group it is in now."""
        return self._route.name

    def next_step(self, now: float, jitter: float) -> AttemptStep | WaitStep:
        """What to do next; `jitter` is uniform in [0, 1) and new each time.

        Raises:
            AzureResponsesError: nothing is left to try; the most telling error of those met, or
                RateLimitError 429 / InternalServerError 503 when nobody can serve.
        """
        self._release_probes()
        if self._final is not None:
            raise self._final
        self._refuse_hopeless()
        if self.deadline is not None and now >= self.deadline:
            self._final = self._give_up(now) if self._error else deadline_passed(self.request)
            raise self._final
        while True:
            step = self._step_within(now, jitter)
            if step is not None:
                return step
            if not self._route.advance(may_return=self._may_try(now)):
                return self._wait(now, jitter)

    def reserved(self, reservation: Reservation, now: float) -> None:
        """The store reserved `reservation.candidate`: an attempt on it begins."""
        assert reservation.candidate is not None
        health, deployment = self._routing.health, reservation.candidate.deployment
        if reservation.cooldowns:
            health.learn(reservation.cooldowns, now)
        if self._route.tries:
            self._routing.retry_budget.withdraw(now)
        self.is_probe = deployment.id in self._claimed
        self._release_probes(kept=deployment.id)
        self._candidate, self._slot, self.deployment = (
            reservation.candidate,
            reservation.slot,
            deployment,
        )
        self._mark = health.begin(reservation.candidate, now)
        self.attempts += 1
        self.fallbacks = self._route.enter(deployment)
        pin = self.request.pin
        is_elsewhere = pin is not None and deployment.resource != pin.resource
        self.strips_reasoning = is_elsewhere and pin is not None and not pin.is_hard
        self.replays_history = is_elsewhere and pin is not None and pin.is_hard

    def refused(self, reservation: Reservation, now: float) -> None:
        """None of the candidates had room (`reservation.candidate` is None)."""
        if reservation.cooldowns:
            self._routing.health.learn(reservation.cooldowns, now)
        wait = reservation.retry_after or 0.0
        # Room that running calls hold frees at any moment.
        until = now + max(wait if wait > RUNNING_WAIT else wait * _LOOK_AGAIN, _SHORTEST_WAIT)
        for deployment in self._route.bidders:
            self._full[deployment.id] = until
        self._release_probes()

    def attempt_timeout(self, now: float) -> float | None:
        """Seconds this attempt may take: what is left of the deadline, or the row's timeout."""
        own = self.deployment.timeout if self.deployment else None
        left = None if self.deadline is None else max(self.deadline - now, _SHORTEST_TIME)
        self._began, self._left = now, left
        if own is None or left is None:
            return own if left is None else left
        return min(own, left)

    def wants_another(self, outcome: Outcome) -> bool:
        """True when the answer was cut by the content filter and another group may be asked.

        Then `answered` is called as usual and `next_step` after it. Keep the answer: it is the
        result of the call should `next_step` raise.
        """
        is_cut = outcome.status == "incomplete" and outcome.incomplete_reason == "content_filter"
        return is_cut and not outcome.has_output and self._route.leads_on("content policy")

    def answered(self, outcome: Outcome, now: float) -> Settlement:
        """The attempt ended in an answer."""
        candidate = self._current_bid()
        used = candidate.tokens if outcome.tokens is None else outcome.tokens
        self.alarm = None
        if self.wants_another(outcome):
            self._route.leave("content policy")
        self._note_stored(outcome)
        self._routing.health.end(candidate, self._mark, used)
        self._routing.health.succeed(
            candidate.deployment.id,
            self._mark,
            outcome,
            now,
            is_stream=self.request.is_stream,
            is_probe=self.is_probe,
            is_output_open=self.request.is_output_open,
        )
        self._candidate = None
        return Settlement(candidate, self._slot, used)

    def failed(
        self,
        error: AzureResponsesError,
        now: float,
        *,
        has_output: bool = False,
        tokens: int | None = None,
        was_sent: bool | None = None,
    ) -> Settlement:
        """The attempt failed; `next_step` then decides, or raises.

        Args:
            error: what went wrong.
            has_output: something has reached the caller, so that no other attempt is made, ever.
            tokens: what the service had reported as used, where it had.
            was_sent: whether the request reached the service; None judges by the error.
        """
        deployment = self._current_bid().deployment
        timeout = self._routing.settings.timeout
        is_callers = is_callers_time(
            self.request, deployment.timeout, self._left, timeout, now - self._began
        )
        verdict = judge(error, self.request, deployment, is_callers_time=is_callers)
        cooldown = self._blame(verdict, error, now)
        if is_about_credential(error) and not self.request.is_altered:
            name_deployment(error, deployment)
        settlement = self._settle_failure(error, has_output, tokens, was_sent, cooldown)
        # A refused key or a missing deployment does not mend itself while a caller waits.
        again = inf if verdict.is_final else None if cooldown is None else now + cooldown
        self._tried[deployment.id] = self._excuse(error, deployment.id, now, again)
        self._failed_at = now
        if has_output:
            self._final = error
        else:
            self._decide(verdict, error)
        return settlement

    def abandoned(
        self, now: float, *, tokens: int | None = None, was_sent: bool = True
    ) -> Settlement | None:
        """The caller gave up (cancelled, closed the stream); the call is over.

        Returns None when nothing was reserved, as while waiting. `tokens` is what the service had
        reported as used; without it the estimate of the input counts.
        """
        self._release_probes()
        candidate = self._candidate
        if candidate is None:
            return None
        self._candidate = None
        used = max(self.request.given_tokens, tokens or 0) if was_sent else 0
        if self.is_probe:
            self._routing.health.release_probe(candidate.deployment.id)
        self._routing.health.end(candidate, self._mark, used, was_sent=was_sent)
        return Settlement(candidate, self._slot, used, refunds_request=not was_sent)

    # ── what may be tried ──

    def _refuse_hopeless(self) -> None:
        if self._route.scope is not None:
            return
        if self._routing.group(self.request.group) is None and self.request.can_move:
            raise unknown_model(self.request.group, self._routing.similar(self.request.group))
        assert self._pin is not None
        if not self._route.widen():
            raise origin_unknown(self._pin, self._routing, self.request)
        self._pin = None

    def _step_within(self, now: float, jitter: float) -> AttemptStep | WaitStep | None:
        """A step within the present group, or None when it cannot serve now."""
        if not self._may_try(now):
            return None
        candidates = self._candidates(self._choose(now, jitter), now)
        if candidates:
            return AttemptStep(candidates, self.request.can_move)
        if self._may_leave_origin(now) and self._route.widen():
            self._pin = None
            return self._step_within(now, jitter)
        return self._repeat(now, jitter)

    def _may_try(self, now: float) -> bool:
        tries = self._route.tries
        if tries == 0:
            return True
        return tries <= self._route.retry_limit and self._routing.retry_budget.has_retry(now)

    def _choose(self, now: float, jitter: float) -> Iterable[Deployment]:
        scope, health = self._route.scope, self._routing.health
        assert scope is not None
        is_free = self._freedom(now)
        wished = self._routing.by_tag(self._pin.deployment or "") if self._pin else None
        chosen = choose(
            self._routing.settings.strategy,
            scope,
            health.statuses,
            self.request,
            now,
            jitter,
            is_free,
        )
        if wished is None or wished not in scope.deployments:
            return chosen
        if is_free is not None and not is_free(wished):
            return chosen
        return [wished, *(d for d in chosen if d is not wished)][:8]

    def _freedom(self, now: float) -> IsFree | None:
        """What tells the deployments that may be called now; None when all may."""
        health, route = self._routing.health, self._route
        assert route.scope is not None
        has_trouble = health.tidy(now)
        scope, tokens = route.scope, self.request.input_tokens
        is_uneven = scope.is_uneven(tokens)
        if not (has_trouble or is_uneven or self._tried or self._full):
            return None

        def is_free(deployment: Deployment) -> bool:
            if deployment.id in self._tried or self._full.get(deployment.id, now) > now:
                return False
            if is_uneven and not scope.holds(deployment, tokens):
                return False
            return self._is_open(deployment.id, now)

        return is_free

    def _is_open(self, deployment_id: str, now: float) -> bool:
        health = self._routing.health
        return health.is_open(deployment_id, now) or self._is_exempt(deployment_id, now)

    def _is_exempt(self, deployment_id: str, now: float) -> bool:
        """True when the cooldown is for the quota, and the call takes nothing of it."""
        return not self.request.can_move and self._routing.health.is_only_limited(
            deployment_id, now
        )

    def _candidates(self, deployments: Iterable[Deployment], now: float) -> tuple[Candidate, ...]:
        health = self._routing.health
        candidates = []
        for deployment in deployments:
            if deployment.id in health.troubled and not self._is_exempt(deployment.id, now):
                if not health.claim_probe(deployment.id, now):
                    continue
                self._claimed.append(deployment.id)
            candidates.append(self._bid_on(deployment, now))
        self._route.bidders = tuple([candidate.deployment for candidate in candidates])
        return tuple(candidates)

    def _bid_on(self, deployment: Deployment, now: float) -> Candidate:
        if not self.request.can_move:
            # Reading, cancelling and deleting take nothing of a deployment's quota.
            return Candidate(replace(deployment, rpm=None, tpm=None), 0)
        request = self.request
        if request.is_output_open and deployment.tpm is not None:
            usual = self._routing.health.statuses[deployment.id].output.tokens(now)
            if usual is not None:
                return candidate_for(deployment, request.given_tokens + usual)
        return candidate_for(deployment, request.tokens)

    def _may_leave_origin(self, now: float) -> bool:
        """True when a pinned call may go on elsewhere: its origin is down, not only stumbling."""
        if self._pin is None:
            return False
        scope = self._route.scope
        assert scope is not None
        return self._route.tries >= self._route.retry_limit or not any(
            self._is_open(d.id, now) and self._full.get(d.id, now) <= now for d in scope.deployments
        )

    def _repeat(self, now: float, jitter: float) -> AttemptStep | WaitStep | None:
        """AttemptStep again what has failed this call but is not cooling down, after a pause."""
        scope = self._route.scope
        assert scope is not None
        again = [d for d in scope.deployments if self._tried.get(d.id, inf) != inf]
        again = [d for d in again if self._is_open(d.id, now) and self._full.get(d.id, now) <= now]
        if not again:
            return None
        ready = {d.id: self._ready_at(d.id, jitter) for d in again}
        first = min(again, key=lambda deployment: ready[deployment.id])
        pause = ready[first.id] - now
        if pause <= 0:
            candidates = self._candidates([first], now)
            return AttemptStep(candidates, self.request.can_move) if candidates else None
        if self.deadline is not None and now + pause >= self.deadline:
            return None
        self.waited += pause
        return WaitStep(pause)

    def _ready_at(self, deployment_id: str, jitter: float) -> float:
        ready = self._tried[deployment_id]
        if ready is None:
            pause = backoff(RetryPolicy(), max(self._route.tries - 1, 0), jitter)
            ready = self._failed_at + max(pause, self._routing.settings.retry_delay)
            self._tried[deployment_id] = ready
        return ready

    # ── what is waited for, and what is raised ──

    def _wait(self, now: float, jitter: float) -> WaitStep:
        seconds = self._soonest(now)
        if seconds is None:
            raise self._give_up(now)
        spread = min(seconds * _SPREAD, 0.5) * jitter
        if self.deadline is not None:
            # Who comes back when no time is left for an attempt has waited for nothing.
            left = self.deadline - now
            if seconds + min(left / 10, _SHORTEST_ATTEMPT) >= left:
                raise self._give_up(now)
            spread = min(spread, (left - seconds) / 2)
        self._route.go_back()
        self.waited += seconds + spread
        return WaitStep(seconds + spread)

    def _soonest(self, now: float) -> float | None:
        """Seconds until the first deployment of the groups passed over may serve."""
        health = self._routing.health
        waits = (
            max(
                health.statuses[d.id].cooldown.remaining(now),
                self._full.get(d.id, now) - now,
                (self._tried.get(d.id) or now) - now,
            )
            for scope in self._route.passed_over
            for tier in scope.tiers
            for d in tier.deployments
            if scope.holds(d, self.request.input_tokens)
        )
        soonest = min((seconds for seconds in waits if seconds < inf), default=None)
        return None if soonest is None else max(soonest, _SHORTEST_WAIT)

    def _give_up(self, now: float) -> AzureResponsesError:
        route = self._route
        shortfall = no_deployment_serves(
            self._routing, self.request, route.scopes, self._full, now, self._pin
        )
        if self._error is None:
            self._final = with_context(shortfall, self.fallbacks, None)
        else:
            self._final = with_context(self._error, self.fallbacks, shortfall.retry_after)
        return self._final

    # ── what a failure means ──

    def _current_bid(self) -> Candidate:
        if self._candidate is None:
            raise RuntimeError("No attempt is under way: call reserved() first.")
        return self._candidate

    def _blame(
        self, verdict: FailureDecision, error: AzureResponsesError, now: float
    ) -> float | None:
        """Cool the deployment down as far as it is to blame; seconds, or None."""
        health, deployment = self._routing.health, self._current_bid().deployment
        hint: float | None = getattr(error, "retry_after", None)
        self.alarm = None
        if verdict.cause is None or verdict.cause == "rate limit":
            if self.is_probe:
                health.release_probe(deployment.id)
            return health.limit(deployment.id, hint, now) if verdict.cause else None
        cooldown = health.fail(
            deployment.id,
            verdict.cause,
            now,
            hint=hint,
            at_once=verdict.is_loud,
            is_probe=self.is_probe,
            counts=deployment.id not in self._blamed,
        )
        self._blamed.add(deployment.id)
        # Of calls that fail together the first sets the cooldown, and says so.
        if verdict.is_loud and cooldown is not None:
            self.alarm = (
                f"Deployment {deployment.id} ({deployment.host}) is in cooldown for "
                f"{cooldown:.0f} s: {verdict.cause}: {error}"
            )
        return cooldown

    def _note_stored(self, outcome: Outcome) -> None:
        stored = outcome.stored_tokens
        tokens = outcome.tokens if stored is None else stored
        if outcome.stored_ids and tokens:
            self._routing.contexts.note(outcome.stored_ids, tokens)

    def _settle_failure(
        self,
        error: AzureResponsesError,
        has_output: bool,
        tokens: int | None,
        sent: bool | None,
        cooldown: float | None,
    ) -> Settlement:
        candidate = self._current_bid()
        reached = has_output or (was_sent(error) if sent is None else sent)
        used = 0
        if reached:
            used = tokens_used(error, self.request.given_tokens, tokens, has_output=has_output)
        self._routing.health.end(candidate, self._mark, used, was_sent=reached)
        self._candidate = None
        return Settlement(
            candidate, self._slot, used, refunds_request=not reached, cooldown=cooldown
        )

    def _excuse(
        self, error: AzureResponsesError, deployment_id: str, now: float, again: float | None
    ) -> float | None:
        """When the deployment may be tried again; a refusal that says when uses up no retry.

        litellm#34399: rows that share one quota all refuse, and none of them will until then.
        """
        if again is None or not is_busy(error) or self._route.retry_limit == 0:
            return again
        count = self._refusals[deployment_id] = self._refusals.get(deployment_id, 0) + 1
        if count <= _MOST_REFUSALS:
            self._route.excuse()
        return max(again, now + _FIRST_REFUSAL_PAUSE * 2.0 ** min(count - 1, _MOST_REFUSALS))

    def _decide(self, verdict: FailureDecision, error: AzureResponsesError) -> None:
        """Keep the error that tells most, and see whether the call is over."""
        is_first = not self._route.is_fallback
        if is_first or self._error is None:
            self._error = error
        if verdict.next == "retry":
            return
        if verdict.next == "stop" or not self._route.leave(verdict.next):
            self._final = with_context(self._error, self.fallbacks, None)

    def _release_probes(self, kept: str | None = None) -> None:
        if not self._claimed:
            return
        for deployment_id in self._claimed:
            if deployment_id != kept:
                self._routing.health.release_probe(deployment_id)
        self._claimed = []
