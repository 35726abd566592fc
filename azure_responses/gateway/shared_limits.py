"""A key's requests and tokens a minute, counted together with the replicas."""

from dataclasses import dataclass
from hashlib import sha256

from azure_responses.gateway.error_response import ErrorResponse, limit_error
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.outcome import Settlement
from azure_responses.routing.route_request import Candidate
from azure_responses.store.interface import AsyncStateStore

__all__ = ["SharedTicket", "take_shared"]


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
