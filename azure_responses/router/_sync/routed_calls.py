# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The loop of a routed call, blocking: choose, reserve, attempt, settle."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from azure_responses._sync.concurrency import sleep
from azure_responses.errors import AzureResponsesError
from azure_responses.router.attempts import (
    AbandonedStreams,
    Answer,
    FailedAttempt,
    NotSent,
    OpenAttempt,
    Routed,
    route_of,
)
from azure_responses.router.targets import Target, Targets
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.prompt_cache_keys import CacheKeys
from azure_responses.routing.route_request import AttemptStep, Reservation, RouteRequest, WaitStep
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.store.interface import StateStore
from azure_responses.telemetry.record import RoutedAttempt, routed_attempt

__all__ = ["AttemptFunction", "RoutedCalls"]

T = TypeVar("T")

_LOG = logging.getLogger("azure_responses.router")

AttemptFunction = Callable[[Target, RoutedCall, float | None], Answer[T]]
"""Asks one target, within so many seconds (None is no limit).

The call says which group it is in (`target.deployment.name_for(call.group)` is what to call at
Azure), and whether `strips_reasoning` or `replays_history` holds. For a stream it returns once the
first output has arrived, with `outcome=None`: what fails before that is tried elsewhere.
"""


class RoutedCalls:
    """Makes calls on whichever deployment serves them best; safe to share between threads.

    Args:
        routing: decides.
        state: limits, cooldowns, ledger.
        targets: the clients of the deployments.
        on_failed_attempt: told of each failed attempt that another one follows.
        abandoned_streams: shared by all of one routing: a forgotten stream may outlive its
            event loop; None makes new ones.
    """

    def __init__(
        self,
        routing: DeploymentRegistry,
        state: StateStore,
        targets: Targets,
        *,
        on_failed_attempt: Callable[[FailedAttempt], None] | None = None,
        abandoned_streams: AbandonedStreams | None = None,
    ) -> None:
        self.routing = routing
        self.state = state
        self.targets = targets
        self.abandoned_streams = (
            AbandonedStreams() if abandoned_streams is None else abandoned_streams
        )
        self._on_failed_attempt = on_failed_attempt

    def perform(self, route_request: RouteRequest, attempt: AttemptFunction[T]) -> Routed[T]:
        """Attempt a call on one deployment after another, until one answers.

        Raises:
            AzureResponsesError: the last failure, or a 429 or 503 with `retry_after` when no
                deployment can serve before the deadline.
        """
        if route_request.cache is not None and self.state.is_shared:
            self._learn_cache(route_request.cache)
        call = RoutedCall(self.routing, route_request, time.monotonic())
        # A filtered answer, in case the groups that are asked after it have no better one.
        kept: Routed[T] | None = None
        failure: AzureResponsesError | None = None
        while True:
            # Of the attempt before: acquiring the next deployment overwrites both.
            failed, waited = call.deployment, call.waited
            try:
                deployment = self._acquire(call)
            except AzureResponsesError:
                if kept is None:
                    raise
                return kept
            open_attempt = OpenAttempt(call, self.state.settle)
            # Only now is it certain that another attempt follows, and how long that took.
            if failure is not None and failed is not None:
                failed_attempt = FailedAttempt(
                    failed, failure, call.attempts - 1, call.waited - waited
                )
                self._tell(failed_attempt, open_attempt)
            answer = self._attempt(attempt, deployment, call, open_attempt)
            if isinstance(answer, AzureResponsesError):
                failure = answer
                continue
            failure = None
            kept = Routed(answer.result, route_of(call), open_attempt)
            if open_attempt.conclude(answer):
                return kept

    def _learn_cache(self, keys: CacheKeys) -> None:
        """Find out where other replicas sent the conversation; asked once for each."""
        caches, key = self.routing.prompt_caches, keys.keys[0]
        if not keys.is_begun or caches.knows(key, time.monotonic()):
            return
        tag = self.state.text_of(key.shared_name)
        deployment = self.routing.by_tag(tag) if tag else None
        if deployment is not None:
            caches.note(keys._replace(keys=(key,)), deployment, time.monotonic(), calls=0)

    def _acquire(self, call: RoutedCall) -> Deployment:
        """The deployment of the next attempt, reserved; raises when there is none."""
        # Until they are settled they count as calls that are under way.
        self.abandoned_streams.settle()
        while True:
            now = time.monotonic()
            step = call.next_step(now, random.random())
            if isinstance(step, WaitStep):
                sleep(step.seconds)
                continue
            reservation = self._reserve(call, step, now)
            if reservation.candidate is None:
                call.refused(reservation, now)
                continue
            call.reserved(reservation, now)
            if call.cache_news is not None and self.state.is_shared:
                self.state.note_text(*call.cache_news)
            return reservation.candidate.deployment

    def _reserve(self, call: RoutedCall, step: AttemptStep, now: float) -> Reservation:
        # Nothing limits the deployment: a shared state has nothing to refuse, and is not asked.
        if not step.needs_room:
            return Reservation(step.candidates[0])
        try:
            return self.state.reserve(step.candidates, now)
        except BaseException:
            # The call was cancelled meanwhile: other calls must be free to probe.
            call.abandoned(now)
            raise

    def _attempt(
        self,
        attempt: AttemptFunction[T],
        deployment: Deployment,
        call: RoutedCall,
        open_attempt: OpenAttempt,
    ) -> Answer[T] | AzureResponsesError:
        """What an attempt comes to; its failure is settled already, and returned."""
        told = routed_attempt.set(RoutedAttempt(deployment.id, call.group, call.attempts))
        try:
            target = self.targets.of(deployment)
            return attempt(target, call, call.attempt_timeout(time.monotonic()))
        except NotSent as unsent:
            # No deployment is to blame, and none would take the request.
            open_attempt.abandoned(was_sent=False)
            raise unsent.error from unsent.error.__cause__
        except AzureResponsesError as error:
            open_attempt.failed(error)
            if call.alarm:
                _LOG.error(call.alarm)
            return error
        except TypeError:
            # A parameter that does not exist: nothing was sent.
            open_attempt.abandoned(was_sent=False)
            raise
        except BaseException:
            # Cancelled: the service may have read the input, whose tokens then count as used.
            open_attempt.abandoned()
            raise
        finally:
            routed_attempt.reset(told)

    def _tell(self, failed_attempt: FailedAttempt, open_attempt: OpenAttempt) -> None:
        if self._on_failed_attempt is None:
            return
        try:
            self._on_failed_attempt(failed_attempt)
        except BaseException:
            open_attempt.abandoned(was_sent=False)
            raise
