"""The loop of a routed call, awaited: choose, reserve, attempt, settle."""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from azure_responses._async.concurrency import sleep
from azure_responses.errors import AzureResponsesError
from azure_responses.router.attempts import (
    Answer,
    Lease,
    NotSent,
    Orphans,
    Routed,
    Setback,
    route_of,
)
from azure_responses.router.targets import AsyncTarget, AsyncTargets
from azure_responses.router_state.store import AsyncStateStore
from azure_responses.routing.ask import Ask, Grant, Try, Wait
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.routing.routing import Routing
from azure_responses.telemetry.record import RoutedAttempt, routed_attempt

__all__ = ["AsyncAttempt", "AsyncRoutedCalls"]

T = TypeVar("T")

_LOG = logging.getLogger("azure_responses.router")

AsyncAttempt = Callable[[AsyncTarget, RoutedCall, float | None], Awaitable[Answer[T]]]
"""Asks one target, within so many seconds (None is no limit).

The call says which group it is in (`target.deployment.name_for(call.group)` is what to call at
Azure), and whether `strips_reasoning` or `replays_history` holds. For a stream it returns once the
first output has arrived, with `outcome=None`: what fails before that is tried elsewhere.
"""


class AsyncRoutedCalls:
    """Makes calls on whichever deployment serves them best; for the tasks of one event loop.

    Args:
        routing: decides.
        state: limits, cooldowns, ledger.
        targets: the clients of the deployments.
        on_setback: told of each failed attempt that another one follows.
        orphans: shared with others of the same routing, since a forgotten stream may outlive its
            event loop; None makes new ones.
    """

    def __init__(
        self,
        routing: Routing,
        state: AsyncStateStore,
        targets: AsyncTargets,
        *,
        on_setback: Callable[[Setback], Awaitable[None]] | None = None,
        orphans: Orphans | None = None,
    ) -> None:
        self.routing = routing
        self.state = state
        self.targets = targets
        self.orphans = Orphans() if orphans is None else orphans
        self._on_setback = on_setback

    async def perform(self, ask: Ask, attempt: AsyncAttempt[T]) -> Routed[T]:
        """Attempt a call on one deployment after another, until one answers.

        Raises:
            AzureResponsesError: the last failure, or a 429 or 503 with `retry_after` when no
                deployment can serve before the deadline.
        """
        call = self.routing.start(ask, time.monotonic())
        kept: Routed[T] | None = None
        failure: AzureResponsesError | None = None
        while True:
            failed, waited = call.deployment, call.waited
            try:
                deployment = await self._acquire(call)
            except AzureResponsesError:
                if kept is None:
                    raise
                return kept
            lease = Lease(call, self.state.settle)
            if failure is not None and failed is not None:
                setback = Setback(failed, failure, call.attempts - 1, call.waited - waited)
                await self._tell(setback, lease)
            answer = await self._attempt(attempt, deployment, call, lease)
            if isinstance(answer, AzureResponsesError):
                failure = answer
                continue
            failure = None
            kept = Routed(answer.result, route_of(call), lease)
            if lease.conclude(answer):
                return kept

    async def _acquire(self, call: RoutedCall) -> Deployment:
        """The deployment of the next attempt, reserved; raises when there is none."""
        self.orphans.settle()
        while True:
            now = time.monotonic()
            step = call.next_step(now, random.random())
            if isinstance(step, Wait):
                await sleep(step.seconds)
                continue
            grant = await self._reserve(call, step, now)
            if grant.bid is None:
                call.refused(grant, now)
                continue
            call.granted(grant, now)
            return grant.bid.deployment

    async def _reserve(self, call: RoutedCall, step: Try, now: float) -> Grant:
        if not step.needs_room:
            return Grant(step.bids[0])
        try:
            return await self.state.reserve(step.bids, now)
        except BaseException:
            # Given up meanwhile: nobody else may be kept from probing.
            call.abandoned(now)
            raise

    async def _attempt(
        self, attempt: AsyncAttempt[T], deployment: Deployment, call: RoutedCall, lease: Lease
    ) -> Answer[T] | AzureResponsesError:
        """What an attempt comes to; its failure is settled already, and returned."""
        told = routed_attempt.set(RoutedAttempt(deployment.id, call.group, call.attempts))
        try:
            target = self.targets.of(deployment)
            return await attempt(target, call, call.attempt_timeout(time.monotonic()))
        except NotSent as unsent:
            lease.abandoned(was_sent=False)
            raise unsent.error from unsent.error.__cause__
        except AzureResponsesError as error:
            lease.failed(error)
            if call.alarm:
                _LOG.error(call.alarm)
            return error
        except TypeError:
            # A parameter that does not exist: nothing was sent.
            lease.abandoned(was_sent=False)
            raise
        except BaseException:
            lease.abandoned()
            raise
        finally:
            routed_attempt.reset(told)

    async def _tell(self, setback: Setback, lease: Lease) -> None:
        if self._on_setback is None:
            return
        try:
            await self._on_setback(setback)
        except BaseException:
            lease.abandoned(was_sent=False)
            raise
