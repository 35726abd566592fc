"""One call: which deployment next, and what its outcome means for the one after."""

from typing import TYPE_CHECKING

from azure_responses.errors import AzureResponsesError
from azure_responses.routing.ask import Ask, Grant, Try, Wait
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.outcome import Outcome, Settlement

if TYPE_CHECKING:
    from azure_responses.routing.routing import Routing

__all__ = ["RoutedCall"]


class RoutedCall:
    """The state of one call, told what happens; not for two threads at once.

    The shell's loop: `next_step` → Wait: sleep, ask again; Try: reserve the bids in the state
    store, then `granted` or `refused`; after an attempt exactly one of `answered`, `failed` and
    `abandoned`, whose Settlement goes to the state store. `next_step` raises the final error once
    nothing is left to try. Call the deployment at Azure by `deployment.name_for(group)`.

    Attributes:
        ask: as given, its deadline filled in from the router's timeout.
        attempts: how many were granted.
        fallbacks: the groups the call was given to after the first, in order.
        deployment: the one granted last, or None.
        group: the group it is in now.
        waited: seconds of Wait asked for so far.
        is_probe: this attempt tests a deployment that had failed too often.
        alarm: what an operator has to know of the last failure (a refused credential, a missing
            deployment), to be logged loudly; None when there is nothing.
        strips_reasoning: the deployment granted cannot read the encrypted reasoning of the
            request, which has to be left out of this attempt.
        replays_history: the deployment granted does not have the response that the request
            continues; this attempt has to carry its history instead.
    """

    ask: Ask
    attempts: int
    fallbacks: tuple[str, ...]
    deployment: Deployment | None
    group: str
    waited: float
    is_probe: bool
    alarm: str | None
    strips_reasoning: bool
    replays_history: bool

    def __init__(self, routing: "Routing", ask: Ask, now: float) -> None:
        raise NotImplementedError

    def next_step(self, now: float, jitter: float) -> Try | Wait:
        """What to do next; `jitter` is uniform in [0, 1) and new each time.

        Raises:
            AzureResponsesError: nothing is left to try; the most telling error of those met, or
                RateLimitError 429 / InternalServerError 503 when nobody can serve.
        """
        raise NotImplementedError

    def granted(self, grant: Grant, now: float) -> None:
        """The store reserved `grant.bid`: an attempt on it begins."""
        raise NotImplementedError

    def refused(self, grant: Grant, now: float) -> None:
        """None of the bids had room (`grant.bid` is None)."""
        raise NotImplementedError

    def attempt_timeout(self, now: float) -> float | None:
        """Seconds this attempt may take: what is left of the deadline, or the row's timeout."""
        raise NotImplementedError

    def wants_another(self, outcome: Outcome) -> bool:
        """True when the answer was cut by the content filter and another group may be asked.

        Then `answered` is called as usual and `next_step` after it. Keep the answer: it is the
        result of the call should `next_step` raise.
        """
        raise NotImplementedError

    def answered(self, outcome: Outcome, now: float) -> Settlement:
        """The attempt ended in an answer."""
        raise NotImplementedError

    def failed(
        self,
        error: AzureResponsesError,
        now: float,
        *,
        has_output: bool = False,
        tokens: int | None = None,
        was_sent: bool | None = None,
    ) -> Settlement:
        """The attempt failed; `next_step` then decides, or raises.

        Args:
            error: what went wrong.
            has_output: something has reached the caller, so that no other attempt is made, ever.
            tokens: what the service had reported as used, where it had.
            was_sent: whether the request reached the service; None judges by the error.
        """
        raise NotImplementedError

    def abandoned(
        self, now: float, *, tokens: int | None = None, was_sent: bool = True
    ) -> Settlement | None:
        """The caller gave up (cancelled, closed the stream); the call is over.

        Returns None when nothing was reserved, as while waiting. `tokens` is what the service had
        reported as used; without it the estimate of the input counts.
        """
        raise NotImplementedError
