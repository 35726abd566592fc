"""May this call begin: model, requests and tokens a minute, and money."""

import threading
from dataclasses import dataclass

from azure_responses.gateway.access import check_model
from azure_responses.gateway.budget import Budgets, Hold
from azure_responses.gateway.error_response import ErrorResponse, limit_error
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.shared_limits import SharedTicket, take_shared
from azure_responses.routing.windows import Window
from azure_responses.store.interface import AsyncStateStore

__all__ = ["Admission", "Admitted"]

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


class Admission:
    """Counts calls against the limits of their keys.

    In this process, any number of whose threads may share one, or together with replicas in the
    state of the router. It does no I/O of its own, and is told the time.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._minutes: dict[str, Window] = {}
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
        return self._hold(caller, ticket, cost, now)

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
        return self._hold(caller, ticket, cost, now)

    def _hold(
        self,
        caller: ApiCaller,
        ticket: "_Ticket | SharedTicket | ErrorResponse | None",
        cost: int,
        now: float,
    ) -> Admitted | ErrorResponse:
        if isinstance(ticket, ErrorResponse):
            return ticket
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

    def _minute(self, caller: ApiCaller) -> Window:
        minute = self._minutes.get(caller.key_id)
        if minute is None:
            while len(self._minutes) >= _MOST_KEYS:
                del self._minutes[next(iter(self._minutes))]
            minute = self._minutes[caller.key_id] = Window(caller.rpm, caller.tpm)
        # The limits of a stored key may have been changed.
        minute.rpm, minute.tpm = caller.rpm, caller.tpm
        return minute
