"""One call: which deployment next, and what its outcome means for the one after."""

from collections.abc import Iterable
from dataclasses import replace
from math import inf

from azure_responses.errors import AzureResponsesError
from azure_responses.routing.call_path import FallbackPath, TriedDeployments
from azure_responses.routing.deployment import Deployment, Group, IsFree
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.failure_policy import (
    FailureDecision,
    is_about_credential,
    is_busy,
    is_callers_time,
    judge,
    name_deployment,
    reached_service,
    tokens_used,
)
from azure_responses.routing.prompt_cache_keys import CacheKeys
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
from azure_responses.routing.strategies import MOST_CANDIDATES, RoutingContext
from azure_responses.routing.tag_routing import no_deployment_tagged

__all__ = ["RoutedCall"]

_SPREAD = 0.1  # of a wait, so that calls that wait for one deployment do not all come at once
_LONGEST_SPREAD = 0.5
_SHORTEST_WAIT = 0.01
_LOOK_AGAIN = 0.25
_SHORTEST_ATTEMPT = 1.0
_SHORTEST_TIME = 0.001


class RoutedCall:
    """The state of one call; it does no I/O, and its caller says what happened.

    Theory of operation: the caller runs a loop and drives the call through these states.

    | State | Event | Next state |
    |---|---|---|
    | choosing | `next_step` returns an AttemptStep | reserving |
    | | `next_step` returns a WaitStep: sleep | choosing |
    | | `next_step` raises: no deployment is left to try | over |
    | reserving | `reserved`: the state store took one of the candidates | attempting |
    | | `refused`: none of them had room | choosing |
    | | `abandoned`: the caller was cancelled meanwhile | over |
    | attempting | `answered` | over, or choosing after `wants_another` |
    | | `failed` | choosing; `next_step` then decides, or raises |
    | | `abandoned`: the caller was cancelled, or closed the stream | over |

    Each attempt ends in exactly one of `answered`, `failed` and `abandoned`, whose Settlement goes
    to the state store. What the call has met at each deployment is in `TriedDeployments`, the
    groups that it passes in `FallbackPath`. Not for two threads at once.

    Attributes:
        request: as given.
        deadline: monotonic seconds; the request's, else the router's timeout from now, or None.
        attempts: how many were reserved.
        fallbacks: the groups the call was given to after the first, in order.
        deployment: the one reserved last, or None. Azure knows it as
            `deployment.name_for(group)`.
        group: the group of that attempt; before the first, the group asked for.
        waited: seconds of waiting asked for so far.
        is_probe: this attempt tests a deployment that had failed too often.
        alarm: what an operator has to know of the last failure (a refused credential, a missing
            deployment), to be logged loudly; None when there is nothing.
        strips_reasoning: the deployment reserved cannot read the encrypted reasoning of the
            request, which has to be left out of this attempt.
        replays_history: the deployment reserved does not have the response that the request
            continues; this attempt has to carry its history instead.
        cache_news: the name of a prompt cache and the tag of the deployment that has it from now
            on, where other replicas cannot work that out.
    """

    def __init__(self, registry: DeploymentRegistry, request: RouteRequest, now: float) -> None:
        timeout = registry.settings.timeout_of(is_stream=request.is_stream)
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
        self.cache_news: tuple[str, str] | None = None
        self._registry = registry
        # None once the call may leave the resource it is pinned to.
        self._pin: Pin | None = request.pin
        self._path = FallbackPath(registry, request)
        self.group = self._path.here.name
        self._tried = TriedDeployments()
        self._offered: tuple[Candidate, ...] = ()
        self._claimed: list[str] = []
        self._candidate: Candidate | None = None
        self._slot = 0
        self._mark = 0
        self._began = now
        self._left: float | None = None
        # The error of the group asked for tells more than those of its fallbacks.
        self._error: AzureResponsesError | None = None
        self._final: AzureResponsesError | None = None
        if not registry.retry_budget.is_full:
            registry.retry_budget.deposit()

    # ── choosing ──

    def next_step(self, now: float, jitter: float) -> AttemptStep | WaitStep:
        """What to do next; `jitter` is uniform in [0, 1) and new each time.

        Raises:
            AzureResponsesError: nothing is left to try: the error of those met that tells most,
                or RateLimitError 429 / InternalServerError 503 when no deployment can serve.
        """
        if self._claimed:
            self._release_probes()
        if self._final is not None:
            raise self._final
        if self._path.here.scope is None:
            self._refuse_hopeless()
        if self.deadline is not None and now >= self.deadline:
            self._final = self._give_up(now) if self._error else deadline_passed(self.request)
            raise self._final
        # This ends: each turn goes on to another group, and no group is on the path twice.
        while True:
            step = self._step_within(now, jitter)
            if step is not None:
                return step
            if not self._path.advance(may_return=self._may_try(now)):
                return self._wait(now, jitter)

    def _refuse_hopeless(self) -> None:
        """Raise where no deployment of the group asked for can ever serve."""
        registry, request = self._registry, self.request
        if registry.group(request.group) is None and request.can_move:
            raise unknown_model(request.group, registry.similar(request.group))
        if self._pin is None:
            raise no_deployment_tagged(request.group, request.tags)
        if not self._path.widen():
            raise origin_unknown(self._pin, registry, request)
        self._pin = None

    def _step_within(self, now: float, jitter: float) -> AttemptStep | WaitStep | None:
        """A step within the present group, or None when it cannot serve now."""
        if self._path.here.tries and not self._may_try(now):
            return None
        scope = self._path.here.scope
        assert scope is not None
        candidates = self._candidates(self._choose(scope, now, jitter), now)
        if candidates:
            return AttemptStep(candidates, self.request.can_move)
        if self._may_leave_origin(scope, now) and self._path.widen():
            self._pin = None
            return self._step_within(now, jitter)
        return self._repeat(scope, now, jitter)

    def _may_try(self, now: float) -> bool:
        tries = self._path.here.tries
        if tries == 0:
            return True
        return tries <= self._path.retry_limit and self._registry.retry_budget.has_retry(now)

    def _choose(self, scope: Group, now: float, jitter: float) -> Iterable[Deployment]:
        """The deployments to try, the best first; the one that made a thing comes before all."""
        registry, pin = self._registry, self._pin
        is_free = self._freedom(scope, now)
        wished = registry.by_tag(pin.deployment) if pin and pin.deployment else None
        if wished not in scope.deployments or (is_free and wished and not is_free(wished)):
            wished = None
        if wished and is_free is None and not scope.has_limits:
            # One is enough where none is full or in trouble.
            return [wished]
        context = RoutingContext(self.request, registry.health.statuses, now, jitter, is_free)
        chosen = registry.choose(scope, context)
        if wished is None:
            return chosen
        return [wished, *(d for d in chosen if d is not wished)][:MOST_CANDIDATES]

    def _freedom(self, scope: Group, now: float) -> IsFree | None:
        """Tells which deployments may be called now; None when all may."""
        health, tried, tokens = self._registry.health, self._tried, self.request.input_tokens
        # Mostly there is no trouble at all, which is seen without a call.
        has_trouble = bool(health.troubled) and health.tidy(now)
        is_uneven = scope.smallest_window is not None and scope.is_uneven(tokens)
        if not (has_trouble or is_uneven or tried):
            return None

        def is_free(deployment: Deployment) -> bool:
            if not tried.is_untried(deployment.id, now):
                return False
            if is_uneven and not scope.holds(deployment, tokens):
                return False
            return self._is_open(deployment.id, now)

        return is_free

    def _is_open(self, deployment_id: str, now: float) -> bool:
        health = self._registry.health
        return health.is_open(deployment_id, now) or self._is_exempt(deployment_id, now)

    def _is_exempt(self, deployment_id: str, now: float) -> bool:
        """True when the cooldown is for the quota, and the call takes nothing of it."""
        health = self._registry.health
        return not self.request.can_move and health.is_only_limited(deployment_id, now)

    def _candidates(self, deployments: Iterable[Deployment], now: float) -> tuple[Candidate, ...]:
        health = self._registry.health
        candidates = []
        for deployment in deployments:
            if deployment.id in health.troubled and not self._is_exempt(deployment.id, now):
                if not health.claim_probe(deployment.id, now):
                    continue
                self._claimed.append(deployment.id)
            candidates.append(self._candidate_for(deployment, now))
        self._offered = tuple(candidates)
        return self._offered

    def _candidate_for(self, deployment: Deployment, now: float) -> Candidate:
        request = self.request
        if not request.can_move:
            # Reading, cancelling and deleting take nothing of a deployment's quota.
            return Candidate(replace(deployment, rpm=None, tpm=None), 0)
        if deployment.tpm is None:
            return Candidate(deployment, request.tokens)
        if request.is_output_open:
            usual = self._registry.health.statuses[deployment.id].output.tokens(now)
            if usual is not None:
                return candidate_for(deployment, request.given_tokens + usual)
        return candidate_for(deployment, request.tokens)

    def _may_leave_origin(self, scope: Group, now: float) -> bool:
        """True when a pinned call may go on elsewhere: its origin is down, and not only slow."""
        if self._pin is None:
            return False
        here, tried = self._path.here, self._tried
        return here.tries >= self._path.retry_limit or not any(
            self._is_open(d.id, now) and tried.has_room(d.id, now) for d in scope.deployments
        )

    def _repeat(self, scope: Group, now: float, jitter: float) -> AttemptStep | WaitStep | None:
        """Try again, after a pause, what failed this call but is not in cooldown."""
        tried, retries = self._tried, max(self._path.here.tries - 1, 0)
        again = [d for d in tried.repeatable(scope.deployments, now) if self._is_open(d.id, now)]
        if not again:
            return None
        delay = self._registry.settings.retry_delay
        ready = {d.id: tried.ready_at(d.id, retries, jitter, delay) for d in again}
        first = min(again, key=lambda deployment: ready[deployment.id])
        pause = ready[first.id] - now
        if pause <= 0:
            candidates = self._candidates([first], now)
            return AttemptStep(candidates, self.request.can_move) if candidates else None
        if self.deadline is not None and now + pause >= self.deadline:
            return None
        self.waited += pause
        return WaitStep(pause)

    def _wait(self, now: float, jitter: float) -> WaitStep:
        """No group can serve now: wait for the first that can, or raise."""
        seconds = self._soonest(now)
        if seconds is None:
            raise self._give_up(now)
        spread = min(seconds * _SPREAD, _LONGEST_SPREAD) * jitter
        if self.deadline is not None:
            # A call that comes back with no time for an attempt has waited for nothing.
            left = self.deadline - now
            if seconds + min(left / 10, _SHORTEST_ATTEMPT) >= left:
                raise self._give_up(now)
            spread = min(spread, (left - seconds) / 2)
        self._path.go_back()
        self.waited += seconds + spread
        return WaitStep(seconds + spread)

    def _soonest(self, now: float) -> float | None:
        """Seconds until the first deployment of the groups passed over may serve."""
        statuses, tried = self._registry.health.statuses, self._tried
        waits = (
            max(statuses[d.id].cooldown.remaining(now), tried.wait(d.id, now))
            for scope in self._path.passed_over
            for tier in scope.tiers
            for d in tier.deployments
            if scope.holds(d, self.request.input_tokens)
        )
        soonest = min((seconds for seconds in waits if seconds < inf), default=None)
        return None if soonest is None else max(soonest, _SHORTEST_WAIT)

    def _give_up(self, now: float) -> AzureResponsesError:
        full, scopes = self._tried.full_until(), self._path.scopes
        shortage = no_deployment_serves(self._registry, self.request, scopes, full, now, self._pin)
        if self._error is None:
            self._final = with_context(shortage, self.fallbacks, None)
        else:
            self._final = with_context(self._error, self.fallbacks, shortage.retry_after)
        return self._final

    # ── reserving ──

    def reserved(self, reservation: Reservation, now: float) -> None:
        """The store reserved `reservation.candidate`: an attempt on it begins."""
        candidate = reservation.candidate
        assert candidate is not None
        health, deployment, path = self._registry.health, candidate.deployment, self._path
        if reservation.cooldowns:
            health.learn(reservation.cooldowns, now)
        # The first attempt in a group is not a retry, also in a fallback group.
        if path.here.tries:
            self._registry.retry_budget.withdraw(now)
        self.is_probe = deployment.id in self._claimed
        if self._claimed:
            self._release_probes(kept=deployment.id)
        self._candidate, self._slot, self.deployment = candidate, reservation.slot, deployment
        self._mark = health.begin(candidate, now)
        self.attempts += 1
        if self.request.cache is not None:
            self._note_cache(self.request.cache, deployment, now)
        self.fallbacks = path.enter(deployment)
        self.group = path.here.name
        pin = self.request.pin
        is_elsewhere = (
            pin is not None and not pin.is_wish and deployment.resource not in pin.resources
        )
        self.strips_reasoning = is_elsewhere and pin is not None and not pin.is_hard
        self.replays_history = is_elsewhere and pin is not None and pin.is_hard

    def _note_cache(self, keys: CacheKeys, deployment: Deployment, now: float) -> None:
        """Remember where the prompt goes: now, so that calls which overlap follow it there."""
        caches, key = self._registry.prompt_caches, keys.keys[0]
        is_derived = self._registry.is_first_choice(deployment, keys)
        is_known = caches.leads_to(key, deployment)
        is_news = not is_known and (caches.knows(key, now) or not is_derived)
        self.cache_news = (key.shared_name, deployment.tag) if is_news else None
        caches.note(keys, deployment, now)

    def refused(self, reservation: Reservation, now: float) -> None:
        """None of the candidates had room (`reservation.candidate` is None)."""
        if reservation.cooldowns:
            self._registry.health.learn(reservation.cooldowns, now)
        wait = reservation.retry_after or 0.0
        # Room that running calls hold frees at any moment.
        seconds = wait if wait > RUNNING_WAIT else wait * _LOOK_AGAIN
        until = now + max(seconds, _SHORTEST_WAIT)
        self._tried.note_full((each.deployment.id for each in self._offered), until)
        self._release_probes()

    def _release_probes(self, kept: str | None = None) -> None:
        for deployment_id in self._claimed:
            if deployment_id != kept:
                self._registry.health.release_probe(deployment_id)
        self._claimed = []

    # ── attempting ──

    def attempt_timeout(self, now: float) -> float | None:
        """Seconds this attempt may take: the rest of the call's time, or the deployment's own."""
        own = self.deployment.timeout_of(self.request.is_stream) if self.deployment else None
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
        return is_cut and not outcome.has_output and self._path.leads_on("content policy")

    def answered(self, outcome: Outcome, now: float) -> Settlement:
        """The attempt ended in an answer."""
        candidate = self._end_attempt()
        used = candidate.tokens if outcome.tokens is None else outcome.tokens
        self.alarm = None
        if outcome.incomplete_reason is not None and self.wants_another(outcome):
            self._path.leave("content policy")
        stored = outcome.tokens if outcome.stored_tokens is None else outcome.stored_tokens
        if outcome.stored_ids and stored:
            self._registry.contexts.note(outcome.stored_ids, stored)
        if self.request.cache is not None:
            self._registry.prompt_caches.note(self.request.cache, candidate.deployment, now, 0)
        self._registry.health.succeed(
            candidate, self._mark, outcome, now, used, self.request, is_probe=self.is_probe
        )
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
        candidate = self._end_attempt()
        deployment = candidate.deployment
        decision = self._judge(error, deployment, now)
        cooldown = self._cool_down(deployment, decision, error, now)
        # A credential that the caller passed is not the deployment's.
        if is_about_credential(error) and not self.request.is_altered:
            name_deployment(error, deployment)
        self._note_failure(deployment.id, decision, error, now, cooldown)
        reached = has_output or (reached_service(error) if was_sent is None else was_sent)
        used = 0
        if reached:
            used = tokens_used(error, self.request.given_tokens, tokens, has_output=has_output)
        self._registry.health.end(candidate, self._mark, used, was_sent=reached)
        if has_output:
            self._final = error
        else:
            self._decide(decision, error)
        return Settlement(
            candidate, self._slot, used, refunds_request=not reached, cooldown=cooldown
        )

    def abandoned(
        self, now: float, *, tokens: int | None = None, was_sent: bool = True
    ) -> Settlement | None:
        """The caller gave up (cancelled, closed the stream); the call is over.

        Returns None when nothing was reserved, as while waiting. `tokens` is what the service had
        reported as used; without it the estimate of the input counts.
        """
        self._release_probes()
        candidate, health = self._candidate, self._registry.health
        if candidate is None:
            return None
        self._candidate = None
        # The service reads the whole input before the first output, and counts it.
        used = max(self.request.given_tokens, tokens or 0) if was_sent else 0
        if self.is_probe:
            health.release_probe(candidate.deployment.id)
        health.end(candidate, self._mark, used, was_sent=was_sent)
        return Settlement(candidate, self._slot, used, refunds_request=not was_sent)

    def _end_attempt(self) -> Candidate:
        candidate, self._candidate = self._candidate, None
        if candidate is None:
            raise RuntimeError("No attempt is under way: call reserved() first.")
        return candidate

    # ── what a failure means ──

    def _judge(
        self, error: AzureResponsesError, deployment: Deployment, now: float
    ) -> FailureDecision:
        is_stream, took = self.request.is_stream, now - self._began
        timeout = self._registry.settings.timeout_of(is_stream=is_stream)
        own = deployment.timeout_of(is_stream)
        is_callers = is_callers_time(self.request, own, self._left, timeout, took)
        return judge(error, self.request, deployment, is_callers_time=is_callers)

    def _cool_down(
        self,
        deployment: Deployment,
        decision: FailureDecision,
        error: AzureResponsesError,
        now: float,
    ) -> float | None:
        """Start a cooldown as far as the deployment is to blame; its seconds, or None."""
        health = self._registry.health
        hint: float | None = getattr(error, "retry_after", None)
        self.alarm = None
        if decision.cause is None or decision.cause == "rate limit":
            if self.is_probe:
                health.release_probe(deployment.id)
            is_limited = decision.cause is not None and not self.request.is_object
            return health.limit(deployment.id, hint, now) if is_limited else None
        cooldown = health.fail(
            deployment.id,
            decision.cause,
            now,
            hint=hint,
            at_once=decision.is_loud,
            is_probe=self.is_probe,
            counts=self._tried.blame(deployment.id),
        )
        # Of calls that fail together the first sets the cooldown, and says so.
        if decision.is_loud and cooldown is not None:
            self.alarm = (
                f"Deployment {deployment.id} ({deployment.host}) is in cooldown for "
                f"{cooldown:.0f} s: {decision.cause}: {error}"
            )
        return cooldown

    def _note_failure(
        self,
        deployment_id: str,
        decision: FailureDecision,
        error: AzureResponsesError,
        now: float,
        cooldown: float | None,
    ) -> None:
        tried = self._tried
        if cooldown is None and decision.cause == "rate limit":
            # The limit is not the deployment's, but it is one for this call.
            cooldown = getattr(error, "retry_after", None)
        if decision.is_final:
            # A refused key or a missing deployment does not change while a caller waits.
            tried.give_up(deployment_id, now)
        else:
            tried.note_failure(deployment_id, now, cooldown)
        if cooldown is None or not is_busy(error) or not self._path.retry_limit:
            return
        # A refusal that says when to come back uses up no retry, within reason.
        if tried.note_refusal(deployment_id, now):
            self._path.excuse()

    def _decide(self, decision: FailureDecision, error: AzureResponsesError) -> None:
        """Keep the error that tells most, and see whether the call is over."""
        if self._error is None or not self._path.is_fallback:
            self._error = error
        if decision.next == "retry":
            return
        if decision.next == "stop" or not self._path.leave(decision.next):
            self._final = with_context(self._error, self.fallbacks, None)
