"""What came of an attempt, and what has to be remembered of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from azure_responses.routing.route_request import Candidate

__all__ = ["LedgerEntry", "Outcome", "Settlement"]

_NONE: Mapping[str, str] = MappingProxyType({})


class Outcome(NamedTuple):
    """An answer, as far as routing looks at it.

    Attributes:
        headers: of the reply; look-ups in lower case.
        tokens: what the answer's usage says was used in all, or None when it says nothing.
        latency: seconds to the whole answer, or of a stream to its first output.
        status: the response's own, such as "completed" or "incomplete".
        incomplete_reason: why it is incomplete, such as "content_filter".
        has_output: something of it has reached the caller already.
        output_tokens: those of the output among `tokens`, or None.
        stored_ids: of the response and its conversation, where they can be continued.
        stored_tokens: that continuing them takes up again; None leaves it to `tokens`.
    """

    headers: Mapping[str, str] = _NONE
    tokens: int | None = None
    latency: float | None = None
    status: str | None = None
    incomplete_reason: str | None = None
    has_output: bool = False
    output_tokens: int | None = None
    stored_ids: tuple[str, ...] = ()
    stored_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One stored response.

    Attributes:
        response_id: as the service knows it, without our label.
        deployment, resource: tags of the deployment that made it and of what stores it.
        end_user: for whom it was made, or None.
        owner: who may use it, or None.
        created, expires: unix seconds; the service keeps responses for 30 days.
    """

    response_id: str
    deployment: str
    resource: str
    end_user: str | None = None
    owner: str | None = None
    created: float = 0.0
    expires: float = 0.0


class Settlement(NamedTuple):
    """What an attempt leaves behind for the state of limits, cooldowns and the ledger.

    Attributes:
        candidate, slot: what was reserved, and when.
        used: tokens to count in place of those reserved; 0 gives them all back.
        refunds_request: the request itself is given back too: it never reached the service.
        cooldown: seconds for which the deployment is in cooldown, or None.
        entry: the stored response to remember, or None.
    """

    candidate: Candidate
    slot: int
    used: int
    refunds_request: bool = False
    cooldown: float | None = None
    entry: LedgerEntry | None = None
