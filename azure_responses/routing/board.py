"""What this process knows of its deployments: cooldowns, failures, load, latency, headroom."""

from collections.abc import Iterable, Mapping, Sequence

from azure_responses.routing.ask import Bid, Grant
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.outcome import Settlement
from azure_responses.routing.settings import RouterSettings

__all__ = ["Board"]


class Board:
    """The in-process state of a router; every method may be called from any thread.

    The memory store of the limits is `reserve` and `settle`; a shared store uses neither, and
    tells through `Grant.cooldowns` what other replicas know.
    """

    def __init__(self, deployments: Iterable[Deployment], settings: RouterSettings) -> None:
        raise NotImplementedError

    def reserve(self, bids: Sequence[Bid], now: float) -> Grant:
        """Reserve a request and its tokens on the first bid whose rpm and tpm have room."""
        raise NotImplementedError

    def settle(self, settlement: Settlement, now: float) -> None:
        """Put what was used in place of what was reserved; note a cooldown."""
        raise NotImplementedError

    def learn(self, cooldowns: Mapping[str, float], now: float) -> None:
        """Take over cooldowns (id → seconds remaining) that other replicas noted."""
        raise NotImplementedError

    def cooldowns(self, now: float) -> dict[str, float]:
        """Deployment id → seconds it still sits out."""
        raise NotImplementedError

    def in_flight(self, deployment_id: str) -> int:
        """Attempts under way."""
        raise NotImplementedError
