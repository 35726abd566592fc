"""A background response whose cost is not known yet: its record, and what is decided about it.

Azure names the tokens of a background response when it has ended. Until then it is counted as one
call without a price, and what was reserved for it stays reserved. Nothing here does I/O.

| state | event | next state | what happens |
|---|---|---|---|
| - | the response was made | open | counted as unpriced; its reservation is held |
| open | a final status is seen | closed | its cost takes the place of what was held |
| open | it cannot be read any more | closed | it stays unpriced; what was held counts as spent |
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from azure_responses.gateway.spend import SpendKey, Spent
from azure_responses.openai_server.call_summary import CallSummary

__all__ = [
    "CLAIM",
    "FINAL",
    "OpenResponse",
    "closing_spent",
    "first_poll",
    "is_final",
    "is_given_up",
    "is_unfinished",
    "name_of",
    "next_poll",
    "price_headers",
    "summary_of",
]

FINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
"""The statuses with which a response ends."""

CLAIM = 120.0
"""Seconds for which only one replica polls a response; then another replica may."""

_UNFINISHED = frozenset({"queued", "in_progress"})
_FIRST, _LONGEST, _END = 30.0, 600.0, 86_400.0
# A response may not be readable at once after it was made: a 404 then says nothing.
_NOT_YET = 120.0
# What a price depends on, and the reply that made the response says better than later ones.
_PRICED_BY = ("x-ms-region", "x-ms-deployment-name", "x-ms-spillover-from-deployment")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenResponse:
    """One response.

    Attributes:
        id: as the service knows it; label: as its owner knows it.
        resource: the tag of the resource that stores it.
        key_id, end_user, model, day: under what it is counted.
        owner: whose response it is.
        deployment_id, deployment, base_model: what it is priced by.
        held: what counts against the key's budget until its cost is known; in millionths of a
            millionth of a US dollar.
        created: unix seconds.
        due: unix seconds of the next poll.
        call_id: of the call that made it.
        headers: of the reply that made it, those that a price depends on.
        is_local: the gateway itself makes it, over a deployment without background mode.
    """

    id: str
    label: str
    resource: str
    key_id: str
    end_user: str
    model: str
    day: int
    owner: str | None = None
    deployment_id: str | None = None
    deployment: str | None = None
    base_model: str | None = None
    held: int = 0
    created: float = 0.0
    due: float = 0.0
    call_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_local: bool = False

    @property
    def name(self) -> str:
        """The name of its record; ids of two resources might be the same."""
        return name_of(self.resource, self.id)

    @property
    def spend_key(self) -> SpendKey:
        """The row of the totals: the day is that of the call, not that of the end."""
        return SpendKey(self.key_id, self.end_user, self.model, self.day)

    def opening_spent(self) -> Spent:
        """The totals that count until its cost is known."""
        return Spent(calls=1, unpriced=1, held=self.held)

    def postponed(self, due: float) -> "OpenResponse":
        """The same, to be polled for at another time."""
        return replace(self, due=due)

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> "OpenResponse":
        """The record of a text; fields of a later version are left out."""
        values = json.loads(text)
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in values.items() if name in known})


def name_of(resource: str, response_id: str) -> str:
    """The name of the record of a response."""
    return f"{resource}/{response_id}"


def is_unfinished(response: Mapping[str, Any] | None) -> bool:
    """True for a response that continues in the background."""
    return response is not None and response.get("status") in _UNFINISHED


def is_final(response: Mapping[str, Any] | None) -> bool:
    """True for a background response that has ended."""
    return (
        response is not None
        and response.get("background") is True
        and response.get("status") in FINAL
    )


def price_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a reply's headers that a price depends on."""
    return {name: headers[name] for name in _PRICED_BY if name in headers}


def first_poll(created: float) -> float:
    """When a response is polled for first, in unix seconds."""
    return created + _FIRST


def next_poll(opened: OpenResponse, now: float) -> float:
    """When it is polled for again: after half of its age so far, at least 30 s, at most 10 min."""
    age = max(0.0, now - opened.created)
    # The last poll is at the end, not up to ten minutes behind it.
    last = opened.created + _END
    following = now + min(_LONGEST, max(_FIRST, age / 2))
    return min(following, last) if now < last else following


def is_given_up(opened: OpenResponse, now: float, *, is_missing: bool) -> bool:
    """True where no more polls are made.

    Args:
        is_missing: the service does not know the response.
    """
    age = now - opened.created
    return age >= _END or (is_missing and age >= _NOT_YET)


def summary_of(
    opened: OpenResponse, response: Mapping[str, Any] | None, headers: Mapping[str, str], now: float
) -> CallSummary:
    """The summary of the call that made a response, as if the call had waited for the end."""
    summary = CallSummary(
        opened.call_id,
        "create",
        group=opened.model,
        end_user=opened.end_user or None,
        owner=opened.owner,
        started_at=opened.created,
        deployment_id=opened.deployment_id,
        deployment=opened.deployment,
        base_model=opened.base_model,
        attempts=1,
        headers={**headers, **opened.headers},
        status=200,
        latency=max(0.0, now - opened.created),
    )
    summary.result = response
    return summary


def closing_spent(opened: OpenResponse, counted: Spent) -> Spent:
    """What to add to the totals when a response has ended.

    Args:
        counted: what a call that ends so is counted as; see `spent_by`.
    """
    closing = Spent()
    closing.add(counted)
    opening = opened.opening_spent()
    closing.calls -= opening.calls
    closing.unpriced -= opening.unpriced
    closing.held -= opening.held
    return closing
