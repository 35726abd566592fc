"""What a call will use and cost at most, near enough to put it aside."""

from decimal import Decimal

from azure_responses.gateway.money import to_pico
from azure_responses.relay.cost import price, use_of
from azure_responses.relay.relayed_call import RelayedCall
from azure_responses.router import Router
from azure_responses.routing.token_estimate import estimate_input_tokens, estimate_output_tokens

__all__ = ["estimate_cost"]


def estimate_cost(call: RelayedCall, router: Router) -> tuple[int, int]:
    """Tokens in all, and millionths of a millionth of a US dollar; 0 where no price is known."""
    given, made = estimate_input_tokens(call.body), estimate_output_tokens(call.body)
    rows = router.reader.routing.group_of(call.group or "")
    if not rows:
        return given + made, 0
    # The first row's price: rows of one group serve one model.
    row = rows[0]
    name = row.name_for(call.group or "")
    usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    use = use_of({"model": row.base_model or name, "usage": usage}, {})
    cost = price(use, deployment=name, base_model=row.base_model)
    return given + made, to_pico(cost or Decimal(0))
