"""Limits of one key: requests and tokens a minute, and money in a period."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from azure_responses.gateway.caller import Caller
from azure_responses.gateway.denial import Denial, deny
from azure_responses.gateway.money import show_dollars
from azure_responses.gateway.periods import period_end, period_start

__all__ = ["Budgets", "Hold"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Money put aside for a call in progress."""

    key_id: str
    amount: int


class Budgets:
    """Lets a call begin while the key has money left that no other call has put aside.

    A call's cost is known only when it ends. While it runs, what it is expected to cost is put
    aside, so that many calls at once cannot all spend the same last cent: a budget is overrun by
    at most what the calls in progress cost above what was put aside for them.

    Args:
        spent: key id, first day of the period → millionths of a millionth spent since.
        status: of HTTP, for a spent budget. 429 is what OpenAI itself answers to an exhausted
            quota, so SDKs raise their error for limits; 400 would blame the request and 402 is
            known to none of them. `x-should-retry` keeps SDKs from trying again at once.
    """

    def __init__(self, spent: Callable[[str, int], int], *, status: int = 429) -> None:
        self._spent = spent
        self._status = status
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def hold(self, caller: Caller, amount: int, now: float) -> Hold | Denial | None:
        """Put money aside for a call; None for a key without a budget."""
        if caller.budget is None:
            return None
        start = period_start(caller.created, caller.budget_period, now)
        with self._lock:
            spent = self._spent(caller.key_id, start)
            held = self._held.get(caller.key_id, 0)
            if spent + held < caller.budget:
                self._held[caller.key_id] = held + amount
                return Hold(caller.key_id, amount)
        return self._refuse(caller, spent, held, now)

    def release(self, hold: Hold) -> None:
        """Give back what was put aside; the call's cost is recorded before this."""
        with self._lock:
            left = self._held.get(hold.key_id, 0) - hold.amount
            if left > 0:
                self._held[hold.key_id] = left
            else:
                self._held.pop(hold.key_id, None)

    def _refuse(self, caller: Caller, spent: int, held: int, now: float) -> Denial:
        assert caller.budget is not None
        wait = None
        if caller.budget_period is not None:
            wait = period_end(caller.created, caller.budget_period, now) - now
        reserved = f", and calls in progress hold {show_dollars(held, 6)}" if held else ""
        return deny(
            self._status,
            f"This API key's budget of {show_dollars(caller.budget)} USD is spent: "
            f"{show_dollars(spent, 6)} USD used{reserved}.",
            type="budget_exceeded",
            code="budget_exceeded",
            retry_after=1.0 if held and spent < caller.budget else wait,
            headers={} if held and spent < caller.budget else {"x-should-retry": "false"},
        )
