"""Whether a call may begin: by its model, requests and tokens a minute, and budget."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from azure_responses.event_loop import compute
from azure_responses.gateway.asgi_reply import ErrorResponse, error_response, limit_error
from azure_responses.gateway.budget import Budgets, Hold
from azure_responses.gateway.cost_estimate import CostEstimates
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.router import Router
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.quota import RUNNING_WAIT, MinuteWindow
from azure_responses.routing.route_request import Candidate, Settlement
from azure_responses.store.interface import AsyncStateStore
from azure_responses.transport import patience_of

__all__ = ["Admission", "AdmissionQueue", "Admitted", "check_model"]

# Keys whose windows are kept. The oldest go: the window of an idle key is empty after a minute.
_MOST_KEYS = 10_000

SettleLimits = Callable[[int, bool], None]
"""Counts the tokens that were used in place of those reserved; True gives the request back."""


class Admitted(NamedTuple):
    """A call that may be made; hand it back to `settle` or `refund`, once.

    Attributes:
        tokens: reserved for it.
        settle_limits: None for a key without limits a minute.
        hold: reserved of the key's budget; None without one.
    """

    caller: ApiCaller
    tokens: int = 0
    settle_limits: SettleLimits | None = None
    hold: Hold | None = None


class Admission:
    """Counts calls against the limits of their keys.

    The counts are those of this process, from any of its threads, or those that replicas share in
    the state of the router. It reads no clock: the times are arguments.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._windows: dict[str, MinuteWindow] = {}
        self._lock = threading.Lock()

    def admit(
        self,
        caller: ApiCaller,
        *,
        model: str | None,
        tokens: int,
        cost: int,
        now: float,
        tick: float,
    ) -> Admitted | ErrorResponse:
        """Let a call begin, or say why not.

        Args:
            model: the one asked for; None of calls that no model answers.
            tokens: an estimate of all it will use.
            cost: an estimate, in millionths of a millionth of a US dollar.
            now: unix seconds, for the periods of budgets.
            tick: monotonic seconds, for the limits a minute.
        """
        error = check_model(caller, model)
        if error is not None:
            return error
        counted = self._count(caller, tokens, tick) if caller.has_limits else None
        return self._reserve_budget(caller, tokens, counted, cost, now)

    async def admit_shared(
        self,
        state: AsyncStateStore,
        caller: ApiCaller,
        *,
        model: str | None,
        tokens: int,
        cost: int,
        now: float,
        tick: float,
    ) -> Admitted | ErrorResponse:
        """`admit`, with requests and tokens counted in a state that replicas share.

        While the state is out of reach, it counts for this process alone.
        """
        error = check_model(caller, model)
        if error is not None:
            return error
        counted = await _count_shared(state, caller, tokens, tick) if caller.has_limits else None
        return self._reserve_budget(caller, tokens, counted, cost, now)

    def _reserve_budget(
        self,
        caller: ApiCaller,
        tokens: int,
        counted: SettleLimits | ErrorResponse | None,
        cost: int,
        now: float,
    ) -> Admitted | ErrorResponse:
        if isinstance(counted, ErrorResponse):
            return counted
        if caller.budget is None:
            return Admitted(caller, tokens, counted)
        hold = self._budgets.hold(caller, cost, now)
        if isinstance(hold, ErrorResponse):
            if counted is not None:
                counted(0, True)
            return hold
        return Admitted(caller, tokens, counted, hold)

    def settle(self, admitted: Admitted, *, tokens: int | None) -> None:
        """The call is over, and its cost recorded.

        Args:
            tokens: what it used; None if unknown, which leaves the estimate.
        """
        self._settle(admitted, admitted.tokens if tokens is None else tokens)

    def release_hold(self, admitted: Admitted) -> Admitted:
        """Release what is reserved of the budget, which is counted elsewhere from now on."""
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)
        return admitted._replace(hold=None)

    def refund(self, admitted: Admitted) -> None:
        """The call was not made after all."""
        self._settle(admitted, 0, refunds_request=True)

    def _settle(self, admitted: Admitted, used: int, *, refunds_request: bool = False) -> None:
        if admitted.settle_limits is not None:
            admitted.settle_limits(used, refunds_request)
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)

    def _count(self, caller: ApiCaller, tokens: int, tick: float) -> SettleLimits | ErrorResponse:
        with self._lock:
            window = self._window(caller)
            slot = window.reserve(tokens, tick)
            if slot is None:
                wait = window.wait(tokens, tick)
                is_full = caller.rpm is not None and window.requests >= caller.rpm
                limit = "requests" if is_full else "tokens"
                return limit_error(limit, f"{caller.rpm if is_full else caller.tpm} {limit}", wait)

        def settle(used: int, refunds_request: bool) -> None:
            with self._lock:
                # The window may have been dropped for those of other keys meanwhile.
                known = self._windows.get(caller.key_id)
                if known is not None:
                    known.settle(slot, tokens, used, refunds_request=refunds_request)

        return settle

    def _window(self, caller: ApiCaller) -> MinuteWindow:
        window = self._windows.get(caller.key_id)
        if window is None:
            while len(self._windows) >= _MOST_KEYS:
                del self._windows[next(iter(self._windows))]
            window = self._windows[caller.key_id] = MinuteWindow(caller.rpm, caller.tpm)
        # The limits of a stored key may have been changed.
        window.rpm, window.tpm = caller.rpm, caller.tpm
        return window


async def _count_shared(
    state: AsyncStateStore, caller: ApiCaller, tokens: int, tick: float
) -> SettleLimits | ErrorResponse:
    # To the state a key is one more deployment: it has limits of its own, counted the same way, and
    # by each replica alone while Redis cannot be reached.
    name = f"key-{sha256(caller.key_id.encode()).hexdigest()[:24]}"
    deployment = Deployment(name, "", "", name, "", rpm=caller.rpm, tpm=caller.tpm)
    candidate = Candidate(deployment, tokens)
    reservation = await state.reserve([candidate], tick)
    if reservation.candidate is None:
        limits = {"requests": caller.rpm, "tokens": caller.tpm}
        shown = [f"{most} {unit}" for unit, most in limits.items() if most is not None]
        # The state does not say which of the two was reached.
        kind = "tokens" if caller.rpm is None else "requests"
        return limit_error(kind, " and ".join(shown), reservation.retry_after or 1.0)

    def settle(used: int, refunds_request: bool) -> None:
        # Written behind the call. The time is for cooldowns, which a key has none of.
        state.settle(Settlement(candidate, reservation.slot, used, refunds_request), 0.0)

    return settle


def check_model(caller: ApiCaller, model: str | None) -> ErrorResponse | None:
    """The 403 of a key that is not for this model, else None."""
    if model is None or not caller.models or caller.may_call(model):
        return None
    return error_response(
        403,
        f"This API key may not call the model {model[:200]!r}. It may call: "
        f"{', '.join(caller.models)}.",
        type="permission_denied",
        param="model",
        code="key_model_access_denied",
    )


# What running calls have reserved is free when they end. Waiting here finds it as soon as coming
# back would, with fewer refusals.
_LONGEST_WAIT = 10.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
# Calls of one key that wait at once; more are refused at once.
_MOST_WAITING = 32


class AdmissionQueue:
    """Admits calls, and lets one wait a little for what running calls of its key have reserved.

    Args:
        admission: counts against limits and budgets.
        estimates: of what a call will use.
        router: holds the state, which replicas may share.
        places: calls that the gateway runs at once, waiting ones among them.
    """

    def __init__(
        self, admission: Admission, estimates: CostEstimates, router: Router, places: int
    ) -> None:
        self._admission = admission
        self._estimates = estimates
        self._router = router
        # Each that waits has one of the gateway's places, of which other keys need some too.
        self._most = max(1, min(_MOST_WAITING, places // 4))
        self.waiting: Counter[str] = Counter()

    async def admit(
        self, caller: ApiCaller, call: ServedRequest, *, waits: bool = True
    ) -> Admitted | ErrorResponse:
        """Admit a call at once or when running calls of its key have ended, or say why not.

        With `waits` False the call does not wait: it is refused at once.
        """
        if not (caller.has_limits or caller.budget is not None):
            return self._admission.admit(
                caller, model=call.summary.group or "", tokens=0, cost=0, now=time.time(), tick=0.0
            )
        context = await self._estimates.find_context(call)
        admitted = await self._ask(caller, call, context)
        if not waits or not _passes_soon(admitted) or self.waiting[caller.key_id] >= self._most:
            return admitted
        self.waiting[caller.key_id] += 1
        try:
            return await self._wait(caller, call, context, admitted)
        finally:
            self.waiting[caller.key_id] -= 1
            if not self.waiting[caller.key_id]:
                del self.waiting[caller.key_id]

    async def admit_object(
        self, caller: ApiCaller, row: APIOperation
    ) -> Admitted | ErrorResponse | None:
        """Count a call on a stored object as a request without tokens, or say why it may not begin.

        Reading, deleting and cancelling need no budget: a key whose budget is spent can still
        fetch and remove what it stored. The model that the caller named was checked when it was
        read.
        """
        makes = row.method == "POST" and not row.name.endswith(".cancel")
        if caller.rpm is None and not (makes and caller.budget is not None):
            return None
        caller = replace(caller, tpm=None, budget=caller.budget if makes else None)
        tick = time.monotonic()
        asked: dict[str, Any] = {"tokens": 0, "cost": 0, "now": time.time(), "tick": tick}
        state = self._router.parts.async_calls.state
        if caller.has_limits and state.is_shared:
            return await self._admission.admit_shared(state, caller, model=None, **asked)
        return self._admission.admit(caller, model=None, **asked)

    async def _wait(
        self,
        caller: ApiCaller,
        call: ServedRequest,
        context: int,
        admitted: Admitted | ErrorResponse,
    ) -> Admitted | ErrorResponse:
        patience = patience_of(call.timeout)
        allowed = _LONGEST_WAIT if patience is None else min(patience, _LONGEST_WAIT)
        pause, ends = _FIRST_PAUSE, time.monotonic() + allowed
        while _passes_soon(admitted) and time.monotonic() + pause < ends:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            admitted = await self._ask(caller, call, context)
        return admitted

    async def _ask(
        self, caller: ApiCaller, call: ServedRequest, context: int
    ) -> Admitted | ErrorResponse:
        tick = time.monotonic()
        # Anew each time: the calls that ended meanwhile have shown how much they needed.
        tokens, cost = await compute(self._estimates.estimate, caller, call, context, tick)
        asked: dict[str, Any] = {"tokens": tokens, "cost": cost, "now": time.time(), "tick": tick}
        asked["model"] = call.summary.group or ""
        state = self._router.parts.async_calls.state
        if caller.has_limits and state.is_shared:
            return await self._admission.admit_shared(state, caller, **asked)
        return self._admission.admit(caller, **asked)


def _passes_soon(admitted: Admitted | ErrorResponse) -> bool:
    if not isinstance(admitted, ErrorResponse) or admitted.retry_after is None:
        return False
    return admitted.retry_after <= RUNNING_WAIT
