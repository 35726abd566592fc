"""May this call begin: model, requests and tokens a minute, and money."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from azure_responses.event_loop import compute
from azure_responses.gateway.budget import Budgets, Hold
from azure_responses.gateway.cost_estimate import CostEstimates
from azure_responses.gateway.error_response import ErrorResponse, error_response, limit_error
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.router import Router
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.quota import RUNNING_WAIT, MinuteWindow
from azure_responses.routing.route_request import Candidate, Settlement
from azure_responses.store.interface import AsyncStateStore
from azure_responses.transport import patience_of

__all__ = ["Admission", "AdmissionQueue", "Admitted", "check_model"]

# Keys whose minutes are remembered; an idle key's is empty after one anyway.
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may be made; hand it back to `settle` or `refund`, once."""

    caller: ApiCaller
    ticket: "_Ticket | SharedTicket | None" = None
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class _Ticket:
    """The second in which a call was counted, and the tokens it was counted for."""

    slot: int
    tokens: int


@dataclass(frozen=True, slots=True)
class SharedTicket:
    """A call that was counted; `settle` it once."""

    state: AsyncStateStore
    candidate: Candidate
    slot: int

    def settle(self, used: int, *, refunds_request: bool = False) -> None:
        """Count `used` tokens in place of those reserved; written behind the call."""
        # When it is does not matter: a settlement without a cooldown has no use for it.
        self.state.settle(Settlement(self.candidate, self.slot, used, refunds_request), 0.0)


class Admission:
    """Counts calls against the limits of their keys.

    In this process, any number of whose threads may share one, or together with replicas in the
    state of the router. It does no I/O of its own, and is told the time.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._minutes: dict[str, MinuteWindow] = {}
        self._lock = threading.Lock()

    def admit(
        self, caller: ApiCaller, *, model: str, tokens: int, cost: int, now: float, tick: float
    ) -> Admitted | ErrorResponse:
        """Let a call begin, or say why not.

        Args:
            tokens: an estimate of all it will use.
            cost: an estimate, in millionths of a millionth of a US dollar.
            now: unix seconds, for the periods of budgets.
            tick: monotonic seconds, for the limits a minute.
        """
        error = check_model(caller, model)
        if error is not None:
            return error
        ticket = self._take(caller, tokens, tick) if caller.has_limits else None
        return self._reserve_budget(caller, ticket, cost, now)

    async def admit_shared(
        self,
        state: AsyncStateStore,
        caller: ApiCaller,
        *,
        model: str,
        tokens: int,
        cost: int,
        now: float,
        tick: float,
    ) -> Admitted | ErrorResponse:
        """The same with requests and tokens counted in a state that replicas share.

        While it is out of reach, it counts for this process alone.
        """
        error = check_model(caller, model)
        if error is not None:
            return error
        ticket = await take_shared(state, caller, tokens, tick) if caller.has_limits else None
        return self._reserve_budget(caller, ticket, cost, now)

    def _reserve_budget(
        self,
        caller: ApiCaller,
        ticket: "_Ticket | SharedTicket | ErrorResponse | None",
        cost: int,
        now: float,
    ) -> Admitted | ErrorResponse:
        if isinstance(ticket, ErrorResponse):
            return ticket
        if caller.budget is None:
            return Admitted(caller, ticket)
        hold = self._budgets.hold(caller, cost, now)
        if isinstance(hold, ErrorResponse):
            self._give_back(caller, ticket)
            return hold
        return Admitted(caller, ticket, hold)

    def settle(self, admitted: Admitted, *, tokens: int | None) -> None:
        """The call is over, and its cost recorded.

        Args:
            tokens: what it used; None where that is not known, which leaves the estimate.
        """
        ticket = admitted.ticket
        if isinstance(ticket, SharedTicket):
            ticket.settle(ticket.candidate.tokens if tokens is None else tokens)
        elif ticket is not None:
            used = ticket.tokens if tokens is None else tokens
            with self._lock:
                minute = self._minutes.get(admitted.caller.key_id)
                if minute is not None:
                    minute.settle(ticket.slot, ticket.tokens, used)
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)

    def refund(self, admitted: Admitted) -> None:
        """The call was not made after all."""
        self._give_back(admitted.caller, admitted.ticket)
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)

    def _take(self, caller: ApiCaller, tokens: int, tick: float) -> _Ticket | ErrorResponse:
        with self._lock:
            minute = self._minute(caller)
            slot = minute.reserve(tokens, tick)
            if slot is not None:
                return _Ticket(slot, tokens)
            wait = minute.wait(tokens, tick)
            is_full = caller.rpm is not None and minute.requests >= caller.rpm
        limit = "requests" if is_full else "tokens"
        return limit_error(limit, f"{caller.rpm if is_full else caller.tpm} {limit}", wait)

    def _give_back(self, caller: ApiCaller, ticket: _Ticket | SharedTicket | None) -> None:
        if ticket is None:
            return
        if isinstance(ticket, SharedTicket):
            ticket.settle(0, refunds_request=True)
            return
        with self._lock:
            minute = self._minutes.get(caller.key_id)
            if minute is not None:
                minute.settle(ticket.slot, ticket.tokens, 0, refunds_request=True)

    def _minute(self, caller: ApiCaller) -> MinuteWindow:
        minute = self._minutes.get(caller.key_id)
        if minute is None:
            while len(self._minutes) >= _MOST_KEYS:
                del self._minutes[next(iter(self._minutes))]
            minute = self._minutes[caller.key_id] = MinuteWindow(caller.rpm, caller.tpm)
        # The limits of a stored key may have been changed.
        minute.rpm, minute.tpm = caller.rpm, caller.tpm
        return minute


async def take_shared(
    state: AsyncStateStore, caller: ApiCaller, tokens: int, tick: float
) -> SharedTicket | ErrorResponse:
    """Count a call if the key may make it; `tick` is monotonic seconds.

    To the state a key is one more deployment, which it knows how to count, also alone while
    others cannot be asked.
    """
    name = f"key-{sha256(caller.key_id.encode()).hexdigest()[:24]}"
    candidate = Candidate(
        Deployment(name, "", "", name, "", rpm=caller.rpm, tpm=caller.tpm), tokens
    )
    reservation = await state.reserve([candidate], tick)
    if reservation.candidate is not None:
        return SharedTicket(state, candidate, reservation.slot)
    limits = {"requests": caller.rpm, "tokens": caller.tpm}
    shown = [f"{most} {unit}" for unit, most in limits.items() if most is not None]
    # Which of the two was reached, the state does not say.
    kind = "tokens" if caller.rpm is None else "requests"
    return limit_error(kind, " and ".join(shown), reservation.retry_after or 1.0)


# Room that running calls hold frees when they end; a caller who came back a second later would find
# the same as one who waited here, and be refused more often.
_LONGEST_WAIT = 10.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
# Calls of one key that wait at once; more are refused at once.
_MOST_WAITING = 32


def check_model(caller: ApiCaller, model: str) -> ErrorResponse | None:
    """The 403 of a key that is not for this model, else None."""
    if not caller.models or caller.may_call(model):
        return None
    return error_response(
        403,
        f"This API key may not call the model {model[:200]!r}. It may call: "
        f"{', '.join(caller.models)}.",
        type="permission_denied",
        param="model",
        code="key_model_access_denied",
    )


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

    async def admit(self, caller: ApiCaller, call: ServedRequest) -> Admitted | ErrorResponse:
        """Let a call begin, at once or when running calls of its key have ended, or say why not."""
        if not (caller.has_limits or caller.budget is not None):
            return self._admission.admit(
                caller, model=call.summary.group or "", tokens=0, cost=0, now=time.time(), tick=0.0
            )
        context = await self._estimates.find_context(call)
        admitted = await self._ask(caller, call, context)
        if not _passes_soon(admitted) or self.waiting[caller.key_id] >= self._most:
            return admitted
        self.waiting[caller.key_id] += 1
        try:
            return await self._wait(caller, call, context, admitted)
        finally:
            self.waiting[caller.key_id] -= 1
            if not self.waiting[caller.key_id]:
                del self.waiting[caller.key_id]

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
        state = self._router.async_calls.state
        if caller.has_limits and state.is_shared:
            return await self._admission.admit_shared(state, caller, **asked)
        return self._admission.admit(caller, **asked)


def _passes_soon(admitted: Admitted | ErrorResponse) -> bool:
    if not isinstance(admitted, ErrorResponse) or admitted.retry_after is None:
        return False
    return admitted.retry_after <= RUNNING_WAIT
