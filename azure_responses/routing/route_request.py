"""What one call asks of a router, and what a router answers before the call is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from azure_responses.routing.deployment import Deployment

__all__ = [
    "RouteRequest",
    "Candidate",
    "Reservation",
    "Pin",
    "AttemptStep",
    "Wait",
    "candidate_for",
]

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a call has to go, because only that resource knows what it refers to.

    Attributes:
        resource: the tag of the resource.
        deployment: the tag of the deployment that made the thing, preferred while it can serve;
            None when any deployment of the resource will do.
        field: what pins, such as "previous_response_id", for errors and explanations.
        is_hard: the resource stores it; False when it only encrypted reasoning, which a caller
            may have stripped.
    """

    resource: str
    deployment: str | None = None
    field: str = "previous_response_id"
    is_hard: bool = True


# Those that each call makes are tuples, which are made in a third of the time.


class RouteRequest(NamedTuple):
    """One call to be routed.

    Attributes:
        group: the model name as the caller gave it.
        input_tokens, output_tokens: estimates, for limits and context windows.
        pin: where it has to go, or None.
        deadline: monotonic seconds by which the call must have ended, as its caller chose; None
            leaves that to the router's settings.
        is_stream: the answer comes as events.
        can_move: False for operations on one stored thing, which no fallback group can serve.
        on_origin_down: "fail", "strip" or "replay" for this call; None leaves it to the router.
        patience: the shortest time in seconds that the caller allows for a part of an attempt,
            such as connecting; None where the caller chose none.
        is_altered: the caller brings a credential, an address or a version of their own, so that
            a refusal of those says nothing about the deployment.
        is_output_open: the caller sets no limit to the output, so that what a deployment's other
            outputs had is a better estimate than `output_tokens`.
        context_tokens: of what the call continues, which its body does not show.
    """

    group: str
    input_tokens: int = 0
    output_tokens: int = 0
    pin: Pin | None = None
    deadline: float | None = None
    is_stream: bool = False
    can_move: bool = True
    on_origin_down: Literal["fail", "strip", "replay"] | None = None
    patience: float | None = None
    is_altered: bool = False
    is_output_open: bool = False
    context_tokens: int = 0

    @property
    def given_tokens(self) -> int:
        """What the service reads: of the body, and of what it continues."""
        return self.input_tokens + self.context_tokens

    @property
    def tokens(self) -> int:
        """What to reserve of a token limit."""
        return self.given_tokens + self.output_tokens


class Candidate(NamedTuple):
    """A deployment that may take the call, and the tokens to reserve on it."""

    deployment: Deployment
    tokens: int


def candidate_for(deployment: Deployment, tokens: int) -> Candidate:
    """The candidate of a call of so many tokens.

    One larger than a whole minute's limit is let through when nothing else is.
    """
    limit = deployment.tpm
    return Candidate(deployment, tokens if limit is None else min(tokens, limit))


class Reservation(NamedTuple):
    """Which candidate was accepted.

    Attributes:
        candidate: the one accepted, or None when every deployment was full or cooling down.
        slot: the second (of the state's own clock) in which the tokens were reserved.
        retry_after: seconds until the first candidate could be accepted, if none was.
        cooldowns: deployment id → seconds it is still in cooldown, as other replicas have learnt.
    """

    candidate: Candidate | None
    slot: int = 0
    retry_after: float | None = None
    cooldowns: Mapping[str, float] = _NONE


class AttemptStep(NamedTuple):
    """Make an attempt on the first of these that has room.

    `needs_room` is False for what no limit concerns: the first is taken without the store.
    """

    candidates: tuple[Candidate, ...]
    needs_room: bool = True


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back in so many seconds."""

    seconds: float
