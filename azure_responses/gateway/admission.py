"""May this call begin: model, requests and tokens a minute, and money."""

import threading
from dataclasses import dataclass

from azure_responses.gateway.access import check_model
from azure_responses.gateway.budget import Budgets, Hold
from azure_responses.gateway.caller import Caller
from azure_responses.gateway.denial import Denial, deny
from azure_responses.gateway.minute import Minute, Ticket

__all__ = ["Admission", "Admitted"]

# Keys whose minutes are remembered; an idle key's is empty after one anyway.
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may be made; hand it back to `settle` or `refund`, once."""

    caller: Caller
    ticket: Ticket | None = None
    hold: Hold | None = None


class Admission:
    """Counts calls against the limits of their keys, in this process.

    Any number of threads may share one. It does no I/O, and is told the time.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._minutes: dict[str, Minute] = {}
        self._lock = threading.Lock()

    def admit(
        self, caller: Caller, *, model: str, tokens: int, cost: int, now: float
    ) -> Admitted | Denial:
        """Let a call begin, or say why not.

        Args:
            tokens: an estimate of all it will use.
            cost: an estimate, in millionths of a millionth of a US dollar.
            now: unix seconds.
        """
        denial = check_model(caller, model)
        if denial is not None:
            return denial
        ticket = self._take(caller, tokens, now) if caller.has_limits else None
        if isinstance(ticket, Denial):
            return ticket
        hold = self._budgets.hold(caller, cost, now)
        if isinstance(hold, Denial):
            self._give_back(caller, ticket)
            return hold
        return Admitted(caller, ticket, hold)

    def settle(self, admitted: Admitted, *, tokens: int | None, now: float) -> None:
        """The call is over, and its cost recorded.

        Args:
            tokens: what it used; None where that is not known, which leaves the estimate.
        """
        if admitted.ticket is not None and tokens is not None:
            with self._lock:
                minute = self._minutes.get(admitted.caller.key_id)
                if minute is not None:
                    minute.settle(admitted.ticket, tokens, now)
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)

    def refund(self, admitted: Admitted) -> None:
        """The call was not made after all."""
        self._give_back(admitted.caller, admitted.ticket)
        if admitted.hold is not None:
            self._budgets.release(admitted.hold)

    def left(self, caller: Caller, now: float) -> tuple[int | None, int | None]:
        """Requests and tokens the key has left in this minute, for headers; None without limit."""
        if not caller.has_limits:
            return None, None
        with self._lock:
            return self._minute(caller).left(now)

    def _take(self, caller: Caller, tokens: int, now: float) -> Ticket | Denial:
        with self._lock:
            minute = self._minute(caller)
            ticket = minute.take(tokens, now)
            if ticket is not None:
                return ticket
            wait, limit = minute.wait(tokens, now)
        most = caller.rpm if limit == "requests" else caller.tpm
        return deny(
            429,
            f"This API key may use {most} {limit} per minute. Try again in {wait:.1f} s.",
            type=limit,
            code="rate_limit_exceeded",
            retry_after=wait,
        )

    def _give_back(self, caller: Caller, ticket: Ticket | None) -> None:
        if ticket is None:
            return
        with self._lock:
            minute = self._minutes.get(caller.key_id)
            if minute is not None:
                minute.refund(ticket)

    def _minute(self, caller: Caller) -> Minute:
        minute = self._minutes.get(caller.key_id)
        if minute is None:
            while len(self._minutes) >= _MOST_KEYS:
                del self._minutes[next(iter(self._minutes))]
            minute = self._minutes[caller.key_id] = Minute(caller.rpm, caller.tpm)
        # The limits of a stored key may have been changed.
        minute.rpm, minute.tpm = caller.rpm, caller.tpm
        return minute
