"""What a call will use and cost, near enough to put it aside."""

from decimal import Decimal

from azure_responses.gateway.caller import Caller
from azure_responses.gateway.money import to_pico
from azure_responses.relay.cost import price, use_of
from azure_responses.relay.relayed_call import RelayedCall
from azure_responses.router import Router
from azure_responses.routing.token_estimate import (
    UsualOutput,
    estimate_input_tokens,
    estimate_output_tokens,
    has_output_limit,
)

__all__ = ["Estimates"]

# Keys and models whose outputs are remembered; the oldest go.
_MOST_KNOWN = 10_000


class Estimates:
    """Estimates calls, and learns how long the outputs of those without a limit are.

    By key and model, and for keys not seen yet by model.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._usual: dict[tuple[str, str], UsualOutput] = {}

    def estimate(self, caller: Caller, call: RelayedCall, tick: float) -> tuple[int, int]:
        """Tokens in all, and millionths of a millionth of a US dollar; 0 where no price is known.

        `tick` is monotonic seconds.
        """
        given, made = estimate_input_tokens(call.body), self._output(caller, call, tick)
        rows = self._router.reader.routing.group_of(call.group or "")
        if not rows:
            return given + made, 0
        # The first row's price: rows of one group serve one model.
        row = rows[0]
        name = row.name_for(call.group or "")
        usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
        use = use_of({"model": row.base_model or name, "usage": usage}, {})
        cost = price(use, deployment=name, base_model=row.base_model)
        return given + made, to_pico(cost or Decimal(0))

    def learn(self, caller: Caller, call: RelayedCall, tick: float) -> None:
        """The call is over."""
        made = (call.summary.usage or {}).get("output_tokens")
        if not isinstance(made, int) or has_output_limit(call.body):
            return
        for name in _names(caller, call):
            usual = self._usual.get(name)
            if usual is None:
                while len(self._usual) >= _MOST_KNOWN:
                    del self._usual[next(iter(self._usual))]
                usual = self._usual[name] = UsualOutput()
            usual.observe(made, tick)

    def _output(self, caller: Caller, call: RelayedCall, tick: float) -> int:
        if not has_output_limit(call.body):
            for name in _names(caller, call):
                usual = self._usual.get(name)
                tokens = usual.tokens(tick) if usual is not None else None
                if tokens is not None:
                    return tokens
        return estimate_output_tokens(call.body)


def _names(caller: Caller, call: RelayedCall) -> tuple[tuple[str, str], tuple[str, str]]:
    model = call.group or ""
    return (caller.key_id, model), ("", model)
