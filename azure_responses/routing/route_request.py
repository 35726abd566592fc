"""What one call asks of a router, what a router answers, and what came of an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from azure_responses.errors import BadRequestError, ResponseNotFoundError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.prompt_cache_keys import CacheKeys
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.signed_id import show_id

__all__ = [
    "RouteRequest",
    "Candidate",
    "Reservation",
    "Pin",
    "AttemptStep",
    "WaitStep",
    "candidate_for",
    "Outcome",
    "Settlement",
    "Found",
    "Pins",
    "unknown_response",
]

_NONE: Mapping[str, float] = MappingProxyType({})


# What each call makes is a tuple, which is made in a third of the time of a frozen dataclass.
class Pin(NamedTuple):
    """Where a call has to go, because only that resource knows what it refers to.

    Attributes:
        resource: the tag of the resource.
        deployment: the tag of the deployment that made the thing, preferred while it can serve;
            None when any deployment of the resource will do.
        field: what pins, such as "previous_response_id", for errors and explanations.
        is_hard: the resource stores it; False when it only encrypted reasoning, which a caller
            may have stripped.
        is_wish: every deployment can serve the call, and its maker is only preferred.
        others: tags of further resources that know it just as well.
    """

    resource: str
    deployment: str | None = None
    field: str = "previous_response_id"
    is_hard: bool = True
    is_wish: bool = False
    others: tuple[str, ...] = ()

    @property
    def resources(self) -> tuple[str, ...]:
        """The tags of all resources that will do."""
        return (self.resource, *self.others)

    def join(self, other: "Pin") -> "Pin | None":
        """Where both lead to, named after this one; None where that is nowhere."""
        if not (self.others or other.others):
            return self if self.resource == other.resource else None
        both = [each for each in self.resources if each in other.resources]
        if not both:
            return None
        # What only one resource has names the deployment that made it.
        narrow = self if not self.others else other
        return narrow._replace(resource=both[0], field=self.field, others=tuple(both[1:]))


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
        tags: by which deployments are chosen, where the settings say so.
        is_object: it is about a stored object other than a response, whose limits are those of the
            resource: a refusal says nothing about the deployment.
        cache: the keys of its prompt cache; None of a call that is not tied to others by one.
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
    is_object: bool = False
    cache: CacheKeys | None = None
    tags: tuple[str, ...] = ()

    @property
    def given_tokens(self) -> int:
        """What the service reads: of the body, and of what it continues."""
        return self.input_tokens + self.context_tokens

    @property
    def tokens(self) -> int:
        """What to reserve of a token limit."""
        return self.input_tokens + self.context_tokens + self.output_tokens


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
class WaitStep:
    """Come back in so many seconds."""

    seconds: float


_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


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

    headers: Mapping[str, str] = _NO_HEADERS
    tokens: int | None = None
    latency: float | None = None
    status: str | None = None
    incomplete_reason: str | None = None
    has_output: bool = False
    output_tokens: int | None = None
    stored_ids: tuple[str, ...] = ()
    stored_tokens: int | None = None


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


class Found(NamedTuple):
    """An id and where in the body it stands, such as `input[3].id`.

    Attributes:
        is_private: of a response or an item of one, which belong to who made them.
    """

    path: str
    value: str
    is_private: bool = False


class Pins(NamedTuple):
    """Where a request has to go, and what its ids leave open.

    Attributes:
        hard: a resource stores something it names, or alone can read what cannot be left out.
        soft: a resource encrypted its latest reasoning, which may be left out.
        raw: ids of things stored by the service that carry no label.
        unreadable: paths of what is not an id where an id may stand.
        raw_ciphertexts: paths of encrypted content that carries no label.
    """

    hard: Pin | None = None
    soft: Pin | None = None
    raw: tuple[Found, ...] = ()
    unreadable: tuple[str, ...] = ()
    raw_ciphertexts: tuple[str, ...] = ()

    @property
    def pin(self) -> Pin | None:
        """The pin that counts."""
        return self.hard or self.soft

    def not_on(self, resource: str) -> str | None:
        """Where the first thing stands that a resource is not known to store, if any does."""
        if self.hard is not None and resource not in self.hard.resources:
            return self.hard.field
        unknown = (*self.unreadable, *(found.path for found in self.raw))
        return unknown[0] if unknown else None

    def require_ids(self) -> None:
        """Refuse what may hold an id that cannot be read.

        Raises:
            BadRequestError: something is not an id where only an id may stand.
        """
        if self.unreadable:
            first = self.unreadable[0]
            raise BadRequestError(
                f"{first} is not an id where one is expected.",
                status_code=400,
                param=first,
                code="invalid_type",
                type="invalid_request_error",
                hint="Pass the id as a string, in a field whose name is written as the API does.",
            )

    def require_own(self) -> None:
        """Refuse ids of responses and their items that carry no label.

        Raises:
            ResponseNotFoundError: there is one; its caller may have found it anywhere.
        """
        # An id without a label may have come from anywhere, such as the log of another owner.
        for found in self.raw:
            if found.is_private:
                raise unknown_response(found.value, found.path)

    def require_labels(self) -> None:
        """Refuse raw ids, for a group whose deployments do not all share one resource.

        Beside a hard pin they are let through: they can only be meant for the same resource.

        Raises:
            BadRequestError: there are some, and nothing says which resource knows them.
        """
        # A call that is pinned goes to one resource, which says itself whether it knows a raw id.
        if not self.raw or self.hard is not None:
            return
        first = self.raw[0]
        fields = ", ".join(found.path for found in self.raw)
        raise BadRequestError(
            f"No deployment is known to have made what {fields} names: {show_id(first.value)} is "
            "not an id that this router gave out, and its deployments are on several resources.",
            status_code=400,
            # Clients of a WebSocket send the whole input again after this code.
            code="previous_response_not_found" if fields == "previous_response_id" else None,
            param=first.path,
            hint="Send the id that router.import_id(id, deployment=…) makes of it.",
        )


def unknown_response(response_id: str, field: str) -> ResponseNotFoundError:
    """The error of an id that was not given out to its caller."""
    return ResponseNotFoundError(
        f"{field} {show_id(response_id)} was not found.",
        status_code=404,
        code="previous_response_not_found" if field == "previous_response_id" else "not_found",
        type="invalid_request_error",
        param=field,
        hint="Use ids as they were given out here, with the key they were given to.",
    )
